use std::ops::Range;

use rayon::prelude::*;

use crate::watch::{Stopped, Watch};

/// Rows a block. A float64 sum is taken over one block, and the sums of the blocks are added in
/// block order: the split never depends on the number of threads, so neither does a single bit of
/// the result.
pub(crate) const ROWS: usize = 4096;

/// Runs `work` on every block of `rows` on the current rayon pool; the answers are in block order.
///
/// The watch is asked before each block and told of it afterwards, one step a row.
pub(crate) fn map<T: Send>(
    rows: usize,
    watch: &dyn Watch,
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Result<Vec<T>, Stopped> {
    map_of(ROWS, rows, watch, work)
}

/// The same with blocks of `size` rows.
pub(crate) fn map_of<T: Send>(
    size: usize,
    rows: usize,
    watch: &dyn Watch,
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Result<Vec<T>, Stopped> {
    (0..rows.div_ceil(size))
        .into_par_iter()
        .map(|block| {
            watch.check()?;
            let range = block * size..rows.min((block + 1) * size);
            let steps = range.len() as u64;
            let answer = work(range);
            watch.advance(steps);
            Ok(answer)
        })
        .collect()
}

/// Adds the vectors that [`map`] answers with, in block order. `None` without a block.
pub(crate) fn sum(
    rows: usize,
    watch: &dyn Watch,
    work: impl Fn(Range<usize>) -> Vec<f64> + Sync,
) -> Result<Option<Vec<f64>>, Stopped> {
    Ok(map(rows, watch, work)?.into_iter().reduce(|mut total, block| {
        for (total, block) in total.iter_mut().zip(&block) {
            *total += block;
        }
        total
    }))
}
