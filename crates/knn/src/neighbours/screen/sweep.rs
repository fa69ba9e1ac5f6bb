//! Queries go over the blocks of panels: many together or one alone, on one thread or on several that
//! share the blocks.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use rayon::prelude::*;

use super::super::kernel::{Hits, PANEL, Part, STRIP_PANELS, TILE_PANELS, TILE_QUERIES};
use super::{
    Asked, Screen, block, helper::Helper, limits::Limits, prefetch::prefetch, prepared::Prepared,
    rotation::LEADING,
};
use crate::{
    neighbours::{Neighbour, Neighbours, nearest::Nearest},
    watch::{Stopped, Watch},
};

/// Queries that are looked for one by one, at most.
const FEW: usize = 4;
/// Tiles of queries that go over the panels together, at most: what is known of them stays in the
/// second-level cache.
const TILES: usize = 64;
/// Bytes of a first level that two threads share.
const SHARED: usize = 1 << 18;
/// Where so many of what a tile looks at are hits, at least, the next is looked at one level deeper.
pub(super) const DENSE: f32 = 0.5;
/// Rows that are on their way from memory before the first of them is ranked.
const LEFT: usize = 8;

/// Some queries, and their best rows before anything was ruled out.
struct Tile<const QUERIES: usize> {
    /// Row numbers of the queries; the last tile repeats its last.
    numbers: [u32; QUERIES],
    queries: Vec<Prepared>,
    /// A word of every query, group after group.
    words: Vec<[u32; QUERIES]>,
    nearest: [Nearest; QUERIES],
    /// The bits of the smallest squared radius that any thread knows: floats that are not negative are
    /// ordered as their bits are.
    radii: [AtomicU64; QUERIES],
}

/// What one thread knows of a tile.
struct Turn<'t, const QUERIES: usize> {
    tile: &'t Tile<QUERIES>,
    /// What each query needs after every level.
    least: Vec<[i32; QUERIES]>,
    limits: [Limits; QUERIES],
    nearest: [Nearest; QUERIES],
}

/// A row that no level could rule out.
struct Left {
    turn: usize,
    query: usize,
    place: usize,
}

/// Who goes over the blocks beside the calling thread.
#[derive(Clone, Copy)]
enum Help<'h> {
    Nobody,
    /// A second thread that waits.
    Waiting(&'h Helper),
    /// All threads of the pool.
    Pool,
}

impl Screen<'_> {
    pub(super) fn search(&self, asked: &Asked<'_>, watch: &dyn Watch) -> Result<Neighbours, Stopped> {
        let Asked { queries, k, .. } = *asked;
        let count = queries.rows();
        let found: Result<Vec<_>, Stopped> = if count <= FEW {
            let help = self.second_thread();
            let one = |number| self.together::<1, STRIP_PANELS>(asked, &[number], help, watch);
            (0..count as u32).map(one).collect()
        } else {
            let mut numbers: Vec<u32> = (0..count as u32).collect();
            // Queries of one neighbourhood share a tile.
            numbers.par_sort_by_cached_key(|&number| {
                self.cells.of_row(&self.rotation.leading(queries.row(number as usize))).start
            });
            let some = |numbers: &[u32], help| {
                self.together::<TILE_QUERIES, TILE_PANELS>(asked, numbers, help, watch)
            };
            // Each thread has queries of its own where there are enough for all; else all share the blocks.
            let tiles = count.div_ceil(TILE_QUERIES);
            if tiles <= TILES {
                some(&numbers, Help::Pool).map(|found| vec![found])
            } else {
                let shares = tiles.div_ceil(TILES).next_multiple_of(rayon::current_num_threads());
                let share = tiles.div_ceil(shares) * TILE_QUERIES;
                numbers.par_chunks(share).map(|numbers| some(numbers, Help::Nobody)).collect()
            }
        };
        let mut answers = vec![Neighbour { squared_distance: 0.0, row: 0 }; count * k];
        for (number, nearest) in found?.into_iter().flatten() {
            answers[number as usize * k..][..k].copy_from_slice(nearest.found());
        }
        Ok(Neighbours::new(answers, k))
    }

    /// The helper, where two threads are sooner done than one.
    fn second_thread(&self) -> Help<'_> {
        let bytes = self.panels() * self.levels[0].bytes();
        if rayon::current_num_threads() == 1 || bytes < SHARED {
            return Help::Nobody;
        }
        self.helper.get_or_init(Helper::new).as_ref().map_or(Help::Nobody, Help::Waiting)
    }

    /// Looks for some queries together.
    fn together<const QUERIES: usize, const PANELS: usize>(
        &self,
        asked: &Asked<'_>,
        numbers: &[u32],
        help: Help<'_>,
        watch: &dyn Watch,
    ) -> Result<Vec<(u32, Nearest)>, Stopped> {
        watch.check()?;
        let tile = |numbers: &[u32]| self.tile(asked, numbers);
        let mut tiles: Vec<Tile<QUERIES>> = match help {
            Help::Pool => numbers.par_chunks(QUERIES).map(tile).collect(),
            Help::Nobody | Help::Waiting(_) => numbers.chunks(QUERIES).map(tile).collect(),
        };
        let order = self.nearest_blocks(&tiles);
        let next = AtomicUsize::new(0);
        let turns = Mutex::new(Vec::new());
        let sweep = || {
            let found = self.sweep::<QUERIES, PANELS>(&tiles, &order, &next, asked);
            turns.lock().unwrap_or_else(PoisonError::into_inner).push(found);
        };
        match help {
            Help::Nobody => sweep(),
            Help::Waiting(helper) => helper.share(&sweep),
            Help::Pool => (0..rayon::current_num_threads()).into_par_iter().for_each(|_| sweep()),
        }
        let turns: Vec<Vec<[Nearest; QUERIES]>> = turns.into_inner().unwrap_or_else(PoisonError::into_inner);
        for turn in turns {
            for (tile, found) in tiles.iter_mut().zip(turn) {
                for (best, found) in tile.nearest.iter_mut().zip(found) {
                    best.take(found);
                }
            }
        }
        watch.advance(numbers.len() as u64);
        let found = tiles.into_iter().flat_map(|tile| tile.numbers.into_iter().zip(tile.nearest));
        Ok(found.take(numbers.len()).collect())
    }

    fn tile<const QUERIES: usize>(&self, asked: &Asked<'_>, numbers: &[u32]) -> Tile<QUERIES> {
        let numbers: [u32; QUERIES] = std::array::from_fn(|i| numbers[i.min(numbers.len() - 1)]);
        let prepared = Prepared::all(self, numbers.iter().map(|&number| asked.queries.row(number as usize)));
        let nearest: [Nearest; QUERIES] =
            std::array::from_fn(|i| self.begin(&asked.query(numbers[i], &prepared[i]), asked.k));
        let groups = prepared[0].words.len();
        let words =
            (0..groups).map(|group| std::array::from_fn(|query| prepared[query].words[group])).collect();
        let radii = nearest.each_ref().map(|nearest| AtomicU64::new(nearest.squared_radius().to_bits()));
        Tile { numbers, queries: prepared, words, nearest, radii }
    }

    /// The blocks, nearest to the middle of the queries first: the sooner a radius is small, the less is
    /// looked at closely.
    fn nearest_blocks<const QUERIES: usize>(&self, tiles: &[Tile<QUERIES>]) -> Vec<usize> {
        let mut middle = [0.0; LEADING];
        for query in tiles.iter().flat_map(|tile| &tile.queries) {
            for (sum, place) in middle.iter_mut().zip(query.leading) {
                *sum += place / (tiles.len() * QUERIES) as f32;
            }
        }
        let mut blocks: Vec<(f32, usize)> =
            self.blocks.iter().map(|block| block.squared_distance(&middle)).zip(0..).collect();
        blocks.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        blocks.into_iter().map(|(_, block)| block).collect()
    }

    /// Takes all tiles over one block after the other, as long as there is one that no thread took.
    fn sweep<const QUERIES: usize, const PANELS: usize>(
        &self,
        tiles: &[Tile<QUERIES>],
        order: &[usize],
        next: &AtomicUsize,
        asked: &Asked<'_>,
    ) -> Vec<[Nearest; QUERIES]> {
        let mut turns: Vec<Turn<'_, QUERIES>> = tiles.iter().map(|tile| Turn::new(self, tile)).collect();
        let mut hits = Hits::new();
        let mut near: Vec<(usize, usize)> = Vec::with_capacity(turns.len());
        let mut left: Vec<Left> = Vec::with_capacity(LEFT + TILE_QUERIES * TILE_PANELS * PANEL);
        let mut parts: Vec<Part<'_>> = Vec::with_capacity(self.levels.len());
        // Blocks that hold one row only, and the smallest row number of the one that nothing was found in.
        let mut done = None;
        while let Some(&block) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let own = &self.blocks[block];
            if done.is_some_and(|(alike, first)| own.alike == alike && own.first > first) {
                continue;
            }
            near.clear();
            for (number, turn) in turns.iter_mut().enumerate() {
                turn.exchange(self);
                if turn.is_near(own) {
                    near.push((number, 1));
                }
            }
            let panels = block * block::PANELS..self.panels().min((block + 1) * block::PANELS);
            // Of rows that are the same, as many as there may be, the first tells how far all are. Where
            // nothing is found, nothing is in the blocks of later ones.
            if own.alike.is_some() {
                let places = panels.start * PANEL..panels.end * PANEL;
                let mut found = false;
                for &(number, _) in &near {
                    found |= turns[number].rank_alike(self, asked, own.first, places.clone());
                }
                if !found {
                    done = Some((own.alike, own.first));
                }
                continue;
            }
            if near.is_empty() {
                continue;
            }
            // All tiles look at some panels before any looks further: the lines of those panels stay in
            // the innermost caches.
            for panel in panels.step_by(PANELS) {
                parts.clear();
                parts.extend(self.levels.iter().map(|level| level.part(panel..panel + PANELS)));
                if QUERIES > 1 && panel + 2 * PANELS <= self.panels() {
                    prefetch(self.levels[0].part(panel + PANELS..panel + 2 * PANELS).lines);
                }
                for (number, depth) in &mut near {
                    let turn = &mut turns[*number];
                    let least = &turn.least[*depth - 1];
                    self.kernel.tile::<QUERIES, PANELS>(&turn.tile.words, &parts[..*depth], least, &mut hits);
                    for hit in hits.as_slice() {
                        let (query, panel) = (usize::from(hit.query), panel + usize::from(hit.panel));
                        let (prepared, limits) = (&turn.tile.queries[query], &turn.limits[query]);
                        let mut rows = self.deepen(*depth, panel, hit, prepared, limits);
                        while rows != 0 {
                            let place = panel * PANEL + rows.trailing_zeros() as usize;
                            rows &= rows - 1;
                            self.prefetch(place);
                            left.push(Left { turn: *number, query, place });
                        }
                    }
                    let dense = hits.as_slice().len() as f32 > DENSE * (QUERIES * PANELS) as f32;
                    if dense && *depth < self.levels.len() {
                        *depth += 1;
                    }
                    if left.len() >= LEFT {
                        for Left { turn, query, place } in left.drain(..) {
                            turns[turn].rank(self, asked, query, place);
                        }
                    }
                }
            }
            for Left { turn, query, place } in left.drain(..) {
                turns[turn].rank(self, asked, query, place);
            }
        }
        turns.into_iter().map(|turn| turn.nearest).collect()
    }
}

impl Screen<'_> {
    fn prefetch(&self, place: usize) {
        if let Some(&row) = self.order.get(place) {
            prefetch(self.rows.row(row as usize));
        }
    }
}

impl<'t, const QUERIES: usize> Turn<'t, QUERIES> {
    fn new(screen: &Screen<'_>, tile: &'t Tile<QUERIES>) -> Self {
        let limits: [Limits; QUERIES] =
            std::array::from_fn(|i| Limits::new(screen, &tile.queries[i], tile.nearest[i].squared_radius()));
        let least = vec![[0; QUERIES]; screen.levels.len()];
        let mut turn = Self { tile, least, limits, nearest: tile.nearest.clone() };
        (0..QUERIES).for_each(|i| turn.narrowed(i));
        turn
    }

    /// The limits of a query are narrower.
    fn narrowed(&mut self, i: usize) {
        for (least, &own) in self.least.iter_mut().zip(&self.limits[i].least) {
            least[i] = own;
        }
    }

    /// Tells the other threads of the radii and takes over theirs.
    fn exchange(&mut self, screen: &Screen<'_>) {
        for i in 0..QUERIES {
            let own = self.nearest[i].squared_radius();
            let others = f64::from_bits(self.tile.radii[i].fetch_min(own.to_bits(), Ordering::Relaxed));
            if self.limits[i].narrow(screen, &self.tile.queries[i], others) {
                self.narrowed(i);
            }
        }
    }

    /// Whether a row of the block may be among the nearest of any query.
    fn is_near(&self, block: &block::Block) -> bool {
        self.tile
            .queries
            .iter()
            .zip(&self.limits)
            .any(|(query, limits)| !block.is_beyond(&query.leading, limits.around))
    }

    /// Ranks rows that are the same, of which `row` is the first, for all queries; whether any of them could be
    /// found.
    fn rank_alike(&mut self, screen: &Screen<'_>, asked: &Asked<'_>, row: u32, places: Range<usize>) -> bool {
        let mut found = false;
        for i in 0..QUERIES {
            let query = asked.queries.row(self.tile.numbers[i] as usize);
            let squared_distance = screen.kernel.squared_distance(query, screen.rows.row(row as usize));
            if self.nearest[i].would_keep(&Neighbour { squared_distance, row }) {
                found = true;
                places.clone().for_each(|place| self.rank(screen, asked, i, place));
            }
        }
        found
    }

    /// Ranks the row at a place of the panels for one of the queries.
    fn rank(&mut self, screen: &Screen<'_>, asked: &Asked<'_>, i: usize, place: usize) {
        let prepared = &self.tile.queries[i];
        let query = asked.query(self.tile.numbers[i], prepared);
        let nearest = &mut self.nearest[i];
        if screen.rank(place, &query, nearest)
            && self.limits[i].narrow(screen, prepared, nearest.squared_radius())
        {
            self.narrowed(i);
        }
    }
}
