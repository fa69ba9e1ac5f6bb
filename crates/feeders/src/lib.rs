//! A receiver's files to events.
//!
//! ```text
//! index.jsonl, alerts.jsonl -> tail (each line once) -> Receiver (what they add up to) -> Feed: publish, and when it
//!                                     |                  ^  ^                             is acknowledged, Checkpoint
//! episodes/<host>/ -> Tree (counts) --+------------------+  |
//!                                     +-> Past (what was there at the start, on all cores)
//! ```

mod checkpoint;
mod feed;
mod past;
mod phase_mix;
mod receiver;
mod record;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use feed::{Feed, Sources};
pub use phase_mix::PhaseMixer;
pub use tree::TreeError;
