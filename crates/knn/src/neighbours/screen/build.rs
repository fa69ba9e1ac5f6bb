use std::borrow::Cow;

use rayon::prelude::*;

use super::{
    First, Level, MOST_COLUMNS, Screen,
    block::{self, Block},
    cells::Cells,
    depths::{self, Depths},
    fine::Fine,
    kernel::{self, GROUP, Instructions, Kernel, Lanes, Line, PANEL, STRIP_PANELS, TILE_PANELS},
    large_pages,
    lattice::{Lattice, Prefix},
    rotation::{LEADING, Rotation},
};
use crate::{
    matrix::Matrix,
    neighbours::{Neighbours, Search},
    sample::evenly,
    watch::Unwatched,
};

/// Rows of a cell, at least: a panel of rows that are near each other is ruled out as one.
const CELL: usize = 16;
/// Panels come in multiples of what kernels take at a time.
const ROUND_PANELS: usize = STRIP_PANELS;
const _: () = assert!(ROUND_PANELS.is_multiple_of(TILE_PANELS) && block::PANELS.is_multiple_of(ROUND_PANELS));
/// The sum of a row that does not exist: below whatever a query needs, once it has a radius.
const NO_ROW: i32 = i32::MIN / 2;
/// Rows that choose the step of the lattice.
const STEP_SAMPLE: usize = 2000;
/// Queries and panels that choose the depths, and the neighbours that those queries look for.
const QUERY_SAMPLE: usize = 32;
const PANEL_SAMPLE: usize = 128;
const TYPICAL_K: usize = 10;

/// One panel on its way into the screen.
struct Filled {
    /// Where the sums of its rows start, and its largest errors, at every depth.
    starts: Vec<Lanes>,
    errors: Vec<f64>,
    rounding: f64,
    fine_error: f64,
    block: Block,
}

impl<'a> Screen<'a> {
    /// Builds the index on the rayon pool. Instructions that this CPU lacks are replaced by the fastest
    /// that it has.
    ///
    /// # Panics
    /// Without a row, without a column, or with more than 32,767 columns, of which the integer sums
    /// could overflow.
    pub fn new(rows: impl Into<Cow<'a, Matrix>>, instructions: Instructions) -> Self {
        let rows = rows.into();
        assert!(rows.rows() > 0, "an index needs a row");
        assert!((1..=MOST_COLUMNS).contains(&rows.columns()), "an index is of 1 to {MOST_COLUMNS} columns");
        let kernel = Kernel::new(instructions);
        let rotation = Rotation::of(&rows);
        let leading: Vec<[f32; LEADING]> =
            (0..rows.rows()).into_par_iter().map(|row| rotation.leading(rows.row(row))).collect();
        let (cells, order) = Cells::of(&leading, CELL);
        drop(leading);

        let groups = rows.columns().div_ceil(GROUP);
        let sample = evenly(rows.rows(), STEP_SAMPLE);
        let sample = rotation.rotate(sample.iter().map(|&row| rows.row(row as usize)));
        let lattice = Lattice::for_rows(&sample);

        let fine = Fine::new(lattice, rows.columns().next_multiple_of(kernel::WIDTH));
        let candidates = depths::candidates(groups);
        let deepest = candidates.len() - 1;
        let mut screen = Self {
            rows,
            kernel,
            rotation,
            fine,
            lattice,
            cells,
            order,
            groups,
            blocks: Vec::new(),
            lines: Vec::new(),
            levels: Vec::new(),
            first: First { batch: deepest, single: deepest },
            rounding: 0.0,
        };
        screen.fill(&candidates);
        screen.settle_depths();
        screen
    }

    /// Makes the lattice points of all rows.
    fn fill(&mut self, depths: &[usize]) {
        let panels = self.order.len().div_ceil(PANEL).next_multiple_of(ROUND_PANELS);
        let mut lines = vec![Line([0; PANEL * GROUP]); panels * self.groups];
        let width = self.rows.columns().next_multiple_of(kernel::WIDTH);
        let mut points = vec![0_i16; panels * PANEL * width];
        large_pages::advise(&mut lines);
        large_pages::advise(&mut points);
        let filled: Vec<Filled> = lines
            .par_chunks_mut(self.groups)
            .zip(points.par_chunks_mut(PANEL * width))
            .enumerate()
            .map(|(panel, (lines, points))| {
                let mut fine_error = 0.0_f64;
                let mut block = Block::EMPTY;
                let mut starts = vec![Lanes([NO_ROW; PANEL]); depths.len()];
                let mut errors = vec![0.0_f64; depths.len()];
                let mut rounding = 0.0_f64;
                let mut point = vec![0_i8; self.groups * GROUP];
                let mut prefixes = vec![Prefix::default(); depths.len()];
                let rows = self.order.chunks(PANEL).nth(panel).unwrap_or_default();
                let rotated = self.rotation.rotate(rows.iter().map(|&row| self.rows.row(row as usize)));
                for (lane, (rotated, own_rounding)) in rotated.iter().enumerate() {
                    rounding = rounding.max(own_rounding);
                    block.include(rotated);
                    self.lattice.point(rotated, &mut point, depths, &mut prefixes);
                    for (line, coordinates) in lines.iter_mut().zip(point.as_chunks::<GROUP>().0) {
                        line.0.as_chunks_mut::<GROUP>().0[lane] = *coordinates;
                    }
                    let fine = &mut points[lane * width..][..width];
                    fine_error = fine_error.max(self.fine.point(rotated, fine));
                    for (level, prefix) in prefixes.iter().enumerate() {
                        starts[level].0[lane] = -(prefix.norm / 2 + 128 * prefix.sum);
                        errors[level] = errors[level].max(prefix.error);
                    }
                }
                Filled { starts, errors, rounding, fine_error, block }
            })
            .collect();
        self.blocks = filled
            .chunks(block::PANELS)
            .map(|panels| panels.iter().fold(Block::EMPTY, |block, panel| block.union(panel.block)))
            .collect();
        self.lines = lines;
        self.fine.points = points;
        self.fine.error = filled.iter().map(|panel| panel.fine_error).fold(0.0, f64::max);
        self.rounding = filled.iter().map(|panel| panel.rounding).fold(0.0, f64::max);
        self.levels = depths
            .iter()
            .enumerate()
            .map(|(level, &groups)| Level {
                groups,
                start: filled.iter().map(|panel| panel.starts[level]).collect(),
                error: filled.iter().map(|panel| panel.errors[level]).fold(0.0, f64::max),
            })
            .collect();
    }

    /// Keeps the levels that are worth it, by a sample of rows that are looked for among all, in a
    /// sample of the panels.
    fn settle_depths(&mut self) {
        let numbers = evenly(self.order.len(), QUERY_SAMPLE);
        // Each of them finds itself.
        let found = self.nearest(&self.rows.select(&numbers), TYPICAL_K + 1, &Unwatched);
        let radii: Vec<f64> = found
            .iter()
            .flat_map(Neighbours::iter)
            .map(|found| found.last().map_or(0.0, |last| last.squared_distance.sqrt()))
            .collect();
        let rotated =
            |rows: &[u32]| self.rotation.rotate(rows.iter().map(|&row| self.rows.row(row as usize)));
        let places = evenly(self.order.len() / PANEL, PANEL_SAMPLE);
        let rows = places.into_iter().flat_map(|panel| &self.order[panel as usize * PANEL..][..PANEL]);
        let panels = rotated(&rows.copied().collect::<Vec<u32>>());
        let queries = rotated(&numbers);
        let candidates: Vec<(usize, f64)> =
            self.levels.iter().map(|level| (level.groups, 2.0 * level.error)).collect();
        let survivors = depths::survivors(&candidates, &panels, &queries, &radii);
        let depths = Depths::cheapest(&survivors);
        self.levels.retain(|level| depths.all.contains(&level.groups));
        self.first = First { batch: depths.batch, single: depths.single };
    }
}
