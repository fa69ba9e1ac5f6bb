use std::collections::{BTreeMap, BTreeSet, HashMap};

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
    /// By number: what was handed over first has the lowest.
    waiting: BTreeMap<u64, Parcel>,
    bytes: usize,
    /// The number that the next parcel gets.
    next: u64,
    /// Everything below this number has been taken.
    first: u64,
    /// Where the newest value of a state waits, and which states have waited longest.
    states: HashMap<Place, u64>,
    state_numbers: BTreeSet<u64>,
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
    Event { json: String, place: Option<Place> },
    Columns(Bytes),
}

impl Parcel {
    fn bytes(&self) -> usize {
        match self {
            Self::Event { json, .. } => json.len(),
            Self::Columns(columns) => columns.len(),
        }
    }
}

/// One POST.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Batch {
    Events(String),
    Columns(Bytes),
}

impl Outbox {
    /// Whether there is room for another event. States have room of their own.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() - self.states.len() < EVENTS && self.bytes < BYTES
    }

    /// Whether so little waits that the next event finds room for long.
    pub(crate) fn is_relaxed(&self) -> bool {
        self.waiting.len() < EVENTS / 2 && self.bytes < BYTES / 2
    }

    /// Everything below this number has been taken.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next parcel gets.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn push(&mut self, json: String) {
        self.add(Parcel::Event { json, place: None });
    }

    pub(crate) fn push_columns(&mut self, columns: Bytes) {
        self.remembered_columns = Some(columns.clone());
        self.add(Parcel::Columns(columns));
    }

    fn add(&mut self, parcel: Parcel) {
        self.bytes += parcel.bytes();
        self.waiting.insert(self.next, parcel);
        self.next += 1;
    }

    /// Puts a state where an older value of it still waits, or at the end. Of too many states the one
    /// that waited longest goes.
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
            self.states.get(&place).and_then(|number| self.waiting.get_mut(number))
        {
            self.bytes = self.bytes - waiting.len() + json.len();
            *waiting = json;
            return;
        }
        if self.states.len() >= EVENTS
            && let Some(oldest) = self.state_numbers.first().copied()
        {
            self.remove(oldest);
            self.dropped += 1;
        }
        self.states.insert(place.clone(), self.next);
        self.state_numbers.insert(self.next);
        self.add(Parcel::Event { json, place: Some(place) });
    }

    fn remove(&mut self, number: u64) -> Option<Parcel> {
        let parcel = self.waiting.remove(&number)?;
        self.bytes -= parcel.bytes();
        if let Parcel::Event { place: Some(place), .. } = &parcel {
            self.states.remove(place);
            self.state_numbers.remove(&number);
        }
        Some(parcel)
    }

    /// Whether there is a state to send again.
    pub(crate) fn remembers(&self) -> bool {
        !self.remembered.is_empty() || self.remembered_columns.is_some()
    }

    /// Puts every state again, for a broadcaster that lost what it had.
    pub(crate) fn repeat(&mut self) {
        let remembered = std::mem::take(&mut self.remembered);
        for (place, json) in &remembered {
            self.put(place.clone(), json.clone());
        }
        self.remembered = remembered;
        if let Some(columns) = self.remembered_columns.clone() {
            self.add(Parcel::Columns(columns));
        }
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
        while events < BATCH.0
            && lines.len() < BATCH.1
            && let Some((number, parcel)) = self.waiting.first_key_value()
        {
            if events > 0 && matches!(parcel, Parcel::Columns(_)) {
                break;
            }
            let number = *number;
            self.first = number + 1;
            match self.remove(number)? {
                Parcel::Columns(columns) => return Some(Batch::Columns(columns)),
                Parcel::Event { json, .. } => {
                    lines += &json;
                    lines.push('\n');
                    events += 1;
                }
            }
        }
        if self.waiting.is_empty() {
            self.first = self.next;
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
        assert_eq!(outbox.take(), Some(Batch::Events("3\n2\n".to_owned())));
        assert_eq!(outbox.take(), Some(Batch::Columns(Bytes::from_static(b"c"))));
        assert_eq!(outbox.take(), None);
    }

    #[test]
    fn large_columns_take_no_room_from_states() {
        let mut outbox = Outbox::default();
        outbox.push_columns(Bytes::from(vec![0; 2 * BYTES]));
        outbox.replace(&metric("knn"), "1".to_owned());
        outbox.replace(&metric("gbt"), "2".to_owned());
        assert!(!outbox.has_room());
        assert_eq!(outbox.take_dropped(), 0);
        outbox.take();
        assert_eq!(outbox.take(), Some(Batch::Events("1\n2\n".to_owned())));
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
