//! A receiver's files, and training runs out of a table, to events.
//!
//! ```text
//! index.jsonl, alerts.jsonl -> tail (each line once) -> Receiver (what they add up to) -> Feed: publish, and when it
//!                                     |                  ^  ^                             is acknowledged, Checkpoint
//! episodes/<host>/ -> Tree (counts) --+------------------+  |
//!                                     +-> Past (what was there at the start, on all cores)
//!
//! a ClickHouse -> TableFeed: compares how many rows there are with a Tally of how many were published -> Points
//! ```

mod checkpoint;
mod feed;
mod past;
mod phase_mix;
mod points;
mod receiver;
mod record;
mod table_feed;
mod tally;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use feed::{Feed, Sources};
pub use phase_mix::PhaseMixer;
pub use table_feed::TableFeed;
pub use tree::TreeError;
