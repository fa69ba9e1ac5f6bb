//! The seam of the nearest-neighbour search: the contract, and one file an implementation.

mod among;
mod exhaustive;
mod kernel;
mod nearest;
mod screen;
mod tree;

pub use among::Among;
pub use exhaustive::Exhaustive;
pub use kernel::{Instructions, UnknownInstructions};
pub use screen::Screen;
pub use tree::Tree;

pub(crate) use kernel::Kernel;

use std::borrow::Cow;

use crate::{
    matrix::Matrix,
    watch::{Stopped, Watch},
};

/// An exact search for the nearest of a fixed set of rows.
///
/// Contract, for every implementation:
/// - A query's answer is *the* `k` smallest rows under the order (distance, row number), where the
///   distance is [`squared_distance`](crate::squared_distance) to the last bit. That order is total,
///   so the answer is unique: thread count, instruction set and algorithm cannot change it.
/// - Answers are in that order, nearest first. Fewer than `k` rows are answered only when there are
///   fewer.
/// - There is at least one row, and at least one among which to search. Rows and queries are finite and
///   have the same number of columns.
/// - The watch is asked before every share of the queries, at most some hundreds of them, and told of
///   every query.
pub trait Search: Send + Sync {
    /// Number of rows that are searched.
    fn rows(&self) -> usize;

    /// Number of columns of rows and queries.
    fn columns(&self) -> usize;

    /// The `k` nearest rows of every query, among some of the rows.
    fn nearest_among(
        &self,
        among: Among<'_>,
        queries: &Matrix,
        k: usize,
        watch: &dyn Watch,
    ) -> Result<Neighbours, Stopped>;

    /// The `k` nearest rows of every query.
    fn nearest(&self, queries: &Matrix, k: usize, watch: &dyn Watch) -> Result<Neighbours, Stopped> {
        self.nearest_among(Among::All, queries, k, watch)
    }
}

/// The search that is fastest over these rows, of which there is at least one.
///
/// Built on the rayon pool. The instructions are the fastest that the CPU has, or those that
/// [`Instructions::forced`] names.
pub fn index<'a>(rows: impl Into<Cow<'a, Matrix>>) -> Box<dyn Search + 'a> {
    let rows = rows.into();
    match rows.columns() {
        1 | 2 => Box::new(Tree::<2>::new(&rows)),
        3 | 4 => Box::new(Tree::<4>::new(&rows)),
        5 | 6 => Box::new(Tree::<6>::new(&rows)),
        columns if rows.rows() >= SMALL && (1..=screen::MOST_COLUMNS).contains(&columns) => {
            let forced = Instructions::forced().ok().flatten();
            Box::new(Screen::new(rows, forced.unwrap_or_else(Instructions::fastest)))
        }
        _ => Box::new(Exhaustive::new(rows)),
    }
}

/// Fewer rows than this are compared one by one before a screen of them is built.
const SMALL: usize = 1024;

/// A found row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Squared distance to the query.
    pub squared_distance: f64,
    /// Row number among those searched.
    pub row: u32,
}

impl Neighbour {
    /// Whether this one comes first under the order (distance, row number).
    pub fn is_nearer_than(&self, other: &Self) -> bool {
        (self.squared_distance, self.row) < (other.squared_distance, other.row)
    }
}

/// The neighbours of a batch of queries.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    found: Vec<Neighbour>,
    each: usize,
}

impl Neighbours {
    /// `each` neighbours a query, query after query.
    ///
    /// # Panics
    /// If the neighbours do not divide into queries.
    pub fn new(found: Vec<Neighbour>, each: usize) -> Self {
        assert!(each > 0 && found.len().is_multiple_of(each), "every query has as many neighbours");
        Self { found, each }
    }

    /// The neighbours of every query, in query order, nearest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[Neighbour]> {
        self.found.chunks_exact(self.each)
    }
}
