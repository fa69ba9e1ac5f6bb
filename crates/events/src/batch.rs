use serde::{Deserialize, Serialize};

use crate::{Image, Name, Real, Unit};

/// Samples in a whole tile set.
pub const TILES: usize = 16;

/// The tile set of a mini-batch: what the network saw and said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tiles<'a> {
    /// Training iteration.
    pub iteration: u64,
    /// The samples so far, at most 16.
    #[serde(borrow)]
    #[cfg_attr(feature = "schema", schemars(length(max = 16)))]
    pub tiles: Vec<Tile<'a>>,
    /// How many there are.
    #[cfg_attr(feature = "schema", schemars(range(max = 16)))]
    pub filled: u8,
    /// Whether the set is whole.
    pub ready: bool,
}

/// One sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tile<'a> {
    /// The sample.
    #[serde(borrow)]
    pub sample_id: Label<'a>,
    /// What the network says.
    #[serde(borrow)]
    pub prediction: Label<'a>,
    /// What it is.
    #[serde(borrow)]
    pub ground_truth: Label<'a>,
    /// How sure the network is.
    pub confidence: Unit,
    /// PNG or JPEG.
    #[serde(borrow)]
    pub image_b64: Image<'a>,
}

impl Tile<'_> {
    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Tile<'static> {
        Tile {
            sample_id: self.sample_id.into_owned(),
            prediction: self.prediction.into_owned(),
            ground_truth: self.ground_truth.into_owned(),
            confidence: self.confidence,
            image_b64: self.image_b64.into_owned(),
        }
    }
}

/// A class or an id: trainers send numbers as well as names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "a whole number or a name of 1 to 256 bytes")]
pub enum Label<'a> {
    /// A number.
    Number(i64),
    /// A name.
    #[serde(borrow)]
    Name(Name<'a>),
}

impl Label<'_> {
    fn into_owned(self) -> Label<'static> {
        match self {
            Self::Number(number) => Label::Number(number),
            Self::Name(name) => Label::Name(name.into_owned()),
        }
    }
}

/// One point of the loss curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// Training iteration.
    pub iteration: u64,
    /// The loss.
    pub loss: Real,
    /// Samples in the mini-batch.
    pub batch_size: u32,
    /// How long the trainer waited on purpose, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<Real>,
}
