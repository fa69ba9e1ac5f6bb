//! A page, as plainly as it can be written: it folds what it is sent by the published rules.

use broadcaster::{Cursor, Epoch};
use events::{Event, Items, Kind, Retention};
use runs::{Point, Pyramid};
use serde_json::{Value, json};

/// One entry of the state: what it is, and the JSON as it came.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    kind: Kind,
    group: Vec<Value>,
    item: Option<Vec<Value>>,
    seq: u64,
    event: Value,
}

/// What a page holds, and what it has seen of its connection.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    retention: fn(Kind) -> Option<Retention>,
    entries: Vec<Entry>,
    /// Its cursor.
    pub(crate) epoch: String,
    pub(crate) seq: u64,
    /// Whether `ready` has come.
    pub(crate) ready: bool,
    /// Whether it had the state at its cursor.
    whole: bool,
    /// What the broadcaster had lost when this connection began.
    lost_to: u64,
    /// Whether every event was live, one by one, since it was ready.
    seamless: bool,
}

impl Page {
    pub(crate) fn new(retention: fn(Kind) -> Option<Retention>) -> Self {
        Self {
            retention,
            entries: vec![],
            epoch: String::new(),
            seq: 0,
            ready: false,
            whole: true,
            lost_to: 0,
            seamless: false,
        }
    }

    /// Where it goes on; nowhere before the first `hello`.
    pub(crate) fn cursor(&self) -> Option<Cursor> {
        let epoch = Epoch::new(&self.epoch)?;
        Some(Cursor { epoch, seq: self.seq, partial: (!self.whole).then_some(self.lost_to) })
    }

    /// The same, for an address.
    pub(crate) fn since(&self) -> String {
        self.cursor().map_or_else(String::new, |cursor| format!("&since={cursor}"))
    }

    /// A new connection starts: what was held stays, until the hub says otherwise.
    pub(crate) fn reconnect(&mut self) {
        self.ready = false;
        self.seamless = false;
    }

    pub(crate) fn receive(&mut self, message: &Value) {
        match message["type"].as_str().unwrap() {
            "hello" => {
                if message["resumed"] == false {
                    self.entries.clear();
                    (self.seq, self.whole) = (0, true);
                }
                self.lost_to = message["lost_to"].as_u64().unwrap_or(0);
                self.epoch = message["epoch"].as_str().unwrap().to_owned();
            }
            "ready" => {
                self.seq = message["seq"].as_u64().unwrap();
                (self.ready, self.whole) = (true, true);
                self.seamless = true;
            }
            "skipped" => {
                assert_eq!(message["from"], self.seq, "skips from where the page is");
                if message["reset"] == true {
                    self.entries.clear();
                    (self.seq, self.whole) = (0, true);
                }
                self.ready = false;
            }
            _ => {
                let seq = message["seq"].as_u64().unwrap();
                if self.ready {
                    assert_eq!(seq, self.seq + 1, "no gap, no duplicate, no reorder in live events");
                } else {
                    assert!(seq > self.seq, "the replay is in order: {seq} after {}", self.seq);
                }
                (self.seq, self.whole) = (seq, self.ready);
                self.fold(seq, message);
            }
        }
    }

    /// As [`receive`](Self::receive), where a filter leaves gaps.
    pub(crate) fn receive_filtered(&mut self, message: &Value) {
        if self.ready && message["seq"].is_u64() && message["type"] != "ready" {
            assert!(message["seq"].as_u64().unwrap() > self.seq);
            self.seq = message["seq"].as_u64().unwrap() - 1;
        }
        if message["type"] == "skipped" {
            self.seq = message["from"].as_u64().unwrap();
        }
        self.receive(message);
    }

    fn fold(&mut self, seq: u64, message: &Value) {
        if message["type"] == "evicted" {
            let of = Kind::from_name(message["of"].as_str().unwrap()).unwrap();
            let group = message["group"].as_array().unwrap();
            // Of a type with groups, none names all.
            self.entries.retain(|entry| !(entry.kind == of && (group.is_empty() || entry.group == *group)));
            return;
        }
        let mut json = message.clone();
        json.as_object_mut().unwrap().remove("seq");
        let text = json.to_string();
        let event: Event<'_> = serde_json::from_str(&text).unwrap();
        if let Event::Episode(episode) = &event {
            let before = self.entries.iter().find(|entry| entry.kind == Kind::Snapshot);
            let mut held = before.map_or(Value::Null, |entry| entry.event.clone());
            if let Some(fields) = held.as_object_mut() {
                fields.remove("seq");
                fields.remove("type");
            }
            let mut snapshot: events::Snapshot<'static> =
                if held.is_null() { events::Snapshot::default() } else { snapshot(&held.to_string()) };
            if snapshot.fold(episode) {
                let mut folded = serde_json::to_value(Event::Snapshot(snapshot)).unwrap();
                folded["seq"] = seq.into();
                self.put(seq, Kind::Snapshot, &folded);
            }
            return;
        }
        if let Event::MetricPoints(points) = &event {
            let (run, metric): (&str, &str) = (&points.run_id, &points.metric);
            let before = self.entries.iter().find(|entry| {
                entry.kind == Kind::MetricPoints && entry.group == [Value::from(run), Value::from(metric)]
            });
            let before = before.map_or(Value::Null, |entry| entry.event.clone());
            let buckets = (self.retention)(Kind::MetricPoints).unwrap().per_group;
            if let Some(series) = series(&before, message, buckets) {
                self.put(seq, Kind::MetricPoints, &series);
            }
            return;
        }
        self.put(seq, event.kind(), message);
    }

    fn put(&mut self, seq: u64, kind: Kind, event: &Value) {
        let Some(retention) = (self.retention)(kind) else { return };
        let values = |fields: &[&str]| fields.iter().map(|field| event[field].clone()).collect::<Vec<_>>();
        let group = values(retention.group);
        let item = match retention.items {
            Items::Each => None,
            Items::Fields(fields) => Some(values(fields)),
            Items::Series => Some(vec![]),
        };
        let same = |entry: &Entry| entry.kind == kind && entry.group == group;
        self.entries.retain(|entry| !(same(entry) && item.is_some() && entry.item == item));
        self.entries.push(Entry { kind, group: group.clone(), item, seq, event: event.clone() });
        let over =
            self.entries.iter().filter(|entry| same(entry)).count().saturating_sub(retention.per_group);
        for _ in 0..over {
            let oldest = self.entries.iter().position(same).unwrap();
            self.entries.remove(oldest);
        }
    }

    /// Drops all series.
    pub(crate) fn forget_series(&mut self) {
        self.entries.retain(|entry| entry.kind != Kind::MetricPoints);
    }

    /// The state, as `GET /state` lists it.
    pub(crate) fn state(&self) -> Vec<Value> {
        self.entries.iter().map(|entry| entry.event.clone()).collect()
    }

    pub(crate) fn state_of(&self, kinds: &[Kind]) -> Vec<Value> {
        let wanted = self.entries.iter().filter(|entry| kinds.contains(&entry.kind));
        wanted.map(|entry| entry.event.clone()).collect()
    }

    /// A page that knows everything and applies the eviction rules itself, live: the plainest
    /// definition of what a hub keeps. Returns what it evicted, oldest first.
    pub(crate) fn evict_as_hub(&mut self, kinds: &[Kind]) -> Vec<(Kind, Vec<Value>)> {
        let mut evicted = Vec::new();
        for kind in kinds {
            if let Some(other) = kind.empties() {
                let held = self.entries.iter().any(|entry| entry.kind == other);
                self.entries.retain(|entry| entry.kind != other);
                evicted.extend(held.then_some((other, vec![])));
            }
            let Some(retention) = (self.retention)(*kind) else { continue };
            loop {
                let mut newest: Vec<(Vec<Value>, u64)> = Vec::new();
                let of_kind = || self.entries.iter().filter(|entry| entry.kind == *kind);
                for entry in of_kind() {
                    newest.retain(|(group, _)| *group != entry.group);
                    newest.push((entry.group.clone(), entry.seq));
                }
                if newest.len() <= retention.groups && of_kind().count() <= retention.total {
                    break;
                }
                let (quietest, _) = newest.into_iter().min_by_key(|(_, seq)| *seq).unwrap();
                self.entries.retain(|entry| !(entry.kind == *kind && entry.group == quietest));
                evicted.push((*kind, quietest));
            }
        }
        evicted
    }
}

/// What a series is after more points; `None` if that is what it was.
fn series(before: &Value, message: &Value, buckets: usize) -> Option<Value> {
    let points = |event: &Value| -> Vec<Point> {
        let points = event["points"].as_array().cloned().unwrap_or_default();
        let point = |point: &Value| Point::new(point[0].as_u64()?, point[1].as_f64()?, point[2].as_f64()?);
        points.iter().map(|json| point(json).unwrap()).collect()
    };
    let mut pyramid = Pyramid::new(buckets);
    pyramid.extend(points(before));
    pyramid.extend(points(message));
    let drawn: Vec<Point> = pyramid.points().collect();
    let unit = if message["unit"].is_null() { &before["unit"] } else { &message["unit"] };
    if drawn == points(before) && *unit == before["unit"] {
        return None;
    }
    let drawn: Vec<Value> =
        drawn.iter().map(|point| json!([point.step, point.value, point.unix_s()])).collect();
    let mut series = json!({
        "type": "metric_points", "seq": message["seq"], "run_id": message["run_id"], "metric": message["metric"], "points": drawn,
    });
    if !unit.is_null() {
        series["unit"] = unit.clone();
    }
    Some(series)
}

fn snapshot(json: &str) -> events::Snapshot<'static> {
    let borrowed: events::Snapshot<'_> = serde_json::from_str(json).unwrap();
    borrowed.into_owned()
}
