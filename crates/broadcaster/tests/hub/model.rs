//! The state machine against a plain model: random publishes, joins, drops, resumes, lag, stops and crashes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use broadcaster::{
    Changes, Core, Cursor, Epoch, Filter, Frame, LogLimits, Next, Position, Replay, Saved, Size,
};
use events::{Format, Kind, decode};
use proptest::prelude::*;
use serde_json::Value;

use crate::page::Page;
use crate::random;

#[derive(Debug, Clone)]
enum Action {
    Publish(Vec<String>),
    /// A reader takes at most this many bytes.
    Read(usize, usize),
    /// A reader's connection breaks and comes back with its cursor.
    Resume(usize),
    /// A reader opens anew.
    Open(usize),
    /// A reader's replay is given up.
    Forget(usize),
    /// What changed is written down.
    Save,
    /// What changed is taken to be written down, and that fails: it is not there, or is there all the same.
    Fail(bool),
    /// The process ends, and another one goes on with what was written down.
    Crash,
    /// It ends after everything was.
    Stop,
    /// A reader comes back with a cursor that was never handed out.
    Stray(usize, u64),
}

const READERS: usize = 4;

fn action() -> impl Strategy<Value = Action> {
    let reader = 0..READERS;
    prop_oneof![
        5 => prop::collection::vec(random::event(), 1..8).prop_map(Action::Publish),
        6 => (reader.clone(), 1..2_000usize).prop_map(|(reader, budget)| Action::Read(reader, budget)),
        1 => reader.clone().prop_map(Action::Resume),
        1 => reader.clone().prop_map(Action::Open),
        1 => reader.clone().prop_map(Action::Forget),
        2 => Just(Action::Save),
        1 => any::<bool>().prop_map(Action::Fail),
        1 => Just(Action::Crash),
        1 => Just(Action::Stop),
        1 => (reader, 0..400u64).prop_map(|(reader, ahead)| Action::Stray(reader, ahead)),
    ]
}

struct Connection {
    page: Page,
    position: Position,
    replay: Option<Arc<Replay>>,
    filter: &'static [Kind],
}

/// What each reader asks for: everything, or some types.
const FILTERS: [&[Kind]; READERS] =
    [Kind::ALL, Kind::ALL, &[Kind::Snapshot, Kind::Prediction], &[Kind::Embedding, Kind::Alert]];

struct World {
    core: Core,
    /// Every event there ever was goes into it: the definition of the state.
    truth: Page,
    /// What it was at every seq that a batch ended at.
    states: HashMap<u64, Page>,
    /// What was written down.
    saved: Saved,
    /// What was not yet.
    unsaved: Changes,
    connections: Vec<Connection>,
}

const LIMITS: LogLimits = LogLimits { events: 12, bytes: 4_000 };
/// Seqs that are given without asking whether they are reserved.
const AHEAD: u64 = 10_000;

impl World {
    fn new() -> Self {
        let epoch = Epoch::new("e1").unwrap();
        let (seq, reserved, lost, floor, entries) = (0, 0, vec![], 0, vec![]);
        let saved = Saved { epoch, seq, reserved, lost, floor, entries };
        let core = Core::restore(&saved, LIMITS, random::small).unwrap();
        let (_, position) = core.join(None);
        let connections = FILTERS.map(|filter| Connection {
            page: Page::new(random::small),
            position,
            replay: None,
            filter,
        });
        let mut world = Self {
            core,
            truth: Page::new(random::small),
            states: HashMap::new(),
            saved: Saved { reserved: AHEAD, ..saved },
            unsaved: Changes::default(),
            connections: connections.into(),
        };
        world.truth.receive(&serde_json::json!({"type": "hello", "epoch": "e1", "resumed": false}));
        world.truth.receive(&serde_json::json!({"type": "ready", "seq": 0}));
        world.states.insert(0, world.truth.clone());
        for reader in 0..READERS {
            world.join(reader, None);
        }
        world
    }

    /// Writes down what changed, as plainly as can be.
    fn save(&mut self, reserved: u64) {
        self.unsaved.then(self.core.changes());
        let Changes { seq, floor, put, gone } = std::mem::take(&mut self.unsaved);
        let mut entries: BTreeMap<_, _> = self.saved.entries.drain(..).collect();
        entries.retain(|seq, _| !gone.contains(seq));
        entries.extend(put);
        self.saved.entries = entries.into_iter().collect();
        (self.saved.seq, self.saved.floor, self.saved.reserved) = (seq, floor, reserved);
    }

    /// Goes on with what was written down.
    fn restart(&mut self) {
        let whole = self.saved.seq == self.saved.reserved;
        self.truth = self.states[&self.saved.seq].clone();
        self.core = Core::restore(&self.saved, LIMITS, random::small).unwrap();
        self.unsaved = Changes::default();
        assert_eq!(self.core.seq(), if whole { self.saved.seq } else { self.saved.reserved + 1 });
        // Series are kept by another store, and come anew.
        self.core.forget_series();
        self.truth.forget_series();
        assert_eq!(json(&self.core.state(Filter::ALL)), self.truth.state());
        self.truth.seq = self.core.seq();
        self.states.insert(self.core.seq(), self.truth.clone());
        self.saved.lost = self.core.lost().to_vec();
        self.saved.seq = self.core.seq();
        self.saved.reserved = self.core.seq() + AHEAD;
        for reader in 0..READERS {
            self.join(reader, Some(self.cursor(reader)));
        }
    }

    fn publish(&mut self, events: &[String]) {
        let body = events.join("\n");
        let batch = decode(Format::Ndjson, body.as_bytes(), 100).unwrap();
        let first = self.core.seq() + 1;
        let receipt = self.core.apply(&batch);
        assert_eq!(receipt.accepted, events.len());
        assert_eq!(receipt.seq, first + events.len() as u64 - 1, "consecutive seqs");
        let mut kinds: Vec<Kind> = batch.items.iter().map(|item| item.event.kind()).collect();
        for (seq, event) in (first..).zip(events) {
            let mut event: Value = serde_json::from_str(event).unwrap();
            event["seq"] = seq.into();
            self.truth.receive(&event);
        }
        kinds.sort();
        kinds.dedup();
        let evicted = self.truth.evict_as_hub(&kinds).len() as u64;
        assert_eq!(self.core.seq(), receipt.seq + evicted, "every eviction has its place in the order");
        self.truth.seq = self.core.seq();
        assert_eq!(json(&self.core.state(Filter::ALL)), self.truth.state());
        self.states.insert(self.core.seq(), self.truth.clone());
        for kind in Kind::ALL {
            let bytes =
                self.core.state(Filter::of([*kind])).iter().map(|frame| frame.websocket().len()).sum();
            let entries = self.truth.state_of(&[*kind]).len();
            let size = self.core.size(*kind);
            // Points count as they are held.
            let bytes = if *kind == Kind::MetricPoints { size.bytes } else { bytes };
            assert_eq!(size, Size { entries, bytes });
        }
    }

    fn join(&mut self, reader: usize, cursor: Option<Cursor>) {
        let (hello, position) = self.core.join(cursor.as_ref());
        let connection = &mut self.connections[reader];
        connection.page.reconnect();
        connection.position = position;
        connection.replay = None;
        self.deliver(reader, &[hello]);
    }

    fn read(&mut self, reader: usize, budget: usize) {
        let filter = Filter::of(FILTERS[reader].iter().copied());
        let connection = &mut self.connections[reader];
        let step = match &connection.replay {
            Some(replay) => replay.step(connection.position, filter, budget),
            None => match self.core.next(connection.position, filter, budget) {
                Next::Step(step) => step,
                Next::Replay(replay) => {
                    connection.replay = Some(Arc::new(replay));
                    return;
                }
            },
        };
        let was_live = connection.position.is_live();
        connection.position = step.position;
        if step.position.is_live() {
            connection.replay = None;
        }
        self.deliver(reader, &step.frames);
        if !was_live
            && step.position.is_live()
            && let Some(state) = self.states.get(&step.position.seq)
        {
            let Connection { page, filter, .. } = &self.connections[reader];
            assert_eq!(page.state(), state.state_of(filter), "ready with the state of that moment");
        }
    }

    fn is_at_head(&self, reader: usize) -> bool {
        let Connection { position, .. } = &self.connections[reader];
        position.is_live() && position.seq == self.core.seq()
    }

    fn deliver(&mut self, reader: usize, frames: &[Frame]) {
        let connection = &mut self.connections[reader];
        for message in json(frames) {
            if connection.filter.len() == Kind::ALL.len() {
                connection.page.receive(&message);
            } else {
                connection.page.receive_filtered(&message);
            }
        }
        assert_eq!(connection.page.ready, connection.position.is_live(), "ready where it follows the log");
        if self.is_at_head(reader) {
            let connection = &self.connections[reader];
            assert_eq!(connection.page.state(), self.truth.state_of(connection.filter), "reader {reader}");
        }
    }

    fn cursor(&self, reader: usize) -> Cursor {
        self.connections[reader].page.cursor().unwrap()
    }

    fn run(&mut self, action: Action) {
        match action {
            Action::Publish(events) => self.publish(&events),
            Action::Read(reader, budget) => self.read(reader, budget),
            Action::Resume(reader) => self.join(reader, Some(self.cursor(reader))),
            Action::Open(reader) => self.join(reader, None),
            Action::Forget(reader) => {
                let connection = &mut self.connections[reader];
                if connection.replay.take().is_some() {
                    connection.position = connection.position.without_replay();
                }
            }
            Action::Save => self.save(self.core.seq() + AHEAD),
            Action::Fail(is_there) => {
                self.unsaved.then(self.core.changes());
                if is_there {
                    let unsaved = self.unsaved.clone();
                    self.save(self.core.seq() + AHEAD);
                    self.unsaved = unsaved;
                }
            }
            Action::Crash => self.restart(),
            Action::Stop => {
                self.save(self.core.seq());
                self.restart();
            }
            Action::Stray(reader, ahead) => {
                let mut cursor = self.cursor(reader);
                cursor.seq = self.core.seq() + 1 + ahead;
                self.join(reader, Some(cursor));
            }
        }
    }
}

fn json(frames: &[Frame]) -> Vec<Value> {
    frames.iter().map(|frame| serde_json::from_slice(frame.json()).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    /// New, resumed, lagging and filtered readers, over stops and crashes, all hold what a plain fold of every event holds,
    /// whenever they are at the head; and what they are sent never skips, repeats or turns back.
    #[test]
    fn every_reader_at_the_head_holds_the_state(actions in prop::collection::vec(action(), 1..60)) {
        let mut world = World::new();
        for action in actions {
            world.run(action);
        }
        for reader in 0..READERS {
            while !world.is_at_head(reader) {
                world.read(reader, 500);
            }
        }
    }
}

/// A nightly run asks for more: `VITRINE_CASES=200000`.
fn cases() -> u32 {
    std::env::var("VITRINE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300)
}

#[test]
fn a_reader_from_before_the_remembered_evictions_starts_over() {
    let mut world = World::new();
    let detection = |host: usize| {
        format!(
            r#"{{"type":"live_detection","host_id":"host-{host}","predicted":"clean","confidence":1,"model":"knn","at":"2026-03-01T12:00:00Z"}}"#
        )
    };
    world.publish(&[detection(0)]);
    while !world.is_at_head(0) {
        world.read(0, 1_000);
    }
    let early = world.cursor(0);
    // One that is still on its way to the state.
    world.publish(&[detection(1)]);
    world.join(1, None);
    world.read(1, 1);
    world.read(1, 1);
    for host in 2..5_000 {
        world.publish(&[detection(host)]);
    }
    let (hello, _) = world.core.join(Some(&early));
    assert_eq!(json(&[hello])[0]["resumed"], false);
    // The same reader, had it stayed connected.
    // Another one gave up its replay.
    world.run(Action::Forget(1));
    for reader in [0, 1] {
        let next = world.core.next(world.connections[reader].position, Filter::ALL, 1_000);
        let Next::Step(step) = next else { panic!("{next:?}") };
        let messages = json(&step.frames);
        assert_eq!(messages[0]["type"], "skipped");
        assert_eq!(messages[0]["reset"], true);
        while !world.is_at_head(reader) {
            world.read(reader, 1_000);
        }
    }
}
