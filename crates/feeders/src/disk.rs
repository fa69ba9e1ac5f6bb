use std::path::{Path, PathBuf};
use std::{io, str};

use events::{Episode, Name, Snapshot, Timestamp};
use serde::Deserialize;

use crate::lines::{Lines, Look};

/// What a receiver has on disk, counted: each line is read once, and only what was appended since.
#[derive(Debug)]
pub struct Disk {
    index: Lines,
    alerts: Lines,
    snapshot: Snapshot<'static>,
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {error}")]
pub struct DiskError {
    path: PathBuf,
    error: io::Error,
}

/// A line of `index.jsonl`. Fields that a receiver adds are its own.
#[derive(Deserialize)]
struct IndexLine<'a> {
    #[serde(borrow)]
    episode_id: Name<'a>,
    #[serde(borrow)]
    host_id: Name<'a>,
    #[serde(borrow)]
    sha256: Name<'a>,
    size_bytes: u64,
    #[serde(borrow)]
    received_at_wall: Timestamp<'a>,
}

impl Disk {
    /// A data root of which nothing was read yet.
    pub fn new(data_root: &Path) -> Self {
        Self {
            index: Lines::new(data_root.join("index.jsonl")),
            alerts: Lines::new(data_root.join("alerts.jsonl")),
            snapshot: Snapshot { index_offset: Some(0), ..Snapshot::default() },
        }
    }

    /// Reads what was appended; the whole state as of now. A line that is no episode is named in
    /// the log with its offset, and passed over. A file that was replaced is counted anew.
    ///
    /// # Errors
    /// A file is there but cannot be read; what was counted before stays.
    pub fn snapshot(&mut self) -> Result<&Snapshot<'static>, DiskError> {
        let index = self.read_index();
        index.map_err(|error| DiskError { path: self.index.path().to_owned(), error })?;
        let alerts = self.read_alerts();
        alerts.map_err(|error| DiskError { path: self.alerts.path().to_owned(), error })?;
        Ok(&self.snapshot)
    }

    fn read_index(&mut self) -> io::Result<()> {
        let Self { index, snapshot, .. } = self;
        if index.look()? == Look::Anew {
            let total_alerts = snapshot.total_alerts;
            *snapshot = Snapshot { total_alerts, ..Snapshot::default() };
        }
        // Counted by line, not by what a reader of the snapshot would take for counted already.
        snapshot.index_offset = None;
        let path = index.path().to_owned();
        let read = index.each(|offset, line| match episode(offset, line) {
            Ok(Some(episode)) => drop(snapshot.fold(&episode)),
            Ok(None) => {}
            Err(error) => tracing::warn!("{}, byte {offset}: {error}; passed over", path.display()),
        });
        snapshot.index_offset = Some(index.offset());
        read
    }

    fn read_alerts(&mut self) -> io::Result<()> {
        let Self { alerts, snapshot, .. } = self;
        if alerts.look()? == Look::Anew {
            snapshot.total_alerts = 0;
        }
        alerts.each(|_, line| snapshot.total_alerts += u64::from(!line.trim_ascii().is_empty()))
    }
}

fn episode(offset: u64, line: &[u8]) -> Result<Option<Episode<'_>>, String> {
    let line = str::from_utf8(line).map_err(|error| error.to_string())?.trim();
    if line.is_empty() {
        return Ok(None);
    }
    let line: IndexLine<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    Ok(Some(Episode {
        episode_id: line.episode_id,
        host_id: line.host_id,
        sha256: line.sha256,
        size_bytes: line.size_bytes,
        received_at: line.received_at_wall,
        offset: Some(offset),
    }))
}
