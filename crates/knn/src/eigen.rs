//! Symmetric eigen-decomposition, largest first.

use faer::{Mat, Par, Side};

/// Eigenvalues of a symmetric matrix, falling, and their unit vectors.
pub(crate) struct Eigen {
    pub(crate) values: Vec<f64>,
    vectors: Mat<f64>,
}

/// The decomposition did not converge. It always does for a finite matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the eigen-decomposition did not converge")]
pub struct NoConvergence;

impl Eigen {
    /// Decomposes the matrix whose lower triangle this is.
    pub(crate) fn of(lower: &Mat<f64>) -> Result<Self, NoConvergence> {
        one_thread();
        let eigen = lower.self_adjoint_eigen(Side::Lower).map_err(|_| NoConvergence)?;
        let mut values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
        values.reverse();
        Ok(Self { values, vectors: eigen.U().reverse_cols().to_owned() })
    }

    /// All unit vectors, one a column.
    pub(crate) fn into_vectors(self) -> Mat<f64> {
        self.vectors
    }

    /// The unit vector of the `i`th largest eigenvalue.
    pub(crate) fn vector(&self, i: usize) -> Vec<f64> {
        self.vectors.col(i).iter().copied().collect()
    }
}

/// Right singular vectors of a small matrix, by falling singular value.
pub(crate) fn right_singular(matrix: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>), NoConvergence> {
    one_thread();
    let svd = matrix.thin_svd().map_err(|_| NoConvergence)?;
    Ok((svd.S().column_vector().iter().copied().collect(), svd.V().to_owned()))
}

/// faer may split its work by the number of threads, and with it the rounding, as soon as any crate
/// of the build turns its rayon feature on.
fn one_thread() {
    faer::set_global_parallelism(Par::Seq);
}

/// The sign convention of every axis: the entry of largest magnitude (the first of equal ones) is
/// positive, as in scikit-learn's PCA.
pub(crate) fn orient(axis: &mut [f64]) {
    let mut largest = 0.0_f64;
    for &entry in axis.iter() {
        if entry.abs() > largest.abs() {
            largest = entry;
        }
    }
    if largest < 0.0 {
        for entry in axis {
            *entry = -*entry;
        }
    }
}
