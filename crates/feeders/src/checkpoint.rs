use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use episodes::{Pending, WriteError};
use publisher::Memory;
use serde::{Deserialize, Serialize};

use crate::receiver::Progress;

/// How far a data root was published, on disk, for one process at a time.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    data_root: PathBuf,
    saved: Option<Saved>,
    _lock: Option<File>,
}

/// What is on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Saved {
    version: u32,
    data_root: PathBuf,
    /// The broadcaster that took everything.
    pub(crate) memory: Option<Memory>,
    pub(crate) progress: Progress,
}

const VERSION: u32 = 3;

/// A checkpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The folder cannot be made, or the file cannot be read.
    #[error("checkpoint {path}: {error}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Another process has it.
    #[error("checkpoint {0}: another feeder uses it; give this one a --checkpoint-dir of its own")]
    Taken(PathBuf),
    /// It is of another data root.
    #[error(
        "checkpoint {path}: it is of the data root {data_root}; give this one a --checkpoint-dir of its own"
    )]
    Other {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        data_root: PathBuf,
    },
    /// It is damaged, or of another version.
    #[error("checkpoint {path}: {what}; move it away to read the data root from the beginning")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Checkpoint {
    /// Opens the checkpoint of a data root in this folder, which is made if need be, for this process alone.
    ///
    /// # Errors
    /// The folder cannot be used, another process has it, or what is there cannot be understood or is of another data root.
    pub fn open(dir: &Path, data_root: &Path) -> Result<Self, CheckpointError> {
        let path = dir.join("checkpoint.json");
        let failed = |error| CheckpointError::File { path: path.clone(), error };
        fs::create_dir_all(dir).map_err(failed)?;
        let lock = File::create(dir.join("lock")).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => CheckpointError::Taken(path.clone()),
            TryLockError::Error(error) => failed(error),
        })?;
        Ok(Self { _lock: Some(lock), ..Self::look(dir, data_root)? })
    }

    /// What is in this folder, for who does not write it down.
    ///
    /// # Errors
    /// What is there cannot be understood or is of another data root.
    pub fn look(dir: &Path, data_root: &Path) -> Result<Self, CheckpointError> {
        let path = dir.join("checkpoint.json");
        let failed = |error| CheckpointError::File { path: path.clone(), error };
        let data_root = data_root
            .canonicalize()
            .map_err(|error| CheckpointError::File { path: data_root.to_owned(), error })?;
        let damaged = |what: String| CheckpointError::Damaged { path: path.clone(), what };
        let saved = match fs::read(&path) {
            Ok(bytes) => {
                let version: Version =
                    serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
                if version.version != VERSION {
                    return Err(damaged(format!("version {}; expected {VERSION}", version.version)));
                }
                let saved: Saved =
                    serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
                if saved.data_root != data_root {
                    return Err(CheckpointError::Other { path, data_root: saved.data_root });
                }
                Some(saved)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        Ok(Self { path, data_root, saved, _lock: None })
    }

    /// What was saved last.
    pub(crate) fn saved(&self) -> Option<&Saved> {
        self.saved.as_ref()
    }

    /// Writes it down for good, if it is news.
    pub(crate) fn save(&mut self, memory: Option<Memory>, progress: Progress) -> Result<(), CheckpointError> {
        let saved = Saved { version: VERSION, data_root: self.data_root.clone(), memory, progress };
        if self.saved.as_ref() == Some(&saved) {
            return Ok(());
        }
        let bytes = serde_json::to_vec(&saved)
            .map_err(|error| CheckpointError::File { path: self.path.clone(), error: error.into() })?;
        Pending::keep_all([Pending::holding(&self.path, &bytes)?])?;
        self.saved = Some(saved);
        Ok(())
    }
}

/// What every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}
