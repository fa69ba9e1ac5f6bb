use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use episodes::Phase;

use crate::{
    blocks,
    columns::{Column, ColumnError, Columns},
    dictionary::Dictionary,
    matrix::Matrix,
    origin::{Busiest, Origin},
    sample,
    schema::{FeatureSchema, SchemaError},
    validation::Validation,
    watch::{Stage, Stopped, Watch},
};

/// Feature columns that are decoded before they are laid into the rows together.
const COLUMNS: usize = 32;
/// Rows that are laid out together: their part of those columns stays in the innermost cache.
const ROWS: usize = 64;

/// Windows of telemetry: one feature vector a row, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowTable {
    /// The names of the columns of `features`.
    pub feature_names: Vec<String>,
    /// One window a row. Finite or NaN (a missing value).
    pub features: Matrix,
    /// Recorded phase of every window.
    pub phases: Vec<Phase>,
    /// Episode, host and profile of every window.
    pub origin: Origin,
    /// Sample of every window, where a validation table says it.
    pub samples: Option<Dictionary>,
    /// The host to train on when nobody names one: counted before rows were left out for being too many.
    pub busiest_host: Option<Busiest>,
}

/// Where a window table is and which of its rows are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The parquet file.
    pub window: &'a Path,
    /// The feature schema beside it.
    pub schema: &'a Path,
    /// Which episodes may be used; all without it.
    pub validation: Option<&'a Validation>,
    /// At most this many rows, evenly spaced; all without it.
    pub max_rows: Option<usize>,
}

/// Why there is no window table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The schema is no schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The file or a column of it.
    #[error(transparent)]
    Column(#[from] ColumnError),
    /// The validation table leaves nothing.
    #[error("{}: none of its {rows} windows is of an accepted or degraded episode of {}", window.display(), validation.display())]
    NothingAccepted {
        /// The window table.
        window: PathBuf,
        /// The validation table.
        validation: PathBuf,
        /// Rows of the window table.
        rows: usize,
    },
    /// The watch asked for it.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl WindowTable {
    /// Reads the wanted rows. Feature columns are found by the schema's names, in its order; they are
    /// float32 or float64, and null is NaN. `phase` is an integer code from 0 to 5; `episode_id`,
    /// `host_id` and `profile` are strings; `window_idx` may be absent.
    ///
    /// Columns are decoded on all threads of the rayon pool. At its peak this holds the matrix and
    /// 32 whole columns.
    pub fn read(source: &Source<'_>, watch: &dyn Watch) -> Result<Self, TableError> {
        let FeatureSchema { feature_names } = FeatureSchema::read(source.schema)?;
        let columns = Columns::open(source.window)?;
        watch.begin(Stage::Read, feature_names.len() as u64);
        let found: Vec<Column> =
            feature_names.iter().map(|name| columns.get(name)).collect::<Result<_, _>>()?;
        let phases =
            columns.integers(&columns.get("phase")?, "a phase code from 0 to 5", Phase::from_code)?;
        let origin = columns.origin()?;
        let busiest_host = origin.busiest_host(source.validation);
        let rows = wanted(source, &origin.episodes)?;
        let features = features(&columns, &found, &rows, watch)?;
        let origin = origin.select(&rows);
        let samples = source.validation.map(|validation| {
            // Windows of other episodes are not wanted.
            let sample_of = |episode: &String| validation.sample(episode).unwrap_or_default();
            let samples: Dictionary = origin.episodes.names().iter().map(sample_of).collect();
            samples.select(origin.episodes.codes())
        });
        let phases = rows.iter().map(|&row| phases[row as usize]).collect();
        Ok(Self { feature_names, features, phases, origin, samples, busiest_host })
    }

    /// Number of windows.
    pub fn rows(&self) -> usize {
        self.phases.len()
    }
}

/// The rows of accepted episodes, then evenly spaced ones of those. Never empty.
fn wanted(source: &Source<'_>, episodes: &Dictionary) -> Result<Vec<u32>, TableError> {
    let all = 0..episodes.codes().len() as u32;
    let accepted: Vec<u32> = match source.validation {
        None => all.collect(),
        Some(validation) => {
            let usable: HashSet<u32> = (0..)
                .zip(episodes.names())
                .filter(|(_, name)| validation.uses(name))
                .map(|(code, _)| code)
                .collect();
            all.filter(|&row| usable.contains(&episodes.codes()[row as usize])).collect()
        }
    };
    if let (true, Some(validation)) = (accepted.is_empty(), source.validation) {
        return Err(TableError::NothingAccepted {
            window: source.window.to_owned(),
            validation: validation.path().to_owned(),
            rows: episodes.codes().len(),
        });
    }
    let places = sample::evenly(accepted.len(), source.max_rows.unwrap_or(accepted.len()).max(1));
    Ok(places.into_iter().map(|place| accepted[place as usize]).collect())
}

/// The rows of these columns, side by side.
pub(crate) fn features(
    columns: &Columns,
    found: &[Column],
    rows: &[u32],
    watch: &dyn Watch,
) -> Result<Matrix, TableError> {
    let width = found.len();
    let mut matrix = Matrix::zeros(rows.len(), width);
    let mut decoded = vec![Vec::new(); COLUMNS.min(width)];
    for (group, found) in found.chunks(COLUMNS).enumerate() {
        found.par_iter().zip(&mut decoded).try_for_each(|(column, decoded)| {
            watch.check()?;
            columns.floats(column, decoded)?;
            watch.advance(1);
            Ok::<(), TableError>(())
        })?;
        let decoded = &decoded[..found.len()];
        watch.check()?;
        matrix.values_mut().par_chunks_mut(blocks::ROWS * width).enumerate().for_each(|(block, laid)| {
            let rows = rows[block * blocks::ROWS..].chunks(ROWS);
            for (laid, rows) in laid.chunks_mut(ROWS * width).zip(rows) {
                for (number, column) in decoded.iter().enumerate() {
                    let laid = laid.iter_mut().skip(group * COLUMNS + number).step_by(width);
                    for (laid, &row) in laid.zip(rows) {
                        *laid = column[row as usize];
                    }
                }
            }
        });
    }
    Ok(matrix)
}
