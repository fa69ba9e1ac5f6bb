use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{Label, Name, Sample};

/// The telemetry of the episode being recorded, for whoever wants to watch it: `live/<host_id>.jsonl`.
///
/// A new episode is a new file under the same name, as with log rotation. It begins with its first
/// phase, every line is written at once, and it goes when the recording ends.
pub(crate) struct LiveFile {
    file: File,
    path: PathBuf,
}

/// A phase line: it names the episode that the samples after it belong to.
#[derive(Serialize)]
struct PhaseLine<'a> {
    #[serde(flatten)]
    label: Label,
    episode_id: &'a Name,
}

impl LiveFile {
    pub(crate) fn create(path: &Path, episode: &Name, first: Label) -> io::Result<Self> {
        let dir = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir)?;
        let mut new = tempfile::Builder::new()
            .prefix(".")
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(dir)?;
        write_line(new.as_file_mut(), &PhaseLine { label: first, episode_id: episode })?;
        let file = new.persist(path).map_err(|error| error.error)?;
        Ok(Self { file, path: path.to_owned() })
    }

    pub(crate) fn label(&mut self, episode: &Name, label: Label) -> io::Result<()> {
        write_line(&mut self.file, &PhaseLine { label, episode_id: episode })
    }

    pub(crate) fn sample(&mut self, sample: &Sample) -> io::Result<()> {
        write_line(&mut self.file, sample)
    }
}

impl Drop for LiveFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), "the live file stays: {error}");
        }
    }
}

fn write_line(file: &mut File, line: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    file.write_all(&bytes)
}
