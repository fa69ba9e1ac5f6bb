use std::borrow::Cow;

use super::{Among, Instructions, Neighbour, Neighbours, Search, kernel::Kernel, nearest::Nearest};
use crate::{
    blocks,
    matrix::Matrix,
    watch::{Stopped, Watch},
};

/// Queries that share one pass over the rows, at most.
const QUERIES: usize = 16;
/// Rows that stay in the cache while all queries of a pass look at them: 256 rows of 230 float32
/// values are 230 KiB.
const ROWS: usize = 256;

/// Every distance is computed: the oracle of every other search.
///
/// Cost: `queries * rows * columns` float64 differences, over all threads of the rayon pool.
#[derive(Debug, Clone)]
pub struct Exhaustive<'a> {
    rows: Cow<'a, Matrix>,
    kernel: Kernel,
}

impl<'a> Exhaustive<'a> {
    /// A search of these rows. Nothing is built.
    pub fn new(rows: impl Into<Cow<'a, Matrix>>) -> Self {
        Self::with(rows, Kernel::new(Instructions::fastest()))
    }

    pub(super) fn with(rows: impl Into<Cow<'a, Matrix>>, kernel: Kernel) -> Self {
        Self { rows: rows.into(), kernel }
    }

    /// The nearest row of one query, on the calling thread.
    pub(crate) fn nearest_one(&self, query: &[f32]) -> Neighbour {
        let mut nearest = Neighbour { squared_distance: f64::INFINITY, row: 0 };
        for row in 0..self.rows.rows() {
            let squared_distance = self.kernel.squared_distance(query, self.rows.row(row));
            if squared_distance < nearest.squared_distance {
                nearest = Neighbour { squared_distance, row: row as u32 };
            }
        }
        nearest
    }

    fn pass(
        &self,
        among: Among<'_>,
        queries: &Matrix,
        numbers: std::ops::Range<usize>,
        k: usize,
    ) -> Vec<Neighbour> {
        let mut nearest: Vec<Nearest> = numbers.clone().map(|_| Nearest::new(k)).collect();
        for first in (0..self.rows.rows()).step_by(ROWS) {
            let block = first..self.rows.rows().min(first + ROWS);
            for (nearest, query) in nearest.iter_mut().zip(numbers.clone()) {
                let query = queries.row(query);
                for row in block.clone().filter(|&row| among.has(row as u32)) {
                    let squared_distance = self.kernel.squared_distance(query, self.rows.row(row));
                    nearest.offer(Neighbour { squared_distance, row: row as u32 });
                }
            }
        }
        nearest.iter().flat_map(|nearest| nearest.found()).copied().collect()
    }
}

impl Search for Exhaustive<'_> {
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
        let k = among.at_most(k, self.rows());
        let share = queries.rows().div_ceil(rayon::current_num_threads()).clamp(1, QUERIES);
        let found =
            blocks::map_of(share, queries.rows(), watch, |numbers| self.pass(among, queries, numbers, k))?;
        Ok(Neighbours::new(found.concat(), k))
    }
}
