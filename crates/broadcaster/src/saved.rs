use bytes::Bytes;
use events::{Format, Kind, Retention, decode};
use serde::Deserialize;

use crate::{Core, Epoch, LogLimits};

/// The state as it outlives the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The order's name.
    pub epoch: Epoch,
    /// The newest event that it holds.
    pub seq: u64,
    /// No event was given a seq above this one. If it is `seq`, none is missing.
    pub reserved: u64,
    /// Ranges of seqs, first and last, whose events are missing.
    pub lost: Vec<(u64, u64)>,
    /// Evictions up to here are forgotten.
    pub floor: u64,
    /// The entries as they are sent, in the order of their seqs.
    pub entries: Vec<(u64, Bytes)>,
}

/// What changed in the state since it was asked for the last time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The newest event.
    pub seq: u64,
    /// Evictions up to here are forgotten.
    pub floor: u64,
    /// Entries as they are sent, in the order of their seqs, which are above those of all before.
    pub put: Vec<(u64, Bytes)>,
    /// Seqs of earlier entries that are no more, whether they were written or not.
    pub gone: Vec<u64>,
}

impl Changes {
    /// Adds what changed after these.
    pub fn then(&mut self, later: Self) {
        let Self { seq, floor, put, mut gone } = later;
        gone.sort_unstable();
        self.put.retain(|(seq, _)| gone.binary_search(seq).is_err());
        // Those as well: a write that failed may be on disk all the same.
        self.gone.extend(gone);
        self.put.extend(put);
        (self.seq, self.floor) = (seq, floor);
    }
}

/// A saved entry that this version does not understand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {what}")]
pub struct RestoreError {
    /// The entry.
    pub seq: u64,
    /// What is wrong with it.
    pub what: String,
}

/// How many ranges of lost seqs are told apart; with more, what is between the oldest counts as lost, too.
const LOST: usize = 64;

impl Core {
    /// The state that was saved, to go on with.
    ///
    /// Where events may be missing, their seqs are passed over, and one more: so no cursor of before is at the
    /// head, and one that somebody got with a missing event is known by its seq.
    pub fn restore(
        saved: &Saved,
        limits: LogLimits,
        retention: fn(Kind) -> Option<Retention>,
    ) -> Result<Self, RestoreError> {
        let Saved { epoch, seq: head, reserved, lost, floor, entries } = saved;
        let mut lost = lost.clone();
        let whole = reserved <= head;
        if !whole {
            lost.push((head + 1, *reserved));
        }
        if lost.len() > LOST {
            let (first, _) = lost.remove(0);
            lost[0].0 = first;
        }
        let mut core =
            Self::at(epoch.clone(), if whole { *head } else { reserved + 1 }, lost, limits, retention);
        for (seq, json) in entries {
            let wrong = |what| RestoreError { seq: *seq, what };
            let json = std::str::from_utf8(json).map_err(|error| wrong(error.to_string()))?;
            // What an event is sent with comes before what it was published with.
            match json.strip_prefix(&format!("{{\"seq\":{seq},")) {
                Some(fields) => {
                    let json = format!("{{{fields}");
                    let batch =
                        decode(Format::Json, json.as_bytes(), 1).map_err(|error| wrong(error.to_string()))?;
                    batch.items.iter().for_each(|item| core.keep_again(*seq, item));
                }
                None => {
                    let Evicted { of, group } =
                        serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
                    core.mark_again(*seq, of, group);
                }
            }
        }
        core.note_changes(*floor);
        Ok(core)
    }
}

/// What is read back of an eviction.
#[derive(Deserialize)]
struct Evicted {
    of: Kind,
    group: Vec<String>,
}
