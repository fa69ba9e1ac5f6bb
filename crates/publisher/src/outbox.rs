use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;
use events::{Event, Kind};

/// Events that wait at most.
const EVENTS: usize = 10_000;
/// Bytes of events that wait at most; one larger event may wait alone.
const BYTES: usize = 8 << 20;
/// Events and bytes of one POST.
const BATCH: (usize, usize) = (500, 1 << 20);

/// What waits to be sent, in order, bounded.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: VecDeque<Parcel>,
    /// Parcels that wait and were not dropped, and their bytes.
    parcels: usize,
    bytes: usize,
    /// Number of the first waiting parcel.
    first: u64,
    /// Where the newest value of a state waits.
    states: HashMap<Place, u64>,
    /// States that were dropped unsent since somebody was last told.
    dropped: usize,
    /// The newest value of every state, as far as there is room, for a broadcaster that starts anew.
    remembered: BTreeMap<Place, String>,
    /// The newest columns, likewise.
    remembered_columns: Option<Bytes>,
}

/// A place in the broadcaster's sticky state.
type Place = (Kind, Vec<u8>);

#[derive(Debug)]
enum Parcel {
    Event {
        json: String,
        place: Option<Place>,
    },
    Columns(Bytes),
    /// A state that was dropped unsent: its number stays, so that the others keep theirs.
    Dropped,
}

/// One POST.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Batch {
    Events(String),
    Columns(Bytes),
}

impl Outbox {
    /// Whether there is room for another event.
    pub(crate) fn has_room(&self) -> bool {
        self.parcels < EVENTS && self.bytes < BYTES
    }

    /// Everything below this number has been taken.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next parcel gets.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.waiting.len() as u64
    }

    pub(crate) fn push(&mut self, json: String) {
        self.add(json.len(), Parcel::Event { json, place: None });
    }

    pub(crate) fn push_columns(&mut self, columns: Bytes) {
        self.remembered_columns = Some(columns.clone());
        self.add(columns.len(), Parcel::Columns(columns));
    }

    fn add(&mut self, bytes: usize, parcel: Parcel) {
        self.parcels += 1;
        self.bytes += bytes;
        self.waiting.push_back(parcel);
    }

    fn removed(&mut self, bytes: usize) {
        self.parcels -= 1;
        self.bytes -= bytes;
    }

    /// Puts a state where an older value of it still waits, or at the end. Where there is no room,
    /// the state that waited longest goes.
    pub(crate) fn replace(&mut self, event: &Event<'_>, json: String) {
        let mut key = Vec::new();
        let place = event.place();
        place.group.encode(&mut key);
        key.push(0xff); // in no UTF-8 text: ends the group
        if let Some(item) = place.item {
            item.encode(&mut key);
        }
        let place = (event.kind(), key);
        if self.remembered.len() < EVENTS || self.remembered.contains_key(&place) {
            self.remembered.insert(place.clone(), json.clone());
        }
        self.put(place, json);
    }

    fn put(&mut self, place: Place, json: String) {
        if let Some(Parcel::Event { json: waiting, .. }) =
            self.states.get(&place).and_then(|number| self.waiting.get_mut((number - self.first) as usize))
        {
            self.bytes = self.bytes - waiting.len() + json.len();
            *waiting = json;
            return;
        }
        while !self.has_room() && self.drop_oldest_state() {}
        self.states.insert(place.clone(), self.next());
        self.add(json.len(), Parcel::Event { json, place: Some(place) });
    }

    /// Whether there is a state to send again.
    pub(crate) fn remembers(&self) -> bool {
        !self.remembered.is_empty() || self.remembered_columns.is_some()
    }

    /// Puts every state again, for a broadcaster that lost what it had.
    pub(crate) fn repeat(&mut self) {
        if let Some(columns) = self.remembered_columns.clone() {
            self.push_columns(columns);
        }
        let remembered = std::mem::take(&mut self.remembered);
        for (place, json) in &remembered {
            self.put(place.clone(), json.clone());
        }
        self.remembered = remembered;
    }

    fn drop_oldest_state(&mut self) -> bool {
        let Some((place, number)) = self.states.iter().min_by_key(|(_, number)| **number) else {
            return false;
        };
        let (place, at) = (place.clone(), (number - self.first) as usize);
        self.states.remove(&place);
        if let Parcel::Event { json, .. } = std::mem::replace(&mut self.waiting[at], Parcel::Dropped) {
            self.removed(json.len());
        }
        while let Some(Parcel::Dropped) = self.waiting.front() {
            self.waiting.pop_front();
            self.first += 1;
        }
        self.dropped += 1;
        true
    }

    /// How many states were dropped since the last call.
    pub(crate) fn take_dropped(&mut self) -> usize {
        std::mem::take(&mut self.dropped)
    }

    /// Takes the next POST: columns alone, or the events that are ready, one a line. `None` if
    /// nothing waits.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        let mut lines = String::new();
        let mut events = 0;
        while events < BATCH.0 && lines.len() < BATCH.1 {
            if events > 0 && matches!(self.waiting.front(), Some(Parcel::Columns(_))) {
                break;
            }
            let Some(parcel) = self.waiting.pop_front() else { break };
            self.first += 1;
            match parcel {
                Parcel::Dropped => {}
                Parcel::Columns(columns) => {
                    self.removed(columns.len());
                    return Some(Batch::Columns(columns));
                }
                Parcel::Event { json, place } => {
                    self.removed(json.len());
                    if let Some(place) = place {
                        self.states.remove(&place);
                    }
                    lines += &json;
                    lines.push('\n');
                    events += 1;
                }
            }
        }
        (events > 0).then_some(Batch::Events(lines))
    }
}

#[cfg(test)]
mod tests {
    use events::{ModelMetric, Name, Unit};

    use super::*;

    fn metric(model: &str) -> Event<'static> {
        let model = Name::try_from(model.to_owned()).unwrap();
        ModelMetric { model, accuracy: Unit::new(0.5).unwrap(), low: None, high: None }.into()
    }

    #[test]
    fn a_state_takes_the_place_of_its_older_value() {
        let mut outbox = Outbox::default();
        outbox.replace(&metric("knn"), "1".to_owned());
        outbox.replace(&metric("gbt"), "2".to_owned());
        outbox.replace(&metric("knn"), "3".to_owned());
        assert_eq!(outbox.take(), Some(Batch::Events("3\n2\n".to_owned())));
        outbox.replace(&metric("knn"), "4".to_owned());
        assert_eq!(outbox.take(), Some(Batch::Events("4\n".to_owned())));
        assert_eq!(outbox.take(), None);
    }

    #[test]
    fn without_room_the_state_that_waited_longest_goes() {
        let mut outbox = Outbox::default();
        for n in 0..EVENTS + 2 {
            outbox.replace(&metric(&format!("m{n}")), n.to_string());
        }
        assert_eq!(outbox.take_dropped(), 2);
        let mut sent = String::new();
        while let Some(Batch::Events(lines)) = outbox.take() {
            sent += &lines;
        }
        assert!(sent.ends_with(&format!("{}\n", EVENTS + 1)));
        assert!(sent.starts_with("2\n"));
        assert!(outbox.has_room());
    }

    #[test]
    fn what_is_repeated_is_the_newest_of_every_state() {
        let mut outbox = Outbox::default();
        outbox.push("an event".to_owned());
        outbox.replace(&metric("knn"), "1".to_owned());
        outbox.replace(&metric("gbt"), "2".to_owned());
        outbox.push_columns(Bytes::from_static(b"c"));
        while outbox.take().is_some() {}
        outbox.replace(&metric("knn"), "3".to_owned());
        outbox.repeat();
        assert_eq!(outbox.take(), Some(Batch::Events("3\n".to_owned())));
        assert_eq!(outbox.take(), Some(Batch::Columns(Bytes::from_static(b"c"))));
        assert_eq!(outbox.take(), Some(Batch::Events("2\n".to_owned())));
        assert_eq!(outbox.take(), None);
    }

    #[test]
    fn columns_go_alone_and_in_order() {
        let mut outbox = Outbox::default();
        outbox.push("1".to_owned());
        outbox.push_columns(Bytes::from_static(b"c"));
        outbox.push("2".to_owned());
        assert_eq!(outbox.take(), Some(Batch::Events("1\n".to_owned())));
        assert_eq!(outbox.take(), Some(Batch::Columns(Bytes::from_static(b"c"))));
        assert_eq!(outbox.take(), Some(Batch::Events("2\n".to_owned())));
        assert_eq!(outbox.take(), None);
        assert_eq!(outbox.bytes, 0);
    }

    #[test]
    fn a_batch_holds_what_is_ready_up_to_its_bounds() {
        let mut outbox = Outbox::default();
        for n in 0..BATCH.0 + 1 {
            outbox.push(n.to_string());
        }
        let Some(Batch::Events(lines)) = outbox.take() else { panic!() };
        assert_eq!(lines.lines().count(), BATCH.0);
        assert_eq!(outbox.take(), Some(Batch::Events(format!("{}\n", BATCH.0))));
    }
}
