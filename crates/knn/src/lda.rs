use faer::Mat;

use crate::{
    axes::Axes,
    eigen::{Eigen, orient, right_singular},
    matrix::Matrix,
    projection::{AXES, ProjectError},
    scatter::{ClassMeans, Rows},
    watch::Watch,
};

/// Singular values at most this are no direction: of the scaled within-class rows absolutely, of the
/// class means relative to the largest. The `tol` of scikit-learn.
const TOLERANCE: f64 = 1e-4;

/// The directions that part the classes best against the spread within them, as scikit-learn's
/// `LinearDiscriminantAnalysis(solver="svd")` finds them (its `scalings_`), with class frequencies as
/// priors.
///
/// The same two steps, on scatter matrices instead of rows: scale every column by its within-class
/// deviation and whiten the within-class scatter (directions of no within-class spread are dropped,
/// as constant columns within every class make it singular), then take the singular vectors of the
/// whitened class means. Along the axes the within-class deviation is 1.
///
/// `captured` is each axis' share of the between-class variance. There are at most
/// `min(3, classes - 1, columns)` axes.
pub(crate) fn axes(z: &Matrix, rows: &[u32], phases: &[u8], watch: &dyn Watch) -> Result<Axes, ProjectError> {
    let (class_of, classes) = dense(rows.iter().map(|&row| phases[row as usize]));
    if classes < 2 {
        return Err(ProjectError::OneClass { rows: rows.len() });
    }
    let rows = Rows { matrix: z, numbers: rows, class_of: &class_of, classes };
    let means = rows.means(watch)?;
    let whitening = Whitening::of(&rows.scatter(&means, watch)?, rows.numbers.len())?;
    let center = overall(&means);
    let (strengths, directions) = right_singular(&whitening.apply(&means, &center))?;
    let total: f64 = strengths.iter().map(|strength| strength * strength).sum();
    let most = AXES.min(classes - 1).min(z.columns());
    let mut axes = Axes { center, axes: Vec::new(), captured: Vec::new() };
    for (i, &strength) in strengths.iter().enumerate().take(most) {
        if strength <= TOLERANCE * strengths[0] {
            break;
        }
        let mut axis = whitening.back(&directions, i);
        orient(&mut axis);
        axes.axes.push(axis);
        axes.captured.push(strength * strength / total);
    }
    Ok(axes)
}

/// Class codes as 0.. without gaps, in code order.
fn dense(codes: impl Iterator<Item = u8> + Clone) -> (Vec<usize>, usize) {
    let present: std::collections::BTreeSet<u8> = codes.clone().collect();
    (codes.map(|code| present.range(..code).count()).collect(), present.len())
}

/// The mean of all rows out of the class means.
fn overall(means: &ClassMeans) -> Vec<f64> {
    let rows: usize = means.counts.iter().sum();
    let columns = means.means[0].len();
    (0..columns)
        .map(|column| {
            let sum: f64 =
                means.means.iter().zip(&means.counts).map(|(mean, &count)| mean[column] * count as f64).sum();
            sum / rows as f64
        })
        .collect()
}

/// The linear map after which the within-class scatter is the identity: `columns x kept`.
struct Whitening(Mat<f64>);

impl Whitening {
    fn of(scatter: &Mat<f64>, rows: usize) -> Result<Self, ProjectError> {
        let columns = scatter.nrows();
        let rows = rows as f64;
        // A column that never varies within a class is not scaled, as in scikit-learn; the scale
        // cancels out of all but the tolerance.
        let scale: Vec<f64> = (0..columns)
            .map(|column| (scatter[(column, column)] / rows).sqrt())
            .map(|deviation| if deviation > 0.0 { 1.0 / deviation } else { 1.0 })
            .collect();
        let correlation = Mat::from_fn(columns, columns, |i, j| {
            let (row, column) = (i.max(j), i.min(j));
            scatter[(row, column)] / rows * scale[i] * scale[j]
        });
        let eigen = Eigen::of(&correlation)?;
        let kept = eigen.values.iter().take_while(|&&value| value.max(0.0).sqrt() > TOLERANCE).count();
        if kept == 0 {
            return Err(ProjectError::NoSpread);
        }
        let vectors: Vec<Vec<f64>> = (0..kept).map(|i| eigen.vector(i)).collect();
        Ok(Self(Mat::from_fn(columns, kept, |column, i| {
            scale[column] * vectors[i][column] / eigen.values[i].sqrt()
        })))
    }

    /// The whitened class means around the center, weighted by class size: `classes x kept`.
    fn apply(&self, means: &ClassMeans, center: &[f64]) -> Mat<f64> {
        let rows: usize = means.counts.iter().sum();
        let classes = means.counts.len();
        let weighted = Mat::from_fn(classes, center.len(), |class, column| {
            let prior = means.counts[class] as f64 / rows as f64;
            (rows as f64 * prior / (classes - 1) as f64).sqrt()
                * (means.means[class][column] - center[column])
        });
        weighted * &self.0
    }

    /// A direction of the whitened space as an axis of the standardized one.
    fn back(&self, directions: &Mat<f64>, i: usize) -> Vec<f64> {
        (&self.0 * directions.col(i)).iter().copied().collect()
    }
}
