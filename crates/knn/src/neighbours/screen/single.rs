//! Few queries: the threads look for one after the other, together where there is enough to look at.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::{
    Screen, block,
    kernel::{GROUP, Hits, PANEL, STRIP_PANELS},
    limits::{Limits, Query},
    prepared::Prepared,
};
use crate::{
    matrix::Matrix,
    neighbours::{Neighbours, nearest::Nearest},
    watch::{Stopped, Watch},
};

/// Queries that are looked for one by one.
pub(super) const MOST: usize = 4;
/// Bytes of a first level for each thread. Over 2 MB a second one saved next to nothing: waking it takes as
/// long as it helps.
const SHARE: usize = 4 << 20;

impl Screen<'_> {
    pub(super) fn one_by_one(
        &self,
        queries: &Matrix,
        k: usize,
        watch: &dyn Watch,
    ) -> Result<Neighbours, Stopped> {
        let mut found = Vec::with_capacity(queries.rows() * k);
        for number in 0..queries.rows() {
            watch.check()?;
            let row = queries.row(number);
            for prepared in Prepared::all(self, std::iter::once(row)) {
                found.extend_from_slice(self.one(&Query { row, prepared: &prepared }, k).found());
            }
            watch.advance(1);
        }
        Ok(Neighbours::new(found, k))
    }

    fn one(&self, query: &Query<'_>, k: usize) -> Nearest {
        let nearest = self.begin(query, k);
        // The bits of the smallest squared radius that any thread knows: floats that are not negative
        // are ordered as their bits are.
        let squared_radius = AtomicU64::new(nearest.squared_radius().to_bits());
        let bytes = self.panels() * self.levels[self.first.single].groups * PANEL * GROUP;
        let threads = rayon::current_num_threads().min(bytes / SHARE).max(1);
        // Nearest first: the sooner the radius is small, the less is looked at closely.
        let mut blocks: Vec<(f32, usize)> = self
            .blocks
            .iter()
            .map(|block| block.squared_distance(&query.prepared.leading))
            .zip(0..)
            .collect();
        blocks.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let part = |thread: usize| blocks.iter().skip(thread).step_by(threads).map(|&(_, block)| block);
        if threads == 1 {
            return self.sweep(part(0), query, &squared_radius, nearest);
        }
        let parts: Vec<Nearest> = (0..threads)
            .into_par_iter()
            .map(|thread| self.sweep(part(thread), query, &squared_radius, nearest.clone()))
            .collect();
        let mut best = nearest;
        for &neighbour in parts.iter().flat_map(Nearest::found) {
            best.offer(neighbour);
        }
        best
    }

    fn sweep(
        &self,
        blocks: impl Iterator<Item = usize>,
        query: &Query<'_>,
        shared: &AtomicU64,
        mut nearest: Nearest,
    ) -> Nearest {
        let first = self.first.single;
        let level = &self.levels[first];
        let words = &query.prepared.words[..level.groups];
        let mut limits = Limits::new(self, query.prepared, nearest.squared_radius());
        let mut hits = Hits::new();
        for block in blocks {
            let own = nearest.squared_radius();
            let others = f64::from_bits(shared.fetch_min(own.to_bits(), Ordering::Relaxed));
            limits.narrow(self, query.prepared, others);
            if self.blocks[block].is_beyond(&query.prepared.leading, limits.around) {
                break;
            }
            let panels = block * block::PANELS..self.panels().min((block + 1) * block::PANELS);
            for panel in panels.step_by(STRIP_PANELS) {
                let lines = std::array::from_fn(|i| self.panel(panel + i, 0..level.groups));
                let (start, _) = level.start[panel..].as_chunks();
                self.kernel.strip(words, lines, &start[0], limits.least[first], &mut hits);
                for hit in hits.as_slice() {
                    self.settle(first, panel + usize::from(hit.panel), hit, query, &mut limits, &mut nearest);
                }
            }
        }
        nearest
    }
}
