use super::super::kernel::GROUP;
use super::{
    Screen,
    level::Level,
    rotation::{LEADING, RotatedRow},
};

/// A query's lattice point, as bytes that are 128 more, and what is known of it at every level.
pub(super) struct Prepared {
    /// Group after group, level after level.
    pub(super) words: Vec<u32>,
    pub(super) prefixes: Vec<Prefix>,
    /// The leading coordinates, and how far rounding moved them.
    pub(super) leading: [f32; LEADING],
    pub(super) leading_error: f64,
    pub(super) rounding: f64,
}

/// What is known of a point's coordinates up to the end of a level.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Prefix {
    /// The squared norm of the lattice point, in squared steps of the level.
    pub(super) norm: f64,
    /// At least the distance between the lattice point and what it stands for, clipped.
    pub(super) error: f64,
}

impl Prepared {
    /// Prepares queries together.
    pub(super) fn all<'r>(
        screen: &Screen<'_>,
        queries: impl ExactSizeIterator<Item = &'r [f32]>,
    ) -> Vec<Self> {
        screen
            .rotation
            .rotate(screen.kernel, queries)
            .iter()
            .map(|rotated| Self::of(screen, rotated))
            .collect()
    }

    fn of(screen: &Screen<'_>, rotated: RotatedRow<'_>) -> Self {
        let groups: usize = screen.levels.iter().map(Level::groups).sum();
        let mut words = Vec::with_capacity(groups);
        let mut point = vec![0_i8; groups * GROUP];
        let mut before = Prefix::default();
        let mut square = 0.0;
        let prefixes = screen.levels.iter().map(|level| {
            let bytes = &mut point[..level.groups() * GROUP];
            let of = level.lattice.point(&rotated.coordinates[level.coordinates.clone()], bytes);
            words.extend(bytes.as_chunks::<GROUP>().0.iter().map(unsigned));
            square += of.squared_error;
            before = Prefix {
                norm: before.norm * f64::from(level.ratio) + f64::from(of.norm),
                error: error(square),
            };
            before
        });
        let prefixes = prefixes.collect();
        let leading = rotated.leading.map(|value| value as f32);
        let leading_error =
            rotated.leading.iter().zip(leading).map(|(exact, near)| (exact - f64::from(near)).abs()).sum();
        Self { words, prefixes, leading, leading_error, rounding: rotated.rounding }
    }
}

/// At least the error whose square was added up. A billionth covers the roundings of the sum.
pub(super) fn error(square: f64) -> f64 {
    square.sqrt() * (1.0 + 1e-9)
}

fn unsigned(group: &[i8; GROUP]) -> u32 {
    u32::from_le_bytes(group.map(|byte| byte.cast_unsigned() ^ 0x80))
}
