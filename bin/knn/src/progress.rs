use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use command::Stop;
use indicatif::{ProgressBar, ProgressStyle};
use knn::{Stage, Watch};

/// Shows how far the numeric work is, times its stages, and hands it the request to stop.
pub(crate) struct Progress {
    stop: Stop,
    /// Draws on standard error, and nothing unless that is a terminal.
    bar: ProgressBar,
    begun: Mutex<Vec<(Stage, Instant)>>,
}

impl Progress {
    pub(crate) fn new(stop: Stop) -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{prefix:>11} {wide_bar} {percent:>3} % {elapsed}") {
            bar.set_style(style);
        }
        Self { stop, bar, begun: Mutex::default() }
    }

    /// Takes the bar away and tells how long each stage took.
    pub(crate) fn finish(self) -> Vec<(Stage, Duration)> {
        self.bar.finish_and_clear();
        let begun = self.begun.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ends = begun.iter().skip(1).map(|&(_, at)| at).chain([Instant::now()]);
        begun.iter().zip(ends).map(|(&(stage, at), end)| (stage, end - at)).collect()
    }
}

impl Watch for Progress {
    fn begin(&self, stage: Stage, steps: u64) {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).push((stage, Instant::now()));
        self.bar.reset();
        self.bar.set_length(steps);
        self.bar.set_prefix(stage.to_string());
    }

    fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }

    fn stop_requested(&self) -> bool {
        self.stop.requested()
    }
}
