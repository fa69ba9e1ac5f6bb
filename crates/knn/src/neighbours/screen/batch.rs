//! Many queries: every thread looks for some of them, panel by panel.

use rayon::prelude::*;

use super::{
    Level, Screen, block,
    kernel::{Hit, Hits, TILE_PANELS, TILE_QUERIES},
    limits::{Limits, Query},
    prepared::Prepared,
    rotation::LEADING,
};
use crate::{
    matrix::Matrix,
    neighbours::{Neighbour, Neighbours, nearest::Nearest},
    watch::{Stopped, Watch},
};

/// Tiles of queries that go over the panels together, at most.
const TILES: usize = 64;

/// Eight queries and their best rows so far.
struct Tile {
    /// Row numbers of the queries; the last tile repeats its last.
    numbers: [u32; TILE_QUERIES],
    queries: Vec<Prepared>,
    /// A word of every query, group after group.
    words: Vec<[u32; TILE_QUERIES]>,
    /// What each needs at the first level.
    first: [i32; TILE_QUERIES],
    /// What each needs at every level, and of 16-bit points.
    limits: [Limits; TILE_QUERIES],
    nearest: [Nearest; TILE_QUERIES],
}

impl Screen<'_> {
    pub(super) fn batch(&self, queries: &Matrix, k: usize, watch: &dyn Watch) -> Result<Neighbours, Stopped> {
        // Queries of one neighbourhood share a tile.
        let own: Vec<usize> = (0..queries.rows())
            .into_par_iter()
            .map(|number| self.cells.of_row(&self.rotation.leading(queries.row(number))).start)
            .collect();
        let mut numbers: Vec<u32> = (0..queries.rows() as u32).collect();
        numbers.sort_by_key(|&number| own[number as usize]);

        let tiles = queries.rows().div_ceil(TILE_QUERIES);
        let share = tiles.div_ceil(rayon::current_num_threads()).clamp(1, TILES);
        let found: Result<Vec<Vec<(u32, Nearest)>>, Stopped> = numbers
            .par_chunks(share * TILE_QUERIES)
            .map(|numbers| {
                watch.check()?;
                let mut tiles: Vec<Tile> =
                    numbers.chunks(TILE_QUERIES).map(|numbers| self.tile(queries, numbers, k)).collect();
                self.sweep_tiles(&mut tiles, queries);
                watch.advance(numbers.len() as u64);
                let found = tiles.into_iter().flat_map(|tile| tile.numbers.into_iter().zip(tile.nearest));
                Ok(found.take(numbers.len()).collect())
            })
            .collect();
        let mut answers = vec![Neighbour { squared_distance: 0.0, row: 0 }; queries.rows() * k];
        for (number, nearest) in found?.into_iter().flatten() {
            answers[number as usize * k..][..k].copy_from_slice(nearest.found());
        }
        Ok(Neighbours::new(answers, k))
    }

    fn tile(&self, queries: &Matrix, numbers: &[u32], k: usize) -> Tile {
        let numbers: [u32; TILE_QUERIES] = std::array::from_fn(|i| numbers[i.min(numbers.len() - 1)]);
        let prepared = Prepared::all(self, numbers.iter().map(|&number| queries.row(number as usize)));
        let nearest: [Nearest; TILE_QUERIES] = std::array::from_fn(|i| {
            self.begin(&Query { row: queries.row(numbers[i] as usize), prepared: &prepared[i] }, k)
        });
        let words = (0..self.levels[self.first.batch].groups)
            .map(|group| std::array::from_fn(|query| prepared[query].words[group][0]))
            .collect();
        let limits: [Limits; TILE_QUERIES] =
            std::array::from_fn(|i| Limits::new(self, &prepared[i], nearest[i].squared_radius()));
        let first = limits.each_ref().map(|limits| limits.least[self.first.batch]);
        Tile { numbers, queries: prepared, words, first, limits, nearest }
    }

    fn sweep_tiles(&self, tiles: &mut [Tile], queries: &Matrix) {
        let first = self.first.batch;
        let level: &Level = &self.levels[first];
        // Nearest to their middle first: the sooner a radius is small, the less is looked at closely.
        let mut middle = [0.0; LEADING];
        for query in tiles.iter().flat_map(|tile| &tile.queries) {
            for (sum, place) in middle.iter_mut().zip(query.leading) {
                *sum += place / (tiles.len() * TILE_QUERIES) as f32;
            }
        }
        let mut blocks: Vec<usize> = (0..self.blocks.len()).collect();
        let distance: Vec<f32> = self.blocks.iter().map(|block| block.squared_distance(&middle)).collect();
        blocks.sort_by(|&a, &b| distance[a].total_cmp(&distance[b]));
        let mut hits = Hits::new();
        for block in blocks {
            let beyond = |(query, limits): (&Prepared, &Limits)| {
                self.blocks[block].is_beyond(&query.leading, limits.around)
            };
            let mut near: Vec<&mut Tile> =
                tiles.iter_mut().filter(|tile| !tile.queries.iter().zip(&tile.limits).all(beyond)).collect();
            let panels = block * block::PANELS..self.panels().min((block + 1) * block::PANELS);
            // All tiles look at three panels before any looks further: the lines of those panels and
            // the points of their rows stay in the innermost cache.
            for panel in panels.step_by(TILE_PANELS) {
                let lines = std::array::from_fn(|i| self.panel(panel + i, 0..level.groups));
                let (start, _) = level.start[panel..].as_chunks();
                self.prefetch(panel + TILE_PANELS..(panel + 2 * TILE_PANELS).min(self.panels()));
                for tile in &mut near {
                    self.kernel.tile(&tile.words, lines, &start[0], &tile.first, &mut hits);
                    for hit in hits.as_slice() {
                        tile.settle(self, panel + usize::from(hit.panel), hit, queries);
                    }
                }
            }
        }
    }
}

impl Tile {
    fn settle(&mut self, screen: &Screen<'_>, panel: usize, hit: &Hit, queries: &Matrix) {
        let i = usize::from(hit.query);
        let query = Query { row: queries.row(self.numbers[i] as usize), prepared: &self.queries[i] };
        screen.settle(screen.first.batch, panel, hit, &query, &mut self.limits[i], &mut self.nearest[i]);
        self.first[i] = self.limits[i].least[screen.first.batch];
    }
}
