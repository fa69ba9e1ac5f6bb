//! A receiver's files to events.
//!
//! ```text
//! index.jsonl, alerts.jsonl -> Disk (reads what was appended) -> snapshot -> publisher
//! ```

mod disk;
mod feed;
mod lines;

pub use disk::{Disk, DiskError};
pub use feed::{FeedError, feed};
