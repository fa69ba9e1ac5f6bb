use std::collections::VecDeque;
use std::path::Path;
use std::thread;
use std::time::Duration;

use events::{Event, Kind, Snapshot};
use serde::{Deserialize, Deserializer, Serialize};
use tail::{LONGEST_LINE, Line, PassedOver, Position, Tail, TailError};

use crate::past::Past;
use crate::tree::{Tree, TreeError};
use crate::{Sources, record};

/// Alerts that a broadcaster keeps.
const RECENT_ALERTS: usize = match Kind::Alert.retention() {
    Some(kept) => kept.total,
    None => 0,
};
/// Bytes of a file that are read for one body.
const READ: usize = 512 << 10;
/// How long a writer may go on writing to a file that was rotated.
const LATE: Duration = Duration::from_secs(2);

/// What a receiver has on disk, each line read once, and what it adds up to.
#[derive(Debug)]
pub(crate) struct Receiver {
    sources: Sources,
    index: Tail,
    alerts: Tail,
    tree: Tree,
    snapshot: Snapshot<'static>,
    recent_alerts: VecDeque<RecentAlert>,
    skipped: PassedOver,
    owes_totals: bool,
}

/// What came of reading both files: what keeps one does not keep the other.
pub(crate) struct Read {
    /// Whether there may be more.
    pub(crate) more: bool,
    pub(crate) error: Option<TailError>,
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

impl Receiver {
    pub(crate) fn new(data_root: &Path, sources: Sources, progress: Progress) -> Self {
        let Progress { index, alerts, mut snapshot, recent_alerts, skipped } = progress;
        snapshot.index_offset = Some(index.bytes());
        Self {
            sources,
            index: Tail::new(data_root.join("index.jsonl"), index, LATE),
            alerts: Tail::new(data_root.join("alerts.jsonl"), alerts, LATE),
            tree: Tree::new(data_root, None),
            snapshot,
            recent_alerts,
            skipped: PassedOver::new(skipped),
            owes_totals: false,
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress {
            index: self.index.position().clone(),
            alerts: self.alerts.position().clone(),
            snapshot: self.snapshot.clone(),
            recent_alerts: self.recent_alerts.clone(),
            skipped: self.skipped.lines(),
        }
    }

    /// Reads what is there by now, as the past: [`state`](Self::state) says what it adds up to. Whether there may be more.
    pub(crate) fn read_past(&mut self, most: usize) -> Read {
        let Self { index, snapshot, skipped, .. } = self;
        let path = index.path().to_owned();
        let index_read = thread::scope(|scope| {
            let mut past = Past::new(scope, &path, skipped);
            let read = index.read(most, |place, line| past.add(place, line));
            snapshot.merge(past.counted());
            read
        });
        self.snapshot.index_offset = Some(self.index.position().bytes());
        Read::of(index_read, self.read_alerts(most, None))
    }

    /// Reads what was appended, as much as goes into one body; whether there may be more.
    pub(crate) fn read(&mut self, lines: &mut Lines) -> Read {
        let Sources { index, alerts, .. } = self.sources;
        let before = (self.snapshot.total_alerts, self.snapshot.total_episodes);
        let index_read = self.read_index(READ, index.then_some(&mut *lines));
        let alerts_read = self.read_alerts(READ, alerts.then_some(&mut *lines));
        let Snapshot { total_alerts, total_episodes, .. } = self.snapshot;
        // Episodes that are published are counted by who gets them. Nothing else says how many others there are.
        self.owes_totals |= total_alerts > before.0 || (!index && total_episodes > before.1);
        // While lines are read again that a broadcaster has, it knows of more than is read by now.
        if self.owes_totals && !matches!(index_read, Ok(true)) {
            self.totals(lines);
            self.owes_totals = false;
        }
        Read::of(index_read, alerts_read)
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

    /// Counts the hosts' episodes on disk, and takes that for what the index says: they differ by what was removed, or
    /// was there before the index began. The index is read to its end by now. A host to which something came in the last
    /// seconds keeps its count, as the line of that may not be there yet. Whether anything changed.
    pub(crate) fn count_hosts(&mut self) -> Result<bool, TreeError> {
        let looked = self.tree.look();
        let before = self.snapshot.host_counts.clone();
        if let Some(hosts) = self.tree.hosts() {
            self.snapshot.host_counts.retain(|host, _| hosts.contains_key(host));
            for (host, listed) in hosts.iter().filter(|(_, listed)| listed.is_settled()) {
                match listed.tarballs() {
                    0 => self.snapshot.host_counts.remove(host),
                    tarballs => self.snapshot.host_counts.insert(host.clone(), tarballs),
                };
            }
        }
        looked.map(|()| self.snapshot.host_counts != before)
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
            Err(what) => skipped.add(&path, place, &what),
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
            Err(what) => skipped.add(&path, place, &what),
        })
    }
}

impl Read {
    fn of(index: Result<bool, TailError>, alerts: Result<bool, TailError>) -> Self {
        let more = matches!(index, Ok(true)) || matches!(alerts, Ok(true));
        Self { more, error: index.err().or(alerts.err()) }
    }
}

/// What a line says.
pub(crate) fn parsed<'a, T>(
    line: Line<'a>,
    parse: impl FnOnce(&'a [u8]) -> Result<T, String>,
) -> Result<T, String> {
    match line {
        Line::Whole(line) => parse(line),
        Line::TooLong(bytes) => Err(format!("a line of {bytes} bytes; expected {LONGEST_LINE} at most")),
    }
}

fn json(event: &Event<'_>) -> String {
    // Events are plain structs with string keys: they serialize.
    serde_json::to_string(event).unwrap_or_default()
}
