use rayon::prelude::*;

use crate::{
    axes::Axes,
    blocks,
    eigen::NoConvergence,
    lda,
    matrix::Matrix,
    pca,
    projector::Projector,
    umap::Umap,
    watch::{Stage, Stopped, Watch},
};

/// Coordinates of a placed window: x, y, z.
pub const AXES: usize = 3;

/// A map of standardized windows into the unit cube.
///
/// Every coordinate is rescaled so that the fit rows span `[0, 1]`, and clipped. One that is missing (LDA
/// has at most classes - 1), or in which the fit rows do not differ, is 0 everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// Windows to coordinates.
    pub map: Map,
    /// Smallest and largest coordinate of the fit rows.
    pub ranges: [(f64, f64); AXES],
}

/// What gives a standardized window its coordinates.
#[derive(Debug, Clone, PartialEq)]
pub enum Map {
    /// Products with the axes of largest variance.
    Pca(Axes),
    /// Products with the axes that part the phases best.
    Lda(Axes),
    /// Fit rows as they were laid out, other windows among their neighbours.
    Umap(Umap),
}

/// Why no axes were found.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// LDA parts classes.
    #[error(
        "lda needs windows of at least two phases; the {rows} training windows that it is fit on have one"
    )]
    OneClass {
        /// Rows looked at.
        rows: usize,
    },
    /// Every class is a single point.
    #[error("lda needs windows that differ within a phase; all training windows of a phase are the same")]
    NoSpread,
    /// The decomposition failed.
    #[error(transparent)]
    NoConvergence(#[from] NoConvergence),
    /// The watch asked for it.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl Projection {
    /// Finds the map and its ranges on `rows` of the standardized windows `z`. `phases` has one
    /// code a row of `z`. Chance, in UMAP, hangs on `seed`.
    pub fn fit(
        projector: Projector,
        z: &Matrix,
        rows: &[u32],
        phases: &[u8],
        seed: u64,
        watch: &dyn Watch,
    ) -> Result<Self, ProjectError> {
        let passes = if projector == Projector::Umap { Umap::passes(rows.len()) } else { 3 };
        watch.begin(Stage::Project, (passes * rows.len() + z.rows()) as u64);
        let map = match projector {
            Projector::Pca => Map::Pca(pca::axes(z, rows, watch)?),
            Projector::Lda => Map::Lda(lda::axes(z, rows, phases, watch)?),
            Projector::Umap => Map::Umap(Umap::fit(z, rows, phases, seed, watch)?),
        };
        let ranges = match &map {
            Map::Pca(axes) | Map::Lda(axes) => {
                ranges(rows.len(), watch, |row| axes.coordinates(z.row(rows[row] as usize)))?
            }
            Map::Umap(umap) => ranges(rows.len(), watch, |row| umap.layout[row].map(f64::from))?,
        };
        Ok(Self { map, ranges })
    }

    /// The method that found the map.
    pub fn projector(&self) -> Projector {
        match &self.map {
            Map::Pca(_) => Projector::Pca,
            Map::Lda(_) => Projector::Lda,
            Map::Umap(_) => Projector::Umap,
        }
    }

    /// The axes, if the map has some.
    pub fn axes(&self) -> Option<&Axes> {
        match &self.map {
            Map::Pca(axes) | Map::Lda(axes) => Some(axes),
            Map::Umap(_) => None,
        }
    }

    /// Every window's place in the unit cube. A window's place does not hang on the others.
    pub fn place(&self, z: &Matrix, watch: &dyn Watch) -> Result<Vec<[f32; AXES]>, Stopped> {
        match &self.map {
            Map::Pca(axes) | Map::Lda(axes) => {
                let places = blocks::map(z.rows(), watch, |block| -> Vec<[f32; AXES]> {
                    block.map(|row| self.rescaled(axes.coordinates(z.row(row)))).collect()
                })?;
                Ok(places.concat())
            }
            Map::Umap(umap) => {
                let coordinates = umap.coordinates(z, watch)?;
                Ok(coordinates.into_par_iter().map(|row| self.rescaled(row.map(f64::from))).collect())
            }
        }
    }

    fn rescaled(&self, coordinates: [f64; AXES]) -> [f32; AXES] {
        std::array::from_fn(|axis| {
            let (low, high) = self.ranges[axis];
            let place = (coordinates[axis] - low) / (high - low);
            // Not a number, where everything overflows, is 0 too.
            if high > low && place > 0.0 { place.min(1.0) as f32 } else { 0.0 }
        })
    }
}

/// The smallest and the largest of every coordinate.
fn ranges(
    rows: usize,
    watch: &dyn Watch,
    coordinates: impl Fn(usize) -> [f64; AXES] + Sync,
) -> Result<[(f64, f64); AXES], Stopped> {
    let nothing = [(f64::INFINITY, f64::NEG_INFINITY); AXES];
    let blocks = blocks::map(rows, watch, |block| {
        block.fold(nothing, |ranges, row| {
            let coordinates = coordinates(row);
            std::array::from_fn(|axis| {
                (ranges[axis].0.min(coordinates[axis]), ranges[axis].1.max(coordinates[axis]))
            })
        })
    })?;
    Ok(blocks.into_iter().fold(nothing, |ranges, block| {
        std::array::from_fn(|axis| (ranges[axis].0.min(block[axis].0), ranges[axis].1.max(block[axis].1)))
    }))
}
