use bytes::BytesMut;
use events::{Batch, Event, Item, Key, Kind, Name, PROTOCOL, Place, Retention, Session, Snapshot};

use crate::folded::{Fleet, Folded};
use crate::log::Log;
pub use crate::log::LogLimits;
use crate::replay::Replay;
use crate::saved::Changes;
use crate::series::{AllSeries, Series};
pub use crate::sticky::Size;
use crate::sticky::{Content, Evicted, Sticky};
use crate::{Cursor, Epoch, Filter, Frame};

/// The hub's state machine: one order, one log, versioned sticky state, one join. No sockets, no
/// tasks, no clock.
#[derive(Debug)]
pub struct Core {
    epoch: Epoch,
    /// The newest event; 0 before the first.
    seq: u64,
    log: Log,
    /// Where the next frames of the log go.
    block: BytesMut,
    sticky: Sticky,
    folded: Folded,
    /// Ranges of seqs, first and last, that were given to events which a crash lost: a reader that is there
    /// has something that the state has not.
    lost: Vec<(u64, u64)>,
}

/// Bytes of frames that are allocated at once.
const BLOCK: usize = 64 << 10;

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
    pub(crate) way: Way,
}

/// How a reader goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// Along the log.
    Live,
    /// By a replay. It had nothing before, so it is not told what was dropped.
    New,
    /// By a replay of what changed after its seq.
    Behind,
    /// It was on the way to the state: of what changed again after its seq it may have nothing, or some.
    Partial,
}

impl Position {
    /// A reader that has nothing.
    const NOWHERE: Self = Self { seq: 0, way: Way::New };

    /// Whether the reader has got the state, and with it everything up to its seq.
    pub fn is_live(&self) -> bool {
        self.way == Way::Live
    }

    /// Whether the reader has all of what there was at its seq.
    pub(crate) fn is_behind(&self) -> bool {
        self.way == Way::Behind
    }

    /// Where a reader is whose replay is given up: it has some of it.
    #[must_use]
    pub fn without_replay(self) -> Self {
        match self.way {
            Way::Live => self,
            Way::New if self.seq == 0 => self,
            Way::New | Way::Behind | Way::Partial => Self { way: Way::Partial, ..self },
        }
    }
}

/// How a reader goes on from a position.
#[derive(Debug)]
pub enum Next {
    /// It is sent this; nothing if it has everything.
    Step(Step),
    /// It is sent what it lacks of this, step by step.
    Replay(Replay),
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
        Self::at(epoch, 0, vec![], limits, retention)
    }

    /// An empty state whose next event is the one after `seq`.
    pub(crate) fn at(
        epoch: Epoch,
        seq: u64,
        lost: Vec<(u64, u64)>,
        limits: LogLimits,
        retention: fn(Kind) -> Option<Retention>,
    ) -> Self {
        let (log, block) = (Log::new(limits, seq + 1), BytesMut::with_capacity(BLOCK));
        let sticky = Sticky::new(retention, seq);
        let folded = Folded { fleet: Fleet::default(), series: AllSeries::new(retention) };
        Self { epoch, seq, log, block, sticky, folded, lost }
    }

    /// The order's name.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The newest event; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// What is kept of a type.
    pub fn size(&self, kind: Kind) -> Size {
        let Size { entries, bytes } = self.sticky.size(kind);
        let folded = match kind {
            Kind::Snapshot => self.folded.fleet.frame.as_ref().map_or(0, |frame| frame.websocket().len()),
            Kind::MetricPoints => self.folded.series.bytes(),
            _ => 0,
        };
        Size { entries, bytes: bytes + folded }
    }

    /// Frames in the log, and their bytes.
    pub fn log_span(&self) -> (usize, usize) {
        self.log.span()
    }

    /// The totals that episodes are folded into.
    pub fn fleet(&self) -> &Snapshot<'static> {
        &self.folded.fleet.snapshot
    }

    /// The series of training runs.
    pub(crate) fn series(&self) -> &AllSeries {
        &self.folded.series
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
        self.sticky.settle(self.log.first() - 1);
        receipt
    }

    fn apply_one(&mut self, Item { event, json }: &Item<'_>) {
        self.seq += 1;
        // What is large would leave the rest of a block empty.
        let frame = match json.len() > BLOCK / 8 {
            true => Frame::event(self.seq, event.kind(), json.as_bytes()),
            false => Frame::event_in(&mut self.block, self.seq, event.kind(), json.as_bytes()),
        };
        self.log.push(frame.clone());
        match event {
            Event::Episode(episode) => {
                let fleet = &mut self.folded.fleet;
                if fleet.snapshot.fold(episode) {
                    fleet.frame = None;
                    let whole = Place { group: Key::Whole, item: Some(Key::Whole) };
                    self.sticky.put(self.seq, Kind::Snapshot, whole, Content::Folded(0));
                }
            }
            Event::MetricPoints(points) => {
                if let Some(series) = self.folded.series.fold(self.seq, points) {
                    self.sticky.put(self.seq, Kind::MetricPoints, event.place(), Content::Folded(series));
                }
            }
            event => self.keep(event, frame),
        }
    }

    fn keep(&mut self, event: &Event<'_>, frame: Frame) {
        if let Event::Snapshot(snapshot) = event {
            self.folded.fleet = Fleet { snapshot: snapshot.clone().into_owned(), frame: None };
        }
        let seq = frame.seq().unwrap_or(self.seq);
        self.sticky.put(seq, event.kind(), event.place(), Content::Frame(frame));
    }

    /// Keeps an event again that was kept at `seq` in an earlier life.
    pub(crate) fn keep_again(&mut self, seq: u64, Item { event, json }: &Item<'_>) {
        self.keep(event, Frame::event(seq, event.kind(), json.as_bytes()));
    }

    /// Drops all series, so that readers drop them as well: what there is comes anew.
    pub fn forget_series(&mut self) {
        self.sticky.empty(Kind::MetricPoints);
        self.folded.series.clear();
        self.announce(Evicted::again(Kind::MetricPoints, vec![]));
    }

    /// Brings back series that are kept elsewhere, before anybody reads: nothing of it is in the log.
    pub(crate) fn recall(&mut self, all: Vec<Series>) {
        self.forget_series();
        for series in all {
            self.seq += 1;
            let [run_id, metric] = series.names().map(Name::clone);
            let number = self.folded.series.put(self.seq, series);
            let place = Place { group: Key::Names(&run_id, &metric), item: Some(Key::Whole) };
            self.sticky.put(self.seq, Kind::MetricPoints, place, Content::Folded(number));
        }
        self.log.restart(self.seq + 1);
        for evicted in self.sticky.evict(Kind::MetricPoints) {
            self.announce(evicted);
        }
    }

    /// Remembers an eviction again.
    pub(crate) fn mark_again(&mut self, seq: u64, of: Kind, group: Vec<String>) {
        self.mark(seq, Evicted::again(of, group));
    }

    /// From here on it is noted what changes against what is saved.
    pub(crate) fn note_changes(&mut self, floor: u64) {
        self.sticky.note_changes(self.seq, floor);
    }

    /// What changed since it was noted, or asked for, the last time.
    pub fn changes(&mut self) -> Changes {
        let (since, gone) = self.sticky.changes(self.seq);
        let folded = &mut self.folded;
        // Points of runs are kept by another store.
        let kept = self.sticky.changed_since(since).filter(|(_, kind, _)| *kind != Kind::MetricPoints);
        let put = kept.map(|(seq, kind, content)| {
            let frame = folded.frame(seq, kind, content, 0);
            (seq, frame.websocket().slice_ref(frame.json()))
        });
        Changes { seq: self.seq, floor: self.sticky.floor(), put: put.collect(), gone }
    }

    /// The last of the seqs whose events may have been lost in a crash; 0 if none were.
    pub fn lost_to(&self) -> u64 {
        self.lost.last().map_or(0, |(_, last)| *last)
    }

    /// Ranges of seqs, first and last, whose events are missing.
    pub fn lost(&self) -> &[(u64, u64)] {
        &self.lost
    }

    /// Gives an eviction its place in the order.
    fn announce(&mut self, evicted: Evicted) {
        self.seq += 1;
        if evicted.of == Kind::MetricPoints {
            self.folded.series.remove(&evicted.group);
        }
        let frame = self.mark(self.seq, evicted);
        self.log.push(frame);
    }

    fn mark(&mut self, seq: u64, evicted: Evicted) -> Frame {
        let message = Session::Evicted { seq, of: evicted.of, group: &evicted.group };
        let frame = Frame::evicted(seq, evicted.of, &message);
        self.sticky.mark(seq, evicted, frame.clone());
        frame
    }

    /// Lets a reader in: its `hello`, and where it is.
    pub fn join(&self, cursor: Option<&Cursor>) -> (Frame, Position) {
        let resumed = cursor
            .filter(|cursor| cursor.epoch == self.epoch && cursor.seq <= self.seq)
            .filter(|cursor| !self.is_lost(cursor))
            .filter(|cursor| self.sticky.remembers(cursor.seq));
        let hello = Session::Hello {
            epoch: self.epoch.as_str(),
            seq: self.seq,
            lost_to: self.lost_to(),
            resumed: resumed.is_some(),
            protocol: PROTOCOL,
        };
        let behind = |cursor: &Cursor| {
            let way = if cursor.partial.is_some() { Way::Partial } else { Way::Behind };
            Position { seq: cursor.seq, way }
        };
        (Frame::session(&hello), resumed.map_or(Position::NOWHERE, behind))
    }

    /// Whether a reader may have something that is not in this order.
    fn is_lost(&self, Cursor { seq, partial, .. }: &Cursor) -> bool {
        partial.is_some_and(|lost_to| lost_to != self.lost_to())
            || self.lost.iter().any(|(first, last)| (first..=last).contains(&seq))
    }

    /// How a reader goes on, about `budget` bytes at most at a time.
    ///
    /// One that is not live is brought to the state by a replay, is `ready` at its end, and follows the log
    /// from there. One that the log no longer reaches back to is behind: it is told, and gets a replay again.
    pub fn next(&mut self, position: Position, filter: Filter, budget: usize) -> Next {
        match position.way {
            Way::Live => Next::Step(self.follow(position, filter, budget)),
            // What it would have to drop is forgotten by now.
            Way::Behind | Way::Partial if !self.sticky.remembers(position.seq) => {
                Next::Step(self.skip(position))
            }
            Way::Behind => Next::Replay(self.replay(position.seq)),
            Way::New | Way::Partial => Next::Replay(self.replay(0)),
        }
    }

    /// Whether a replay of so many entries that was taken at `seq` still does: the log goes on from there, and
    /// what it has since is little against it.
    pub(crate) fn goes_on_from(&self, seq: u64, entries: usize) -> bool {
        self.seq - seq <= entries as u64 / 8 && self.log.after(seq).is_some()
    }

    /// Whether what was dropped after `seq` is known.
    pub(crate) fn remembers(&self, seq: u64) -> bool {
        self.sticky.remembers(seq)
    }

    /// The state of this moment, as far as it changed after `seq`.
    fn replay(&mut self, seq: u64) -> Replay {
        let ready = Frame::session(&Session::Ready { seq: self.seq }).at(self.seq);
        let (since, folded) = (seq, &mut self.folded);
        let kept = self.sticky.changed_since(since);
        let frames = kept.map(|(seq, kind, content)| folded.frame(seq, kind, content, since));
        Replay::new(since, self.seq, frames.collect(), ready)
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
        let position = if reset { Position::NOWHERE } else { Position { seq, way: Way::Behind } };
        Step { frames: vec![Frame::session(&skipped)], position }
    }

    /// The sticky events as frames, in seq order.
    pub fn state(&mut self, filter: Filter) -> Vec<Frame> {
        let folded = &mut self.folded;
        let kept = self.sticky.changed_since(0).filter(|(_, kind, _)| filter.wants(*kind));
        let frames = kept.map(|(seq, kind, content)| folded.frame(seq, kind, content, 0));
        frames.filter(|frame| !frame.evicts()).collect()
    }
}
