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

    /// What was said of a run; `None` if its times are none.
    pub fn said(run: &RunMeta<'_>) -> Option<Self> {
        let ms = |time: &Timestamp<'_>| Some(time.as_str().parse::<Moment>().ok()?.as_millisecond());
        let (start_ms, last_ms) = (ms(&run.start_time)?, ms(&run.last_event_time)?);
        Some(Self { start_ms, last_ms, latest_step: run.latest_step })
    }

    /// Whether it had points in the five minutes before now.
    pub fn is_active(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.last_ms) <= QUIET_MS
    }

    /// What is said of it; `None` of a run without a name, or of times that have none.
    pub fn meta<'a>(&self, run_id: &'a str, now_ms: i64) -> Option<RunMeta<'a>> {
        let is_active = self.is_active(now_ms);
        let (start_time, last_event_time) = (written(self.start_ms)?, written(self.last_ms)?);
        let latest_step = self.latest_step;
        Some(RunMeta { run_id: Name::new(run_id).ok()?, start_time, last_event_time, latest_step, is_active })
    }
}

fn written(ms: i64) -> Option<Timestamp<'static>> {
    Timestamp::new(Moment::from_millisecond(ms).ok()?.to_string()).ok()
}
