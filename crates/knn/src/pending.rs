use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A file that is written but not there yet: it lies under a temporary name in the folder of its
/// own, and dropping it leaves nothing.
#[derive(Debug)]
pub struct Pending {
    temporary: NamedTempFile,
    path: PathBuf,
}

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be written: {cause}", path.display())]
pub struct WriteError {
    path: PathBuf,
    cause: io::Error,
}

impl Pending {
    /// Writes the bytes beside `path` and waits until they are on disk.
    pub fn write(path: &Path, bytes: &[u8]) -> Result<Self, WriteError> {
        let written = || {
            // What the umask leaves, as for any file that a command creates.
            let mut temporary = tempfile::Builder::new()
                .permissions(fs::Permissions::from_mode(0o666))
                .tempfile_in(folder(path))?;
            temporary.write_all(bytes)?;
            temporary.as_file().sync_all()?;
            Ok(temporary)
        };
        match written() {
            Ok(temporary) => Ok(Self { temporary, path: path.to_owned() }),
            Err(cause) => Err(WriteError { path: path.to_owned(), cause }),
        }
    }

    /// Gives the file its name, in place of what had it, for good.
    pub fn keep(self) -> Result<(), WriteError> {
        let Self { temporary, path } = self;
        let kept = temporary.persist(&path).map_err(|error| error.error);
        match kept.and_then(|_| File::open(folder(&path))?.sync_all()) {
            Ok(()) => Ok(()),
            Err(cause) => Err(WriteError { path, cause }),
        }
    }
}

/// The folder that a file of this path is in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
