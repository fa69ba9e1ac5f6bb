use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that is not there yet: what is written to it lies under a temporary name in its folder until
/// it is kept, and dropping it leaves nothing.
///
/// Whoever reads the folder sees the file that was there before or the whole new one. Permissions are
/// what the umask leaves, as for any file that a command creates.
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

impl WriteError {
    /// Says of an error which file it was.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self { path: path.to_owned(), cause }
    }
}

/// What temporary names begin with: whoever finds one that nobody writes to may remove it.
pub(crate) const UNFINISHED: &str = ".unfinished-";

impl Pending {
    /// An empty file beside `path`, whose folder must be there.
    pub fn new(path: &Path) -> Result<Self, WriteError> {
        let temporary = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder(path))
            .map_err(WriteError::at(path))?;
        Ok(Self { temporary, path: path.to_owned() })
    }

    /// A file of these bytes beside `path`, whose folder must be there.
    pub fn holding(path: &Path, bytes: &[u8]) -> Result<Self, WriteError> {
        let mut pending = Self::new(path)?;
        pending.write_all(bytes).map_err(WriteError::at(path))?;
        Ok(pending)
    }

    /// Gives every file its name, in place of what had it, for good. All are on disk before the first
    /// has its name.
    pub fn keep_all(files: impl IntoIterator<Item = Self>) -> Result<(), WriteError> {
        let files: Vec<Self> = files.into_iter().collect();
        for file in &files {
            file.sync()?;
        }
        for file in files {
            let path = file.path.clone();
            file.keep_open()?;
            sync_folder(&path)?;
        }
        Ok(())
    }

    /// Gives the file its name for good, if nothing has it: what is there stays.
    pub(crate) fn keep_new(self) -> Result<(), WriteError> {
        self.sync()?;
        let Self { temporary, path } = self;
        temporary.persist_noclobber(&path).map_err(|error| WriteError::at(&path)(error.error))?;
        // What a crash may take after an error was reported is better not there at all.
        sync_folder(&path).inspect_err(|_| drop(fs::remove_file(&path)))
    }

    /// Gives the file its name, in place of what had it, and goes on writing to it. Nothing waits for
    /// the disk: what a crash may take.
    pub(crate) fn keep_open(self) -> Result<File, WriteError> {
        let Self { temporary, path } = self;
        temporary.persist(&path).map_err(|error| WriteError::at(&path)(error.error))
    }

    fn sync(&self) -> Result<(), WriteError> {
        self.temporary.as_file().sync_all().map_err(WriteError::at(&self.path))
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.flush()
    }
}

/// Puts on disk that the folder of this file has it.
fn sync_folder(path: &Path) -> Result<(), WriteError> {
    File::open(folder(path)).and_then(|folder| folder.sync_all()).map_err(WriteError::at(path))
}

/// The folder that a file of this path is in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
