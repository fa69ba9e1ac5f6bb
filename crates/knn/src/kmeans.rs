use linfa::{
    DatasetBase, ParamGuard,
    traits::{Fit, FitWith},
};
use linfa_clustering::{IncrKMeansError, KMeans, KMeansInit};
use linfa_nn::distance::L2Dist;
use ndarray::{Array2, ArrayView2};
use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::{
    matrix::{Matrix, RaggedMatrix},
    neighbours::{Exhaustive, Search},
    sample::{self, Use},
    watch::{Stage, Stopped, Watch},
};

/// Rows of a mini-batch.
const BATCH: usize = 2048;
/// Complete fits, each from its own starting centroids; the best is kept.
const STARTS: usize = 4;
/// k-means++ draws that a start begins from; the one of lowest inertia on the first batch is taken.
const DRAWS: usize = 4;
/// Most passes over the rows a start. Early stopping nearly always ends it first.
const ITERATIONS: usize = 200;
/// Whole passes that settle the best start look at this many rows in all: many passes over a table
/// of a few batches, which mini-batches serve badly, and one or two over a large one.
const SETTLING: usize = 80 * BATCH;
/// Batches without improvement that end a start.
const PATIENCE: usize = 10;

/// Mini-batch k-means: linfa-clustering's incremental `KMeans` under the schedule of scikit-learn's
/// `MiniBatchKMeans` (k-means++ on the first batch, rows drawn with replacement, ends after ten
/// batches in which the smoothed inertia did not fall).
///
/// Unlike scikit-learn, which picks the best of four *starting points*, four complete fits are made;
/// the one of lowest inertia over all `rows` is kept and settled by some whole passes (linfa's
/// `KMeans`). Where k-means ends hangs on where it begins: this costs a few times as much and spares
/// most of the unlucky ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// One centroid a row, in the space of the kept columns.
    pub centroids: Matrix,
    /// Sum of squared distances of the fit rows to their centroid.
    pub inertia: f64,
}

/// Why there are no clusters.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A cluster needs a row.
    #[error("{clusters} clusters need at least as many training windows; there are {rows}")]
    TooFewRows {
        /// Clusters asked for.
        clusters: usize,
        /// Rows to fit on.
        rows: usize,
    },
    /// The clustering library failed, or refused its parameters.
    #[error("k-means: {0}")]
    Library(String),
    /// The centroids are no matrix.
    #[error(transparent)]
    Ragged(#[from] RaggedMatrix),
    /// The watch asked for it.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl Clusters {
    /// Fits `clusters` centroids on `rows` of `z`.
    pub fn fit(
        z: &Matrix,
        rows: &[u32],
        clusters: usize,
        seed: u64,
        watch: &dyn Watch,
    ) -> Result<Self, ClusterError> {
        if rows.len() < clusters {
            return Err(ClusterError::TooFewRows { clusters, rows: rows.len() });
        }
        watch.begin(Stage::Cluster, ((STARTS + 1) * rows.len() + z.rows()) as u64);
        let fit_rows = z.select(rows);
        let mut numbers = sample::generator(seed, Use::ClusterStarts);
        let mut best: Option<Self> = None;
        for _ in 0..STARTS {
            let centroids = start(&fit_rows, clusters, &mut numbers, watch)?;
            let candidate = Self { inertia: nearest(&fit_rows, &centroids, watch)?.1, centroids };
            if best.as_ref().is_none_or(|best| candidate.inertia < best.inertia) {
                best = Some(candidate);
            }
        }
        let best = best.ok_or_else(|| ClusterError::Library("no start".to_owned()))?;
        let centroids = settle(&fit_rows, best.centroids, watch)?;
        Ok(Self { inertia: nearest(&fit_rows, &centroids, watch)?.1, centroids })
    }

    /// The nearest centroid of every row; the first of equally near ones.
    pub fn assign(&self, z: &Matrix, watch: &dyn Watch) -> Result<Vec<i32>, Stopped> {
        Ok(nearest(z, &self.centroids, watch)?.0)
    }
}

/// Nearest centroid of every row and the sum of the squared distances.
fn nearest(z: &Matrix, centroids: &Matrix, watch: &dyn Watch) -> Result<(Vec<i32>, f64), Stopped> {
    let found = Exhaustive::new(centroids).nearest(z, 1, watch)?;
    let assigned = found.iter().map(|found| found[0].row as i32).collect();
    Ok((assigned, found.iter().map(|found| found[0].squared_distance).sum()))
}

/// One complete fit.
fn start(
    rows: &Matrix,
    clusters: usize,
    numbers: &mut Xoshiro256PlusPlus,
    watch: &dyn Watch,
) -> Result<Matrix, ClusterError> {
    let batch = BATCH.min(rows.rows());
    let steps = (ITERATIONS * rows.rows()).div_ceil(batch);
    // Only early stopping and the number of passes end a start, so any shift of the centroids is
    // still one.
    let for_the_start = numbers.clone();
    numbers.jump();
    let parameters = KMeans::params_with(clusters, for_the_start, L2Dist)
        .n_runs(DRAWS)
        .tolerance(f32::MIN_POSITIVE)
        .check()
        .map_err(|error| ClusterError::Library(error.to_string()))?;
    let mut model = None;
    let mut patience = Patience::new(batch, rows.rows());
    for step in 0..steps {
        watch.check()?;
        let batch = DatasetBase::from(draw(rows, batch, numbers)?);
        let fitted = match parameters.fit_with(model, &batch) {
            Ok(still) => return centroids(&still),
            Err(IncrKMeansError::NotConverged(moved)) => moved,
            Err(error) => return Err(ClusterError::Library(error.to_string())),
        };
        let ends = step > 0 && patience.ends(f64::from(fitted.inertia()));
        model = Some(fitted);
        if ends {
            break;
        }
    }
    model.as_ref().map_or_else(|| Err(ClusterError::Library("no step".to_owned())), centroids)
}

/// Moves the centroids on by whole passes over the rows, until they rest or
/// [`SETTLING`] rows were looked at.
fn settle(rows: &Matrix, mut centroids: Matrix, watch: &dyn Watch) -> Result<Matrix, ClusterError> {
    let passes = SETTLING / rows.rows();
    let rows = DatasetBase::from(array(rows)?);
    for _ in 0..passes {
        watch.check()?;
        let from = KMeansInit::Precomputed(array(&centroids)?.to_owned());
        let moved = KMeans::params(centroids.rows())
            .n_runs(1)
            .init_method(from)
            .max_n_iterations(1)
            .fit(&rows)
            .map_err(|error| ClusterError::Library(error.to_string()))?;
        let moved = self::centroids(&moved)?;
        if moved == centroids {
            break;
        }
        centroids = moved;
    }
    Ok(centroids)
}

fn array(matrix: &Matrix) -> Result<ArrayView2<'_, f32>, ClusterError> {
    matrix.view().map_err(|error| ClusterError::Library(error.to_string()))
}

fn draw(rows: &Matrix, batch: usize, numbers: &mut impl Rng) -> Result<Array2<f32>, ClusterError> {
    let drawn: Vec<u32> = (0..batch).map(|_| numbers.gen_range(0..rows.rows()) as u32).collect();
    let drawn = rows.select(&drawn);
    Ok(array(&drawn)?.to_owned())
}

fn centroids(model: &KMeans<f32, L2Dist>) -> Result<Matrix, ClusterError> {
    let centroids = model.centroids();
    Ok(Matrix::new(centroids.iter().copied().collect(), centroids.ncols())?)
}

/// Ends a start when the smoothed inertia of the batches no longer falls.
struct Patience {
    weight: f64,
    smoothed: Option<f64>,
    lowest: f64,
    without_improvement: usize,
}

impl Patience {
    fn new(batch: usize, rows: usize) -> Self {
        let weight = (2.0 * batch as f64 / (rows + 1) as f64).min(1.0);
        Self { weight, smoothed: None, lowest: f64::INFINITY, without_improvement: 0 }
    }

    fn ends(&mut self, inertia: f64) -> bool {
        let smoothed = self.smoothed.map_or(inertia, |before| before + self.weight * (inertia - before));
        self.smoothed = Some(smoothed);
        if smoothed < self.lowest {
            self.lowest = smoothed;
            self.without_improvement = 0;
        } else {
            self.without_improvement += 1;
        }
        self.without_improvement >= PATIENCE
    }
}
