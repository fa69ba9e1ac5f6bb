use std::time::{Duration, Instant};

use crate::{
    classifier::Classifier,
    matrix::Matrix,
    watch::{Stopped, Unwatched, Watch},
};

/// Windows that are timed, at most, of those that there are, evenly spaced.
pub(crate) const WINDOWS_ALONE: usize = 64;

/// The median time to tell the phase of one standardized window that comes alone, over these rows of
/// `z`. `None` without rows.
///
/// What comes before, imputing and scaling one row, takes well under a microsecond.
pub(crate) fn single_window_latency(
    classifier: &Classifier<'_>,
    z: &Matrix,
    rows: &[u32],
    watch: &dyn Watch,
) -> Result<Option<Duration>, Stopped> {
    let mut times = Vec::with_capacity(rows.len());
    for &row in rows {
        watch.check()?;
        let window = z.select(&[row]);
        let start = Instant::now();
        classifier.classify(&window, &Unwatched)?;
        times.push(start.elapsed());
        watch.advance(1);
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied())
}
