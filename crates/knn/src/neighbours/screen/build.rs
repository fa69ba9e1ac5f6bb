use std::{borrow::Cow, ops::Range, sync::OnceLock};

use rayon::prelude::*;

use super::super::kernel::{GROUP, Instructions, Kernel, Lanes, Line, PANEL, STRIP_PANELS, TILE_PANELS};
use super::{
    Level, MOST_COLUMNS, Screen,
    block::{self, Block},
    cells::Cells,
    depths::depths,
    prepared,
    rotation::{LEADING, Principal, Rotation},
};
use crate::{large_pages, matrix::Matrix, sample::evenly};

/// Rows of a cell, at least: a panel of rows that are near each other is ruled out as one.
const CELL: usize = 16;
/// Panels come in multiples of what kernels take at a time.
const ROUND_PANELS: usize = STRIP_PANELS;
const _: () = assert!(ROUND_PANELS.is_multiple_of(TILE_PANELS) && block::PANELS.is_multiple_of(ROUND_PANELS));
/// The sum of a row that does not exist: below whatever a query needs, once it has a radius.
const NO_ROW: i32 = i32::MIN / 2;
/// Rows that choose the steps of the lattices.
const STEP_SAMPLE: usize = 2000;

/// The part of the screen that one block of panels takes up, on its way to be filled.
struct Share<'s> {
    /// Of the block.
    number: u32,
    /// The rows of the block.
    rows: &'s [u32],
    block: &'s mut Block,
    /// The lines and starts of every level.
    levels: Vec<(&'s mut [Line], &'s mut [Lanes])>,
}

/// The largest errors of some rows.
struct Errors {
    /// Up to the end of every level.
    lattice: Vec<f64>,
    rounding: f64,
}

impl<'a> Screen<'a> {
    /// Builds the index on the rayon pool. Instructions that this CPU lacks are replaced by the fastest
    /// that it has.
    ///
    /// # Panics
    /// Without a row, without a column, or with more than 37,831 columns, of which the integer sums
    /// could overflow.
    pub fn new(rows: impl Into<Cow<'a, Matrix>>, instructions: Instructions) -> Self {
        let rows = rows.into();
        assert!(rows.rows() > 0, "an index needs a row");
        assert!((1..=MOST_COLUMNS).contains(&rows.columns()), "an index is of 1 to {MOST_COLUMNS} columns");
        let kernel = Kernel::new(instructions);
        let principal = Principal::of(&rows);
        let plain = Rotation::plain(&principal);
        let leading: Vec<[f32; LEADING]> =
            (0..rows.rows()).into_par_iter().map(|row| plain.leading(rows.row(row))).collect();
        let (cells, order) = Cells::of(&leading, CELL);
        drop(leading);

        let mut start = 0;
        let coordinates: Vec<Range<usize>> = depths(&rows, kernel, &plain, &order)
            .into_iter()
            .map(|depth| {
                let end = (depth * GROUP).min(rows.columns());
                std::mem::replace(&mut start, end)..end
            })
            .collect();
        let rotation = Rotation::mixed(&principal, &coordinates);
        let sample = evenly(rows.rows(), STEP_SAMPLE);
        let sample = rotation.rotate(kernel, sample.iter().map(|&row| rows.row(row as usize)));
        let levels = Level::all(&coordinates, sample.iter().map(|row| row.coordinates));
        let mut screen = Self {
            rows,
            kernel,
            rotation,
            cells,
            order,
            blocks: Vec::new(),
            levels,
            rounding: 0.0,
            helper: OnceLock::new(),
        };
        screen.fill();
        screen
    }

    /// Makes the lattice points of all rows.
    fn fill(&mut self) {
        let panels = self.order.len().div_ceil(PANEL).next_multiple_of(ROUND_PANELS);
        let mut blocks = vec![Block::EMPTY; panels.div_ceil(block::PANELS)];
        let mut shares: Vec<Share<'_>> = self
            .order
            .chunks(block::PANELS * PANEL)
            .zip(&mut blocks)
            .zip(0..)
            .map(|((rows, block), number)| {
                let levels = Vec::with_capacity(self.levels.len());
                Share { number, rows, block, levels }
            })
            .collect();
        let mut memory: Vec<(Vec<Line>, Vec<Lanes>)> = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            let lines = large_pages::filled(Line([0; PANEL * GROUP]), panels * level.groups());
            memory.push((lines, vec![Lanes([NO_ROW; PANEL]); panels]));
        }
        for ((lines, start), level) in memory.iter_mut().zip(&self.levels) {
            let lines = lines.chunks_mut(block::PANELS * level.groups());
            for (share, part) in shares.iter_mut().zip(lines.zip(start.chunks_mut(block::PANELS))) {
                share.levels.push(part);
            }
        }
        let errors: Vec<Errors> = shares.into_par_iter().map(|share| self.fill_block(share)).collect();

        self.rounding = errors.iter().map(|errors| errors.rounding).fold(0.0, f64::max);
        for (number, (level, (lines, start))) in self.levels.iter_mut().zip(memory).enumerate() {
            level.lines = lines;
            level.start = start;
            level.error = errors.iter().map(|errors| errors.lattice[number]).fold(0.0, f64::max);
        }
        self.blocks = blocks;
        self.join_alike();
    }

    /// Finds the blocks in a row that hold the same row.
    fn join_alike(&mut self) {
        let row = |block: &Block| self.rows.row(block.first as usize);
        for block in 1..self.blocks.len() {
            let [before, own] = [&self.blocks[block - 1], &self.blocks[block]];
            if before.alike.is_some() && own.alike.is_some() && row(before) == row(own) {
                self.blocks[block].alike = before.alike;
            }
        }
    }

    fn fill_block(&self, share: Share<'_>) -> Errors {
        let Share { number, rows, block, mut levels } = share;
        let mut errors = Errors { lattice: vec![0.0; self.levels.len()], rounding: 0.0 };
        let mut point = Vec::new();
        let row = |row: &u32| self.rows.row(*row as usize);
        block.alike = rows.iter().all(|other| row(other) == row(&rows[0])).then_some(number);
        block.first = rows.iter().copied().min().unwrap_or(u32::MAX);
        let rotated = self.rotation.rotate(self.kernel, rows.iter().map(row));
        for (place, row) in rotated.iter().enumerate() {
            let (panel, lane) = (place / PANEL, place % PANEL);
            errors.rounding = errors.rounding.max(row.rounding);
            block.include(row.leading);
            let mut square = 0.0;
            for (number, (level, (lines, start))) in self.levels.iter().zip(&mut levels).enumerate() {
                let groups = level.groups();
                point.resize(groups * GROUP, 0);
                let of = level.lattice.point(&row.coordinates[level.coordinates.clone()], &mut point);
                start[panel].0[lane] = -(of.norm / 2 + 128 * of.sum);
                let lines = &mut lines[panel * groups..][..groups];
                for (line, coordinates) in lines.iter_mut().zip(point.as_chunks::<GROUP>().0) {
                    line.0.as_chunks_mut::<GROUP>().0[lane] = *coordinates;
                }
                square += of.squared_error;
                errors.lattice[number] = errors.lattice[number].max(prepared::error(square));
            }
        }
        errors
    }
}
