//! Exact nearest neighbours at the speed of 8-bit integers.
//!
//! Rows and queries are [rotated](rotation) so that the leading coordinates carry most of every
//! distance, and rounded to a [lattice](lattice) of 8-bit points. Integer distances between lattice
//! points are lower bounds of distances between rows, once the roundings are allowed for; a row whose
//! bound exceeds the distance of the k-th best row so far is ruled out, and nearly all are, most of
//! them by a part of their coordinates. What is left is looked at as [16-bit points](fine), with the
//! same bound and a smaller rounding, and what is then left is ranked by
//! [`squared_distance`](crate::squared_distance).
//!
//! ```text
//! query -> rotated -> block (box) -> 8-bit, first groups -> deeper -> 16-bit -> float64 -> k best
//!            every stage rules out rows; the k-th best so far says how far a row may be
//! ```
//!
//! Rows lie in panels of 16, in an [order](cells) that puts rows near each other together: a query
//! begins where rows are like it, and rules out whole [blocks](block) of panels by where they lie.
//!
//! # Why no neighbour is lost
//!
//! Let `A` be the rotation as stored, `P` the clipping of every coordinate to 127.5 steps, `s` the step,
//! and `x'`, `q'` the lattice points of a row `x` and a query `q`. Then, for any prefix of the
//! coordinates,
//!
//! ```text
//! s |x' - q'|  <=  |PAx - PAq| + |PAx - s x'| + |PAq - s q'|     triangle
//!              <=  |A| |x - q| + |PAx - s x'| + |PAq - s q'|     P moves no two points apart
//! |PAx - s x'| <=  |PAx - Px^| + |Px^ - s x'|  <=  r_x + e_x     x^: Ax as computed
//! ```
//!
//! - `|A|` is at most [`Rotation::stretch`]: it is bounded by what `A A'` is off the identity, so that
//!   no property of an eigen-decomposition is relied on.
//! - `r_x`, the rounding of the rotation, is at most `gamma(columns + 2) |A|_F |x - center|` for any
//!   order of float64 additions (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
//! - `e_x`, the rounding to the lattice, is measured in float64 for every row, prefix and query. Rows
//!   take part with their largest `r_x` and `e_x`, so that one integer decides for every row.
//! - A row that belongs to the answer has a computed squared distance of at most `D`, the k-th best so
//!   far; computed squared distances are off by at most a factor of `1 -+ gamma(columns + 4)`, so that
//!   `|x - q| <= sqrt(D / (1 - gamma))`.
//!
//! Together: a row can be ruled out if `s |x' - q'| > |A| sqrt(D / (1 - gamma)) + r_x + e_x + r_q + e_q`.
//! With `R` for the right side over `s`, that is `2 x'q' - |x'|^2 < |q'|^2 - R^2`. The kernels add up
//! `x'(q' + 128)` (their instruction multiplies unsigned by signed bytes) from a start of
//! `-(floor(|x'|^2 / 2) + 128 sum(x'))` and compare the sum with `floor((|q'|^2 - R^2) / 2)`, which is
//! the same in integers that cannot overflow for fewer than 2^15 columns. The 16-bit points differ in
//! their clipping, step and measured rounding only, and in that squares are added in float32: its
//! `gamma(columns + 1)` is allowed for. A block is ruled out by its box in the leading coordinates,
//! whose distance needs no lattice.
//!
//! # Cost
//!
//! Built with `rows * columns^2` multiply-adds; about `3 * columns` bytes a row. A batch
//! looks at `rows * queries * 4 * groups` byte products, where `groups` is what the first level takes;
//! how many levels there are and how deep is [chosen](depths) by a sample of the rows.

mod batch;
mod block;
mod build;
mod cells;
mod depths;
mod fine;
pub(super) mod kernel;
mod large_pages;
mod lattice;
mod limits;
mod prefetch;
mod prepared;
mod rotation;
mod single;

use std::{borrow::Cow, ops::Range};

use self::{
    block::Block,
    cells::Cells,
    fine::Fine,
    kernel::{Hit, Kernel, Lanes, Line, PANEL},
    lattice::Lattice,
    limits::{Limits, Query},
    prefetch::prefetch,
    rotation::Rotation,
};
use super::{Neighbour, Neighbours, Search, nearest::Nearest};
use crate::{
    matrix::Matrix,
    watch::{Stopped, Watch},
};

/// More columns could overflow the integer sums.
pub(super) const MOST_COLUMNS: usize = (1 << 15) - 1;
/// Rows that are looked at before anything is ruled out.
const FIRST: usize = 128;

/// The screen over a fixed set of rows.
pub struct Screen<'a> {
    rows: Cow<'a, Matrix>,
    kernel: Kernel,
    rotation: Rotation,
    lattice: Lattice,
    cells: Cells,
    /// The row at every place of the panels.
    order: Vec<u32>,
    /// Groups of a panel.
    groups: usize,
    /// Where the rows of every block of panels lie.
    blocks: Vec<Block>,
    /// Panel after panel, group after group.
    lines: Vec<Line>,
    /// Where the screen looks whether a row is ruled out, shallowest first.
    levels: Vec<Level>,
    fine: Fine,
    /// The level that a batch begins with, and a single query.
    first: First,
    /// At least the rounding of every rotated row.
    rounding: f64,
}

struct First {
    batch: usize,
    single: usize,
}

/// Rows by their first groups.
struct Level {
    groups: usize,
    /// Where the sums of each row start.
    start: Vec<Lanes>,
    /// At least the rounding of every row to the lattice.
    error: f64,
}

impl Screen<'_> {
    fn panels(&self) -> usize {
        self.lines.len() / self.groups
    }

    /// The first groups of one panel.
    fn panel(&self, panel: usize, groups: Range<usize>) -> &[Line] {
        &self.lines[panel * self.groups..][groups]
    }

    /// These panels are next.
    fn prefetch(&self, panels: Range<usize>) {
        prefetch(&self.lines[panels.start * self.groups..panels.end * self.groups]);
        prefetch(self.fine.rows(panels.start * PANEL..panels.end * PANEL));
    }

    /// Looks deeper at the rows of a hit, then at the 16-bit points of those that are left, and ranks
    /// what is still left.
    fn settle(
        &self,
        from: usize,
        panel: usize,
        hit: &Hit,
        query: &Query<'_>,
        limits: &mut Limits,
        nearest: &mut Nearest,
    ) {
        let (mut rows, mut sums) = (hit.rows, hit.sums);
        for level in from + 1..self.levels.len() {
            let (before, after) = (&self.levels[level - 1], &self.levels[level]);
            let starts = [&before.start[panel], &after.start[panel]];
            let groups = before.groups..after.groups;
            let words = &query.prepared.words[groups.clone()];
            rows &=
                self.kernel.deepen(words, self.panel(panel, groups), starts, &mut sums, limits.least[level]);
            if rows == 0 {
                return;
            }
        }
        while rows != 0 {
            let place = panel * PANEL + rows.trailing_zeros() as usize;
            rows &= rows - 1;
            let difference = self.fine.squared_difference(self.kernel, place, &query.prepared.fine);
            if difference <= limits.fine && self.rank(place, query.row, nearest) {
                limits.narrow(self, query.prepared, nearest.squared_radius());
            }
        }
    }

    /// Offers the row at a place of the panels, if there is one.
    fn rank(&self, place: usize, query: &[f32], nearest: &mut Nearest) -> bool {
        let Some(&row) = self.order.get(place) else { return false };
        let squared_distance = self.kernel.squared_distance(query, self.rows.row(row as usize));
        nearest.offer(Neighbour { squared_distance, row })
    }

    /// The best of some rows that are like the query.
    fn begin(&self, query: &Query<'_>, k: usize) -> Nearest {
        let own = self.cells.of_row(&query.prepared.leading);
        let count = (4 * k).max(FIRST).min(self.order.len());
        let middle = own.start + own.len() / 2;
        let start = middle.saturating_sub(count / 2).min(self.order.len() - count);
        let mut places: Vec<(f32, usize)> = (start..start + count)
            .map(|place| (self.fine.squared_difference(self.kernel, place, &query.prepared.fine), place))
            .collect();
        if k < count {
            places.select_nth_unstable_by(k, |a, b| a.0.total_cmp(&b.0));
        }
        let mut nearest = Nearest::new(k);
        for (_, place) in places.into_iter().take(k) {
            self.rank(place, query.row, &mut nearest);
        }
        nearest
    }
}

impl Search for Screen<'_> {
    fn rows(&self) -> usize {
        self.rows.rows()
    }

    fn columns(&self) -> usize {
        self.rows.columns()
    }

    fn nearest(&self, queries: &Matrix, k: usize, watch: &dyn Watch) -> Result<Neighbours, Stopped> {
        let k = k.min(self.rows()).max(1);
        if queries.rows() <= single::MOST {
            self.one_by_one(queries, k, watch)
        } else {
            self.batch(queries, k, watch)
        }
    }
}
