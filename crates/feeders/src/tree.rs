use std::collections::{BTreeMap, BinaryHeap};
use std::fs::{self, DirEntry};
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
    sampling: Option<Sampling>,
    /// `None` while there is no such folder.
    hosts: Option<Hosts>,
    /// Names with later places may be missing.
    held_to: u64,
}

type Hosts = BTreeMap<Name<'static>, Listed>;

/// Which tarballs are in a sample: those whose names come first in an order that a seed decides. So what comes later
/// leaves the sample as it is, but for one in so many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sampling {
    pub(crate) seed: u64,
    pub(crate) size: usize,
}

/// A host's folder.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// When it had been changed, if another change would show in that.
    changed: Option<SystemTime>,
    tarballs: u64,
    /// Those that are first, and their places in the order.
    first: Vec<Placed>,
}

/// A place in the order, and the name that has it.
type Placed = (u64, String);

/// The tree of episodes cannot be listed.
#[derive(Debug, thiserror::Error)]
#[error("cannot list {path}: {error}")]
pub struct TreeError {
    path: PathBuf,
    error: io::Error,
}

/// Changes that are closer than this may have the same time, and who makes one may not be done.
const TICK: Duration = Duration::from_secs(2);
/// Names are held beyond the sample up to so many times its last place: if some go, others are there to come in.
const SPARE: u64 = 2;

impl Tree {
    pub(crate) fn new(data_root: &Path, sampling: Option<Sampling>) -> Self {
        Self { dir: data_root.join("episodes"), sampling, hosts: None, held_to: u64::MAX }
    }

    /// Looks what is there now.
    ///
    /// # Errors
    /// A folder cannot be listed: of that one, what was known before is kept.
    pub(crate) fn look(&mut self) -> Result<(), TreeError> {
        let failed = |error| TreeError { path: self.dir.clone(), error };
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.hosts = None;
                return Ok(());
            }
            Err(error) => return Err(failed(error)),
        };
        let entries = entries.collect::<io::Result<Vec<_>>>().map_err(failed)?;
        let mut before = self.hosts.take().unwrap_or_default();
        let mut hosts = Hosts::new();
        let mut looked = Ok(());
        for entry in entries {
            // Another name is that of no host.
            let Some(host) = entry.file_name().into_string().ok().and_then(|host| Name::try_from(host).ok())
            else {
                continue;
            };
            let known = before.remove(&host);
            let listed = match self.list(&entry, known.as_ref()) {
                Ok(listed) => listed,
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => {
                    looked = Err(TreeError { path: entry.path(), error });
                    known
                }
            };
            hosts.extend(listed.map(|listed| (host, listed)));
        }
        self.hosts = Some(hosts);
        looked
    }

    /// The hosts that have a folder; `None` if there is no tree.
    pub(crate) fn hosts(&self) -> Option<&Hosts> {
        self.hosts.as_ref()
    }

    /// How many tarballs there are; `None` if there is no tree.
    pub(crate) fn population(&self) -> Option<u64> {
        Some(self.hosts()?.values().map(Listed::tarballs).sum())
    }

    /// The tarballs of the sample.
    pub(crate) fn sample(&mut self) -> Result<Vec<PathBuf>, TreeError> {
        let (Some(sampling), Some(population)) = (self.sampling, self.population()) else {
            return Ok(vec![]);
        };
        let mut sample = self.first(sampling.size);
        let is_short = sample.len() < sampling.size && (sample.len() as u64) < population;
        if is_short || sample.last().is_some_and(|(place, _)| *place > self.held_to) {
            // More went than there are spares.
            (self.hosts, self.held_to) = (None, u64::MAX);
            self.look()?;
            sample = self.first(sampling.size);
        }
        if let (Some((last, _)), Some(hosts)) = (sample.get(sampling.size.wrapping_sub(1)), &mut self.hosts) {
            self.held_to = last.saturating_mul(SPARE);
            hosts.values_mut().for_each(|listed| listed.first.retain(|(place, _)| *place <= self.held_to));
        }
        Ok(sample.into_iter().map(|(_, path)| path).collect())
    }

    fn first(&self, size: usize) -> Vec<(u64, PathBuf)> {
        let path = |host: &Name<'_>, name: &String| self.dir.join(host.as_str()).join(name);
        let all =
            self.hosts.iter().flatten().flat_map(|(host, listed)| {
                listed.first.iter().map(move |(place, name)| (*place, host, name))
            });
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all.truncate(size);
        all.into_iter().map(|(place, host, name)| (place, path(host, name))).collect()
    }

    /// What a host's folder has, read again if it changed; `None` if it is no folder. A link to one is not of this tree.
    fn list(&self, entry: &DirEntry, known: Option<&Listed>) -> io::Result<Option<Listed>> {
        if !entry.file_type()?.is_dir() {
            return Ok(None);
        }
        let changed = entry.metadata()?.modified()?;
        if let Some(known) = known.filter(|known| known.changed == Some(changed)) {
            return Ok(Some(known.clone()));
        }
        let mut first = BinaryHeap::new();
        let mut tarballs = 0;
        for tarball in fs::read_dir(entry.path())? {
            let tarball = tarball?;
            // Names that begin with a dot are of files that are not whole yet.
            let is_tarball = |name: &String| name.ends_with(".tar.zst") && !name.starts_with('.');
            let Some(name) = tarball.file_name().into_string().ok().filter(is_tarball) else { continue };
            if tarball.file_type()?.is_file() {
                tarballs += 1;
                if let Some(sampling) = self.sampling {
                    sampling.place(&mut first, entry, name);
                }
            }
        }
        // A change within the same tick would not show.
        let is_past = changed.elapsed().is_ok_and(|ago| ago > TICK);
        Ok(Some(Listed { changed: is_past.then_some(changed), tarballs, first: first.into_vec() }))
    }
}

impl Listed {
    pub(crate) fn tarballs(&self) -> u64 {
        self.tarballs
    }

    /// Whether nothing came or went in the last seconds.
    pub(crate) fn is_settled(&self) -> bool {
        self.changed.is_some()
    }
}

impl Sampling {
    /// Puts a tarball among the first of its host, if it is one.
    fn place(self, first: &mut BinaryHeap<Placed>, host: &DirEntry, name: String) {
        let mut hasher = FixedState::with_seed(self.seed).build_hasher();
        hasher.write(host.file_name().as_encoded_bytes());
        hasher.write(name.as_bytes());
        first.push((hasher.finish(), name));
        if first.len() > self.size {
            first.pop();
        }
    }
}
