use std::ops::Range;

use super::rotation::LEADING;

/// Rows that choose a split, at most.
const SAMPLE: usize = 512;

/// Halves of halves of the rows, each cut at the median of its widest leading coordinate.
///
/// It puts rows that are near each other into the same part of the order; nothing else depends on it.
pub(super) struct Cells {
    rows: usize,
    depth: u32,
    /// Root, left half, right half.
    splits: Vec<Split>,
}

#[derive(Clone, Copy, Default)]
struct Split {
    axis: usize,
    value: f32,
}

impl Cells {
    /// Cells of `size` to `2 * size` rows, and the order of the rows by cell.
    pub(super) fn of(leading: &[[f32; LEADING]], size: usize) -> (Self, Vec<u32>) {
        let rows = leading.len();
        let depth = (rows / size).checked_ilog2().unwrap_or(0);
        let mut splits = vec![Split::default(); (1 << depth) - 1];
        let mut order: Vec<u32> = (0..rows as u32).collect();
        cut(leading, &mut order, &mut splits);
        (Self { rows, depth, splits }, order)
    }

    /// The part of the order whose rows are like this one.
    pub(super) fn of_row(&self, leading: &[f32; LEADING]) -> Range<usize> {
        let mut range = 0..self.rows;
        let mut splits = &self.splits[..];
        for _ in 0..self.depth {
            let Some((split, halves)) = splits.split_first() else { break };
            let (left, right) = halves.split_at(halves.len() / 2);
            let middle = range.start + range.len() / 2;
            (splits, range) = if leading[split.axis] < split.value {
                (left, range.start..middle)
            } else {
                (right, middle..range.end)
            };
        }
        range
    }
}

fn cut(leading: &[[f32; LEADING]], order: &mut [u32], splits: &mut [Split]) {
    let Some((split, halves)) = splits.split_first_mut() else { return };
    let axis = widest(leading, order);
    let key = |row: u32| leading[row as usize][axis];
    let middle = order.len() / 2;
    order.select_nth_unstable_by(middle, |&a, &b| key(a).total_cmp(&key(b)).then(a.cmp(&b)));
    *split = Split { axis, value: key(order[middle]) };
    let (left_splits, right_splits) = halves.split_at_mut(halves.len() / 2);
    let (left, right) = order.split_at_mut(middle);
    rayon::join(|| cut(leading, left, left_splits), || cut(leading, right, right_splits));
}

/// The coordinate of largest variance, on a sample.
fn widest(leading: &[[f32; LEADING]], order: &[u32]) -> usize {
    let sample = || order.iter().step_by(order.len().div_ceil(SAMPLE)).map(|&row| leading[row as usize]);
    let mut widest = (0, f32::NEG_INFINITY);
    for axis in 0..LEADING {
        let mean = sample().map(|row| row[axis]).sum::<f32>() / sample().count() as f32;
        let variance: f32 = sample().map(|row| (row[axis] - mean).powi(2)).sum();
        if variance > widest.1 {
            widest = (axis, variance);
        }
    }
    widest.0
}
