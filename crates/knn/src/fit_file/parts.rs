use std::path::Path;

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, LargeListArray, RecordBatch,
    cast::AsArray,
    types::{Float32Type, Float64Type},
};

use super::FitFileError;
use crate::{axes::Axes, matrix::Matrix, projection::AXES, umap::Umap};

/// The one row of a fit file.
pub(super) struct Parts<'a> {
    pub(super) path: &'a Path,
    pub(super) row: RecordBatch,
}

impl Parts<'_> {
    fn wrong(&self, part: &'static str, expected: &'static str) -> FitFileError {
        FitFileError::Part { path: self.path.to_owned(), part, expected }
    }

    fn list(&self, part: &'static str) -> Result<ArrayRef, FitFileError> {
        let lists = self.row.column_by_name(part).and_then(|column| column.as_list_opt::<i64>());
        let one = lists.filter(|lists: &&LargeListArray| lists.len() == 1 && lists.is_valid(0));
        let list = one.map(|lists| lists.value(0)).filter(|list| list.null_count() == 0);
        list.ok_or_else(|| self.wrong(part, "one row with a list without nulls"))
    }

    pub(super) fn numbers<T: ArrowPrimitiveType>(
        &self,
        part: &'static str,
        len: Option<usize>,
    ) -> Result<Vec<T::Native>, FitFileError> {
        let list = self.list(part)?;
        let numbers = list.as_primitive_opt::<T>().ok_or_else(|| self.wrong(part, "numbers of its type"))?;
        if len.is_some_and(|len| len != numbers.len()) {
            return Err(self.wrong(part, "as many numbers as the other parts need"));
        }
        Ok(numbers.values().to_vec())
    }

    pub(super) fn finite(&self, part: &'static str, len: Option<usize>) -> Result<Vec<f64>, FitFileError> {
        let numbers = self.numbers::<Float64Type>(part, len)?;
        let finite = numbers.iter().all(|number| number.is_finite());
        if finite { Ok(numbers) } else { Err(self.wrong(part, "finite numbers")) }
    }

    pub(super) fn texts(&self, part: &'static str) -> Result<Vec<String>, FitFileError> {
        let list = self.list(part)?;
        let texts = list.as_string_opt::<i32>().ok_or_else(|| self.wrong(part, "texts"))?;
        Ok(texts.iter().flatten().map(str::to_owned).collect())
    }

    pub(super) fn axes(&self, columns: usize) -> Result<Axes, FitFileError> {
        let axes = self.finite("axes", None)?;
        if axes.len() > AXES * columns || !axes.len().is_multiple_of(columns) {
            return Err(self.wrong("axes", "at most three axes of one number a kept column"));
        }
        Ok(Axes {
            center: self.finite("center", Some(columns))?,
            axes: axes.chunks_exact(columns).map(<[f64]>::to_vec).collect(),
            captured: self.finite("captured", Some(axes.len() / columns))?,
        })
    }

    pub(super) fn umap(&self, columns: usize) -> Result<Umap, FitFileError> {
        let windows = self.matrix("umap_windows", columns)?;
        let layout = self.matrix("umap_layout", AXES)?;
        if layout.rows() != windows.rows() {
            return Err(self.wrong("umap_layout", "as many places as there are `umap_windows`"));
        }
        Ok(Umap { windows, layout: layout.values().as_chunks().0.to_vec() })
    }

    /// At least one row, every value finite.
    pub(super) fn matrix(&self, part: &'static str, columns: usize) -> Result<Matrix, FitFileError> {
        let values = self.numbers::<Float32Type>(part, None)?;
        let finite = !values.is_empty() && values.iter().all(|value| value.is_finite());
        let matrix = Matrix::new(values, columns).ok().filter(|_| finite);
        matrix.ok_or_else(|| self.wrong(part, "whole rows of finite numbers, one a kept column"))
    }
}
