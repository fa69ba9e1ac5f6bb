use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::hub::Answer;

/// How long an answer is remembered.
const WINDOW: Duration = Duration::from_secs(600);
/// How many answers are.
const KEYS: usize = 100_000;

/// Answers by Idempotency-Key, so that a repeat is answered as the first time was.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    by_key: HashMap<Box<str>, Answer>,
    /// Oldest first.
    order: VecDeque<(Instant, Box<str>)>,
    /// How many at the end of the order are not saved elsewhere.
    unsaved: usize,
    /// Keys of those that are saved, and are forgotten since. `None` if nothing is saved.
    forgotten: Option<Vec<Box<str>>>,
}

/// An answer, as it is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) key: Box<str>,
    /// When it was given: milliseconds since 1970.
    pub(crate) at: u64,
    pub(crate) answer: Answer,
}

impl Answers {
    /// As they were saved, oldest first: from here on it is noted what changes.
    pub(crate) fn again(kept: Vec<Answered>, clock: Clock) -> Self {
        let mut answers = Self { forgotten: Some(vec![]), ..Self::default() };
        for Answered { key, at, answer } in kept {
            answers.by_key.insert(key.clone(), answer);
            answers.order.push_back((clock.instant(at), key));
        }
        answers
    }

    /// What changed since the last call: the new ones, and the keys of those that are forgotten.
    pub(crate) fn changes(&mut self, clock: Clock) -> (Vec<Answered>, Vec<Box<str>>) {
        let unsaved = self.order.len() - std::mem::take(&mut self.unsaved);
        let new = self.order.range(unsaved..).filter_map(|(at, key)| {
            let answer = self.by_key.get(key)?.clone();
            Some(Answered { key: key.clone(), at: clock.unix(*at), answer })
        });
        (new.collect(), self.forgotten.replace(vec![]).unwrap_or_default())
    }

    pub(crate) fn get(&mut self, key: &str, now: Instant) -> Option<Answer> {
        self.forget(now);
        self.by_key.get(key).cloned()
    }

    pub(crate) fn put(&mut self, key: &str, answer: Answer, now: Instant) {
        self.by_key.insert(key.into(), answer);
        self.order.push_back((now, key.into()));
        self.unsaved += 1;
        self.forget(now);
    }

    fn forget(&mut self, now: Instant) {
        while let Some((at, _)) = self.order.front()
            && (self.order.len() > KEYS || now.duration_since(*at) > WINDOW)
            && let Some((_, key)) = self.order.pop_front()
        {
            self.by_key.remove(&key);
            if self.unsaved > self.order.len() {
                self.unsaved = self.order.len();
            } else if let Some(forgotten) = &mut self.forgotten {
                forgotten.push(key);
            }
        }
    }
}

/// The same moment on both clocks: the one that only goes forward, and the one that files go by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    now: Instant,
    unix: u64,
}

impl Clock {
    pub(crate) fn now() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { now: Instant::now(), unix: unix.as_millis() as u64 }
    }

    fn unix(self, at: Instant) -> u64 {
        self.unix.saturating_sub(self.now.saturating_duration_since(at).as_millis() as u64)
    }

    /// What is to come is now.
    fn instant(self, unix: u64) -> Instant {
        let ago = Duration::from_millis(self.unix.saturating_sub(unix));
        self.now.checked_sub(ago).unwrap_or(self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Receipt;

    fn answer(seq: u64) -> Answer {
        Answer { receipt: Receipt { seq, accepted: 1 }, clients: 0 }
    }

    #[test]
    fn an_answer_is_repeated_for_ten_minutes() {
        let (mut answers, start) = (Answers::default(), Instant::now());
        answers.put("p:1", answer(7), start);
        assert_eq!(answers.get("p:1", start + WINDOW), Some(answer(7)));
        assert_eq!(answers.get("p:2", start), None);
        assert_eq!(answers.get("p:1", start + WINDOW + Duration::from_millis(1)), None);
    }

    #[test]
    fn the_oldest_answers_go_first() {
        let (mut answers, now) = (Answers::default(), Instant::now());
        for n in 0..=KEYS {
            answers.put(&n.to_string(), answer(n as u64), now);
        }
        assert_eq!(answers.get("0", now), None);
        assert_eq!(answers.get("1", now), Some(answer(1)));
    }

    #[test]
    fn what_is_saved_and_read_back_is_forgotten_at_the_same_time() {
        let (start, clock) = (Instant::now(), Clock::now());
        let mut answers = Answers::again(vec![], clock);
        answers.put("p:1", answer(7), start);
        let (saved, forgotten) = answers.changes(clock);
        assert_eq!((saved.len(), forgotten.len()), (1, 0));
        assert_eq!(answers.changes(clock), (vec![], vec![]), "once");
        // Ten minutes pass in another process.
        let later = |by| Clock { unix: clock.unix + by, now: start };
        let by = WINDOW.as_millis() as u64;
        assert_eq!(Answers::again(saved.clone(), later(by - 1_000)).get("p:1", start), Some(answer(7)));
        let mut answers = Answers::again(saved, later(by + 1_000));
        assert_eq!(answers.get("p:1", start), None);
        assert_eq!(answers.changes(clock), (vec![], vec!["p:1".into()]));
        // One that was never saved need not be forgotten.
        answers.put("p:2", answer(8), start);
        assert_eq!(answers.get("p:2", start + 2 * WINDOW), None);
        assert_eq!(answers.changes(clock), (vec![], vec![]));
    }
}
