use rayon::prelude::*;

use super::super::kernel::GROUP;

/// The largest coordinate of a lattice point.
const MOST: f64 = 127.0;
/// Added, it rounds a float64 of moderate size to an integer, without the call that this is where CPUs have
/// no instruction for it.
const SHIFT: f64 = 1.5 * (1_u64 << 52) as f64;

/// Points whose coordinates are integers from -127 to 127 times one step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lattice {
    step: f64,
}

/// A lattice point in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Point {
    /// The sum of the squared coordinates.
    pub(super) norm: i32,
    /// The sum of the coordinates.
    pub(super) sum: i32,
    /// The squared distance between the point and what it stands for, clipped.
    pub(super) squared_error: f64,
}

impl Lattice {
    /// The step that keeps the points nearest to these rows, of the steps that clip a few of
    /// the rows or many of them.
    pub(super) fn for_rows<'r>(rows: impl Iterator<Item = &'r [f64]> + Clone + Sync) -> Self {
        let mut reaches: Vec<f64> =
            rows.clone().map(|row| row.iter().fold(0.0, |most: f64, value| most.max(value.abs()))).collect();
        reaches.sort_unstable_by(f64::total_cmp);
        let step_at = |percent: usize| {
            let reach = reaches.get((reaches.len().checked_sub(1)?) * percent / 100)?;
            Some(Self::new(reach / MOST))
        };
        let loss = |lattice: &Self| -> f64 {
            let far = |&value: &f64| (value - lattice.step * lattice.coordinate(value)).powi(2);
            rows.clone().map(|row| row.iter().map(far).sum::<f64>().sqrt()).sum()
        };
        let percents = [5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 100];
        let lattices = percents.into_par_iter().filter_map(step_at).map(|lattice| (loss(&lattice), lattice));
        // The first of equal ones, whichever thread is done first.
        let best = lattices.collect::<Vec<_>>().into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        best.map_or(Self::new(1.0), |(_, lattice)| lattice)
    }

    pub(super) fn new(step: f64) -> Self {
        let sound = step.is_normal() && step < f64::from(f32::MAX);
        Self { step: if sound { step } else { 1.0 } }
    }

    pub(super) fn step(self) -> f64 {
        self.step
    }

    /// The nearest lattice coordinate.
    fn coordinate(self, value: f64) -> f64 {
        shifted(value / self.step) - SHIFT
    }

    /// Writes a point near some coordinates. Where the point is longer, zeros follow.
    ///
    /// The roundings of `1 / step` may choose another than the nearest: any point will do whose error is
    /// known.
    pub(super) fn point(self, coordinates: &[f64], point: &mut [i8]) -> Point {
        // Clipping moves no two points apart, so that what it takes away is no error.
        let reach = (MOST + 0.5) * self.step;
        let inverse = 1.0 / self.step;
        let (mut norms, mut sums, mut squared_errors) = ([0; GROUP], [0; GROUP], [0.0; GROUP]);
        let (whole, rest) = coordinates.as_chunks::<GROUP>();
        let mut last = [0.0; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        point.fill(0);
        let places = point.as_chunks_mut::<GROUP>().0;
        for (values, place) in whole.iter().chain(std::iter::once(&last)).zip(places) {
            // Lane by lane, so that the compiler takes all lanes at once.
            for lane in 0..GROUP {
                let shifted = shifted(values[lane] * inverse);
                let far = values[lane].clamp(-reach, reach) - self.step * (shifted - SHIFT);
                squared_errors[lane] += far * far;
                // The last bits of the shifted value are the integer.
                let coordinate = shifted.to_bits() as i32;
                norms[lane] += coordinate * coordinate;
                sums[lane] += coordinate;
                place[lane] = coordinate as i8;
            }
        }
        Point { norm: norms.iter().sum(), sum: sums.iter().sum(), squared_error: squared_errors.iter().sum() }
    }
}

/// The nearest integer from -127 to 127, and [`SHIFT`].
fn shifted(steps: f64) -> f64 {
    steps.clamp(-MOST, MOST) + SHIFT
}
