use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use crate::columns::{ColumnError, Columns};

/// What a check of the recorded episodes found: which may be used, and which sample each is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    path: PathBuf,
    usable: HashMap<String, Usable>,
}

/// An episode that may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Usable {
    accepted: bool,
    sample: String,
}

impl Validation {
    /// Reads `episode_id`, `sample_name` and `status` of a validation table. Only `accepted` and
    /// `degraded` episodes are used; any other status, and an episode that is not in the table, is not.
    pub fn read(path: &Path) -> Result<Self, ColumnError> {
        let columns = Columns::open(path)?;
        let [episodes, samples, statuses] = ["episode_id", "sample_name", "status"]
            .map(|name| columns.get(name).and_then(|column| columns.strings(&column)));
        let (episodes, samples, statuses) = (episodes?, samples?, statuses?);
        let usable = (0..columns.rows()).filter_map(|row| {
            let accepted = match statuses.name(row) {
                "accepted" => true,
                "degraded" => false,
                _ => return None,
            };
            Some((episodes.name(row).to_owned(), Usable { accepted, sample: samples.name(row).to_owned() }))
        });
        Ok(Self { path: path.to_owned(), usable: usable.collect() })
    }

    /// The file it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the episode is accepted or degraded.
    pub fn uses(&self, episode: &str) -> bool {
        self.usable.contains_key(episode)
    }

    /// Whether the episode is accepted.
    pub fn accepts(&self, episode: &str) -> bool {
        self.usable.get(episode).is_some_and(|usable| usable.accepted)
    }

    /// The load that an episode that is used was recorded under: the same name on whichever host it ran.
    pub fn sample(&self, episode: &str) -> Option<&str> {
        self.usable.get(episode).map(|usable| usable.sample.as_str())
    }
}
