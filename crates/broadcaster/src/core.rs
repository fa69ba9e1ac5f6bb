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

/// What a reader is sent next, and where it is then.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// What is sent, in order.
    pub frames: Vec<Frame>,
    /// The seq up to which the reader then has everything.
    pub position: u64,
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

    /// Lets a reader in: what it is missing, and the position to go live from, taken together.
    pub fn join(&mut self, cursor: Option<&Cursor>, filter: Filter) -> Step {
        let resumed = cursor
            .filter(|cursor| cursor.epoch == self.epoch && cursor.seq <= self.seq)
            .filter(|cursor| self.sticky.reaches(cursor.seq));
        let hello = Session::Hello {
            epoch: self.epoch.as_str(),
            seq: self.seq,
            resumed: resumed.is_some(),
            protocol: PROTOCOL,
        };
        let mut frames = vec![Frame::session(&hello)];
        frames.extend(self.changed_since(resumed.map_or(0, |cursor| cursor.seq), filter));
        frames.push(Frame::session(&Session::Ready { seq: self.seq }).at(self.seq));
        Step { frames, position: self.seq }
    }

    /// What a reader at `position` is sent next: live events while the log has them, about `budget`
    /// bytes at most; otherwise `skipped` and the state that changed since.
    pub fn read(&mut self, position: u64, filter: Filter, budget: usize) -> Step {
        if let Some(log) = self.log.after(position) {
            let mut step = Step { frames: Vec::new(), position };
            let mut bytes = 0;
            for frame in log {
                if bytes >= budget {
                    break;
                }
                step.position += 1;
                if filter.passes(frame) {
                    bytes += frame.websocket().len();
                    step.frames.push(frame.clone());
                }
            }
            return step;
        }
        let reset = !self.sticky.reaches(position);
        let skipped = Session::Skipped { from: position, to: self.seq, reset };
        let mut frames = vec![Frame::session(&skipped)];
        frames.extend(self.changed_since(if reset { 0 } else { position }, filter));
        frames.push(Frame::session(&Session::Ready { seq: self.seq }).at(self.seq));
        Step { frames, position: self.seq }
    }

    /// The sticky frames changed after `seq`, in seq order, each place once, at its latest.
    pub fn changed_since(&mut self, seq: u64, filter: Filter) -> Vec<Frame> {
        let fleet = &mut self.fleet;
        let frames = self.sticky.changed_since(seq).map(|kept| match kept {
            Kept::Frame(frame) => frame.clone(),
            Kept::Folded { kind, seq } => fleet.frame(kind, seq),
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
