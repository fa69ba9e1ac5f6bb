use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::index::{Index, IndexLine};
use crate::pending::{Pending, UNFINISHED, WriteError};
use crate::{Episode, Meta, Name, tarball};

/// Where episodes are received: an index, and below it one folder of tarballs a host.
///
/// ```text
/// index.jsonl                               one line an episode, append-only
/// episodes/<host_id>/<episode_id>.tar.zst
/// live/<host_id>.jsonl                      the episode being recorded now
/// ```
#[derive(Debug, Clone)]
pub struct DataRoot(PathBuf);

const SUFFIX: &str = ".tar.zst";

impl DataRoot {
    /// The data root in this folder, which need not exist yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into())
    }

    /// The folder itself.
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// The tarball of an episode.
    pub fn tarball(&self, host: &Name, episode: &Name) -> PathBuf {
        self.host_dir(host).join(format!("{episode}{SUFFIX}"))
    }

    /// Every tarball, ordered by host and then by name. A link is none: it may lead anywhere.
    ///
    /// # Errors
    /// A folder cannot be listed.
    pub fn tarballs(&self) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let is = |path: &Path, kind: fn(&fs::FileType) -> bool| {
            fs::symlink_metadata(path).is_ok_and(|metadata| kind(&metadata.file_type()))
        };
        let hosts = sorted(&self.0.join("episodes"))?;
        for host in hosts.into_iter().filter(|path| is(path, fs::FileType::is_dir)) {
            found.extend(sorted(&host)?.into_iter().filter(|path| {
                let name = path.file_name().map(|name| name.to_string_lossy());
                let is_named = name.is_some_and(|name| name.ends_with(SUFFIX) && !name.starts_with('.'));
                is_named && is(path, fs::FileType::is_file)
            }));
        }
        Ok(found)
    }

    pub(crate) fn live(&self, host: &Name) -> PathBuf {
        self.0.join("live").join(format!("{host}.jsonl"))
    }

    /// Takes a host for one recorder, until the lock is dropped, and clears away what an earlier one
    /// that was killed left unfinished.
    ///
    /// # Errors
    /// Another recorder has the host, or the folder cannot be written to.
    pub(crate) fn lock(&self, host: &Name) -> io::Result<HostLock> {
        let dir = self.host_dir(host);
        let opened = fs::create_dir_all(&dir).and_then(|()| File::open(&dir));
        let lock = opened.map_err(|error| located(&dir, &error))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::other("another recorder is recording this host"),
            TryLockError::Error(error) => error,
        })?;
        for path in sorted(&dir)? {
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED)) {
                fs::remove_file(path)?;
            }
        }
        Ok(HostLock { _dir: lock })
    }

    /// Stores an episode: the tarball whole or not at all, and then its line in the index. Without that
    /// line there is no tarball either.
    ///
    /// # Errors
    /// A file cannot be written, or the episode is there already.
    pub(crate) fn receive(
        &self,
        episode: &Episode,
        received_at: jiff::Timestamp,
    ) -> Result<PathBuf, WriteError> {
        let Meta { episode_id, host_id, .. } = &episode.meta;
        let path = self.tarball(host_id, episode_id);
        let mut file = Pending::new(&path)?;
        let (size_bytes, sha256) = tarball::write(episode, &mut file).map_err(WriteError::at(&path))?;
        // Not before: while it is packed the index may be rotated.
        let index = Index::open(self.0.join("index.jsonl"))?;
        file.keep_new()?;
        let received_at_wall = received_at.to_string();
        let line = IndexLine { episode_id, host_id, sha256, size_bytes, received_at_wall };
        index.append(&line).inspect_err(|_| drop(fs::remove_file(&path)))?;
        Ok(path)
    }

    fn host_dir(&self, host: &Name) -> PathBuf {
        self.0.join("episodes").join(host.as_str())
    }
}

/// One recorder's claim on a host.
pub(crate) struct HostLock {
    _dir: File,
}

fn sorted(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>())
        .map_err(|error| located(dir, &error))?;
    paths.sort_unstable();
    Ok(paths)
}

/// The error with the path that it is about, which the system does not say.
fn located(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
