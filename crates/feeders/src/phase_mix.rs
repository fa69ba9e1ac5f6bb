use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;
use std::{fs, io, thread};

use episodes::{Label, read_labels};
use events::{Phase, PhaseMix, Real};

use crate::tree::{Sampling, Tree, TreeError};

/// How much of the recorded time each phase takes, from the labels of a sample of episodes. An episode is read once, and
/// again when its file changed.
#[derive(Debug)]
pub struct PhaseMixer {
    tree: Tree,
    /// In one order, as sums of the same numbers in another may differ.
    known: BTreeMap<PathBuf, Known>,
}

/// What an episode's labels add up to; nothing of one that cannot be read.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    /// `None`: it could not even be asked for, which may pass.
    stamp: Option<Stamp>,
    labels: Option<Labels>,
}

/// A file as it was read: its size, and when it was changed.
type Stamp = (u64, SystemTime);

/// By phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Labels {
    counts: [u64; Phase::ALL.len()],
    nanoseconds: [u64; Phase::ALL.len()],
}

impl PhaseMixer {
    /// Of a data root; `sample` episodes at most, chosen by `seed`.
    pub fn new(data_root: &Path, sample: usize, seed: u64) -> Self {
        Self { tree: Tree::new(data_root, Some(Sampling { seed, size: sample })), known: BTreeMap::new() }
    }

    /// The mix as of now; `None` while there is no tree of episodes. An episode that cannot be read is named in the log
    /// once, and is not in the sample.
    ///
    /// # Errors
    /// The tree of episodes cannot be listed.
    pub fn mix(&mut self) -> Result<Option<PhaseMix>, TreeError> {
        self.tree.look()?;
        let sample = self.tree.sample()?;
        let Some(population) = self.tree.population() else { return Ok(None) };
        self.known = read_all(&sample, &self.known);
        let labels: Vec<Labels> = self.known.values().filter_map(|known| known.labels).collect();
        if labels.len() < sample.len() {
            tracing::info!("{} of {} episodes cannot be read", sample.len() - labels.len(), sample.len());
        }
        Ok(Some(mixed(&labels, population)))
    }
}

/// What the sample adds up to, scaled to the population.
fn mixed(labels: &[Labels], population: u64) -> PhaseMix {
    let count = |phase: Phase| labels.iter().map(|labels| labels.counts[phase as usize]).sum::<u64>();
    // A file may say anything: in whole numbers the sum might be too large.
    let seconds = |phase: Phase| {
        labels.iter().map(|labels| labels.nanoseconds[phase as usize] as f64 / 1e9).sum::<f64>()
    };
    let scale = population as f64 / labels.len().max(1) as f64;
    let counts = Phase::ALL.map(|phase| (phase, count(phase)));
    let seconds = Phase::ALL.map(|phase| (phase, seconds(phase) * scale));
    PhaseMix {
        counts: counts.into_iter().filter(|(_, count)| *count > 0).collect(),
        weighted_seconds: seconds
            .into_iter()
            .filter(|(_, seconds)| *seconds > 0.0)
            .filter_map(|(phase, seconds)| Some((phase, Real::new(seconds).ok()?)))
            .collect(),
        sampled_episodes: labels.len() as u64,
        population_episodes: population,
        total_labels: counts.iter().map(|(_, count)| count).sum(),
    }
}

/// Reads what is not known, on all cores.
fn read_all(sample: &[PathBuf], known: &BTreeMap<PathBuf, Known>) -> BTreeMap<PathBuf, Known> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut read = Vec::new();
        while let number = next.fetch_add(1, Ordering::Relaxed)
            && let Some(path) = sample.get(number)
        {
            read.push((path.clone(), look(path, known.get(path))));
        }
        read
    };
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    thread::scope(|scope| {
        let workers: Vec<_> = (1..cores.min(sample.len())).map(|_| scope.spawn(work)).collect();
        let mut read = work();
        // A worker does not panic: what it reads is answered with an error.
        workers.into_iter().for_each(|worker| read.extend(worker.join().unwrap_or_default()));
        read.into_iter().collect()
    })
}

fn look(path: &Path, known: Option<&Known>) -> Known {
    let stamp = match stamp(path) {
        Ok(stamp) => stamp,
        // It went, or its disk did.
        Err(error) => {
            tracing::info!("{}: {error}; passed over", path.display());
            return Known { stamp: None, labels: None };
        }
    };
    if let Some(known) = known.filter(|known| known.stamp == Some(stamp)) {
        return known.clone();
    }
    let labels = read_labels(path).inspect_err(|error| tracing::warn!("{error}; passed over"));
    Known { stamp: Some(stamp), labels: labels.ok().map(|labels| Labels::of(&labels)) }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.len(), metadata.modified()?))
}

impl Labels {
    /// A phase lasts from its label to the next one: how long the last one lasts is not said.
    fn of(labels: &[Label]) -> Self {
        let mut of = Self::default();
        for (number, label) in labels.iter().enumerate() {
            let phase = shown(label.phase) as usize;
            of.counts[phase] += 1;
            if let Some(next) = labels.get(number + 1) {
                of.nanoseconds[phase] += next.t_mono_ns - label.t_mono_ns;
            }
        }
        of
    }
}

/// A phase as it is shown: what did not run rests.
fn shown(phase: episodes::Phase) -> Phase {
    Phase::from_code(phase.code()).unwrap_or(Phase::Dormant)
}
