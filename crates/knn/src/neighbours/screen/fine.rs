use super::{kernel::Kernel, lattice::Lattice};

/// How many times as far as the 8-bit lattice this one reaches.
const REACH: f64 = 8.0;
const MOST: f64 = 32_767.0;
/// Half a unit in the last place of float32.
const UNIT: f64 = (f32::EPSILON / 2.0) as f64;

/// Rows on a lattice of 16-bit points, one after the other in the order of the panels: what the 8-bit
/// screen lets through is ruled out here, at half the bytes of a row.
pub(super) struct Fine {
    step: f64,
    columns: usize,
    pub(super) points: Vec<i16>,
    /// At least the distance of every row from its point, clipped.
    pub(super) error: f64,
}

impl Fine {
    pub(super) fn new(lattice: Lattice, columns: usize) -> Self {
        let step = f64::from((lattice.step() * REACH * 127.0 / MOST) as f32);
        // Rounded to float32 like the other step, so that products with coordinates are exact.
        let step = if step.is_normal() { step } else { 1.0 };
        Self { step, columns, points: Vec::new(), error: 0.0 }
    }

    /// Writes the point of a rotated row; answers with its error.
    pub(super) fn point(&self, rotated: &[f64], point: &mut [i16]) -> f64 {
        let reach = (MOST + 0.5) * self.step;
        let mut square = 0.0;
        for (&value, place) in rotated.iter().zip(point) {
            let coordinate = super::lattice::round((value / self.step).clamp(-MOST, MOST));
            let far = value.clamp(-reach, reach) - self.step * coordinate;
            square += far * far;
            *place = coordinate as i16;
        }
        square.sqrt() * (1.0 + 1e-9)
    }

    fn row(&self, place: usize) -> &[i16] {
        &self.points[place * self.columns..][..self.columns]
    }

    /// The points of the rows at these places.
    pub(super) fn rows(&self, places: std::ops::Range<usize>) -> &[i16] {
        &self.points[places.start * self.columns..places.end * self.columns]
    }

    /// The squared distance, in steps, between the points of a query and of the row at a place, as
    /// computed in float32.
    pub(super) fn squared_difference(&self, kernel: Kernel, place: usize, query: &[i16]) -> f32 {
        kernel.squared_difference(query, self.row(place))
    }

    /// The largest squared difference of points whose rows are within `reach` of each other, that is
    /// of the right side of the bound without the errors of the points.
    pub(super) fn limit(&self, reach: f64, query_error: f64) -> f32 {
        // Differences are exact, squares and their sum are not: gamma of `columns + 1` in float32.
        let steps = (self.columns + 2) as f64 * UNIT;
        let squared = ((reach + self.error + query_error) / self.step).powi(2) / (1.0 - 2.0 * steps);
        // Rounded up twice: to float32 and for the steps here.
        (squared * (1.0 + 1e-6)) as f32
    }
}
