use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);

/// How long to wait before the next attempt: doubles from 0.2 s to 10 s, each wait drawn from its
/// upper half, so that producers that failed together do not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    draws: RandomState,
    attempts: u64,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: FIRST, draws: RandomState::new(), attempts: 0 }
    }

    /// The next wait; at least what the answer's Retry-After asks for, but never over a minute.
    pub(crate) fn wait(&mut self, retry_after: Option<Duration>) -> Duration {
        self.attempts += 1;
        let half = self.next / 2;
        // 16 random bits are plenty for jitter.
        let share = (self.draws.hash_one(self.attempts) & 0xffff) as u32;
        let wait = half + half * share / 0xffff;
        self.next = (self.next * 2).min(LONGEST);
        wait.max(retry_after.unwrap_or_default().min(Duration::from_secs(60)))
    }
}

/// Reads a Retry-After header: seconds, or a date.
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value.trim()).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_ten_seconds_and_are_never_shorter_than_half() {
        let mut backoff = Backoff::new();
        let mut full = FIRST;
        for _ in 0..12 {
            let wait = backoff.wait(None);
            assert!(wait >= full / 2 && wait <= full, "{wait:?} of {full:?}");
            full = (full * 2).min(LONGEST);
        }
    }

    #[test]
    fn retry_after_is_a_floor() {
        assert!(Backoff::new().wait(Some(Duration::from_secs(7))) == Duration::from_secs(7));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        assert_eq!(retry_after(" 3", now), Some(Duration::from_secs(3)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("soon", now), None);
    }
}
