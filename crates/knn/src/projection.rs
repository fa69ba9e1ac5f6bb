use std::{fmt, str::FromStr};

use rayon::prelude::*;

use crate::{
    blocks,
    eigen::NoConvergence,
    lda,
    matrix::Matrix,
    pca,
    watch::{Stage, Stopped, Watch},
};

/// Sums that a coordinate is added up in: side by side they do not wait for each other.
const LANES: usize = 8;

/// Axes of a placed window: x, y, z.
pub const AXES: usize = 3;

/// How the three axes are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Projector {
    /// Largest variance. Knows no phases.
    Pca,
    /// Phases apart from each other.
    #[default]
    Lda,
}

impl Projector {
    /// The names that [`FromStr`] reads.
    pub const NAMES: [&'static str; 2] = ["pca", "lda"];
}

/// Not the name of a projector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown projector `{0}`: expected pca or lda")]
pub struct UnknownProjector(String);

impl FromStr for Projector {
    type Err = UnknownProjector;

    fn from_str(name: &str) -> Result<Self, UnknownProjector> {
        match name {
            "pca" => Ok(Self::Pca),
            "lda" => Ok(Self::Lda),
            _ => Err(UnknownProjector(name.to_owned())),
        }
    }
}

impl fmt::Display for Projector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pca => "pca",
            Self::Lda => "lda",
        })
    }
}

/// What PCA or LDA found, before the range is known.
pub(crate) struct Axes {
    pub(crate) center: Vec<f64>,
    /// At most [`AXES`], strongest first.
    pub(crate) axes: Vec<Vec<f64>>,
    /// The share of the variance that each axis captures.
    pub(crate) captured: Vec<f64>,
}

/// A linear map of standardized windows into the unit cube.
///
/// Every axis is `(row - center) . axis`, rescaled so that the fit rows span `[0, 1]`, and clipped.
/// An axis that is missing (LDA has at most classes - 1), or along which the fit rows do not differ,
/// is 0 everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// Which method found the axes.
    pub projector: Projector,
    /// Mean of the fit rows, one value a kept column.
    pub center: Vec<f64>,
    /// At most [`AXES`] axes, strongest first, one value a kept column. Their entry of largest
    /// magnitude is positive.
    pub axes: Vec<Vec<f64>>,
    /// Smallest and largest coordinate of the fit rows, per axis.
    pub ranges: Vec<(f64, f64)>,
    /// Per axis: the share of the total variance (PCA) or of the between-phase variance (LDA).
    pub captured: Vec<f64>,
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
    /// Finds the axes and their range on `rows` of the standardized windows `z`. `phases` has one
    /// code a row of `z`.
    pub fn fit(
        projector: Projector,
        z: &Matrix,
        rows: &[u32],
        phases: &[u8],
        watch: &dyn Watch,
    ) -> Result<Self, ProjectError> {
        watch.begin(Stage::Project, (3 * rows.len() + z.rows()) as u64);
        let Axes { center, axes, captured } = match projector {
            Projector::Pca => pca::axes(z, rows, watch)?,
            Projector::Lda => lda::axes(z, rows, phases, watch)?,
        };
        let mut projection = Self { projector, center, axes, ranges: Vec::new(), captured };
        projection.ranges = projection.ranges_of(z, rows, watch)?;
        Ok(projection)
    }

    /// Every window's place in the unit cube.
    pub fn place(&self, z: &Matrix, watch: &dyn Watch) -> Result<Vec<[f32; AXES]>, Stopped> {
        let mut places = vec![[0.0; AXES]; z.rows()];
        places.par_chunks_mut(blocks::ROWS).enumerate().try_for_each(|(block, places)| {
            watch.check()?;
            for (row, place) in places.iter_mut().enumerate() {
                let row = z.row(block * blocks::ROWS + row);
                for ((axis, &(low, high)), place) in self.axes.iter().zip(&self.ranges).zip(place) {
                    if high > low {
                        let share = (self.coordinate(row, axis) - low) / (high - low);
                        *place = share.clamp(0.0, 1.0) as f32;
                    }
                }
            }
            watch.advance(places.len() as u64);
            Ok(())
        })?;
        Ok(places)
    }

    fn coordinate(&self, row: &[f32], axis: &[f64]) -> f64 {
        let mut lanes = [0.0; LANES];
        let chunks = row.chunks(LANES).zip(self.center.chunks(LANES)).zip(axis.chunks(LANES));
        for ((row, center), axis) in chunks {
            for (sum, ((&value, center), axis)) in lanes.iter_mut().zip(row.iter().zip(center).zip(axis)) {
                *sum += (f64::from(value) - center) * axis;
            }
        }
        lanes.iter().sum()
    }

    fn ranges_of(&self, z: &Matrix, rows: &[u32], watch: &dyn Watch) -> Result<Vec<(f64, f64)>, Stopped> {
        let nothing = vec![(f64::INFINITY, f64::NEG_INFINITY); self.axes.len()];
        let blocks = blocks::map(rows.len(), watch, |block| {
            let mut ranges = nothing.clone();
            for &row in &rows[block] {
                let row = z.row(row as usize);
                for (range, axis) in ranges.iter_mut().zip(&self.axes) {
                    let coordinate = self.coordinate(row, axis);
                    *range = (range.0.min(coordinate), range.1.max(coordinate));
                }
            }
            ranges
        })?;
        Ok(blocks.into_iter().fold(nothing, |ranges, block| {
            ranges.iter().zip(&block).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1))).collect()
        }))
    }
}
