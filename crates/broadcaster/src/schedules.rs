//! The hub in every order that its tasks may come in: shuttle picks them, thousands of times, and says which of them
//! a failure needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use events::{Format, Kind, decode};
use serde_json::Value;
use shuttle::future::{block_on, spawn};
use tokio::sync::watch;

use crate::hub::Answer;
use crate::idempotency::{Answers, Clock};
use crate::reader::Reader;
use crate::snapshots::Snapshots;
use crate::{Core, Cursor, Durability, Epoch, Filter, Frame, Hub, LogLimits, Receipt, Saved};

/// So short that readers fall off it.
const LIMITS: LogLimits = LogLimits { events: 3, bytes: 1 << 20 };

/// Runs a scenario in many orders; a nightly run asks for more: `VITRINE_CASES=200000`.
fn explore(scenario: fn()) {
    let cases = std::env::var("VITRINE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20_000);
    shuttle::check_random(scenario, cases / 2);
    shuttle::check_pct(scenario, cases / 2, 3);
}

fn epoch() -> Epoch {
    Epoch::new("explored").unwrap()
}

fn metric(model: usize, accuracy: f64) -> String {
    format!(r#"{{"type":"model_metric","model":"m{model}","accuracy":{accuracy}}}"#)
}

async fn publish(hub: &Hub, events: &[String], key: Option<&str>) -> Option<Answer> {
    let body = events.join("\n");
    let batch = decode(Format::Ndjson, body.as_bytes(), 100).unwrap();
    let (answer, _) = hub.publish(&batch, key, Instant::now()).await.ok()?;
    hub.acknowledged(answer.receipt.seq).await.ok().map(|()| answer)
}

/// What a page holds: an event for every model, by the rules of the protocol.
#[derive(Default)]
struct Page {
    models: BTreeMap<String, Value>,
    cursor: Option<Cursor>,
    seq: u64,
    is_ready: bool,
}

impl Page {
    fn receive(&mut self, frame: &Frame) {
        let message: Value = serde_json::from_slice(frame.json()).unwrap();
        match message["type"].as_str().unwrap() {
            "hello" => {
                if !message["resumed"].as_bool().unwrap() {
                    (self.models, self.seq) = (BTreeMap::new(), 0);
                }
                self.is_ready = false;
            }
            "skipped" => {
                if message["reset"].as_bool().unwrap_or(false) {
                    (self.models, self.seq) = (BTreeMap::new(), 0);
                }
                self.is_ready = false;
            }
            "ready" => {
                self.is_ready = true;
                self.seq = self.seq.max(message["seq"].as_u64().unwrap());
            }
            _ => {
                let seq = message["seq"].as_u64().unwrap();
                assert!(seq > self.seq, "an event came twice, or out of order");
                if self.is_ready {
                    assert_eq!(seq, self.seq + 1, "an event is missing between two that came live");
                }
                self.seq = seq;
                self.models.insert(message["model"].as_str().unwrap().to_owned(), message);
            }
        }
        if self.is_ready {
            self.cursor = Some(Cursor { epoch: epoch(), seq: self.seq, partial: None });
        }
    }

    /// Reads until it has everything up to `last`, and comes back with its cursor after every few portions.
    async fn read(mut self, hub: Hub, last: u64, patience: usize) -> Self {
        loop {
            let mut reader = Reader::join(&hub, self.cursor.as_ref(), Filter::ALL);
            self.seq = self.cursor.as_ref().map_or(0, |cursor| cursor.seq);
            for _ in 0..patience {
                reader.next().await.frames.iter().for_each(|frame| self.receive(frame));
                if self.is_ready && self.seq == last {
                    return self;
                }
            }
        }
    }
}

fn state(core: &mut Core) -> BTreeMap<String, Value> {
    let events = core.state(Filter::ALL);
    let events = events.iter().map(|frame| serde_json::from_slice::<Value>(frame.json()).unwrap());
    events.map(|event| (event["model"].as_str().unwrap().to_owned(), event)).collect()
}

#[test]
fn readers_that_come_lag_and_come_back_end_with_the_state() {
    explore(|| {
        block_on(async {
            let hub = Hub::new(epoch(), LIMITS);
            let publisher = |number: usize| {
                let hub = hub.clone();
                spawn(async move {
                    let mut receipts = Vec::new();
                    for round in 0..3 {
                        let events = [metric(round % 2, number as f64 / 10.0), metric(2 + number, 0.5)];
                        receipts.push(publish(&hub, &events, None).await.unwrap().receipt);
                    }
                    receipts
                })
            };
            let reader = |patience| spawn(Page::default().read(hub.clone(), 12, patience));
            let (publishers, readers) = ([publisher(0), publisher(1)], [reader(100), reader(3)]);
            let mut seqs: Vec<u64> = Vec::new();
            for publisher in publishers {
                seqs.extend(publisher.await.unwrap().iter().map(|Receipt { seq, .. }| *seq));
            }
            seqs.sort_unstable();
            assert_eq!(seqs, [2, 4, 6, 8, 10, 12], "every batch has its own seqs");
            for reader in readers {
                let page = reader.await.unwrap();
                assert_eq!(page.models, state(&mut hub.state().core));
            }
            assert_eq!(hub.clients(), 0);
            let (_, open) = hub.ledgers().read();
            assert_eq!(open, []);
        });
    });
}

#[test]
fn no_reader_sleeps_over_the_last_event() {
    explore(|| {
        block_on(async {
            let hub = Hub::new(epoch(), LIMITS);
            let reader = spawn(Page::default().read(hub.clone(), 2, 100));
            let publisher = |model| {
                let hub = hub.clone();
                spawn(async move { publish(&hub, &[metric(model, 0.5)], None).await })
            };
            for publisher in [publisher(0), publisher(1)] {
                publisher.await.unwrap();
            }
            // Otherwise shuttle finds that nobody can go on.
            reader.await.unwrap();
        });
    });
}

#[test]
fn a_publish_that_is_repeated_while_it_is_under_way_is_applied_once() {
    explore(|| {
        block_on(async {
            let hub = Hub::new(epoch(), LIMITS);
            let repeat = || {
                let hub = hub.clone();
                spawn(async move { publish(&hub, &[metric(0, 0.5)], Some("once")).await.unwrap().receipt })
            };
            let repeats = [repeat(), repeat(), repeat()];
            for repeat in repeats {
                assert_eq!(repeat.await.unwrap(), Receipt { seq: 1, accepted: 1 });
            }
            assert_eq!(hub.head_seq(), 1);
        });
    });
}

/// A disk that fails now and then, and what is on it.
struct Disk {
    hub: Hub,
    saved: Arc<Mutex<Saved>>,
    unsaved: crate::Changes,
}

impl Disk {
    fn write(&mut self, fails: bool) {
        self.unsaved.then(self.hub.changes(Clock::now()).changes);
        if fails {
            return self.hub.refuse("the disk is full");
        }
        let changes = std::mem::take(&mut self.unsaved);
        let seq = changes.seq;
        {
            let saved = &mut *self.saved.lock().unwrap();
            let mut entries: BTreeMap<_, _> = saved.entries.drain(..).collect();
            changes.gone.iter().for_each(|seq| drop(entries.remove(seq)));
            entries.extend(changes.put);
            saved.entries = entries.into_iter().collect();
            (saved.seq, saved.floor, saved.reserved) = (seq, changes.floor, seq + 1_000);
        }
        self.hub.written(seq);
    }

    /// Writes until `stop`, and once more.
    async fn keep(mut self, mut stop: watch::Receiver<bool>) {
        let mut head = self.hub.head();
        let mut round = 0;
        loop {
            self.write(round % 3 == 1);
            round += 1;
            if self.hub.failure().is_some() {
                shuttle::future::yield_now().await;
                continue;
            }
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                _ = head.changed() => {}
            }
        }
        self.hub.refuse("it stops");
        self.write(false);
        self.hub.refuse("it stops");
    }
}

#[test]
fn what_is_acknowledged_with_sync_is_on_disk() {
    explore(|| {
        block_on(async {
            let mut core = Core::new(epoch(), LIMITS, Kind::retention);
            core.note_changes(0);
            let hub = Hub::kept(core, Answers::default(), Snapshots::default(), Durability::Sync);
            let saved =
                Saved { epoch: epoch(), seq: 0, reserved: 0, lost: vec![], floor: 0, entries: vec![] };
            let saved = Arc::new(Mutex::new(saved));
            let (stop, stopped) = watch::channel(false);
            let disk = Disk { hub: hub.clone(), saved: saved.clone(), unsaved: crate::Changes::default() };
            let keeper = spawn(disk.keep(stopped));
            let publisher = |number: usize| {
                let (hub, saved) = (hub.clone(), saved.clone());
                spawn(async move {
                    for round in 0..3 {
                        let events = [metric(number, f64::from(round) / 10.0)];
                        let Some(answer) = publish(&hub, &events, None).await else { continue };
                        let on_disk = saved.lock().unwrap().clone();
                        assert!(on_disk.seq >= answer.receipt.seq, "acknowledged, and not on disk");
                        let mut core = Core::restore(&on_disk, LIMITS, Kind::retention).unwrap();
                        let kept = &state(&mut core)[&format!("m{number}")];
                        assert_eq!(kept["accuracy"], f64::from(round) / 10.0);
                    }
                })
            };
            let publishers = [publisher(0), publisher(1)];
            for publisher in publishers {
                publisher.await.unwrap();
            }
            stop.send_replace(true);
            keeper.await.unwrap();
            assert_eq!(publish(&hub, &[metric(0, 1.0)], None).await, None, "nothing is taken any more");
            let mut core = Core::restore(&saved.lock().unwrap(), LIMITS, Kind::retention).unwrap();
            assert_eq!(state(&mut core), state(&mut hub.state().core));
        });
    });
}
