use serde::{Deserialize, Serialize};

use crate::{Name, Phase, Sample};

/// One recorded run on one host, in phases: what one tarball holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// Whose run it is and how it was recorded.
    pub meta: Meta,
    /// Phase transitions, times rising. A phase lasts until the next transition.
    pub labels: Vec<Label>,
    /// Telemetry, times rising.
    pub samples: Vec<Sample>,
}

/// `meta.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Unique in the data root; also the tarball's file name.
    pub episode_id: Name,
    /// The host; also the tarball's folder.
    pub host_id: Name,
    /// The kind of load.
    pub profile: String,
    /// The load itself: the same name is the same load, on whichever host it ran.
    pub sample_name: String,
    /// When the recording began, RFC 3339.
    pub started_at_wall: String,
    /// When it ended, on the clock of `t_mono_ns`.
    pub ended_mono_ns: u64,
    /// Samples a second that the recorder aimed at.
    pub sample_hz: f64,
    /// The program that recorded, with its version.
    pub recorder: String,
}

/// A phase transition: one line of `labels.jsonl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// When the phase begins.
    pub t_mono_ns: u64,
    /// The phase that begins.
    pub phase: Phase,
}
