use std::path::Path;

use crate::{
    columns::{Column, Columns},
    matrix::Matrix,
    origin::Origin,
    table::{TableError, features},
    watch::{Stage, Watch},
};

/// Windows whose phase nobody has said, or nobody is to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Unlabelled {
    /// One window a row. Finite or NaN (a missing value).
    pub features: Matrix,
    /// Where they are from, if the table says it.
    pub origin: Option<Origin>,
}

impl Unlabelled {
    /// Reads all rows of the columns of these names, in this order: float32 or float64, null is NaN.
    /// Other columns may be there; a table with an `episode_id` also has `host_id` and `profile`.
    pub fn read(window: &Path, feature_names: &[String], watch: &dyn Watch) -> Result<Self, TableError> {
        let columns = Columns::open(window)?;
        watch.begin(Stage::Read, feature_names.len() as u64);
        let found: Vec<Column> =
            feature_names.iter().map(|name| columns.get(name)).collect::<Result<_, _>>()?;
        let origin = columns.find("episode_id").map(|_| columns.origin()).transpose()?;
        // A damaged file may claim any number of rows: memory is set aside for as many as one column has.
        let mut values = Vec::new();
        found.first().map_or(Ok(()), |column| columns.floats(column, &mut values))?;
        let rows: Vec<u32> = (0..values.len() as u32).collect();
        Ok(Self { features: features(&columns, &found, &rows, watch)?, origin })
    }
}
