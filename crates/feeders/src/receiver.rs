use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use events::{Event, Name, Snapshot};
use serde::{Deserialize, Deserializer, Serialize};

use crate::tail::{LONGEST_LINE, Line, Position, Tail, TailError};
use crate::tree::{Sampling, Tree, TreeError};
use crate::{Sources, record};

/// Alerts that a broadcaster keeps.
const RECENT_ALERTS: usize = 200;
/// Bytes of a file that are read for one body.
const READ: usize = 512 << 10;
/// Bytes that are read at once where nothing is published of each line.
const READ_PAST: usize = 16 << 20;

/// What a receiver has on disk, each line read once, and what it adds up to.
#[derive(Debug)]
pub(crate) struct Receiver {
    sources: Sources,
    index: Tail,
    alerts: Tail,
    tree: Tree,
    snapshot: Snapshot<'static>,
    recent_alerts: VecDeque<RecentAlert>,
    skipped: u64,
}

/// How far a receiver was read, and what that added up to: all that is needed to go on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    index: Position,
    alerts: Position,
    #[serde(deserialize_with = "owned")]
    snapshot: Snapshot<'static>,
    /// The newest of every key, oldest first.
    recent_alerts: VecDeque<RecentAlert>,
    /// Lines that were no episodes or alerts.
    skipped: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RecentAlert {
    key: String,
    event: String,
}

fn owned<'de, D: Deserializer<'de>>(snapshot: D) -> Result<Snapshot<'static>, D::Error> {
    Snapshot::deserialize(snapshot).map(Snapshot::into_owned)
}

/// Events of one body, a line each.
#[derive(Debug, Default)]
pub(crate) struct Lines(String);

impl Lines {
    fn push(&mut self, event: &Event<'_>) {
        self.add(&json(event));
    }

    fn add(&mut self, json: &str) {
        self.0 += json;
        self.0.push('\n');
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_body(self) -> bytes::Bytes {
        self.0.into()
    }
}

/// Episodes on disk by host, counted when the index was read so far.
pub(crate) struct HostCounts {
    index_offset: u64,
    counts: BTreeMap<Name<'static>, u64>,
}

impl Receiver {
    pub(crate) fn new(data_root: &Path, sources: Sources, progress: Progress) -> Self {
        let Progress { index, alerts, mut snapshot, recent_alerts, skipped } = progress;
        snapshot.index_offset = Some(index.bytes());
        Self {
            sources,
            index: Tail::new(data_root.join("index.jsonl"), index),
            alerts: Tail::new(data_root.join("alerts.jsonl"), alerts),
            tree: Tree::new(data_root, Sampling { seed: 0, size: 0 }),
            snapshot,
            recent_alerts,
            skipped,
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress {
            index: self.index.position().clone(),
            alerts: self.alerts.position().clone(),
            snapshot: self.snapshot.clone(),
            recent_alerts: self.recent_alerts.clone(),
            skipped: self.skipped,
        }
    }

    /// Reads everything that is there by now, as the past: [`state`](Self::state) says what it adds up to.
    pub(crate) fn read_past(&mut self) -> Result<(), TailError> {
        while self.read_index(READ_PAST, None)? {}
        while self.read_alerts(READ_PAST, None)? {}
        Ok(())
    }

    /// Reads what was appended, as much as goes into one body; whether there may be more.
    pub(crate) fn read(&mut self, lines: &mut Lines) -> Result<bool, TailError> {
        let Sources { index, alerts, .. } = self.sources;
        let before = (self.snapshot.total_alerts, self.snapshot.total_episodes);
        let more = self.read_index(READ, index.then_some(&mut *lines))?
            | self.read_alerts(READ, alerts.then_some(&mut *lines))?;
        let Snapshot { total_alerts, total_episodes, .. } = self.snapshot;
        // Episodes that are published are counted by who gets them. Nothing else says how many others there are.
        if total_alerts > before.0 || (!index && total_episodes > before.1) {
            self.totals(lines);
        }
        Ok(more)
    }

    /// Appends the totals.
    pub(crate) fn totals(&self, lines: &mut Lines) {
        if self.sources.snapshot {
            lines.push(&Event::Snapshot(self.snapshot.clone()));
        }
    }

    /// Appends the events that bring a broadcaster that has nothing to what is read so far.
    pub(crate) fn state(&self, lines: &mut Lines) {
        self.totals(lines);
        if self.sources.alerts {
            self.recent_alerts.iter().for_each(|alert| lines.add(&alert.event));
        }
    }

    /// Counts the hosts' episodes on disk.
    pub(crate) fn count_hosts(&mut self) -> Result<Option<HostCounts>, TreeError> {
        let index_offset = self.index.position().bytes();
        let is_there = self.tree.look()?;
        Ok(is_there.then(|| HostCounts { index_offset, counts: self.tree.counts() }))
    }

    /// Takes counts of the disk for those of the index: they differ by what was removed, or was there before the index
    /// began. Not if lines came since they were begun: whose files were counted is not known then. Whether anything changed.
    pub(crate) fn adopt(&mut self, HostCounts { index_offset, counts }: HostCounts) -> bool {
        let is_news = index_offset == self.index.position().bytes() && self.snapshot.host_counts != counts;
        if is_news {
            self.snapshot.host_counts = counts;
        }
        is_news
    }

    fn read_index(&mut self, most: usize, mut lines: Option<&mut Lines>) -> Result<bool, TailError> {
        let Self { index, snapshot, skipped, .. } = self;
        let path = index.path().to_owned();
        let more = index.read(most, |place, line| match parsed(line, |line| record::episode(place, line)) {
            Ok(Some(episode)) => {
                snapshot.fold(&episode);
                lines.iter_mut().for_each(|lines| lines.push(&Event::Episode(episode.clone())));
            }
            Ok(None) => {}
            Err(what) => skip(skipped, &path, place, &what),
        });
        snapshot.index_offset = Some(index.position().bytes());
        more
    }

    fn read_alerts(&mut self, most: usize, mut lines: Option<&mut Lines>) -> Result<bool, TailError> {
        let Self { alerts, snapshot, recent_alerts, skipped, .. } = self;
        let path = alerts.path().to_owned();
        alerts.read(most, |place, line| match parsed(line, record::alert) {
            Ok(Some(alert)) => {
                snapshot.total_alerts += 1;
                let key = alert.dedup_key.to_string();
                let event = Event::Alert(alert);
                lines.iter_mut().for_each(|lines| lines.push(&event));
                recent_alerts.retain(|other| other.key != key);
                recent_alerts.push_back(RecentAlert { key, event: json(&event) });
                recent_alerts.drain(..recent_alerts.len().saturating_sub(RECENT_ALERTS));
            }
            Ok(None) => {}
            Err(what) => skip(skipped, &path, place, &what),
        })
    }
}

/// What a line says.
fn parsed<'a, T>(line: Line<'a>, parse: impl FnOnce(&'a [u8]) -> Result<T, String>) -> Result<T, String> {
    match line {
        Line::Whole(line) => parse(line),
        Line::TooLong(bytes) => Err(format!("a line of {bytes} bytes; expected {LONGEST_LINE} at most")),
    }
}

fn skip(skipped: &mut u64, path: &Path, place: u64, what: &str) {
    *skipped += 1;
    tracing::warn!("{}, byte {place}: {what}; passed over ({skipped} so far)", path.display());
}

fn json(event: &Event<'_>) -> String {
    // Events are plain structs with string keys: they serialize.
    serde_json::to_string(event).unwrap_or_default()
}
