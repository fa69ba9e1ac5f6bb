//! Class means and within-class scatter: all that PCA and LDA need to know of the rows.

use faer::{
    Accum, Mat, MatRef, Par,
    linalg::matmul::triangular::{self, BlockStructure},
};

use crate::{
    blocks,
    matrix::Matrix,
    watch::{Stopped, Watch},
};

/// Rows of one class each, as PCA (one class) and LDA (the phases) look at them.
pub(crate) struct Rows<'a> {
    /// Standardized windows.
    pub(crate) matrix: &'a Matrix,
    /// Which rows of the matrix.
    pub(crate) numbers: &'a [u32],
    /// The class of each of those rows, below `classes`.
    pub(crate) class_of: &'a [usize],
    pub(crate) classes: usize,
}

/// The mean of every class and how many rows it has.
pub(crate) struct ClassMeans {
    pub(crate) means: Vec<Vec<f64>>,
    pub(crate) counts: Vec<usize>,
}

impl Rows<'_> {
    /// Class means, in float64 over fixed blocks. A class without rows has mean 0.
    pub(crate) fn means(&self, watch: &dyn Watch) -> Result<ClassMeans, Stopped> {
        let columns = self.matrix.columns();
        let mut counts = vec![0_usize; self.classes];
        for &class in self.class_of {
            counts[class] += 1;
        }
        let sums = blocks::sum(self.numbers.len(), watch, |block| {
            let mut sums = vec![0.0; self.classes * columns];
            for (&number, &class) in self.numbers[block.clone()].iter().zip(&self.class_of[block]) {
                let sums = &mut sums[class * columns..][..columns];
                for (sum, &value) in sums.iter_mut().zip(self.matrix.row(number as usize)) {
                    *sum += f64::from(value);
                }
            }
            sums
        })?
        .unwrap_or_else(|| vec![0.0; self.classes * columns]);
        let means = (0..self.classes).map(|class| {
            let count = counts[class].max(1) as f64;
            sums[class * columns..][..columns].iter().map(|sum| sum / count).collect()
        });
        Ok(ClassMeans { means: means.collect(), counts })
    }

    /// The sum over all rows of `(row - its class mean)(row - its class mean)'`, lower triangle.
    ///
    /// One float64 product a fixed block (faer, one thread each), added in block order. Cost:
    /// `rows * columns^2 / 2` multiply-adds.
    pub(crate) fn scatter(&self, means: &ClassMeans, watch: &dyn Watch) -> Result<Mat<f64>, Stopped> {
        let columns = self.matrix.columns();
        let blocks = blocks::map(self.numbers.len(), watch, |block| {
            let rows = block.len();
            let mut centered = Vec::with_capacity(rows * columns);
            for (&number, &class) in self.numbers[block.clone()].iter().zip(&self.class_of[block]) {
                let row = self.matrix.row(number as usize);
                centered.extend(
                    row.iter().zip(&means.means[class]).map(|(&value, mean)| f64::from(value) - mean),
                );
            }
            let centered = MatRef::from_row_major_slice(&centered, rows, columns);
            let mut product = Mat::zeros(columns, columns);
            triangular::matmul(
                product.as_mut(),
                BlockStructure::TriangularLower,
                Accum::Replace,
                centered.transpose(),
                BlockStructure::Rectangular,
                centered,
                BlockStructure::Rectangular,
                1.0,
                Par::Seq,
            );
            product
        })?;
        Ok(blocks
            .into_iter()
            .reduce(|total, block| total + block)
            .unwrap_or_else(|| Mat::zeros(columns, columns)))
    }
}
