use std::collections::VecDeque;
use std::time::Duration;

use crate::channel::{CHANNEL_COUNT, CHANNELS, FEATURED_COUNT, Reading};
use crate::statistic::{Statistic, describe};
use crate::{Label, Phase, Sample};

/// How many features a window has.
pub const FEATURE_COUNT: usize = FEATURED_COUNT * Statistic::ALL.len();

/// The features' names, in column order: `<channel>.<statistic>` for every featured channel. A counter's
/// values are its rates a second.
pub fn feature_names() -> impl Iterator<Item = String> {
    let names = |channel: &'static str| {
        Statistic::ALL.into_iter().map(move |statistic| format!("{channel}.{}", statistic.name()))
    };
    CHANNELS.iter().filter(|channel| channel.featured).flat_map(move |channel| names(channel.name))
}

/// Where windows begin and how long they are: window `i` is `[i * hop, i * hop + window)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    window_ns: u64,
    hop_ns: u64,
}

/// A grid that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{flag} {time:?}: expected 1 ms to 1 h")]
pub struct BadGrid {
    flag: &'static str,
    time: Duration,
}

impl Grid {
    /// A grid of windows this long, this far apart.
    ///
    /// # Errors
    /// Less than a millisecond or more than an hour.
    pub fn new(window: Duration, hop: Duration) -> Result<Self, BadGrid> {
        let bounds = Duration::from_millis(1)..=Duration::from_hours(1);
        let nanoseconds = |flag, time: Duration| {
            let checked = bounds.contains(&time).then(|| u64::try_from(time.as_nanos()).ok()).flatten();
            checked.ok_or(BadGrid { flag, time })
        };
        Ok(Self { window_ns: nanoseconds("--window", window)?, hop_ns: nanoseconds("--hop", hop)? })
    }

    pub(crate) fn window_ns(&self) -> u64 {
        self.window_ns
    }
}

/// One window: a feature vector and the phase at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its place on the grid, from 0.
    pub idx: u32,
    /// Its end, in seconds from the episode's begin: when a live detector first has it.
    pub t_s: f64,
    /// The phase in force just before its end, which is what a live detector is asked for.
    pub phase: Phase,
    /// [`FEATURE_COUNT`] numbers, finite, or NaN where there is none: the channel was missing throughout,
    /// or the number is beyond float32.
    pub features: Vec<f32>,
}

/// Turns labels and samples, in the order of their times, into windows as soon as each is complete.
///
/// The batch over a stored episode and the tail of a live one run this same code. The first label
/// is the grid's origin. A window is complete when a sample at or past its end arrives; windows
/// without any sample, and those before the first label, do not exist. Counters become rates
/// between neighbouring samples and belong to the later one; a counter that steps back has begun
/// anew and gives none.
///
/// Cost: a window's rows are summed up when it closes, rows x channels; memory is one window.
#[derive(Debug)]
pub struct Windower {
    grid: Grid,
    origin: Option<u64>,
    /// Place of the first window that is not complete yet.
    next: u64,
    previous: Option<Sample>,
    /// Values that windows not yet complete may need.
    rows: VecDeque<Sample>,
    /// The phase in force, with those before it that windows not yet complete may end in.
    labels: VecDeque<Label>,
}

impl Windower {
    /// Nothing seen yet.
    pub fn new(grid: Grid) -> Self {
        Self { grid, origin: None, next: 0, previous: None, rows: VecDeque::new(), labels: VecDeque::new() }
    }

    /// A phase begins.
    pub fn label(&mut self, label: Label) {
        self.origin.get_or_insert(label.t_mono_ns);
        self.labels.push_back(label);
    }

    /// Takes a sample and gives the windows that it completes, most often none or one. A sample that is
    /// not later than the one before is passed over.
    pub fn sample(&mut self, sample: &Sample) -> Vec<Window> {
        let mut complete = Vec::new();
        let Some(origin) = self.origin else { return complete };
        let Some(at) = sample.t_mono_ns.checked_sub(origin) else { return complete };
        if self.previous.as_ref().is_some_and(|previous| previous.t_mono_ns >= sample.t_mono_ns) {
            return complete;
        }
        while let Some(end) = self.end().filter(|end| *end <= at) {
            self.forget(origin, origin + end);
            if self.rows.is_empty() {
                // A gap: on to the first window that this sample does not complete.
                self.next = (at - self.grid.window_ns) / self.grid.hop_ns + 1;
                break;
            }
            complete.extend(self.close(origin, origin + end));
            self.next += 1;
        }
        let values = self.derive(sample);
        self.rows.push_back(Sample { t_mono_ns: sample.t_mono_ns, values });
        self.previous = Some(sample.clone());
        complete
    }

    /// Where the next window ends, from the origin.
    fn end(&self) -> Option<u64> {
        self.next.checked_mul(self.grid.hop_ns)?.checked_add(self.grid.window_ns)
    }

    /// Drops rows before the next window, and phases that ended before its end.
    fn forget(&mut self, origin: u64, end: u64) {
        let begin = origin + self.next * self.grid.hop_ns;
        while self.rows.front().is_some_and(|row| row.t_mono_ns < begin) {
            self.rows.pop_front();
        }
        while self.labels.get(1).is_some_and(|label| label.t_mono_ns < end) {
            self.labels.pop_front();
        }
    }

    fn close(&self, origin: u64, end: u64) -> Option<Window> {
        let rows = self.rows.partition_point(|row| row.t_mono_ns < end);
        if rows == 0 {
            return None;
        }
        let begin = end - self.grid.window_ns;
        let values = |channel: usize| {
            self.rows.range(..rows).map(move |row| (row.t_mono_ns - begin, row.values[channel]))
        };
        let features = (0..CHANNEL_COUNT)
            .filter(|channel| CHANNELS[*channel].featured)
            .flat_map(|channel| describe(values(channel), self.grid.window_ns))
            .map(|value| Some(value as f32).filter(|value| value.is_finite()).unwrap_or(f32::NAN))
            .collect();
        Some(Window {
            idx: u32::try_from(self.next).ok()?,
            t_s: (end - origin) as f64 / 1e9,
            phase: self.labels.front()?.phase,
            features,
        })
    }

    /// Gauges as they are, counters as rates since the previous sample.
    fn derive(&self, sample: &Sample) -> [f64; CHANNEL_COUNT] {
        std::array::from_fn(|at| {
            let value = sample.values[at];
            match (CHANNELS[at].reading, &self.previous) {
                (Reading::Gauge, _) => value,
                (Reading::Counter, Some(previous)) if value >= previous.values[at] => {
                    (value - previous.values[at]) / ((sample.t_mono_ns - previous.t_mono_ns) as f64 / 1e9)
                }
                (Reading::Counter, _) => f64::NAN,
            }
        })
    }
}

/// All windows of a stored episode.
pub(crate) fn windows(grid: Grid, labels: &[Label], samples: &[Sample]) -> Vec<Window> {
    let mut windower = Windower::new(grid);
    let mut labels = labels.iter().peekable();
    let mut windows = Vec::new();
    for sample in samples {
        while let Some(label) = labels.next_if(|label| label.t_mono_ns <= sample.t_mono_ns) {
            windower.label(*label);
        }
        windows.extend(windower.sample(sample));
    }
    windows
}
