use rand::Rng;

use super::graph::{Edge, Graph};
use crate::projection::AXES;

/// `1 / (1 + A d^2B)` is nearly 1 up to a distance of 0.1 (the `min_dist`) and falls as `exp(-(d - 0.1))`
/// beyond: the least squares of umap-learn for a spread of 1.
const A: f32 = 1.576_943_5;
const B: f32 = 0.895_060_9;
/// Rows drawn at random that push, for each neighbour that pulls.
const PUSHES: usize = 5;
/// Keeps what pushes from very near within bounds.
const NEAR: f32 = 1e-3;
/// The furthest move along one axis.
const MOST: f32 = 4.0;

type Place = [f32; AXES];

/// Which edges have their turn in an epoch, and how far they move their ends.
#[derive(Clone, Copy)]
pub(super) struct Epoch {
    number: u32,
    /// What the gradients are multiplied by.
    rate: f32,
}

impl Epoch {
    /// So many epochs, whose rates fall from `rate` to nearly 0.
    pub(super) fn falling(epochs: u32, rate: f32) -> impl Iterator<Item = Self> {
        let rate = move |number| rate * (1.0 - number as f32 / epochs as f32);
        (0..epochs).map(move |number| Self { number, rate: rate(number) })
    }

    /// Moves all rows by the edges between them, edge after edge.
    pub(super) fn lay_out(self, places: &mut [Place], graph: &Graph, numbers: &mut impl Rng) {
        for row in 0..places.len() {
            for edge in self.turns(graph.edges_of(row)) {
                let pulled = self.shift(places[row], [places[edge.to as usize]], pull);
                for axis in 0..AXES {
                    places[row][axis] += pulled[axis];
                    places[edge.to as usize][axis] -= pulled[axis];
                }
                let pushed = self.shift(places[row], drawn(places, numbers), push);
                add(&mut places[row], pushed);
            }
        }
    }

    /// Moves a window along its edges to rows, which stay where they are.
    pub(super) fn settle(self, place: &mut Place, edges: &[Edge], rows: &[Place], numbers: &mut impl Rng) {
        for edge in self.turns(edges) {
            add(place, self.shift(*place, [rows[edge.to as usize]], pull));
            add(place, self.shift(*place, drawn(rows, numbers), push));
        }
    }

    /// An edge of weight `w` has its turn in every `1 / w`-th epoch.
    fn turns(self, edges: &[Edge]) -> impl Iterator<Item = &Edge> {
        let turns = |weight: f32, epochs: u32| (weight * epochs as f32) as u32;
        edges.iter().filter(move |edge| turns(edge.weight, self.number + 1) > turns(edge.weight, self.number))
    }

    /// How far a place is moved by what others do to it where it is.
    fn shift<const N: usize>(self, place: Place, others: [Place; N], gradient: fn(f32, f32) -> f32) -> Place {
        let mut moves = [[0.0; N]; AXES];
        for i in 0..N {
            let away: Place = std::array::from_fn(|axis| place[axis] - others[i][axis]);
            let squared = away[0] * away[0] + away[1] * away[1] + away[2] * away[2];
            // What is in the same place, the row itself for one, does nothing.
            let gradient = if squared > 0.0 { gradient(squared, power(squared)) } else { 0.0 };
            for axis in 0..AXES {
                moves[axis][i] = self.rate * (gradient * away[axis]).clamp(-MOST, MOST);
            }
        }
        moves.map(|moves| moves.iter().sum())
    }
}

fn drawn(places: &[Place], numbers: &mut impl Rng) -> [Place; PUSHES] {
    std::array::from_fn(|_| places[numbers.gen_range(0..places.len())])
}

fn add(place: &mut Place, shift: Place) {
    place.iter_mut().zip(shift).for_each(|(place, shift)| *place += shift);
}

/// How strongly a neighbour pulls, as a factor of what lies between the two: by the squared distance and
/// that to the power of [`B`].
fn pull(squared: f32, power: f32) -> f32 {
    -2.0 * A * B * power / (squared * (A * power + 1.0))
}

/// How strongly another row pushes.
fn push(squared: f32, power: f32) -> f32 {
    2.0 * B / ((NEAR + squared) * (A * power + 1.0))
}

/// A positive number to the power of [`B`], to three digits: a few additions and products that compilers
/// take several of at once, and that are the same everywhere.
fn power(number: f32) -> f32 {
    let bits = number.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let mantissa = f32::from_bits(bits & 0x007f_ffff | 0x3f80_0000);
    let logarithm = B * (exponent as f32 + polynomial(mantissa, LOGARITHM));
    // Rounded down: it is above -128.
    let whole = (logarithm + 128.0) as i32 - 128;
    let power_of_two = f32::from_bits(((whole + 127) << 23).cast_unsigned());
    power_of_two * polynomial(logarithm - whole as f32, POWER_OF_TWO)
}

fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// Interpolates the logarithm to base 2 from 1 to 2 (Chebyshev nodes): off by less than 3e-4.
const LOGARITHM: [f32; 5] = [-2.498_353, 4.029_211_4, -2.078_335_2, 0.626_032_2, -0.078_440_68];
/// Interpolates the powers of 2 from 0 to 1: off by less than 2e-4.
const POWER_OF_TWO: [f32; 4] = [0.999_900_3, 0.696_324_8, 0.224_693_2, 0.078_967_26];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn powers_have_three_digits(exponent in -120_f32..120.0) {
            let number = exponent.exp2();
            let (own, exact) = (power(number), number.powf(B));
            prop_assert!((own - exact).abs() <= 1e-3 * exact, "{own} and {exact}");
        }
    }
}
