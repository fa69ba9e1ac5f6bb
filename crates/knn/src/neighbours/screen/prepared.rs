use super::{
    Screen,
    kernel::{GROUP, WIDTH},
    lattice::Prefix,
    rotation::LEADING,
};

/// A query's lattice point, as bytes that are 128 more, and what is known of it at every level.
pub(super) struct Prepared {
    pub(super) words: Vec<[u32; 1]>,
    pub(super) prefixes: Vec<Prefix>,
    pub(super) fine: Vec<i16>,
    pub(super) fine_error: f64,
    /// The first rotated coordinates, and how far rounding moved them.
    pub(super) leading: [f32; LEADING],
    pub(super) leading_error: f64,
    pub(super) rounding: f64,
}

impl Prepared {
    /// Prepares queries together.
    pub(super) fn all<'r>(
        screen: &Screen<'_>,
        queries: impl ExactSizeIterator<Item = &'r [f32]>,
    ) -> Vec<Self> {
        let depths: Vec<usize> = screen.levels.iter().map(|level| level.groups).collect();
        let rotated = screen.rotation.rotate(queries);
        rotated.iter().map(|(rotated, rounding)| Self::of(screen, &depths, rotated, rounding)).collect()
    }

    fn of(screen: &Screen<'_>, depths: &[usize], rotated: &[f64], rounding: f64) -> Self {
        let mut point = vec![0_i8; screen.groups * GROUP];
        let mut prefixes = vec![Prefix::default(); depths.len()];
        screen.lattice.point(rotated, &mut point, depths, &mut prefixes);
        let unsigned =
            |group: &[i8; GROUP]| [u32::from_le_bytes(group.map(|byte| byte.cast_unsigned() ^ 0x80))];
        let words = point.as_chunks().0.iter().map(unsigned).collect();
        let mut fine = vec![0; screen.rows.columns().next_multiple_of(WIDTH)];
        let fine_error = screen.fine.point(rotated, &mut fine);
        let exact: [f64; LEADING] = std::array::from_fn(|axis| rotated.get(axis).copied().unwrap_or(0.0));
        let leading = exact.map(|value| value as f32);
        let leading_error =
            exact.iter().zip(leading).map(|(exact, near)| (exact - f64::from(near)).abs()).sum();
        Self { words, prefixes, fine, fine_error, leading, leading_error, rounding }
    }
}
