use super::{kernel::GROUP, rotation::Rotated};

/// The largest coordinate of a lattice point.
const MOST: f64 = 127.0;
/// Added and taken away again, it rounds a float64 of moderate size to an integer.
const ROUND: f64 = 1.5 * (1_u64 << 52) as f64;

/// Points whose coordinates are integers from -127 to 127 times one step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lattice {
    step: f64,
}

/// What is known of a lattice point's first coordinates.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Prefix {
    /// The sum of the squared coordinates.
    pub(super) norm: i32,
    /// The sum of the coordinates.
    pub(super) sum: i32,
    /// At least the distance, in those coordinates, between the point and what it stands for, clipped.
    pub(super) error: f64,
}

impl Lattice {
    /// The step that keeps the points nearest to these rotated rows, of the steps that clip a few of
    /// the rows or many of them.
    pub(super) fn for_rows(rotated: &Rotated) -> Self {
        let rows = || rotated.iter().map(|(row, _)| row);
        let mut reaches: Vec<f64> =
            rows().map(|row| row.iter().fold(0.0, |most: f64, value| most.max(value.abs()))).collect();
        reaches.sort_unstable_by(f64::total_cmp);
        let mut best = (f64::INFINITY, 1.0);
        for percent in [5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 100] {
            let Some(reach) = reaches.get((reaches.len().saturating_sub(1)) * percent / 100) else { break };
            let lattice = Self::new(reach / MOST);
            let loss: f64 = rows()
                .map(|row| {
                    let far = |&value: &f64| (value - lattice.step * lattice.coordinate(value)).powi(2);
                    row.iter().map(far).sum::<f64>().sqrt()
                })
                .sum();
            if loss < best.0 {
                best = (loss, lattice.step);
            }
        }
        Self { step: best.1 }
    }

    /// The step is rounded to float32, so that its products with coordinates are exact.
    fn new(step: f64) -> Self {
        let step = f64::from(step as f32);
        Self { step: if step.is_normal() && step < f64::from(f32::MAX) { step } else { 1.0 } }
    }

    pub(super) fn step(self) -> f64 {
        self.step
    }

    /// The nearest lattice coordinate.
    fn coordinate(self, value: f64) -> f64 {
        round((value / self.step).clamp(-MOST, MOST))
    }

    /// The lattice point of a rotated row (zeros follow where it is longer), and what is known of its first groups, as many as each of
    /// `depths` says.
    pub(super) fn point(self, rotated: &[f64], point: &mut [i8], depths: &[usize], prefixes: &mut [Prefix]) {
        // Clipping moves no two points apart, so that what it takes away is no error.
        let reach = (MOST + 0.5) * self.step;
        let (mut norm, mut sum, mut square) = (0_i32, 0_i32, 0.0_f64);
        let mut from = 0;
        for (&depth, prefix) in depths.iter().zip(prefixes) {
            let to = (depth * GROUP).min(rotated.len());
            for (&value, place) in rotated[from..to].iter().zip(&mut point[from..to]) {
                let coordinate = self.coordinate(value);
                let far = value.clamp(-reach, reach) - self.step * coordinate;
                square += far * far;
                let coordinate = coordinate as i32;
                norm += coordinate * coordinate;
                sum += coordinate;
                *place = coordinate as i8;
            }
            from = to;
            // A billionth covers the roundings of this sum.
            *prefix = Prefix { norm, sum, error: square.sqrt() * (1.0 + 1e-9) };
        }
    }
}

/// The nearest integer, for values up to 2^31: a subtraction instead of a call where CPUs have no
/// instruction for it.
pub(super) fn round(value: f64) -> f64 {
    value + ROUND - ROUND
}
