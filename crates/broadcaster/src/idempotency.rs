use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

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
}

impl Answers {
    pub(crate) fn get(&mut self, key: &str, now: Instant) -> Option<Answer> {
        self.forget(now);
        self.by_key.get(key).cloned()
    }

    pub(crate) fn put(&mut self, key: &str, answer: Answer, now: Instant) {
        self.by_key.insert(key.into(), answer);
        self.order.push_back((now, key.into()));
        self.forget(now);
    }

    fn forget(&mut self, now: Instant) {
        while let Some((at, _)) = self.order.front()
            && (self.order.len() > KEYS || now.duration_since(*at) > WINDOW)
            && let Some((_, key)) = self.order.pop_front()
        {
            self.by_key.remove(&key);
        }
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
}
