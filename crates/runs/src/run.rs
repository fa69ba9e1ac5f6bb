use events::{Name, RunMeta, Timestamp};
use jiff::Timestamp as Moment;

use crate::Point;

/// A run that had no points for so long is over.
const QUIET_MS: i64 = 5 * 60 * 1_000;

/// When a run was, and how far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first point, in milliseconds since 1970.
    pub start_ms: i64,
    /// Its newest point.
    pub last_ms: i64,
    /// Its highest step.
    pub latest_step: u64,
}

impl Span {
    /// Of one point.
    pub fn of(point: &Point) -> Self {
        Self { start_ms: point.time_ms, last_ms: point.time_ms, latest_step: point.step }
    }

    /// Of the points of both.
    pub fn join(&mut self, other: &Self) {
        self.start_ms = self.start_ms.min(other.start_ms);
        self.last_ms = self.last_ms.max(other.last_ms);
        self.latest_step = self.latest_step.max(other.latest_step);
    }

    /// Whether it had points in the five minutes before now.
    pub fn is_active(&self, now_ms: i64) -> bool {
        is_active(self.last_ms, now_ms)
    }

    /// What is said of it; `None` of a run without a name, or of times that have none.
    pub fn meta<'a>(&self, run_id: &'a str, now_ms: i64) -> Option<RunMeta<'a>> {
        let is_active = self.is_active(now_ms);
        let (start_time, last_event_time) = (written(self.start_ms)?, written(self.last_ms)?);
        let latest_step = self.latest_step;
        Some(RunMeta { run_id: Name::new(run_id).ok()?, start_time, last_event_time, latest_step, is_active })
    }
}

fn is_active(last_ms: i64, now_ms: i64) -> bool {
    now_ms.saturating_sub(last_ms) <= QUIET_MS
}

/// Whether a run of which this was said is active now.
pub fn is_active_now(run: &RunMeta<'_>, now_ms: i64) -> bool {
    let last: Result<Moment, _> = run.last_event_time.as_str().parse();
    last.is_ok_and(|last| is_active(last.as_millisecond(), now_ms))
}

fn written(ms: i64) -> Option<Timestamp<'static>> {
    Timestamp::new(Moment::from_millisecond(ms).ok()?.to_string()).ok()
}
