use serde::{Deserialize, Serialize};

use crate::{Name, Phase, Text, Unit};

/// The most points that one embedding snapshot may hold.
pub const MAX_SNAPSHOT_ROWS: u32 = 4_000_000;

/// One window, placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Embedding<'a> {
    /// First axis of the projection.
    pub x: Unit,
    /// Second axis.
    pub y: Unit,
    /// Third axis.
    pub z: Unit,
    /// What was.
    pub phase: Phase,
    /// What the fit says.
    pub predicted: Phase,
    /// KMeans cluster.
    pub cluster: u32,
    /// The episode that the window is of.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub episode_id: Option<Name<'a>>,
    /// The window's place in its episode, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_idx: Option<u64>,
    /// The host that it was recorded on.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub host_id: Option<Name<'a>>,
    /// The kind of load.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Name<'a>>,
}

/// A whole scatter, published as Arrow columns; this event says where its packed form lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EmbeddingSnapshot<'a> {
    /// The fit that placed the points.
    #[serde(borrow)]
    pub fit_id: Name<'a>,
    /// Points, at most [`MAX_SNAPSHOT_ROWS`].
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 4_000_000)))]
    pub rows: u32,
    /// Where the packed columns are, for good.
    #[serde(borrow)]
    pub url: Text<'a>,
    /// What placed them: `pca`, `lda`, `umap`.
    #[serde(borrow)]
    pub projector: Name<'a>,
    /// How many times the producer has gone round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<u64>,
}
