use serde::{Deserialize, Serialize};

use crate::{Name, Real, Text, Timestamp};

/// The most points in one [`MetricPoints`] event.
pub(crate) const MAX_POINTS: usize = 100_000;

/// The highest step: numbers of pages are exact up to here.
pub const MAX_STEP: u64 = (1 << 53) - 1;

/// The times that an RFC 3339 time can say, in seconds since 1970.
pub(crate) const TIMES: std::ops::Range<f64> = -62_167_219_200.0..253_402_300_799.0;

/// New points of one metric of one training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MetricPoints<'a> {
    /// The run.
    #[serde(borrow)]
    pub run_id: Name<'a>,
    /// The metric.
    #[serde(borrow)]
    pub metric: Name<'a>,
    /// 1 to 100,000 points.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 100_000)))]
    pub points: Vec<Point>,
    /// The host that measured them.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Name<'a>>,
    /// Its rank in the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// The device on that host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<u16>,
    /// The values' unit.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Name<'a>>,
}

/// `[step, value, unix_s]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(expecting = "[step, value, unix_s]")]
pub struct Point(
    /// Training step, below 2^53.
    pub u64,
    /// Value.
    pub Real,
    /// Seconds since 1970.
    pub Real,
);

/// Every run there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RunsMeta<'a> {
    /// One entry a run.
    #[serde(borrow)]
    pub runs_meta: Vec<RunMeta<'a>>,
    /// What keeps them from being read, if they cannot be now: what is shown of them may be old.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Text<'a>>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RunMeta<'a> {
    /// The run.
    #[serde(borrow)]
    pub run_id: Name<'a>,
    /// Its first point.
    #[serde(borrow)]
    pub start_time: Timestamp<'a>,
    /// Its newest point.
    #[serde(borrow)]
    pub last_event_time: Timestamp<'a>,
    /// Its newest step.
    pub latest_step: u64,
    /// Whether it had points in the last 5 minutes.
    pub is_active: bool,
}
