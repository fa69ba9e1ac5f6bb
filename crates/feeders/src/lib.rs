//! A receiver's files to events.
//!
//! ```text
//! index.jsonl, alerts.jsonl -> tail (each line once) -> Receiver (what they add up to) -> Feed: publish, and when it
//! episodes/<host>/          -> Tree (counts) --------------^                              is acknowledged, Checkpoint
//! ```

mod checkpoint;
mod feed;
mod phase_mix;
mod receiver;
mod record;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use feed::{Feed, Sources};
pub use phase_mix::PhaseMixer;
pub use tree::TreeError;
