use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use crate::Filter;
use crate::core::Position;
use crate::sync::{Mutex, MutexGuard};

/// What became of the events of the order, for one reader, since it first had the state: each is in one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ledger {
    /// The moment of the state that it first had, and what is accounted for since; `None` before.
    span: Option<(u64, u64)>,
    /// Events that it was sent, as they came.
    pub(crate) delivered: u64,
    /// Events of which it was sent what the state had become of them.
    pub(crate) skipped: u64,
    /// Events that its filter left out.
    pub(crate) filtered: u64,
}

impl Ledger {
    /// It went from one position to another, and was sent so many events on the way. What is missing of them its filter
    /// left out; where it has none, the ledger is off its balance.
    pub(crate) fn enter(&mut self, from: Position, to: Position, events: u64, filter: Filter) {
        if !to.is_live() {
            return;
        }
        let (_, upto) = self.span.get_or_insert((to.seq, to.seq));
        if from.is_live() {
            self.delivered += events;
            if filter != Filter::ALL {
                self.filtered += (to.seq - from.seq).saturating_sub(events);
            }
        } else {
            self.skipped += to.seq - *upto;
        }
        *upto = to.seq;
    }

    /// Events until `head` since it first had the state.
    pub(crate) fn published(&self, head: u64) -> u64 {
        self.span.map_or(0, |(since, _)| head - since)
    }

    /// Events until `head` that it has not got yet.
    pub(crate) fn pending(&self, head: u64) -> u64 {
        self.span.map_or(0, |(_, upto)| head - upto)
    }

    /// Whether every event is in one column.
    pub(crate) fn is_balanced(&self) -> bool {
        let accounted = self.span.map_or(0, |(since, upto)| upto - since);
        accounted == self.delivered + self.skipped + self.filtered
    }
}

/// The ledgers of all readers.
#[derive(Debug, Default)]
pub(crate) struct Ledgers(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    /// Readers that ever were.
    readers: u64,
    /// Those of the readers that are, each by its number.
    open: BTreeMap<u64, Arc<Mutex<Ledger>>>,
    closed: Totals,
}

/// Columns of many ledgers together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub(crate) delivered: u64,
    pub(crate) skipped: u64,
    pub(crate) filtered: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, ledger: &Ledger) {
        self.delivered += ledger.delivered;
        self.skipped += ledger.skipped;
        self.filtered += ledger.filtered;
    }
}

impl Ledgers {
    /// Opens a reader's: its number among all.
    pub(crate) fn open(&self) -> (u64, Arc<Mutex<Ledger>>) {
        let (mut books, ledger) = (locked(&self.0), Arc::default());
        books.readers += 1;
        let number = books.readers;
        books.open.insert(number, Arc::clone(&ledger));
        (number, ledger)
    }

    /// Closes the ledger of a reader that went.
    pub(crate) fn close(&self, number: u64) {
        let mut books = locked(&self.0);
        if let Some(ledger) = books.open.remove(&number) {
            books.closed.add(&locked(&ledger));
        }
    }

    /// The totals of readers that went, and the ledgers of those that are, by their numbers.
    pub(crate) fn read(&self) -> (Totals, Vec<(u64, Ledger)>) {
        let books = locked(&self.0);
        let open = books.open.iter().map(|(number, ledger)| (*number, *locked(ledger)));
        (books.closed, open.collect())
    }
}

/// What it guards is changed by additions only: no panic can leave it half changed.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Way;

    #[test]
    fn an_event_is_delivered_skipped_or_filtered_or_pending() {
        let at = |seq, way| Position { seq, way };
        let mut ledger = Ledger::default();
        let some = Filter::of([events::Kind::Loss]);
        ledger.enter(at(0, Way::New), at(7, Way::New), 3, some);
        assert_eq!((ledger.published(50), ledger.pending(50)), (0, 0), "it has no state yet");
        ledger.enter(at(7, Way::New), at(10, Way::Live), 1, some);
        ledger.enter(at(10, Way::Live), at(15, Way::Live), 3, some);
        // It falls off the log, and is sent the state of a later moment.
        ledger.enter(at(15, Way::Live), at(15, Way::Behind), 0, some);
        ledger.enter(at(15, Way::Behind), at(30, Way::Behind), 2, some);
        ledger.enter(at(30, Way::Behind), at(40, Way::Live), 1, some);
        let Ledger { delivered, skipped, filtered, .. } = ledger;
        assert_eq!((delivered, skipped, filtered), (3, 25, 2));
        assert_eq!((ledger.published(50), ledger.pending(50)), (40, 10));
        assert!(ledger.is_balanced());
        // An event that was sent twice, or is missing, shows.
        for events in [1, 3] {
            let mut wrong = ledger;
            wrong.enter(at(40, Way::Live), at(42, Way::Live), events, Filter::ALL);
            assert!(!wrong.is_balanced());
        }
    }
}
