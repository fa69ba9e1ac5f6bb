use std::fs;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;

use crate::pending::{Pending, WriteError};
use crate::table::{Column, Table};
use crate::validation::{Status, judge};
use crate::window_rows::WindowRows;
use crate::windower::{Grid, Window, feature_names, windows};
use crate::{DataRoot, read_episode};

/// What [`build_dataset`] wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows of the window table.
    pub windows: usize,
    /// Episodes by status.
    pub accepted: usize,
    /// See [`Status`].
    pub degraded: usize,
    /// See [`Status`].
    pub rejected: usize,
}

/// Why there is no dataset. What was in the folder before is still there.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The data root cannot be listed.
    #[error("data root: {0}")]
    Root(io::Error),
    /// No episode gives a window.
    #[error("{root}: of {found} episodes none can be used")]
    Empty {
        /// The data root.
        root: PathBuf,
        /// Episodes, all rejected.
        found: usize,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

const FEATURES: &str = "features_window_v1.parquet";
const SCHEMA: &str = "feature_schema_v1.json";
const VALIDATION: &str = "validation_v1.parquet";

/// Episodes read at a time, by all threads together.
const BATCH: usize = 64;
/// Windows a row group: 15 MB.
const GROUP_ROWS: usize = 16_384;

/// Writes the window table, its schema and the validation table of a data root's episodes.
///
/// Rows are ordered by host, episode and window, whatever the number of threads: the same episodes
/// give the same bytes. Episodes that cannot be used are named in the log, stand in the validation
/// table as rejected and have no windows. Gives nothing when `stop` asked for an end; `progress` hears
/// how many episodes of how many are done.
///
/// # Errors
/// Nothing to use, or a file that cannot be written.
pub fn build_dataset(
    root: &DataRoot,
    out_dir: &Path,
    grid: Grid,
    stop: &dyn Fn() -> bool,
    progress: &dyn Fn(usize, usize),
) -> Result<Option<Summary>, DatasetError> {
    let tarballs = root.tarballs().map_err(DatasetError::Root)?;
    let mut dataset = Dataset::create(out_dir)?;
    for (batch, paths) in tarballs.chunks(BATCH).enumerate() {
        if stop() {
            return Ok(None);
        }
        let assessed: Vec<Assessed> = paths.par_iter().map(|path| assess(path, grid)).collect();
        for episode in assessed {
            dataset.push(episode)?;
        }
        progress(batch * BATCH + paths.len(), tarballs.len());
    }
    if dataset.summary.windows == 0 {
        return Err(DatasetError::Empty { root: root.dir().to_owned(), found: tarballs.len() });
    }
    dataset.finish().map(Some)
}

/// An episode as the tables know it.
struct Assessed {
    episode_id: String,
    host_id: String,
    profile: String,
    sample_name: String,
    status: Status,
    /// What keeps it from being accepted, and the file.
    remark: Option<String>,
    windows: Vec<Window>,
}

fn assess(path: &Path, grid: Grid) -> Assessed {
    let named = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    match read_episode(path) {
        Ok(episode) => {
            let (status, reasons) = judge(&episode, grid);
            let usable = status != Status::Rejected;
            let windows = if usable { windows(grid, &episode.labels, &episode.samples) } else { Vec::new() };
            Assessed {
                remark: (!reasons.is_empty()).then(|| format!("{}: {}", path.display(), reasons.join(", "))),
                episode_id: episode.meta.episode_id.into(),
                host_id: episode.meta.host_id.into(),
                profile: episode.meta.profile,
                sample_name: episode.meta.sample_name,
                status,
                windows,
            }
        }
        Err(error) => {
            let file = named(path.file_name());
            Assessed {
                remark: Some(error.to_string()),
                episode_id: file.strip_suffix(".tar.zst").unwrap_or(&file).to_owned(),
                host_id: named(path.parent().and_then(Path::file_name)),
                profile: String::new(),
                sample_name: String::new(),
                status: Status::Rejected,
                windows: Vec::new(),
            }
        }
    }
}

/// The three files while they grow. They get their names together, at the end.
struct Dataset<'a> {
    out_dir: &'a Path,
    features: Table<Pending>,
    rows: WindowRows,
    verdicts: Vec<[String; 5]>,
    summary: Summary,
}

impl<'a> Dataset<'a> {
    fn create(out_dir: &'a Path) -> Result<Self, DatasetError> {
        fs::create_dir_all(out_dir).map_err(WriteError::at(out_dir))?;
        let path = out_dir.join(FEATURES);
        let features = Table::create(Pending::new(&path)?, &WindowRows::default().columns());
        Ok(Self {
            out_dir,
            features: features.map_err(WriteError::at(&path))?,
            rows: WindowRows::default(),
            verdicts: Vec::new(),
            summary: Summary::default(),
        })
    }

    fn push(&mut self, episode: Assessed) -> Result<(), DatasetError> {
        if let Some(remark) = &episode.remark {
            tracing::warn!("{}: {remark}", episode.status);
        }
        match episode.status {
            Status::Accepted => self.summary.accepted += 1,
            Status::Degraded => self.summary.degraded += 1,
            Status::Rejected => self.summary.rejected += 1,
        }
        for window in &episode.windows {
            self.rows.push([&episode.episode_id, &episode.host_id, &episode.profile], window);
            if self.rows.len() == GROUP_ROWS {
                self.flush()?;
            }
        }
        self.summary.windows += episode.windows.len();
        let Assessed { episode_id, host_id, profile, sample_name, status, .. } = episode;
        self.verdicts.push([episode_id, host_id, profile, sample_name, status.to_string()]);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DatasetError> {
        let rows = mem::take(&mut self.rows);
        let written = if rows.len() == 0 { Ok(()) } else { self.features.append(&rows.columns()) };
        Ok(written.map_err(WriteError::at(&self.out_dir.join(FEATURES)))?)
    }

    fn finish(mut self) -> Result<Summary, DatasetError> {
        self.flush()?;
        let out_dir = self.out_dir;
        let features = self.features.finish().map_err(WriteError::at(&out_dir.join(FEATURES)))?;
        let small = |name, bytes: io::Result<Vec<u8>>| {
            let path = out_dir.join(name);
            Pending::holding(&path, &bytes.map_err(WriteError::at(&path))?)
        };
        let schema = small(SCHEMA, schema())?;
        let validation = small(VALIDATION, validation(&self.verdicts))?;
        Pending::keep_all([features, schema, validation])?;
        Ok(self.summary)
    }
}

fn schema() -> io::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Schema {
        feature_names: Vec<String>,
    }
    let mut bytes = serde_json::to_vec_pretty(&Schema { feature_names: feature_names().collect() })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn validation(verdicts: &[[String; 5]]) -> io::Result<Vec<u8>> {
    let names = ["episode_id", "host_id", "profile", "sample_name", "status"];
    let columns: Vec<(String, Column)> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            ((*name).to_owned(), Column::text(verdicts.iter().map(|verdict| verdict[at].clone())))
        })
        .collect();
    let mut table = Table::create(Vec::new(), &columns)?;
    table.append(&columns)?;
    table.finish()
}
