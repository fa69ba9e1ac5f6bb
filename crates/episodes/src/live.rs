use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use memchr::memmem;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::pending::{Pending, WriteError};
use crate::reader::located;
use crate::{Label, Name, Sample};

/// The telemetry of the episode being recorded, for whoever wants to watch it: `live/<host_id>.jsonl`.
///
/// A new episode is a new file under the same name, as with log rotation. It begins with its first
/// phase, every line is written at once, and it goes when the recording ends.
pub(crate) struct LiveFile {
    file: File,
    path: PathBuf,
}

/// A line of a live file.
#[derive(Debug, Clone, PartialEq)]
pub enum LiveLine {
    /// A phase begins, in this episode if its recorder says it: a new one, if it is another than before.
    Phase(Label, Option<Name>),
    /// Telemetry.
    Sample(Box<Sample>),
}

impl LiveLine {
    /// Reads a line.
    ///
    /// # Errors
    /// The column, and what is wrong.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        fn json<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
            serde_json::from_slice(line).map_err(|error| located(&error))
        }
        // No channel is called that.
        if memmem::find(line, br#""phase""#).is_some() {
            let OwnedPhaseLine { label, episode_id } = json(line)?;
            return Ok(Self::Phase(label, episode_id));
        }
        json(line).map(Box::new).map(Self::Sample)
    }
}

/// A phase line: it names the episode that the samples after it belong to.
#[derive(Serialize)]
struct PhaseLine<'a> {
    #[serde(flatten)]
    label: Label,
    episode_id: &'a Name,
}

#[derive(Deserialize)]
struct OwnedPhaseLine {
    #[serde(flatten)]
    label: Label,
    episode_id: Option<Name>,
}

impl LiveFile {
    pub(crate) fn create(path: &Path, episode: &Name, first: Label) -> Result<Self, WriteError> {
        let dir = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir).map_err(WriteError::at(dir))?;
        let mut new = Pending::new(path)?;
        let line = PhaseLine { label: first, episode_id: episode };
        write_line(&mut new, &line).map_err(WriteError::at(path))?;
        Ok(Self { file: new.keep_open()?, path: path.to_owned() })
    }

    pub(crate) fn label(&mut self, episode: &Name, label: Label) -> Result<(), WriteError> {
        self.line(&PhaseLine { label, episode_id: episode })
    }

    pub(crate) fn sample(&mut self, sample: &Sample) -> Result<(), WriteError> {
        self.line(sample)
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), WriteError> {
        write_line(&mut self.file, line).map_err(WriteError::at(&self.path))
    }
}

impl Drop for LiveFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), "the live file stays: {error}");
        }
    }
}

fn write_line(file: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    file.write_all(&bytes)
}
