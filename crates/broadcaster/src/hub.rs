use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use events::{Batch, Item, Kind};
use tokio::sync::watch;

use crate::core::{self, Position, Step};
use crate::idempotency::{Answers, Clock};
use crate::ledger::{Ledger, Ledgers, locked};
use crate::metrics::{Metrics, Outcome};
use crate::replay::Replay;
use crate::series::Series;
use crate::snapshots::{Packed, Snapshots};
use crate::store::Unsaved;
use crate::sync::{Mutex, MutexGuard};
use crate::{Core, Cursor, Epoch, Filter, Frame, LogLimits, Receipt};

/// The hub: a cheap handle to the one [`Core`], to what wakes its readers, and to what must change
/// together with it.
#[derive(Debug, Clone)]
pub struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    epoch: Epoch,
    lost_to: u64,
    state: Mutex<State>,
    /// The newest seq; wakes readers.
    head: watch::Sender<u64>,
    /// What is on disk; wakes publishes that wait for it.
    disk: watch::Sender<Disk>,
    durability: Durability,
    readers: AtomicUsize,
    ledgers: Ledgers,
    metrics: Metrics,
}

/// When a publish is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// When it is applied. A crash of the process or of the machine loses the newest moment.
    #[default]
    Async,
    /// When it is on disk.
    Sync,
}

/// What is on disk.
#[derive(Debug, Default)]
struct Disk {
    /// Everything up to here.
    seq: u64,
    /// Published events are given seqs up to here: the state's room.
    room: u64,
    /// Why no publishes are taken.
    failure: Option<Arc<str>>,
}

/// A publish that was refused, or not acknowledged, for this reason: the state cannot be written.
#[derive(Debug)]
pub(crate) struct Unwritable(pub(crate) Arc<str>);

/// Events that are taken before what is on disk must have caught up with them.
const AHEAD: u64 = 1 << 20;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) core: Core,
    answers: Answers,
    pub(crate) snapshots: Snapshots,
    /// Published events are given seqs up to here.
    room: u64,
    /// The newest replays, while somebody may need them: of everything, and of what changed after some seq.
    replays: [Option<Arc<Replay>>; 2],
}

/// How a reader goes on.
pub(crate) enum Next {
    /// It is sent this; nothing if it has everything.
    Step(Step),
    /// It is sent what it lacks of this.
    Replay(Arc<Replay>),
}

/// What a producer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) receipt: Receipt,
    pub(crate) clients: usize,
}

/// A reader's place in the books, for as long as it is held.
#[derive(Debug)]
pub(crate) struct Present {
    hub: Arc<Shared>,
    number: u64,
    ledger: Arc<Mutex<Ledger>>,
}

impl Hub {
    /// An empty hub, in memory only.
    pub fn new(epoch: Epoch, limits: LogLimits) -> Self {
        let core = Core::new(epoch, limits, Kind::retention);
        Self::of(core, Answers::default(), Snapshots::default(), u64::MAX, Durability::Async)
    }

    /// A hub that takes publishes once what it holds is [`written`](Self::written).
    pub(crate) fn kept(core: Core, answers: Answers, snapshots: Snapshots, durability: Durability) -> Self {
        Self::of(core, answers, snapshots, 0, durability)
    }

    fn of(core: Core, answers: Answers, snapshots: Snapshots, room: u64, durability: Durability) -> Self {
        let (epoch, head) = (core.epoch().clone(), watch::Sender::new(core.seq()));
        let lost_to = core.lost_to();
        let state = Mutex::new(State { core, answers, snapshots, room, replays: [None, None] });
        Self(Arc::new(Shared {
            epoch,
            lost_to,
            state,
            head,
            // What is in memory only waits for no disk.
            disk: watch::Sender::new(Disk { seq: room, room, failure: None }),
            durability,
            readers: AtomicUsize::new(0),
            ledgers: Ledgers::default(),
            metrics: Metrics::default(),
        }))
    }

    /// The order's name.
    pub fn epoch(&self) -> &Epoch {
        &self.0.epoch
    }

    /// The last of the seqs whose events may have been lost in a crash; 0 if none were.
    pub(crate) fn lost_to(&self) -> u64 {
        self.0.lost_to
    }

    /// The state, locked. Held for moments only: never across an await or a write.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock; if something did, the state might be half
        // changed: to serve that would be worse than to end, and what is on disk is whole.
        self.0.state.lock().unwrap_or_else(|_| {
            tracing::error!("the hub's state is half changed by a panic: the process ends");
            std::process::abort()
        })
    }

    /// Applies a batch once: a repeat of `key` is answered as before and changes nothing. The answer may be given when
    /// it is [`acknowledged`](Self::acknowledged).
    pub(crate) async fn publish(
        &self,
        batch: &Batch<'_>,
        key: Option<&str>,
        now: Instant,
    ) -> Result<(Answer, Outcome), Unwritable> {
        let count = |outcome| {
            self.0.metrics.events(outcome, batch.items.iter().map(|item| item.event.kind()));
        };
        self.apply(batch.items.len(), key, now, |state| state.core.apply(batch), count).await
    }

    /// Keeps packed columns and publishes the event that names them, once: see [`publish`](Self::publish).
    pub(crate) async fn publish_columns(
        &self,
        packed: Packed,
        item: Item<'_>,
        key: Option<&str>,
        now: Instant,
    ) -> Result<(Answer, Outcome), Unwritable> {
        let kind = item.event.kind();
        let apply = |state: &mut State| {
            state.snapshots.keep(packed);
            state.core.apply(&Batch { items: vec![item] })
        };
        self.apply(1, key, now, apply, |outcome| self.0.metrics.events(outcome, [kind].into_iter())).await
    }

    async fn apply(
        &self,
        events: usize,
        key: Option<&str>,
        now: Instant,
        apply: impl FnOnce(&mut State) -> Receipt,
        count: impl Fn(Outcome),
    ) -> Result<(Answer, Outcome), Unwritable> {
        let (answer, outcome, head) = loop {
            let last = {
                let state = &mut *self.state();
                if let Some(answer) = key.and_then(|key| state.answers.get(key, now)) {
                    break (answer, Outcome::Repeated, state.core.seq());
                }
                let last = state.core.seq() + events as u64;
                if last <= state.room {
                    let answer = Answer { receipt: apply(state), clients: self.clients() };
                    if let Some(key) = key {
                        state.answers.put(key, answer.clone(), now);
                    }
                    break (answer, Outcome::Applied, state.core.seq());
                }
                last
            };
            self.room_for(last).await.inspect_err(|_| count(Outcome::Refused))?;
        };
        // Here, as who asked may be gone before it is on disk.
        count(outcome);
        // Another publish may have been announced in between: the head only rises.
        self.0.head.send_if_modified(|seen| {
            let risen = head > *seen;
            *seen = head.max(*seen);
            risen
        });
        Ok((answer, outcome))
    }

    /// Waits until an answer for events up to `seq` may be given: at once, or when they are on disk.
    pub(crate) async fn acknowledged(&self, seq: u64) -> Result<(), Unwritable> {
        if self.0.durability == Durability::Async {
            return Ok(());
        }
        let mut disk = self.0.disk.subscribe();
        let disk = disk.wait_for(|disk| disk.seq >= seq || disk.failure.is_some()).await;
        // The sender lives as long as this hub.
        match disk.ok().and_then(|disk| disk.failure.clone().filter(|_| disk.seq < seq)) {
            Some(failure) => Err(Unwritable(failure)),
            None => Ok(()),
        }
    }

    /// Waits until what is on disk has caught up so far that events up to `last` may be taken.
    async fn room_for(&self, last: u64) -> Result<(), Unwritable> {
        let mut disk = self.0.disk.subscribe();
        let disk = disk.wait_for(|disk| disk.room >= last || disk.failure.is_some()).await;
        match disk.ok().and_then(|disk| disk.failure.clone()) {
            Some(failure) => Err(Unwritable(failure)),
            None => Ok(()),
        }
    }

    /// Takes what is to be written now.
    pub(crate) fn changes(&self, clock: Clock) -> Unsaved {
        let State { core, answers, snapshots, .. } = &mut *self.state();
        let (answers, forgotten) = answers.changes(clock);
        Unsaved { changes: core.changes(), answers, forgotten, packed: snapshots.changes() }
    }

    /// Takes publishes, as everything up to `seq` is on disk.
    pub(crate) fn written(&self, seq: u64) {
        let (mut state, room) = (self.state(), seq + AHEAD);
        state.room = room;
        self.0.disk.send_replace(Disk { seq, room, failure: None });
    }

    /// Takes no publishes, as nothing can be written.
    pub(crate) fn refuse(&self, failure: &str) {
        let mut state = self.state();
        state.room = 0;
        self.0.disk.send_modify(|disk| (disk.room, disk.failure) = (0, Some(failure.into())));
    }

    /// Why no publishes are taken, if none are.
    pub(crate) fn failure(&self) -> Option<Arc<str>> {
        self.0.disk.borrow().failure.clone()
    }

    /// Of the events up to `seq`, how many are not on disk yet; 0 if none ever are.
    pub(crate) fn unwritten(&self, seq: u64) -> u64 {
        seq.saturating_sub(self.0.disk.borrow().seq)
    }

    /// When a publish is acknowledged.
    pub(crate) fn durability(&self) -> Durability {
        self.0.durability
    }

    /// Brings back series: see [`Core::recall`].
    pub(crate) fn recall(&self, series: Vec<Series>) {
        let head = {
            let core = &mut self.state().core;
            core.recall(series);
            core.seq()
        };
        self.0.head.send_replace(head);
    }

    /// Lets a reader in.
    pub(crate) fn join(&self, cursor: Option<&Cursor>) -> (Frame, Position) {
        self.state().core.join(cursor)
    }

    /// How a reader goes on: see [`Core::next`]. Readers that need a replay at about the same time share it.
    pub(crate) fn next(&self, position: Position, filter: Filter, budget: usize) -> Next {
        let State { core, replays, .. } = &mut *self.state();
        let replay = &mut replays[usize::from(position.is_behind())];
        let shared = replay.as_ref().filter(|replay| replay.serves(position, core));
        if let Some(shared) = shared {
            return Next::Replay(shared.clone());
        }
        match core.next(position, filter, budget) {
            core::Next::Step(step) => Next::Step(step),
            core::Next::Replay(taken) => Next::Replay(replay.insert(Arc::new(taken)).clone()),
        }
    }

    /// Gives up the newest replays if nobody is on them.
    pub(crate) fn tidy(&self) {
        for replay in &mut self.state().replays {
            replay.take_if(|replay| Arc::strong_count(replay) == 1);
        }
    }

    /// Packed columns by id.
    pub(crate) fn snapshot(&self, id: &str) -> Option<Arc<Packed>> {
        self.state().snapshots.get(id)
    }

    /// The newest event's seq; 0 before the first.
    pub fn head_seq(&self) -> u64 {
        self.state().core.seq()
    }

    /// The newest seq, and its changes.
    pub(crate) fn head(&self) -> watch::Receiver<u64> {
        self.0.head.subscribe()
    }

    /// Pages that are connected now.
    pub fn clients(&self) -> usize {
        self.0.readers.load(Ordering::Relaxed)
    }

    pub(crate) fn enter(&self) -> Present {
        self.0.readers.fetch_add(1, Ordering::Relaxed);
        let (number, ledger) = self.0.ledgers.open();
        Present { hub: self.0.clone(), number, ledger }
    }

    pub(crate) fn ledgers(&self) -> &Ledgers {
        &self.0.ledgers
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// All sticky events as JSON objects with their seqs, in seq order, and the seq they are of.
    pub fn sticky(&self, filter: Filter) -> (Cursor, Vec<Bytes>) {
        let state = &mut *self.state();
        let cursor = Cursor { epoch: state.core.epoch().clone(), seq: state.core.seq(), partial: None };
        let frames = state.core.state(filter);
        let json = |frame: &Frame| frame.websocket().slice_ref(frame.json());
        (cursor, frames.iter().map(json).collect())
    }
}

impl Present {
    /// Writes into its ledger: see [`Ledger::enter`].
    pub(crate) fn enter(&self, from: Position, to: Position, events: u64, filter: Filter) {
        locked(&self.ledger).enter(from, to, events, filter);
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.hub.readers.fetch_sub(1, Ordering::Relaxed);
        self.hub.ledgers.close(self.number);
    }
}
