use std::time::{Duration, Instant, SystemTime};

/// Microseconds of Unix time that no clock adjustment moves, so that events of earlier runs are older.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    at: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), at }
    }

    pub(crate) fn now(self) -> u64 {
        (self.at + self.started.elapsed()).as_micros() as u64
    }
}

/// Microseconds without work. Without them, the server would pay for waking this process with every packet.
pub(crate) fn nap(microseconds: u64) {
    std::thread::sleep(Duration::from_micros(microseconds));
}

/// Microseconds.
pub(crate) fn micros(seconds: f64) -> u64 {
    (seconds * 1e6) as u64
}
