use serde::{Deserialize, Serialize};

use crate::{Name, Phase, Positive, Real, Timestamp, Unit};

/// A host, classified while it is being recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LiveDetection<'a> {
    /// The host.
    #[serde(borrow)]
    pub host_id: Name<'a>,
    /// What the model says.
    pub predicted: Phase,
    /// How sure it is.
    pub confidence: Unit,
    /// The model.
    #[serde(borrow)]
    pub model: Name<'a>,
    /// When the window ended.
    #[serde(borrow)]
    pub at: Timestamp<'a>,
    /// The episode being recorded.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub episode_id: Option<Name<'a>>,
    /// The window's place in it, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_idx: Option<u64>,
    /// What is really going on, where the recorder knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// From the end of the window to the answer, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<Positive>,
}

/// What one model says of one window of an episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Prediction<'a> {
    /// The episode.
    #[serde(borrow)]
    pub episode_id: Name<'a>,
    /// The window's place in it, from 0.
    pub window_idx: u64,
    /// The model.
    #[serde(borrow)]
    pub model: Name<'a>,
    /// What it says.
    pub predicted: Phase,
    /// What was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// How sure the model is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Unit>,
    /// The host.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub host_id: Option<Name<'a>>,
    /// Seconds from the episode's start to the window's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t_s: Option<Real>,
}

/// A host has entered a phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PhaseChange<'a> {
    /// The host.
    #[serde(borrow)]
    pub host_id: Name<'a>,
    /// What it entered.
    pub phase: Phase,
    /// When.
    #[serde(borrow)]
    pub at: Timestamp<'a>,
    /// The episode being recorded.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub episode_id: Option<Name<'a>>,
}
