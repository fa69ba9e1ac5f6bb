use super::{Screen, prepared::Prepared};

/// What a query demands of a row, by the smallest radius that is known.
pub(super) struct Limits {
    squared_radius: f64,
    /// The least sum at every level.
    pub(super) least: Vec<i32>,
    /// How far the leading coordinates may be.
    pub(super) around: f32,
}

impl Limits {
    pub(super) fn new(screen: &Screen<'_>, prepared: &Prepared, squared_radius: f64) -> Self {
        let mut limits = Self {
            squared_radius: f64::INFINITY,
            least: vec![i32::MIN; screen.levels.len()],
            around: f32::INFINITY,
        };
        limits.narrow(screen, prepared, squared_radius);
        limits
    }

    /// Takes over a radius that is smaller; whether it is.
    pub(super) fn narrow(&mut self, screen: &Screen<'_>, prepared: &Prepared, squared_radius: f64) -> bool {
        if squared_radius >= self.squared_radius {
            return false;
        }
        self.squared_radius = squared_radius;
        let reach = screen.reach(prepared.rounding, squared_radius);
        for (level, least) in self.least.iter_mut().enumerate() {
            *least = screen.least(level, prepared, reach);
        }
        // Room for the few float32 roundings of a distance in eight coordinates.
        self.around = ((reach + prepared.leading_error) * (1.0 + 1e-5)) as f32;
        true
    }
}

impl Screen<'_> {
    /// At least the distance, after the rotation, of a query and a row within its radius.
    fn reach(&self, rounding: f64, squared_radius: f64) -> f64 {
        let gamma = (self.rows.columns() + 4) as f64 * f64::EPSILON;
        let radius = (squared_radius / (1.0 - gamma)).sqrt() * self.rotation.stretch();
        // A billionth covers the roundings of these few steps.
        (radius + rounding + self.rounding) * (1.0 + 1e-9)
    }

    /// What the sums of a query must reach at a level for a row to be within its reach.
    fn least(&self, level: usize, prepared: &Prepared, reach: f64) -> i32 {
        let prefix = &prepared.prefixes[level];
        let level = &self.levels[level];
        let reach = reach + prefix.error + level.error;
        let steps = reach / level.lattice.step() * (1.0 + 1e-9);
        // `as` saturates.
        ((prefix.norm - steps * steps) * 0.5).floor() as i32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Matrix,
        neighbours::kernel::{Instructions, PANEL},
    };

    fn matrix() -> impl Strategy<Value = Matrix> {
        // Numbers that a lattice holds exactly, and others.
        let value = prop_oneof![2 => (-3_i8..4).prop_map(f32::from), 2 => -1.0_f32..1.0, 1 => -1e3_f32..1e3, 1 => -1e-22_f32..1e-22];
        (1_usize..40, 20_usize..200).prop_flat_map(move |(columns, rows)| {
            prop::collection::vec(value.clone(), columns * rows)
                .prop_map(move |values| Matrix::new(values, columns).unwrap())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// The bound itself: whatever the radius, nothing rules out a row that is exactly as far.
        #[test]
        fn no_row_is_ruled_out_at_its_own_distance(rows in matrix()) {
            let screen = Screen::new(&rows, Instructions::Portable);
            for query in (0..rows.rows()).step_by(7) {
                let prepared = &Prepared::all(&screen, std::iter::once(rows.row(query)))[0];
                for place in 0..rows.rows() {
                    let row = screen.order[place] as usize;
                    let squared_distance = crate::squared_distance(rows.row(query), rows.row(row));
                    let limits = Limits::new(&screen, prepared, squared_distance);
                    let block = &screen.blocks[place / PANEL / super::super::block::PANELS];
                    prop_assert!(!block.is_beyond(&prepared.leading, limits.around));
                    for (sums, &least) in screen.sums(place / PANEL, prepared).zip(&limits.least) {
                        prop_assert!(sums.0[place % PANEL] >= least);
                    }
                }
            }
        }
    }
}
