use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use bytes::Bytes;
use events::{Batch, Item, Kind};
use tokio::sync::watch;

use crate::core::{self, Position, Step};
use crate::idempotency::Answers;
use crate::replay::Replay;
use crate::snapshots::{Packed, Snapshots};
use crate::{Core, Cursor, Epoch, Filter, Frame, LogLimits, Receipt};

/// The hub: a cheap handle to the one [`Core`], to what wakes its readers, and to what must change
/// together with it.
#[derive(Debug, Clone)]
pub struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    epoch: Epoch,
    state: Mutex<State>,
    /// The newest seq; wakes readers.
    head: watch::Sender<u64>,
    readers: AtomicUsize,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) core: Core,
    answers: Answers,
    snapshots: Snapshots,
    /// The newest replay, while somebody may need it.
    replay: Option<Arc<Replay>>,
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

/// Counts a connection for as long as it is held.
#[derive(Debug)]
pub(crate) struct Present(Arc<Shared>);

impl Hub {
    /// An empty hub.
    pub fn new(epoch: Epoch, limits: LogLimits) -> Self {
        let state = State {
            core: Core::new(epoch.clone(), limits, Kind::retention),
            answers: Answers::default(),
            snapshots: Snapshots::default(),
            replay: None,
        };
        let (head, _) = watch::channel(0);
        Self(Arc::new(Shared { epoch, state: Mutex::new(state), head, readers: AtomicUsize::new(0) }))
    }

    /// The order's name.
    pub fn epoch(&self) -> &Epoch {
        &self.0.epoch
    }

    /// The state, locked. Held for moments only: never across an await or a write.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock; if something did, the state might be half
        // changed, and to serve that would be worse than to stop.
        self.0.state.lock().expect("the hub's lock is not poisoned")
    }

    /// Applies a batch once: a repeat of `key` is answered as before and changes nothing.
    pub(crate) fn publish(&self, batch: &Batch<'_>, key: Option<&str>, now: Instant) -> Answer {
        self.apply(key, now, |state| state.core.apply(batch))
    }

    /// Keeps packed columns and publishes the event that names them, once.
    pub(crate) fn publish_columns(
        &self,
        packed: Packed,
        item: Item<'_>,
        key: Option<&str>,
        now: Instant,
    ) -> Answer {
        self.apply(key, now, |state| {
            state.snapshots.keep(packed);
            state.core.apply(&Batch { items: vec![item] })
        })
    }

    fn apply(&self, key: Option<&str>, now: Instant, apply: impl FnOnce(&mut State) -> Receipt) -> Answer {
        let (answer, head) = {
            let state = &mut *self.state();
            if let Some(answer) = key.and_then(|key| state.answers.get(key, now)) {
                return answer;
            }
            let answer = Answer { receipt: apply(state), clients: self.clients() };
            if let Some(key) = key {
                state.answers.put(key, answer.clone(), now);
            }
            (answer, state.core.seq())
        };
        // Another publish may have been announced in between: the head only rises.
        self.0.head.send_if_modified(|seen| {
            let risen = head > *seen;
            *seen = head.max(*seen);
            risen
        });
        answer
    }

    /// Lets a reader in.
    pub(crate) fn join(&self, cursor: Option<&Cursor>) -> (Frame, Position) {
        self.state().core.join(cursor)
    }

    /// How a reader goes on: see [`Core::next`]. Readers that need a replay at about the same time share it.
    pub(crate) fn next(&self, position: Position, filter: Filter, budget: usize) -> Next {
        let State { core, replay, .. } = &mut *self.state();
        let shared = replay.as_ref().filter(|replay| replay.serves(position, core));
        if let Some(shared) = shared {
            return Next::Replay(shared.clone());
        }
        match core.next(position, filter, budget) {
            core::Next::Step(step) => Next::Step(step),
            core::Next::Replay(taken) => Next::Replay(replay.insert(Arc::new(taken)).clone()),
        }
    }

    /// Gives up the newest replay if nobody is on it.
    pub(crate) fn tidy(&self) {
        let replay = &mut self.state().replay;
        if replay.as_ref().is_some_and(|replay| Arc::strong_count(replay) == 1) {
            *replay = None;
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
        Present(self.0.clone())
    }

    /// All sticky events as JSON objects with their seqs, in seq order, and the seq they are of.
    pub fn sticky(&self, filter: Filter) -> (Cursor, Vec<Bytes>) {
        let state = &mut *self.state();
        let cursor = Cursor { epoch: state.core.epoch().clone(), seq: state.core.seq() };
        let frames = state.core.state(filter);
        let json = |frame: &Frame| frame.websocket().slice_ref(frame.json());
        (cursor, frames.iter().map(json).collect())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.readers.fetch_sub(1, Ordering::Relaxed);
    }
}
