use std::collections::{BTreeMap, BinaryHeap};
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use events::Name;
use foldhash::quality::FixedState;

/// The tarballs below `episodes/`, by host. A folder is listed again when it changed; of its names only those are held
/// that may be in the sample.
#[derive(Debug)]
pub(crate) struct Tree {
    dir: PathBuf,
    sampling: Sampling,
    hosts: BTreeMap<Name<'static>, Listed>,
}

/// Which tarballs are in a sample: those whose names come first in an order that a seed decides. So what comes later
/// leaves the sample as it is, but for one in so many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sampling {
    pub(crate) seed: u64,
    pub(crate) size: usize,
}

#[derive(Debug, Clone)]
struct Listed {
    /// When the folder had been changed, if another change would show in that.
    changed: Option<SystemTime>,
    tarballs: u64,
    /// Those that are first, and their places in the order.
    first: Vec<(u64, String)>,
}

/// The tree of episodes cannot be listed.
#[derive(Debug, thiserror::Error)]
#[error("cannot list {path}: {error}")]
pub struct TreeError {
    path: PathBuf,
    error: io::Error,
}

/// Changes that are closer than this may have the same time.
const TICK: Duration = Duration::from_secs(2);

impl Tree {
    pub(crate) fn new(data_root: &Path, sampling: Sampling) -> Self {
        Self { dir: data_root.join("episodes"), sampling, hosts: BTreeMap::new() }
    }

    /// Looks what is there now; whether there is such a folder.
    pub(crate) fn look(&mut self) -> Result<bool, TreeError> {
        let failed = |error| TreeError { path: self.dir.clone(), error };
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        let mut before = std::mem::take(&mut self.hosts);
        for entry in entries {
            let entry = entry.map_err(failed)?;
            // A link to a folder is not a host of this tree.
            let is_folder = entry.file_type().map_err(failed)?.is_dir();
            let (Ok(host), true) = (entry.file_name().into_string(), is_folder) else { continue };
            let Ok(host) = Name::try_from(host) else { continue };
            let changed = entry.metadata().and_then(|folder| folder.modified()).map_err(failed)?;
            let known = before.remove(&host).filter(|listed| listed.changed == Some(changed));
            let listed = match known {
                Some(listed) => listed,
                None => {
                    let path = entry.path();
                    self.sampling.list(&path, changed).map_err(|error| TreeError { path, error })?
                }
            };
            self.hosts.insert(host, listed);
        }
        Ok(true)
    }

    /// How many there are of each host that has any.
    pub(crate) fn counts(&self) -> BTreeMap<Name<'static>, u64> {
        let counts = self.hosts.iter().map(|(host, listed)| (host.clone(), listed.tarballs));
        counts.filter(|(_, tarballs)| *tarballs > 0).collect()
    }

    /// The tarballs of the sample.
    pub(crate) fn sample(&self) -> Vec<PathBuf> {
        let all =
            self.hosts.iter().flat_map(|(host, listed)| listed.first.iter().map(move |first| (first, host)));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all.truncate(self.sampling.size);
        all.into_iter().map(|((_, name), host)| self.dir.join(host.as_str()).join(name)).collect()
    }
}

impl Sampling {
    fn list(self, dir: &Path, changed: SystemTime) -> io::Result<Listed> {
        // A change within the same tick would not show.
        let is_past = changed.elapsed().is_ok_and(|ago| ago > TICK);
        let (mut tarballs, mut first) = (0, BinaryHeap::new());
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            // Names that begin with a dot are of files that are not whole yet.
            let is_tarball = |name: &String| name.ends_with(".tar.zst") && !name.starts_with('.');
            let Some(name) = entry.file_name().into_string().ok().filter(is_tarball) else { continue };
            if !entry.file_type()?.is_file() {
                continue;
            }
            tarballs += 1;
            let place = self.place(dir, &name);
            if first.len() < self.size {
                first.push((place, name));
            } else if first.peek().is_some_and(|(last, _)| place < *last) {
                first.pop();
                first.push((place, name));
            }
        }
        Ok(Listed { changed: is_past.then_some(changed), tarballs, first: first.into_vec() })
    }

    /// A tarball's place in the order.
    fn place(self, dir: &Path, name: &str) -> u64 {
        let mut hasher = FixedState::with_seed(self.seed).build_hasher();
        hasher.write(dir.file_name().map_or(&[], |host| host.as_encoded_bytes()));
        hasher.write(name.as_bytes());
        hasher.finish()
    }
}
