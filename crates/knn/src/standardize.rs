use rayon::prelude::*;

use crate::{
    blocks,
    matrix::Matrix,
    sample::evenly,
    watch::{Stage, Stopped, Watch},
};

/// Columns whose population standard deviation is at most this (in their own unit) are dropped.
const SMALLEST_DEVIATION: f64 = 1e-6;

/// Rows that say about where the medians are.
const MEDIAN_SAMPLE: usize = 1024;

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
        watch.begin(Stage::Standardize, (2 * rows.len() + windows.rows()) as u64);
        let medians = medians(windows, rows, watch)?;
        let fill = fill(&medians);
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
        let fill = fill(&self.medians);
        windows.values_mut().par_chunks_mut(blocks::ROWS * columns).try_for_each(|block| {
            watch.check()?;
            for row in block.chunks_exact_mut(columns) {
                // All columns alike, so that the compiler takes several at once; those that do not vary, whose
                // deviation may be 0, are then written over.
                for (value, ((&fill, mean), deviation)) in
                    row.iter_mut().zip(fill.iter().zip(&self.means).zip(&self.deviations))
                {
                    let z = (impute(*value, fill) - mean) / deviation;
                    *value = z.clamp(f32::MIN.into(), f32::MAX.into()) as f32;
                }
                // Kept columns rise: what is written over was read.
                for (place, &column) in self.kept.iter().enumerate() {
                    row[place] = row[column as usize];
                }
            }
            watch.advance((block.len() / columns) as u64);
            Ok(())
        })?;
        windows.narrow(self.kept.len());
        Ok(windows)
    }
}

/// What takes the place of NaN.
fn fill(medians: &[f64]) -> Vec<f32> {
    medians.iter().map(|&median| median as f32).collect()
}

fn impute(value: f32, median: f32) -> f64 {
    f64::from(if value.is_nan() { median } else { value })
}

/// The median of every column; 0 of one that is all NaN.
///
/// A sample of the rows says between which two values of each column its median must almost surely be. One
/// pass counts what is below them and gathers what is between, and the median is selected from that:
/// an eighth of the values instead of all (Floyd and Rivest, Expected Time Bounds for Selection, 1975).
fn medians(windows: &Matrix, rows: &[u32], watch: &dyn Watch) -> Result<Vec<f64>, Stopped> {
    let columns = windows.columns();
    let sample: Vec<u32> =
        evenly(rows.len(), MEDIAN_SAMPLE).into_iter().map(|place| rows[place as usize]).collect();
    let (lows, highs): (Vec<f32>, Vec<f32>) =
        (0..columns).into_par_iter().map(|column| around_median(present(windows, &sample, column))).unzip();
    let parts = blocks::map(rows.len(), watch, |block| {
        let mut part = Part::of(columns, block.len() / 6);
        for &row in &rows[block] {
            let row = windows.row(row as usize);
            // Apart from what is kept, so that the compiler takes several columns at once.
            for ((value, low), below) in row.iter().zip(&lows).zip(&mut part.below) {
                *below += u32::from(value < low);
            }
            for ((value, high), above) in row.iter().zip(&highs).zip(&mut part.above) {
                *above += u32::from(value > high);
            }
            for (&value, ((low, high), between)) in
                row.iter().zip(lows.iter().zip(&highs).zip(&mut part.between))
            {
                if *low <= value && value <= *high {
                    between.push(value);
                }
            }
        }
        part
    })?;
    let medians = (0..columns).into_par_iter().map(|column| {
        watch.check()?;
        let mut between = parts.iter().map(|part| &part.between[column][..]).collect::<Vec<_>>().concat();
        let sum = |count: fn(&Part) -> &[u32]| parts.iter().map(|part| count(part)[column] as usize).sum();
        let below: usize = sum(|part| &part.below);
        let above: usize = sum(|part| &part.above);
        let all = below + between.len() + above;
        let median = middle(&mut between, below, all);
        Ok(median.unwrap_or_else(|| {
            let mut values = present(windows, rows, column);
            let all = values.len();
            middle(&mut values, 0, all).unwrap_or(0.0)
        }))
    });
    medians.collect()
}

/// What a pass finds in some rows, by column.
struct Part {
    below: Vec<u32>,
    above: Vec<u32>,
    between: Vec<Vec<f32>>,
}

impl Part {
    fn of(columns: usize, between: usize) -> Self {
        Self {
            below: vec![0; columns],
            above: vec![0; columns],
            between: (0..columns).map(|_| Vec::with_capacity(between)).collect(),
        }
    }
}

/// The values of a column that are not missing.
fn present(windows: &Matrix, rows: &[u32], column: usize) -> Vec<f32> {
    let values = rows.iter().map(|&row| windows.row(row as usize)[column]);
    values.filter(|value| !value.is_nan()).collect()
}

/// Two values of a sample that have the median of what it was drawn of between them, unless chance is
/// against it by four deviations. NaN of no values: nothing is between.
fn around_median(mut sample: Vec<f32>) -> (f32, f32) {
    sample.sort_unstable_by(f32::total_cmp);
    let reach = 2.0 * (sample.len() as f64).sqrt();
    let middle = sample.len() as f64 / 2.0;
    let value = |rank: f64| sample.get((rank.max(0.0) as usize).min(sample.len().saturating_sub(1)));
    let (low, high) = (value(middle - reach), value(middle + reach));
    (low.copied().unwrap_or(f32::NAN), high.copied().unwrap_or(f32::NAN))
}

/// The middle value of `all`, or the mean of the two middle values, if they are among these, which come
/// after `below` others.
fn middle(values: &mut [f32], below: usize, all: usize) -> Option<f64> {
    let (lower, upper) = (all.checked_sub(1)? / 2, all / 2);
    let place = upper.checked_sub(below).filter(|&place| place < values.len())?;
    if lower < below {
        return None;
    }
    let (before, &mut value, _) = values.select_nth_unstable_by(place, f32::total_cmp);
    let upper_value = f64::from(value);
    if lower == upper {
        return Some(upper_value);
    }
    let lower_value = before.iter().copied().max_by(f32::total_cmp)?;
    Some(f64::midpoint(f64::from(lower_value), upper_value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::watch::Unwatched;

    proptest! {
        #[test]
        fn medians_are_those_of_a_sort(
            seed in prop::collection::vec(-1e3_f32..1e3, 1..40),
            rows in 1_usize..6_000,
            sorted: bool,
            coarse: bool,
        ) {
            // Rows in an order, or with a period, that the sample does not see through.
            let mut values: Vec<f32> = (0..rows)
                .map(|row| seed[row % seed.len()] * (row % 97) as f32)
                .map(|value| if coarse { (value / 1e4).round() } else { value })
                .map(|value| if value > 9e4 { f32::NAN } else { value })
                .collect();
            if sorted {
                values.sort_by(f32::total_cmp);
            }
            let windows = Matrix::new(values.clone(), 1).unwrap();
            let rows: Vec<u32> = (0..rows as u32).collect();
            let found = medians(&windows, &rows, &Unwatched).unwrap();
            values.retain(|value| !value.is_nan());
            values.sort_by(f32::total_cmp);
            let expected = values.len().checked_sub(1).map_or(0.0, |last| {
                f64::midpoint(f64::from(values[last / 2]), f64::from(values[values.len() / 2]))
            });
            prop_assert_eq!(found, [expected]);
        }
    }

    #[test]
    fn a_median_that_the_sample_is_wrong_about_is_found() {
        // Every row that the sample looks at is 0.
        let stride = 4;
        let values = (0..MEDIAN_SAMPLE * stride).map(|row| if row % stride == 0 { 0.0 } else { row as f32 });
        let windows = Matrix::new(values.collect(), 1).unwrap();
        let rows: Vec<u32> = (0..windows.rows() as u32).collect();
        let mut sorted = windows.values().to_vec();
        sorted.sort_by(f32::total_cmp);
        let half = sorted.len() / 2;
        let expected = f64::midpoint(f64::from(sorted[half - 1]), f64::from(sorted[half]));
        assert_eq!(medians(&windows, &rows, &Unwatched).unwrap(), [expected]);
    }
}
