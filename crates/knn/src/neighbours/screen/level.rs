use std::ops::Range;

use super::super::kernel::{GROUP, Lanes, Line, PANEL, Part};
use super::lattice::Lattice;

/// The most that a coordinate adds to a sum on its way, in magnitude: a product with a byte, and the
/// start that makes up for the 128 in that byte.
const MOST_OF_COORDINATE: usize = 127 * (255 + 128 + 64);
/// More columns could overflow the integer sums.
pub(super) const MOST_COLUMNS: usize = i32::MAX as usize / MOST_OF_COORDINATE;

/// Some coordinates of all rows, on a lattice of their own.
///
/// The sums of a level go on where those of the level before end. They count in squared steps, and one
/// squared step of the level before is a whole number of this one's.
pub(super) struct Level {
    /// The coordinates, from a multiple of [`GROUP`].
    pub(super) coordinates: Range<usize>,
    pub(super) lattice: Lattice,
    /// Squared steps of this level in one of the level before.
    pub(super) ratio: i32,
    /// Panel after panel, group after group.
    pub(super) lines: Vec<Line>,
    /// What the products of each row start at.
    pub(super) start: Vec<Lanes>,
    /// At least the rounding of every row to the lattices of this level and those before.
    pub(super) error: f64,
}

impl Level {
    /// Levels of these coordinates without rows. Each has the step that suits a sample, as near as
    /// whole ratios and the range of the sums allow.
    pub(super) fn all<'r>(
        coordinates: &[Range<usize>],
        sample: impl Iterator<Item = &'r [f64]> + Clone + Sync,
    ) -> Vec<Self> {
        let mut levels: Vec<Self> = Vec::new();
        let most = |coordinates: &Range<usize>| coordinates.len() * MOST_OF_COORDINATE;
        // The most of a sum so far, and what the levels to come add at least.
        let mut reach = 0;
        let mut later: usize = coordinates.iter().map(most).sum();
        for coordinates in coordinates {
            let own = Lattice::for_rows(sample.clone().map(|row| &row[coordinates.clone()]));
            let (lattice, ratio) = match levels.last() {
                None => (own, 1),
                Some(before) => {
                    let largest = (i32::MAX as usize - later) / reach;
                    let wanted = (before.lattice.step() / own.step()).powi(2).round();
                    let ratio = wanted.clamp(1.0, largest as f64);
                    (Lattice::new(before.lattice.step() / ratio.sqrt()), ratio as i32)
                }
            };
            reach = reach * ratio as usize + most(coordinates);
            later -= most(coordinates);
            levels.push(Self {
                coordinates: coordinates.clone(),
                lattice,
                ratio,
                lines: Vec::new(),
                start: Vec::new(),
                error: 0.0,
            });
        }
        levels
    }

    /// Groups of a panel.
    pub(super) fn groups(&self) -> usize {
        self.coordinates.len().div_ceil(GROUP)
    }

    /// Bytes of a panel's lines.
    pub(super) fn bytes(&self) -> usize {
        self.groups() * PANEL * GROUP
    }

    /// Some panels.
    pub(super) fn part(&self, panels: Range<usize>) -> Part<'_> {
        Part {
            groups: self.groups(),
            ratio: self.ratio,
            lines: &self.lines[panels.start * self.groups()..panels.end * self.groups()],
            start: &self.start[panels],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_integers_of_all_levels_are_the_distance_of_the_points(
            spread in prop::collection::vec(1e-4_f64..10.0, 3),
            values in prop::collection::vec(prop::collection::vec(-1.0_f64..1.0, 40), 2..10),
        ) {
            let coordinates = [0..4, 4..16, 16..37];
            let mut rows = values;
            for row in &mut rows {
                for (coordinates, spread) in coordinates.iter().zip(&spread) {
                    row[coordinates.clone()].iter_mut().for_each(|value| *value *= spread);
                }
            }
            let levels = Level::all(&coordinates, rows.iter().map(|row| &row[..]));
            for pair in rows.windows(2) {
                let (mut integer, mut square) = (0_i64, 0.0);
                for level in &levels {
                    let mut points = [[0_i8; 24]; 2];
                    for (row, point) in pair.iter().zip(&mut points) {
                        level.lattice.point(&row[level.coordinates.clone()], point);
                    }
                    let differences = points[0].iter().zip(points[1]).map(|(&a, b)| i64::from(a) - i64::from(b));
                    let own: i64 = differences.map(|difference| difference * difference).sum();
                    integer = integer * i64::from(level.ratio) + own;
                    square += own as f64 * level.lattice.step().powi(2);
                    let exact = integer as f64 * level.lattice.step().powi(2);
                    prop_assert!((exact - square).abs() <= 1e-12 * square, "{exact} {square}");
                    prop_assert!(integer < i64::from(i32::MAX));
                }
            }
        }
    }
}
