use super::rotation::LEADING;

/// Panels of a block: a box is looked at once for all of them.
pub(super) const PANELS: usize = 30;

/// Where the rows of some panels lie, by their leading coordinates.
///
/// In few dimensions, or where rows form tight clusters, most blocks are too far from a query for any
/// row of theirs; the order of the panels keeps the boxes small.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    low: [f32; LEADING],
    high: [f32; LEADING],
    /// The smallest row number.
    pub(super) first: u32,
    /// If all rows are the same: the first of the blocks in a row that hold nothing but this row.
    pub(super) alike: Option<u32>,
}

impl Block {
    /// A box without rows.
    pub(super) const EMPTY: Self = Self {
        low: [f32::INFINITY; LEADING],
        high: [f32::NEG_INFINITY; LEADING],
        first: u32::MAX,
        alike: None,
    };

    /// Makes room for a row.
    pub(super) fn include(&mut self, leading: &[f64; LEADING]) {
        for (axis, &value) in leading.iter().enumerate() {
            self.low[axis] = self.low[axis].min((value as f32).next_down());
            self.high[axis] = self.high[axis].max((value as f32).next_up());
        }
    }

    /// Whether every row is further from a rotated query than `reach`, which has room for the roundings
    /// of float32.
    pub(super) fn is_beyond(&self, query: &[f32; LEADING], reach: f32) -> bool {
        // Squares that are hardly numbers any more have no digits that room could be left in.
        self.squared_distance(query) > reach * reach + f32::MIN_POSITIVE
    }

    /// The squared distance of a rotated query from the box, in its coordinates; infinite from one
    /// without rows.
    pub(super) fn squared_distance(&self, query: &[f32; LEADING]) -> f32 {
        let mut square = 0.0;
        for (axis, &place) in query.iter().enumerate() {
            let outside = (self.low[axis] - place).max(place - self.high[axis]).max(0.0);
            square += outside * outside;
        }
        square
    }
}
