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
        now_ms.saturating_sub(self.last_ms) <= QUIET_MS
    }

    /// What is said of it; `None` of a run without a name.
    pub fn meta<'a>(&self, run_id: &'a str, now_ms: i64) -> Option<RunMeta<'a>> {
        let is_active = self.is_active(now_ms);
        let (start_time, last_event_time) = (written(self.start_ms)?, written(self.last_ms)?);
        let latest_step = self.latest_step;
        Some(RunMeta { run_id: Name::new(run_id).ok()?, start_time, last_event_time, latest_step, is_active })
    }
}

/// A moment as it is written; one that no calendar has as the nearest that it has.
fn written(ms: i64) -> Option<Timestamp<'static>> {
    let nearest = if ms < 0 { Moment::UNIX_EPOCH } else { Moment::MAX };
    let moment = Moment::from_millisecond(ms).unwrap_or(nearest);
    Timestamp::new(moment.to_string()).ok()
}
