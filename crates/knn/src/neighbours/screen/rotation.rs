use faer::{Accum, Mat, MatMut, MatRef, Par, linalg::matmul::matmul};

use crate::{eigen::Eigen, matrix::Matrix, sample::evenly, scatter::Rows, watch::Unwatched};

/// Rows that the axes are found on, at most.
const SAMPLE: usize = 20_000;
/// Leading coordinates that [`leading`](Rotation::leading) answers with.
pub(super) const LEADING: usize = 8;
/// Half a unit in the last place of float64.
const UNIT: f64 = f64::EPSILON / 2.0;

/// A linear map that all but keeps distances and gathers them in the leading coordinates: the axes of
/// largest variance first.
///
/// The screen stays exact whatever map this is; the better its axes, the sooner a row is ruled out.
pub(super) struct Rotation {
    center: Vec<f32>,
    /// One axis a column.
    axes: Mat<f64>,
    /// What each input adds to the first outputs.
    leading: Vec<[f32; LEADING]>,
    /// At least the map's spectral norm, a little above 1: no distance grows by more.
    stretch: f64,
    /// At least the rounding of a rotated row divided by the norm of the row.
    rounding: f64,
}

impl Rotation {
    /// The principal axes of a sample of the rows.
    pub(super) fn of(rows: &Matrix) -> Self {
        let columns = rows.columns();
        let numbers = evenly(rows.rows(), SAMPLE);
        let sample = Rows { matrix: rows, numbers: &numbers, class_of: &vec![0; numbers.len()], classes: 1 };
        let axes = sample.means(&Unwatched).and_then(|means| {
            let scatter = sample.scatter(&means, &Unwatched)?;
            Ok((means.means, Eigen::of(&scatter)))
        });
        match axes {
            Ok((means, Ok(eigen))) => {
                Self::new(means[0].iter().map(|&mean| mean as f32).collect(), eigen.into_vectors())
            }
            // Without a decomposition the coordinates stay as they are.
            _ => Self::new(vec![0.0; columns], Mat::identity(columns, columns)),
        }
    }

    fn new(center: Vec<f32>, axes: Mat<f64>) -> Self {
        let columns = center.len();
        let (stretch, frobenius) = norms(&axes);
        // A float64 sum of `columns` products of a difference: gamma of `columns + 2`, whatever the
        // order of the additions.
        let steps = (columns + 2) as f64 * UNIT;
        let first =
            |input: usize, output: usize| if output < columns { axes[(input, output)] as f32 } else { 0.0 };
        let leading = (0..columns).map(|input| std::array::from_fn(|output| first(input, output))).collect();
        Self { center, axes, leading, stretch, rounding: steps / (1.0 - steps) * frobenius }
    }

    /// At least the factor by which a distance can grow.
    pub(super) fn stretch(&self) -> f64 {
        self.stretch
    }

    /// Rotates some rows.
    pub(super) fn rotate<'r>(&self, rows: impl ExactSizeIterator<Item = &'r [f32]>) -> Rotated {
        let (count, columns) = (rows.len(), self.center.len());
        let mut centered = Vec::with_capacity(count * columns);
        let mut roundings = Vec::with_capacity(count);
        for row in rows {
            let start = centered.len();
            centered.extend(
                row.iter().zip(&self.center).map(|(&value, &center)| f64::from(value) - f64::from(center)),
            );
            let square: f64 = centered[start..].iter().map(|value| value * value).sum();
            // Twice covers the rounding of this norm.
            roundings.push(2.0 * self.rounding * square.sqrt());
        }
        let mut values = vec![0.0; count * columns];
        matmul(
            MatMut::from_row_major_slice_mut(&mut values, count, columns),
            Accum::Replace,
            MatRef::from_row_major_slice(&centered, count, columns),
            self.axes.as_ref(),
            1.0,
            Par::Seq,
        );
        Rotated { values, columns, roundings }
    }

    /// The first coordinates, less exactly.
    pub(super) fn leading(&self, row: &[f32]) -> [f32; LEADING] {
        let mut rotated = [0.0; LEADING];
        for ((&value, &center), coefficients) in row.iter().zip(&self.center).zip(&self.leading) {
            for (sum, coefficient) in rotated.iter_mut().zip(coefficients) {
                *sum += (value - center) * coefficient;
            }
        }
        rotated
    }
}

/// Rows in the coordinates of a [`Rotation`].
pub(super) struct Rotated {
    values: Vec<f64>,
    columns: usize,
    roundings: Vec<f64>,
}

impl Rotated {
    /// Every row, and at least its distance from the rotated row without roundings.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&[f64], f64)> {
        self.values.chunks_exact(self.columns).zip(self.roundings.iter().copied())
    }
}

/// At least the spectral norm, and at least the Frobenius norm, of a square matrix that is nearly
/// orthogonal.
///
/// The spectral norm's square is the largest eigenvalue of the matrix times its transpose, which is off
/// 1 by at most the Frobenius norm of what the product is off the identity.
fn norms(axes: &Mat<f64>) -> (f64, f64) {
    let columns = axes.ncols();
    let mut off = axes * axes.transpose();
    let trace: f64 = (0..columns).map(|i| off[(i, i)]).sum();
    for i in 0..columns {
        off[(i, i)] -= 1.0;
    }
    // The roundings of these sums are some hundred units of 1e-16 times the columns.
    let own = 1e-13 * columns as f64;
    ((1.0 + off.norm_l2() * (1.0 + own) + own).sqrt(), trace.sqrt() * (1.0 + own))
}
