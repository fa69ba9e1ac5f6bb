//! Exact nearest neighbours at the speed of 8-bit integers.
//!
//! Rows and queries are [rotated](rotation) so that the leading coordinates carry most of every
//! distance, and rounded to [lattices](lattice) of 8-bit points, one for each [level](level) of
//! coordinates. Integer distances between lattice points are lower bounds of distances between rows, once
//! the roundings are allowed for; a row whose bound exceeds the distance of the k-th best row so far is
//! ruled out, and nearly all are, most of them by their first coordinates. What is left is ranked by
//! [`squared_distance`](crate::squared_distance).
//!
//! ```text
//! query -> rotated -> block (box) -> first level -> deeper levels -> float64 -> k best
//!            every stage rules out rows; the k-th best so far says how far a row may be
//! ```
//!
//! Rows lie in panels of 16, in an [order](cells) that puts rows near each other together: a query
//! begins where rows are like it, and rules out whole [blocks](block) of panels by where they lie.
//!
//! What a lattice rounds away is what the bound is short of. So within a level the coordinates are mixed
//! until each reaches about as far as the others, and the 256 steps of a byte are spent on all alike: on
//! tables of telemetry the rounding fell to a quarter, and the rows that are left to a tenth, of what
//! one lattice of principal coordinates left.
//!
//! # Why no neighbour is lost
//!
//! Let `A` be the rotation as stored, `P` the clipping of every coordinate to 127.5 steps of its level,
//! and `x'`, `q'` the lattice points of a row `x` and a query `q`, in steps. Then, for all levels up to
//! any of them, with `S` the diagonal of their steps,
//!
//! ```text
//! |S(x' - q')|  <=  |PAx - PAq| + |PAx - Sx'| + |PAq - Sq'|      triangle
//!               <=  |A| |x - q| + |PAx - Sx'| + |PAq - Sq'|      P moves no two points apart
//! |PAx - Sx'|   <=  |PAx - Px^| + |Px^ - Sx'|  <=  r_x + e_x     x^: Ax as computed
//! ```
//!
//! - `|A|` is at most [`Rotation::stretch`]: it is bounded by what `A'A` is off the identity, so that
//!   no property of an eigen-decomposition is relied on.
//! - `r_x`, the rounding of the rotation, is at most `gamma(columns + 2) |A|_F |x - center|` for any
//!   order of float64 additions (Higham, Accuracy and Stability of Numerical Algorithms, 3.1). A dozen
//!   more allow for the products with steps, and for the steps themselves, which are roots.
//! - `e_x`, the rounding to the lattices, is measured in float64 for every row, level and query. Rows
//!   take part with their largest `r_x` and `e_x`, so that one integer decides for every row.
//! - A row that belongs to the answer has a computed squared distance of at most `D`, the k-th best so
//!   far; computed squared distances are off by at most a factor of `1 -+ gamma(columns + 4)`, so that
//!   `|x - q| <= sqrt(D / (1 - gamma))`.
//!
//! Together: a row can be ruled out if `|S(x' - q')| > |A| sqrt(D / (1 - gamma)) + r_x + e_x + r_q + e_q`.
//! With `R` for the right side in steps of the last level, and norms and products that weigh the levels
//! by their squared steps, that is `2 x'q' - |x'|^2 < |q'|^2 - R^2`. A squared step of one level is a
//! whole number of those of the next, the ratio, so that all of it stays in integers: the sum of a row
//! is multiplied by the ratio when it goes on to the next level. The kernels add up `x'(q' + 128)` (their
//! instruction multiplies unsigned by signed bytes) from a start of `-(floor(|x'|^2 / 2) + 128 sum(x'))`
//! a level and compare the sum with `floor((|q'|^2 - R^2) / 2)`: halves are rounded towards keeping the
//! row. Ratios are chosen so that no sum of a row that exists leaves 32 bits. A block is ruled out by its
//! box in the leading coordinates, whose distance needs no lattice.
//!
//! # Cost
//!
//! Built with `2 * rows * columns^2` floating-point operations, and the distances of 16 rows to all; about
//! `columns` bytes a row beside the rows. A batch looks at `rows * queries` times the bytes of what it
//! begins with; whether there are one level or two, and how deep, is [chosen](depths) by a sample of the
//! rows.

mod block;
mod build;
mod cells;
mod depths;
mod helper;
mod lattice;
mod level;
mod limits;
mod prefetch;
mod prepared;
mod rotation;
mod sweep;

use std::{borrow::Cow, sync::OnceLock};

use self::{
    block::Block, cells::Cells, helper::Helper, level::Level, limits::Limits, prepared::Prepared,
    rotation::Rotation,
};
use super::{
    Among, Neighbour, Neighbours, Search,
    kernel::{Hit, Kernel, Lanes, PANEL},
    nearest::Nearest,
};
use crate::{
    matrix::Matrix,
    watch::{Stopped, Watch},
};

/// Rows that are looked at before anything is ruled out.
const FIRST: usize = 128;
/// More columns could overflow the integer sums.
pub(super) const MOST_COLUMNS: usize = level::MOST_COLUMNS;

/// The screen over a fixed set of rows.
pub struct Screen<'a> {
    rows: Cow<'a, Matrix>,
    kernel: Kernel,
    rotation: Rotation,
    cells: Cells,
    /// The row at every place of the panels.
    order: Vec<u32>,
    /// Where the rows of every block of panels lie.
    blocks: Vec<Block>,
    /// The lattice points, shallowest coordinates first.
    levels: Vec<Level>,
    /// At least the rounding of every rotated row.
    rounding: f64,
    /// Helps with a single query, once one came.
    helper: OnceLock<Option<Helper>>,
}

/// What is searched for.
#[derive(Clone, Copy)]
struct Asked<'q> {
    queries: &'q Matrix,
    k: usize,
    among: Among<'q>,
}

/// A query as given, and as the screen looks at it.
#[derive(Clone, Copy)]
struct Query<'q> {
    row: &'q [f32],
    prepared: &'q Prepared,
    among: Among<'q>,
}

impl<'q> Asked<'q> {
    fn query(&self, number: u32, prepared: &'q Prepared) -> Query<'q> {
        Query { row: self.queries.row(number as usize), prepared, among: self.among }
    }
}

impl Screen<'_> {
    /// Number of panels; the last ones may lack rows.
    fn panels(&self) -> usize {
        self.levels[0].start.len()
    }

    /// The rows of a hit after so many levels that the deeper ones cannot rule out either.
    fn deepen(&self, from: usize, panel: usize, hit: &Hit, query: &Prepared, limits: &Limits) -> u16 {
        let (mut rows, mut sums) = (hit.rows, hit.sums);
        let mut words = self.levels[..from].iter().map(Level::groups).sum();
        for (level, &least) in self.levels.iter().zip(&limits.least).skip(from) {
            let query = &query.words[words..][..level.groups()];
            words += level.groups();
            rows &= self.kernel.deepen(query, &level.part(panel..panel + 1), &mut sums, least);
            if rows == 0 {
                break;
            }
        }
        rows
    }

    /// Offers the row at a place of the panels, if there is one that may be found.
    fn rank(&self, place: usize, query: &Query<'_>, nearest: &mut Nearest) -> bool {
        let Some(&row) = self.order.get(place).filter(|&&row| query.among.has(row)) else { return false };
        let squared_distance = self.kernel.squared_distance(query.row, self.rows.row(row as usize));
        nearest.offer(Neighbour { squared_distance, row })
    }

    /// The best of some rows that are like the query.
    fn begin(&self, query: &Query<'_>, k: usize) -> Nearest {
        let own = self.cells.of_row(&query.prepared.leading);
        let count = (4 * k).max(FIRST).min(self.order.len());
        let middle = own.start + own.len() / 2;
        let start = middle.saturating_sub(count / 2).min(self.order.len() - count);
        let mut places: Vec<(i32, usize)> = Vec::with_capacity(count + 2 * PANEL);
        for panel in start / PANEL..(start + count).div_ceil(PANEL) {
            let sums = self.sums(panel, query.prepared).last().map_or([0; PANEL], |sums| sums.0);
            let of_panel = sums.into_iter().zip(panel * PANEL..self.order.len());
            places.extend(of_panel.filter(|&(_, place)| query.among.has(self.order[place])));
        }
        // The larger the sum, the nearer the lattice point.
        if k < places.len() {
            places.select_nth_unstable_by(k, |a, b| b.cmp(a));
        }
        let mut nearest = Nearest::new(k);
        for (_, place) in places.into_iter().take(k) {
            self.rank(place, query, &mut nearest);
        }
        nearest
    }

    /// The sums of a panel at the end of every level.
    fn sums(&self, panel: usize, query: &Prepared) -> impl Iterator<Item = Lanes> {
        let mut sums = Lanes([0; PANEL]);
        let mut words = &query.words[..];
        self.levels.iter().map(move |level| {
            let (now, later) = words.split_at(level.groups());
            words = later;
            self.kernel.deepen(now, &level.part(panel..panel + 1), &mut sums, i32::MIN);
            sums
        })
    }
}

impl Search for Screen<'_> {
    fn rows(&self) -> usize {
        self.rows.rows()
    }

    fn columns(&self) -> usize {
        self.rows.columns()
    }

    fn nearest_among(
        &self,
        among: Among<'_>,
        queries: &Matrix,
        k: usize,
        watch: &dyn Watch,
    ) -> Result<Neighbours, Stopped> {
        self.search(&Asked { queries, k: among.at_most(k, self.rows()), among }, watch)
    }
}
