use super::{Screen, lattice::Prefix, prepared::Prepared};

/// A query as given, and as the screen looks at it.
pub(super) struct Query<'q> {
    pub(super) row: &'q [f32],
    pub(super) prepared: &'q Prepared,
}

/// What a query demands of a row, by the smallest radius that is known.
pub(super) struct Limits {
    squared_radius: f64,
    /// The least sum at every level.
    pub(super) least: Vec<i32>,
    /// The largest squared difference of 16-bit points.
    pub(super) fine: f32,
    /// How far the leading coordinates may be.
    pub(super) around: f32,
}

impl Limits {
    pub(super) fn new(screen: &Screen<'_>, prepared: &Prepared, squared_radius: f64) -> Self {
        let mut limits = Self {
            squared_radius: f64::INFINITY,
            least: vec![i32::MIN; screen.levels.len()],
            fine: f32::INFINITY,
            around: f32::INFINITY,
        };
        limits.narrow(screen, prepared, squared_radius);
        limits
    }

    /// Takes over a radius that is smaller.
    pub(super) fn narrow(&mut self, screen: &Screen<'_>, prepared: &Prepared, squared_radius: f64) {
        if squared_radius >= self.squared_radius {
            return;
        }
        self.squared_radius = squared_radius;
        let reach = screen.reach(prepared.rounding, squared_radius);
        for (level, (least, prefix)) in self.least.iter_mut().zip(&prepared.prefixes).enumerate() {
            *least = screen.least(level, prefix, reach);
        }
        self.fine = screen.fine.limit(reach, prepared.fine_error);
        // Room for the few float32 roundings of a distance in eight coordinates.
        self.around = ((reach + prepared.leading_error) * (1.0 + 1e-5)) as f32;
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
    fn least(&self, level: usize, prefix: &Prefix, reach: f64) -> i32 {
        let reach = reach + prefix.error + self.levels[level].error;
        let steps = reach / self.lattice.step() * (1.0 + 1e-9);
        // `as` saturates.
        ((f64::from(prefix.norm) - steps * steps) * 0.5).floor() as i32
    }
}
