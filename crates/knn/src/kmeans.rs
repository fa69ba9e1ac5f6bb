use faer::{Accum, Mat, MatRef, Par, linalg::matmul::matmul};
use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use crate::{
    blocks,
    matrix::Matrix,
    neighbours::{Exhaustive, Instructions, Kernel},
    sample::{self, Use},
    watch::{Stage, Stopped, Watch},
};

/// Rows of a mini-batch.
const BATCH: usize = 2048;
/// Complete fits, each from its own starting centroids; the best is kept.
const STARTS: usize = 4;
/// k-means++ draws that a start begins from; the one of lowest inertia on the first batch is taken.
const DRAWS: usize = 4;
/// Most batches of a start. Early stopping ends it first on a small table; on a large one, whole passes
/// bring more for their time.
const BATCHES: usize = 50;
/// Whole passes that settle the best start look at this many rows in all: many passes over a table
/// of a few batches, which mini-batches serve badly, and three over a large one.
const SETTLING: usize = 150 * BATCH;
/// Batches without improvement that end a start.
const PATIENCE: usize = 10;

/// Mini-batch k-means (Sculley, Web-Scale K-Means Clustering, 2010) under the schedule of scikit-learn's
/// `MiniBatchKMeans`: k-means++ on the first batch, rows drawn with replacement, ends after ten
/// batches in which the smoothed inertia did not fall, or after 50. A centroid that loses its rows stays.
///
/// Unlike scikit-learn, which picks the best of four *starting points*, four complete fits are made;
/// the one of lowest inertia over all `rows` is kept and settled by some whole passes (Lloyd). Where
/// k-means ends hangs on where it begins: this costs a few times as much and spares most of the unlucky
/// ends.
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
        /// Clusters asked for, at least 1.
        clusters: usize,
        /// Rows to fit on.
        rows: usize,
    },
    /// The watch asked for it.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl Clusters {
    /// Fits `clusters` centroids, at least one, on `rows` of `z`.
    ///
    /// # Panics
    /// Without a cluster.
    pub fn fit(
        z: &Matrix,
        rows: &[u32],
        clusters: usize,
        seed: u64,
        watch: &dyn Watch,
    ) -> Result<Self, ClusterError> {
        assert!(clusters > 0, "a window belongs to a cluster");
        if rows.len() < clusters {
            return Err(ClusterError::TooFewRows { clusters, rows: rows.len() });
        }
        let passes = SETTLING / rows.len();
        watch.begin(Stage::Cluster, ((STARTS + passes) * rows.len() + z.rows()) as u64);
        let fit_rows = FitRows { z, rows, kernel: Kernel::new(Instructions::fastest()) };
        let mut numbers = sample::generator(seed, Use::ClusterStarts);
        let starts: Vec<Xoshiro256PlusPlus> = (0..STARTS)
            .map(|_| {
                numbers.long_jump();
                numbers.clone()
            })
            .collect();
        let starts: Vec<Matrix> = starts
            .into_par_iter()
            .map(|numbers| fit_rows.start(clusters, numbers, watch))
            .collect::<Result<_, _>>()?;

        let (mut inertia, mut centroids, mut sums) = (f64::INFINITY, Matrix::default(), Sums::default());
        for candidate in starts {
            let (of_candidate, lower) = fit_rows.pass(&candidate, watch)?;
            if lower < inertia {
                (inertia, centroids, sums) = (lower, candidate, of_candidate);
            }
        }
        for _ in 0..passes {
            let before = centroids.clone();
            sums.move_to_means(&mut centroids);
            if centroids == before {
                break;
            }
            (sums, inertia) = fit_rows.pass(&centroids, watch)?;
        }
        Ok(Self { centroids, inertia })
    }

    /// The nearest centroid of every row; the first of equally near ones.
    pub fn assign(&self, z: &Matrix, watch: &dyn Watch) -> Result<Vec<i32>, Stopped> {
        let search = Exhaustive::new(&self.centroids);
        let assigned = blocks::map(z.rows(), watch, |block| -> Vec<i32> {
            block.map(|row| search.nearest_one(z.row(row)).row as i32).collect()
        })?;
        Ok(assigned.concat())
    }
}

/// The rows that centroids are fit on.
#[derive(Clone, Copy)]
struct FitRows<'z> {
    z: &'z Matrix,
    rows: &'z [u32],
    kernel: Kernel,
}

impl<'z> FitRows<'z> {
    /// The centroids that one complete fit ends at. Runs on one thread.
    fn start(
        self,
        clusters: usize,
        mut numbers: Xoshiro256PlusPlus,
        watch: &dyn Watch,
    ) -> Result<Matrix, Stopped> {
        let batch = BATCH.min(self.rows.len());
        let mut drawn = self.draw(batch, &mut numbers);
        let mut centroids = self.spread(&drawn, clusters, &mut numbers);
        let mut all = Sums::none(&centroids);
        let mut patience = Patience::new(batch, self.rows.len());
        for _ in 0..BATCHES {
            watch.check()?;
            let inertia = all.add(self.kernel, &centroids, &self.z.select(&drawn));
            all.move_to_means(&mut centroids);
            if patience.ends(inertia) {
                break;
            }
            drawn = self.draw(batch, &mut numbers);
        }
        Ok(centroids)
    }

    /// So many of the rows, with replacement.
    fn draw(self, batch: usize, numbers: &mut impl Rng) -> Vec<u32> {
        (0..batch).map(|_| self.rows[numbers.gen_range(0..self.rows.len())]).collect()
    }

    /// k-means++ (Arthur and Vassilvitskii, 2007): rows that are far from each other, of several draws
    /// those of lowest inertia.
    fn spread(self, drawn: &[u32], clusters: usize, numbers: &mut impl Rng) -> Matrix {
        let row = |place: usize| self.z.row(drawn[place] as usize);
        let draws = (0..DRAWS).map(|_| {
            let mut picked = vec![drawn[numbers.gen_range(0..drawn.len())]];
            let mut apart = vec![f64::INFINITY; drawn.len()];
            loop {
                let last = self.z.row(picked[picked.len() - 1] as usize);
                let mut inertia = 0.0;
                for (place, apart) in apart.iter_mut().enumerate() {
                    *apart = apart.min(self.kernel.squared_distance(row(place), last));
                    inertia += *apart;
                }
                if picked.len() == clusters {
                    return (inertia, picked);
                }
                let mut left = numbers.gen_range(0.0..1.0) * inertia;
                let next = apart.iter().position(|apart| {
                    left -= apart;
                    left < 0.0
                });
                // Where all rows are picked already, or rounding left something over.
                picked.push(drawn[next.unwrap_or(drawn.len() - 1)]);
            }
        });
        let lowest = draws.min_by(|a, b| a.0.total_cmp(&b.0));
        self.z.select(&lowest.map(|(_, picked)| picked).unwrap_or_default())
    }

    /// All rows, each with the centroid nearest to it.
    fn pass(self, centroids: &Matrix, watch: &dyn Watch) -> Result<(Sums, f64), Stopped> {
        let blocks = blocks::map(self.rows.len(), watch, |block| {
            let mut sums = Sums::none(centroids);
            let batches = self.rows[block].chunks(BATCH);
            let inertia: f64 =
                batches.map(|rows| sums.add(self.kernel, centroids, &self.z.select(rows))).sum();
            (sums, inertia)
        })?;
        Ok(blocks.into_iter().fold((Sums::none(centroids), 0.0), |(mut sums, inertia), (block, more)| {
            sums.take(&block);
            (sums, inertia + more)
        }))
    }
}

/// What the rows add up to that were nearest to each centroid.
#[derive(Default)]
struct Sums {
    /// A row for each centroid.
    sums: Vec<f64>,
    counts: Vec<u64>,
}

impl Sums {
    fn none(centroids: &Matrix) -> Self {
        Self { sums: vec![0.0; centroids.values().len()], counts: vec![0; centroids.rows()] }
    }

    /// Adds each row to those of the centroid nearest to it; the sum of the squared distances.
    ///
    /// Which one is nearest is told by float32 products, a matrix of them at a time: `|row - c|^2` is
    /// least where `row c - |c|^2 / 2` is greatest.
    fn add(&mut self, kernel: Kernel, centroids: &Matrix, rows: &Matrix) -> f64 {
        let columns = centroids.columns();
        let mut products = Mat::<f32>::zeros(centroids.rows(), rows.rows());
        let factors = MatRef::from_row_major_slice(centroids.values(), centroids.rows(), columns);
        let right = MatRef::from_row_major_slice(rows.values(), rows.rows(), columns).transpose();
        matmul(products.as_mut(), Accum::Replace, factors, right, 1.0, Par::Seq);
        let halves: Vec<f32> = (0..centroids.rows())
            .map(|centroid| centroids.row(centroid).iter().map(|value| value * value).sum::<f32>() / 2.0)
            .collect();
        let mut inertia = 0.0;
        for number in 0..rows.rows() {
            let row = rows.row(number);
            let (mut nearest, mut greatest) = (0, f32::NEG_INFINITY);
            for (centroid, half) in halves.iter().enumerate() {
                let product = products[(centroid, number)] - half;
                if product > greatest {
                    (nearest, greatest) = (centroid, product);
                }
            }
            self.counts[nearest] += 1;
            let sums = &mut self.sums[nearest * columns..][..columns];
            sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
            inertia += kernel.squared_distance(row, centroids.row(nearest));
        }
        inertia
    }

    fn take(&mut self, other: &Self) {
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, other)| *sum += other);
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
    }

    /// A centroid without rows stays.
    fn move_to_means(&self, centroids: &mut Matrix) {
        for (centroid, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let sums = &self.sums[centroid * centroids.columns()..];
            for (value, sum) in centroids.row_mut(centroid).iter_mut().zip(sums) {
                *value = (sum / count as f64) as f32;
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{squared_distance, watch::Unwatched};

    fn fit(rows: Vec<f32>, columns: usize, clusters: usize) -> (Matrix, Clusters) {
        let z = Matrix::new(rows, columns).unwrap();
        let all: Vec<u32> = (0..z.rows() as u32).collect();
        let clusters = Clusters::fit(&z, &all, clusters, 3, &Unwatched).unwrap();
        (z, clusters)
    }

    #[test]
    fn clouds_that_are_apart_are_the_clusters() {
        let clouds = [[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]];
        let rows = (0..9_000).flat_map(|row| {
            let [x, y] = clouds[row % 3];
            [x + (row % 7) as f32 - 3.0, y + (row % 5) as f32 - 2.0]
        });
        let (z, clusters) = fit(rows.collect(), 2, 3);
        let assigned = clusters.assign(&z, &Unwatched).unwrap();
        assert!((0..z.rows()).all(|row| assigned[row] == assigned[row % 3]));
        let inertia: f64 = (0..z.rows())
            .map(|row| squared_distance(z.row(row), clusters.centroids.row(assigned[row] as usize)))
            .sum();
        assert!((inertia - clusters.inertia).abs() < 1e-6 * inertia);
        for (place, cloud) in clouds.iter().enumerate() {
            let centroid = clusters.centroids.row(assigned[place] as usize);
            assert!(squared_distance(centroid, cloud) < 0.01, "{centroid:?} and {cloud:?}");
        }
    }

    #[test]
    fn fewer_places_than_clusters_leave_no_distance() {
        let (_, clusters) = fit([1.0, 2.0, 5.0, 6.0].repeat(50), 2, 4);
        assert_eq!(clusters.inertia, 0.0);
        assert!(clusters.centroids.values().iter().all(|value| value.is_finite()));
    }
}
