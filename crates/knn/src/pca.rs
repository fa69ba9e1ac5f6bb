use crate::{
    axes::Axes,
    eigen::{Eigen, orient},
    matrix::Matrix,
    projection::{AXES, ProjectError},
    scatter::Rows,
    watch::Watch,
};

/// The directions of largest variance, as scikit-learn's `PCA(n_components=3)` finds them.
///
/// Over the covariance matrix and faer's symmetric eigen-decomposition: `rows * columns^2 / 2`
/// multiply-adds, then some milliseconds for 230 columns. (A decomposition of the rows themselves, as
/// in linfa-reduction, costs hundreds of times more and tells the same to 1e-8.)
///
/// `captured` is each axis' share of the total variance. An axis beyond the rank is missing.
pub(crate) fn axes(z: &Matrix, rows: &[u32], watch: &dyn Watch) -> Result<Axes, ProjectError> {
    let rows = Rows { matrix: z, numbers: rows, class_of: &vec![0; rows.len()], classes: 1 };
    let means = rows.means(watch)?;
    let eigen = Eigen::of(&rows.scatter(&means, watch)?)?;
    let total: f64 = eigen.values.iter().map(|value| value.max(0.0)).sum();
    let mut axes = Axes { center: means.means[0].clone(), axes: Vec::new(), captured: Vec::new() };
    for (i, &value) in eigen.values.iter().enumerate().take(AXES) {
        if value <= f64::EPSILON * total {
            break;
        }
        let mut axis = eigen.vector(i);
        orient(&mut axis);
        axes.axes.push(axis);
        axes.captured.push(value / total);
    }
    Ok(axes)
}
