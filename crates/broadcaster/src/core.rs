use events::{Batch, Event, Item, Key, Kind, PROTOCOL, Place, Retention, Session, Snapshot};

use crate::log::Log;
pub use crate::log::LogLimits;
use crate::sticky::{Evicted, Kept, Sticky};
use crate::{Cursor, Epoch, Filter, Frame};

/// The hub's state machine: one order, one log, versioned sticky state, one join. No sockets, no
/// tasks, no clock.
#[derive(Debug)]
pub struct Core {
    epoch: Epoch,
    /// The newest event; 0 before the first.
    seq: u64,
    log: Log,
    sticky: Sticky,
    fleet: Fleet,
}

/// The snapshot that episodes are folded into, and its frame once somebody asked for it.
#[derive(Debug, Default)]
struct Fleet {
    snapshot: Snapshot<'static>,
    frame: Option<Frame>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Seq of the batch's last event.
    pub seq: u64,
    /// How many events it had; their seqs are consecutive.
    pub accepted: usize,
}

/// How far a reader is, and how it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// It has everything up to here.
    pub seq: u64,
    /// `None`: it follows the log. Otherwise it is brought to the state first, and what was dropped up to
    /// this seq is none of its business: it knows, or never had it.
    pub(crate) replay: Option<u64>,
}

impl Position {
    /// Whether the reader has got the state, and with it everything up to its seq.
    pub fn is_live(&self) -> bool {
        self.replay.is_none()
    }
}

/// What a reader is sent next, and where it is then.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// What is sent, in order.
    pub frames: Vec<Frame>,
    /// Where the reader then is.
    pub position: Position,
}

impl Core {
    /// An empty state: the first event is seq 1 of `epoch`. `retention` is [`Kind::retention`],
    /// unless smaller caps are to be met sooner.
    pub fn new(epoch: Epoch, limits: LogLimits, retention: fn(Kind) -> Option<Retention>) -> Self {
        let (log, sticky) = (Log::new(limits, 1), Sticky::new(retention));
        Self { epoch, seq: 0, log, sticky, fleet: Fleet::default() }
    }

    /// The order's name.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The newest event; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Sticky entries of a type.
    pub fn count(&self, kind: Kind) -> usize {
        self.sticky.count(kind)
    }

    /// Frames in the log, and their bytes.
    pub fn log_span(&self) -> (usize, usize) {
        self.log.span()
    }

    /// The totals that episodes are folded into.
    pub fn fleet(&self) -> &Snapshot<'static> {
        &self.fleet.snapshot
    }

    /// Applies a batch: all of it, in order, with consecutive seqs.
    pub fn apply(&mut self, batch: &Batch<'_>) -> Receipt {
        for item in &batch.items {
            self.apply_one(item);
        }
        let receipt = Receipt { seq: self.seq, accepted: batch.items.len() };
        let mut kinds: Vec<Kind> = batch.items.iter().map(|item| item.event.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            let emptied = kind.empties().map_or(vec![], |other| self.sticky.empty(other));
            for evicted in emptied.into_iter().chain(self.sticky.evict(kind)) {
                self.announce(evicted);
            }
        }
        receipt
    }

    fn apply_one(&mut self, Item { event, json }: &Item<'_>) {
        self.seq += 1;
        let frame = Frame::event(self.seq, event.kind(), json);
        self.log.push(frame.clone());
        match event {
            Event::Episode(episode) => {
                if self.fleet.snapshot.fold(episode) {
                    self.fleet.frame = None;
                    let whole = Place { group: Key::Whole, item: Some(Key::Whole) };
                    self.sticky.put(self.seq, Kind::Snapshot, whole, None);
                }
            }
            Event::Snapshot(snapshot) => {
                self.fleet = Fleet { snapshot: snapshot.clone().into_owned(), frame: None };
                self.sticky.put(self.seq, Kind::Snapshot, event.place(), Some(frame));
            }
            event => self.sticky.put(self.seq, event.kind(), event.place(), Some(frame)),
        }
    }

    /// Gives an eviction its place in the order.
    fn announce(&mut self, evicted: Evicted) {
        self.seq += 1;
        let message = Session::Evicted { seq: self.seq, of: evicted.of, group: &evicted.group };
        let frame = Frame::about(self.seq, evicted.of, &message);
        self.log.push(frame.clone());
        self.sticky.mark(self.seq, evicted, frame);
    }

    /// Lets a reader in: its `hello`, and where it is.
    pub fn join(&self, cursor: Option<&Cursor>) -> (Frame, Position) {
        let resumed = cursor
            .filter(|cursor| cursor.epoch == self.epoch && cursor.seq <= self.seq)
            .filter(|cursor| self.sticky.remembers(cursor.seq));
        let hello = Session::Hello {
            epoch: self.epoch.as_str(),
            seq: self.seq,
            resumed: resumed.is_some(),
            protocol: PROTOCOL,
        };
        let position = match resumed {
            Some(cursor) => Position { seq: cursor.seq, replay: Some(cursor.seq) },
            None => self.nowhere(),
        };
        (Frame::session(&hello), position)
    }

    /// A reader that has nothing: what was dropped until now it never had.
    fn nowhere(&self) -> Position {
        Position { seq: 0, replay: Some(self.seq) }
    }

    /// What a reader is sent next, about `budget` bytes at most; nothing if it has everything.
    ///
    /// Sticky entries are in the order of their seqs. So a reader that is brought to the state needs no list
    /// of what it lacks: it lacks what is after its own seq, and what changes while it is on its way moves
    /// behind it. It is `ready` where nothing is left, and follows the log from there; should the log no
    /// longer reach back to it, it is brought to the state again.
    pub fn next(&mut self, position: Position, filter: Filter, budget: usize) -> Step {
        match position.replay {
            None => self.follow(position, filter, budget),
            // What was dropped since the reader set out may be forgotten by now.
            Some(since) if !self.sticky.remembers(position.seq.max(since)) => self.skip(position),
            Some(since) => self.replay(position.seq, since, filter, budget),
        }
    }

    fn follow(&self, mut position: Position, filter: Filter, budget: usize) -> Step {
        let Some(log) = self.log.after(position.seq) else { return self.skip(position) };
        let (mut frames, mut bytes) = (Vec::new(), 0);
        for frame in log {
            if bytes >= budget {
                break;
            }
            position.seq += 1;
            if filter.passes(frame) {
                bytes += frame.websocket().len();
                frames.push(frame.clone());
            }
        }
        Step { frames, position }
    }

    /// Sends a reader forward to the state.
    fn skip(&self, Position { seq, .. }: Position) -> Step {
        let reset = !self.sticky.remembers(seq);
        let skipped = Session::Skipped { from: seq, to: self.seq, reset };
        let position = if reset { self.nowhere() } else { Position { seq, replay: Some(seq) } };
        Step { frames: vec![Frame::session(&skipped)], position }
    }

    fn replay(&mut self, mut seq: u64, since: u64, filter: Filter, budget: usize) -> Step {
        let (mut frames, mut bytes) = (Vec::new(), 0);
        let fleet = &mut self.fleet;
        for (of_entry, kept) in self.sticky.changed_since(seq, since) {
            if bytes >= budget {
                return Step { frames, position: Position { seq, replay: Some(since) } };
            }
            seq = of_entry;
            let frame = match kept {
                Kept::Frame(frame) if filter.passes(frame) => frame.clone(),
                Kept::Folded(kind) if filter.wants(kind) => fleet.frame(kind, seq),
                Kept::Frame(_) | Kept::Folded(_) => continue,
            };
            bytes += frame.websocket().len();
            frames.push(frame);
        }
        frames.push(Frame::session(&Session::Ready { seq: self.seq }).at(self.seq));
        Step { frames, position: Position { seq: self.seq, replay: None } }
    }

    /// The sticky events as frames, in seq order.
    pub fn state(&mut self, filter: Filter) -> Vec<Frame> {
        let fleet = &mut self.fleet;
        let frames = self.sticky.changed_since(0, self.seq).map(|(seq, kept)| match kept {
            Kept::Frame(frame) => frame.clone(),
            Kept::Folded(kind) => fleet.frame(kind, seq),
        });
        frames.filter(|frame| filter.passes(frame)).collect()
    }
}

impl Fleet {
    fn frame(&mut self, kind: Kind, seq: u64) -> Frame {
        let render = || {
            // A snapshot is a plain struct with string keys: it serializes.
            let json = serde_json::to_string(&Event::Snapshot(self.snapshot.clone())).unwrap_or_default();
            Frame::event(seq, kind, &json)
        };
        self.frame.get_or_insert_with(render).clone()
    }
}
