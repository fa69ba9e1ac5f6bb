//! A receiver's files to events.
//!
//! ```text
//! index.jsonl, alerts.jsonl -> Tail (each line once) -> Receiver (what they add up to) -> Feed: publish, and when it
//! episodes/<host>/          -> Tree (counts) --------------^                              is acknowledged, Checkpoint
//! ```

mod checkpoint;
mod feed;
mod identity;
mod phase_mix;
mod receiver;
mod record;
mod rotated;
mod tail;
mod tree;
mod wake;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use feed::{Feed, FeedError, Sources};
pub use phase_mix::PhaseMixer;
pub use tail::{LONGEST_LINE, Line, Position, Tail, TailError};
pub use tree::TreeError;
