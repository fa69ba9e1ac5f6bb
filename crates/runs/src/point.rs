use std::cmp::Ordering;

/// A measurement of a metric of a run.
///
/// What is measured is a set of points: one that comes again, or late, or after others of later steps, changes nothing
/// about what is known in the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Training step, below 2^53.
    pub step: u64,
    /// Value: finite, and no negative zero.
    pub value: f64,
    /// Milliseconds since 1970.
    pub time_ms: i64,
}

impl Point {
    /// Rounds the time, in seconds, to a millisecond; `None` where a number is not finite.
    pub fn new(step: u64, value: f64, unix_s: f64) -> Option<Self> {
        let is_finite = value.is_finite() && unix_s.is_finite();
        // The sum makes a negative zero a positive one, and nothing else another number.
        is_finite.then(|| Self { step, value: value + 0.0, time_ms: milliseconds(unix_s) })
    }

    /// Seconds since 1970.
    pub fn unix_s(&self) -> f64 {
        self.time_ms as f64 / 1e3
    }

    /// The order of a series: by step, then by time, then by value.
    pub fn order(&self, other: &Self) -> Ordering {
        let keys = (self.step, self.time_ms).cmp(&(other.step, other.time_ms));
        keys.then_with(|| self.value.total_cmp(&other.value))
    }
}

/// As pages round.
fn milliseconds(unix_s: f64) -> i64 {
    (unix_s * 1e3 + 0.5).floor() as i64
}

impl From<&events::Point> for Point {
    fn from(&events::Point(step, value, unix_s): &events::Point) -> Self {
        // What events hold is finite.
        Self { step, value: value.get() + 0.0, time_ms: milliseconds(unix_s.get()) }
    }
}
