use rayon::prelude::*;

use crate::{
    blocks,
    matrix::Matrix,
    watch::{Stage, Stopped, Watch},
};

/// Columns whose population standard deviation is at most this (in their own unit) are dropped.
const SMALLEST_DEVIATION: f64 = 1e-6;

/// Columns that one task takes the medians of: a cache line of a row holds 16 float32 values.
const COLUMNS: usize = 64;

/// Median imputation, z-score, and the columns that vary; learned from the training rows.
///
/// Reproduces scikit-learn's `SimpleImputer(strategy="median", keep_empty_features=True)` followed by
/// `StandardScaler` (population deviation), then drops the columns of at most
/// 1e-6.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardizer {
    /// Of every input column: takes the place of NaN. 0 for a column that is all NaN.
    pub medians: Vec<f64>,
    /// Of every input column, after imputation.
    pub means: Vec<f64>,
    /// Of every input column, after imputation: population standard deviation.
    pub deviations: Vec<f64>,
    /// Input columns that stay, rising.
    pub kept: Vec<u32>,
}

/// Why nothing could be standardized.
#[derive(Debug, thiserror::Error)]
pub enum StandardizeError {
    /// Every column has the same value in all training rows.
    #[error(
        "none of the {columns} feature columns varies over the {rows} training rows \
         (standard deviation above {SMALLEST_DEVIATION:e})"
    )]
    NothingVaries {
        /// Columns looked at.
        columns: usize,
        /// Training rows looked at.
        rows: usize,
    },
    /// The watch asked for it.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl Standardizer {
    /// Learns from `rows` of `windows`. NaN is a missing value; every other value is finite.
    ///
    /// Medians are exact (selection, not a sketch) over all of `rows`; means and deviations are taken
    /// around them in one float64 pass over fixed blocks. That loses at most a bit: a mean is at most one
    /// deviation from the median, so the squares around the one are at most twice those around the other.
    /// A constant column, however large, has exactly its value as mean and a deviation of exactly 0.
    pub fn fit(windows: &Matrix, rows: &[u32], watch: &dyn Watch) -> Result<Self, StandardizeError> {
        let columns = windows.columns();
        watch.begin(Stage::Standardize, (rows.len() + windows.rows()) as u64);
        let medians = medians(windows, rows, watch)?;
        let fill: Vec<f32> = medians.iter().map(|&median| median as f32).collect();
        let count = rows.len() as f64;
        let sums = blocks::sum(rows.len(), watch, |block| {
            let mut sums = vec![0.0; 2 * columns];
            let (first, second) = sums.split_at_mut(columns);
            for &row in &rows[block] {
                let row = windows.row(row as usize);
                for ((&value, &median), (first, second)) in
                    row.iter().zip(&fill).zip(first.iter_mut().zip(second.iter_mut()))
                {
                    let deviation = impute(value, median) - f64::from(median);
                    *first += deviation;
                    *second += deviation * deviation;
                }
            }
            sums
        })?
        .unwrap_or_else(|| vec![0.0; 2 * columns]);
        let (first, second) = sums.split_at(columns);
        let shifts: Vec<f64> = first.iter().map(|sum| sum / count).collect();
        let means = fill.iter().zip(&shifts).map(|(&median, shift)| f64::from(median) + shift).collect();
        let deviations: Vec<f64> = second
            .iter()
            .zip(&shifts)
            .map(|(sum, shift)| (sum / count - shift * shift).max(0.0).sqrt())
            .collect();
        let kept: Vec<u32> =
            (0..columns as u32).filter(|&column| deviations[column as usize] > SMALLEST_DEVIATION).collect();
        if kept.is_empty() {
            return Err(StandardizeError::NothingVaries { columns, rows: rows.len() });
        }
        Ok(Self { medians, means, deviations, kept })
    }

    /// Imputes and scales every row in one pass, in place; the answer has the kept columns only. What would be
    /// out of the range of float32 is its largest number.
    pub fn transform(&self, mut windows: Matrix, watch: &dyn Watch) -> Result<Matrix, Stopped> {
        let columns = windows.columns();
        windows.values_mut().par_chunks_mut(blocks::ROWS * columns).try_for_each(|block| {
            watch.check()?;
            for row in block.chunks_exact_mut(columns) {
                for (place, &column) in self.kept.iter().enumerate() {
                    let column = column as usize;
                    let value = impute(row[column], self.medians[column] as f32);
                    // Kept columns rise: what is written over was read.
                    let z = (value - self.means[column]) / self.deviations[column];
                    row[place] = z.clamp(f32::MIN.into(), f32::MAX.into()) as f32;
                }
            }
            watch.advance((block.len() / columns) as u64);
            Ok(())
        })?;
        windows.narrow(self.kept.len());
        Ok(windows)
    }
}

fn impute(value: f32, median: f32) -> f64 {
    f64::from(if value.is_nan() { median } else { value })
}

fn medians(windows: &Matrix, rows: &[u32], watch: &dyn Watch) -> Result<Vec<f64>, Stopped> {
    let columns = windows.columns();
    let groups: Result<Vec<Vec<f64>>, Stopped> = (0..columns.div_ceil(COLUMNS))
        .into_par_iter()
        .map(|group| {
            let group = group * COLUMNS..columns.min((group + 1) * COLUMNS);
            let mut present = vec![Vec::with_capacity(rows.len()); group.len()];
            for block in rows.chunks(blocks::ROWS) {
                watch.check()?;
                for &row in block {
                    let row = &windows.row(row as usize)[group.clone()];
                    for (present, &value) in present.iter_mut().zip(row) {
                        if !value.is_nan() {
                            present.push(value);
                        }
                    }
                }
            }
            Ok(present.iter_mut().map(|values| median(values)).collect())
        })
        .collect();
    Ok(groups?.concat())
}

/// The middle value, or the mean of the two middle values; 0 of nothing.
fn median(values: &mut [f32]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let odd = values.len() % 2 == 1;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    let upper = f64::from(upper);
    let lower = if odd { None } else { below.iter().copied().max_by(f32::total_cmp) };
    lower.map_or(upper, |lower| f64::midpoint(f64::from(lower), upper))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_median_is_that_of_a_sort(mut values in prop::collection::vec(-1e6_f32..1e6, 1..60)) {
            let found = median(&mut values);
            values.sort_by(f32::total_cmp);
            let (lower, upper) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
            prop_assert_eq!(found, f64::midpoint(f64::from(lower), f64::from(upper)));
        }
    }
}
