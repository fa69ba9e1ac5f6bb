use serde::Deserialize;

use crate::decode::located;
use crate::refusal::Fault;
use crate::{Real, Refusal, Tile};

/// Samples of one update, at most.
const MAX_SAMPLES: usize = 128;

/// What a trainer says of an iteration in one call (`POST /rpc/batch_update`): no event, but what `tiles` and `loss` are
/// made of.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct BatchUpdate<'a> {
    /// Training iteration.
    pub iteration: u64,
    /// The loss.
    pub loss: Real,
    /// Samples in the mini-batch.
    pub batch_size: u32,
    /// How long the trainer waited on purpose, in milliseconds.
    #[serde(default)]
    pub delay_ms: Option<Real>,
    /// Some of them, at most 128.
    #[serde(borrow)]
    pub samples: Vec<Tile<'a>>,
}

impl<'a> BatchUpdate<'a> {
    /// Reads and checks a whole body. Other fields are passed over, but not in a sample.
    ///
    /// # Errors
    /// It is not JSON, or a field is not what it should be.
    pub fn decode(body: &'a [u8]) -> Result<Self, Refusal> {
        let update: Self = located::<Self, BatchUpdate<'static>>(body)?;
        match update.samples.len() {
            0..=MAX_SAMPLES => Ok(update),
            many => Err(Fault::new("/samples", "at most 128 samples", format!("{many} samples")).at(0)),
        }
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> BatchUpdate<'static> {
        let Self { iteration, loss, batch_size, delay_ms, samples } = self;
        let samples = samples.into_iter().map(Tile::into_owned).collect();
        BatchUpdate { iteration, loss, batch_size, delay_ms, samples }
    }
}
