use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use crate::columns::{ColumnError, Columns};

/// What a check of the recorded episodes found: which may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    path: PathBuf,
    accepted: HashMap<String, bool>,
}

impl Validation {
    /// Reads `episode_id` and `status` of a validation table. Only `accepted` and `degraded` episodes
    /// are used; any other status, and an episode that is not in the table, is not.
    pub fn read(path: &Path) -> Result<Self, ColumnError> {
        let columns = Columns::open(path)?;
        let episodes = columns.strings(&columns.get("episode_id")?)?;
        let statuses = columns.strings(&columns.get("status")?)?;
        let usable = (0..columns.rows()).filter_map(|row| match statuses.name(row) {
            "accepted" => Some((episodes.name(row).to_owned(), true)),
            "degraded" => Some((episodes.name(row).to_owned(), false)),
            _ => None,
        });
        Ok(Self { path: path.to_owned(), accepted: usable.collect() })
    }

    /// The file it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the episode is accepted or degraded.
    pub fn uses(&self, episode: &str) -> bool {
        self.accepted.contains_key(episode)
    }

    /// Whether the episode is accepted.
    pub fn accepts(&self, episode: &str) -> bool {
        self.accepted.get(episode).copied().unwrap_or(false)
    }
}
