//! Supervised UMAP (McInnes, Healy and Melville, 2018; the steps of umap-learn 0.5) over exact neighbours.
//!
//! ```text
//! rows -> 30 nearest -> fuzzy graph -> edges between phases weakened -> laid out by gradients
//! other window -> 30 nearest of the rows -> their weighted mean -> moved on by the same gradients
//! ```
//!
//! The layout is one thread's work: each edge moves both of its ends at once, and what the next one does
//! hangs on that (`docs/decisions/0009-umap-edge-after-edge.md`).

mod graph;
mod layout;

use std::ops::Range;

use rand::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;
use rayon::prelude::*;

use self::{
    graph::{Edge, Graph, memberships},
    layout::Epoch,
};
use crate::{
    matrix::Matrix,
    neighbours, pca,
    projection::{AXES, ProjectError},
    sample::{self, Use},
    watch::{Stopped, Watch},
};

/// Neighbours that a row is held by, itself among them.
const NEIGHBOURS: usize = 30;
/// How far the rows reach before they are laid out.
const EXTENT: f64 = 10.0;
/// How far rows that are alike are put apart before.
const JITTER: f32 = 1e-3;
/// Epochs that move a window among the fit rows.
const PLACING: u32 = 30;
/// What the gradients that move it are multiplied by at first.
const PLACING_RATE: f32 = 0.25;
/// Windows that are placed together.
const BLOCK: usize = 4096;

/// Rows that were laid out so that neighbours are near each other and phases apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Umap {
    /// The standardized rows.
    pub windows: Matrix,
    /// The place of each.
    pub layout: Vec<[f32; AXES]>,
}

impl Umap {
    /// How often a fit goes over so many rows: the means and the scatter of their axes, the neighbours, the
    /// ranges, and the epochs.
    pub(crate) fn passes(rows: usize) -> usize {
        4 + epochs(rows) as usize
    }

    /// Lays out `rows` of `z`; `phases` has one code a row of `z`.
    pub(crate) fn fit(
        z: &Matrix,
        rows: &[u32],
        phases: &[u8],
        seed: u64,
        watch: &dyn Watch,
    ) -> Result<Self, ProjectError> {
        let windows = z.select(rows);
        let phases: Vec<u8> = rows.iter().map(|&row| phases[row as usize]).collect();
        let found = neighbours::index(&windows).nearest(&windows, NEIGHBOURS, watch)?;
        let epochs = epochs(rows.len());
        let graph = Graph::of(&found, NEIGHBOURS).supervised(&phases).pruned(epochs);
        drop(found);
        let mut numbers = sample::generator(seed, Use::Layout);
        let mut layout = first_layout(z, rows, &mut numbers, watch)?;
        for epoch in Epoch::falling(epochs, 1.0) {
            watch.check()?;
            epoch.lay_out(&mut layout, &graph, &mut numbers);
            watch.advance(rows.len() as u64);
        }
        Ok(Self { windows, layout })
    }

    /// The coordinates of every window of `z`. One that equals a fit row is where that is; the first of
    /// equal ones.
    pub(crate) fn coordinates(&self, z: &Matrix, watch: &dyn Watch) -> Result<Vec<[f32; AXES]>, Stopped> {
        let index = neighbours::index(&self.windows);
        let mut coordinates = Vec::with_capacity(z.rows());
        for first in (0..z.rows()).step_by(BLOCK) {
            let block: Range<u32> = first as u32..z.rows().min(first + BLOCK) as u32;
            let block = z.select(&block.collect::<Vec<u32>>());
            let found = index.nearest(&block, NEIGHBOURS, watch)?;
            let found: Vec<&[neighbours::Neighbour]> = found.iter().collect();
            coordinates.par_extend(found.into_par_iter().map(|found| self.among(found)));
        }
        Ok(coordinates)
    }

    /// The place of a window among the fit rows that are nearest to it.
    fn among(&self, found: &[neighbours::Neighbour]) -> [f32; AXES] {
        if found[0].squared_distance == 0.0 {
            return self.layout[found[0].row as usize];
        }
        let edges = memberships(found, 0.0, NEIGHBOURS);
        let all: f32 = edges.iter().map(|edge| edge.weight).sum();
        let most = edges.iter().map(|edge| edge.weight).fold(0.0, f32::max);
        let mut place = [0.0; AXES];
        for edge in &edges {
            for (place, other) in place.iter_mut().zip(self.layout[edge.to as usize]) {
                *place += edge.weight / all * other;
            }
        }
        let edges: Vec<Edge> =
            edges.iter().map(|edge| Edge { weight: edge.weight / most, ..*edge }).collect();
        // The same for every window, so that its place does not hang on the others.
        let mut numbers = SplitMix64::seed_from_u64(0);
        for epoch in Epoch::falling(PLACING, PLACING_RATE) {
            epoch.settle(&mut place, &edges, &self.layout, &mut numbers);
        }
        place
    }
}

/// As many as umap-learn makes by itself.
fn epochs(rows: usize) -> u32 {
    if rows > 10_000 { 200 } else { 500 }
}

/// Principal coordinates, each [`EXTENT`] wide, and a little chance that parts what is alike.
fn first_layout(
    z: &Matrix,
    rows: &[u32],
    numbers: &mut impl Rng,
    watch: &dyn Watch,
) -> Result<Vec<[f32; AXES]>, ProjectError> {
    let axes = pca::axes(z, rows, watch)?;
    let coordinates: Vec<[f64; AXES]> =
        rows.par_iter().map(|&row| axes.coordinates(z.row(row as usize))).collect();
    let scale: [f64; AXES] = std::array::from_fn(|axis| {
        let values = || coordinates.iter().map(|coordinates| coordinates[axis]);
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        if high > low { EXTENT / (high - low) } else { 0.0 }
    });
    let jittered = |coordinates: &[f64; AXES]| -> [f32; AXES] {
        std::array::from_fn(|axis| {
            (coordinates[axis] * scale[axis]) as f32 + numbers.gen_range(-JITTER..JITTER)
        })
    };
    Ok(coordinates.iter().map(jittered).collect())
}
