use std::borrow::Cow;

use ndarray::{ArrayView2, ShapeError};

use crate::large_pages;

/// A dense row-major float32 matrix: one window a row, one feature a column.
///
/// Plain slices instead of an array type: every hot loop runs along a row, and a library that
/// wants an array gets a [`view`](Self::view) of the same memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    values: Vec<f32>,
    columns: usize,
}

/// The values do not fill whole rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{values} values do not fill rows of {columns} columns")]
pub struct RaggedMatrix {
    values: usize,
    columns: usize,
}

impl Matrix {
    /// A matrix of `values.len() / columns` rows. Refuses a last row that is not whole, and values
    /// without columns.
    pub fn new(values: Vec<f32>, columns: usize) -> Result<Self, RaggedMatrix> {
        let whole = if columns == 0 { values.is_empty() } else { values.len().is_multiple_of(columns) };
        if whole { Ok(Self { values, columns }) } else { Err(RaggedMatrix { values: values.len(), columns }) }
    }

    /// All zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        let mut values = vec![0.0; rows * columns];
        large_pages::advise(&mut values);
        Self { values, columns }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..][..self.columns]
    }

    /// One row, to write.
    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.values[row * self.columns..][..self.columns]
    }

    /// Every value, row after row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Every value, row after row, to write.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// A copy of these rows, in this order. Rows may repeat.
    pub fn select(&self, rows: &[u32]) -> Self {
        let mut values = Vec::with_capacity(rows.len() * self.columns);
        for &row in rows {
            values.extend_from_slice(self.row(row as usize));
        }
        Self { values, columns: self.columns }
    }

    /// Keeps these rows, which rise, and gives the memory of the others back.
    pub(crate) fn retain(&mut self, rows: &[u32]) {
        for (place, &row) in rows.iter().enumerate() {
            let start = row as usize * self.columns;
            self.values.copy_within(start..start + self.columns, place * self.columns);
        }
        self.values.truncate(rows.len() * self.columns);
        self.values.shrink_to_fit();
    }

    /// Keeps the first columns of every row.
    pub(crate) fn narrow(&mut self, columns: usize) {
        if columns >= self.columns {
            return;
        }
        let rows = self.rows();
        for row in 1..rows {
            let start = row * self.columns;
            self.values.copy_within(start..start + columns, row * columns);
        }
        self.values.truncate(rows * columns);
        self.columns = columns;
    }

    /// The same memory as an array.
    pub fn view(&self) -> Result<ArrayView2<'_, f32>, ShapeError> {
        ArrayView2::from_shape((self.rows(), self.columns), &self.values)
    }
}

impl From<Matrix> for Cow<'_, Matrix> {
    fn from(matrix: Matrix) -> Self {
        Cow::Owned(matrix)
    }
}

impl<'a> From<&'a Matrix> for Cow<'a, Matrix> {
    fn from(matrix: &'a Matrix) -> Self {
        Cow::Borrowed(matrix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_not_whole_is_refused() {
        assert!(Matrix::new(vec![1.0, 2.0, 3.0], 2).is_err());
        assert!(Matrix::new(vec![1.0], 0).is_err());
        assert_eq!(Matrix::new(vec![], 0).unwrap().rows(), 0);
    }

    #[test]
    fn a_narrow_matrix_has_the_first_columns() {
        let mut matrix = Matrix::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3).unwrap();
        matrix.narrow(2);
        assert_eq!(matrix, Matrix::new(vec![1.0, 2.0, 4.0, 5.0], 2).unwrap());
    }

    #[test]
    fn retained_rows_are_those_of_a_selection() {
        let mut matrix = Matrix::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2).unwrap();
        let selected = matrix.select(&[0, 2]);
        matrix.retain(&[0, 2]);
        assert_eq!(matrix, selected);
    }

    #[test]
    fn selected_rows_keep_the_asked_order() {
        let matrix = Matrix::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2).unwrap();
        assert_eq!(matrix.select(&[2, 0, 2]).values(), [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
    }
}
