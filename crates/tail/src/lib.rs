//! A file that others append to, rotate, truncate and remove, as one stream of lines of which each is handed over once.
//!
//! ```text
//! index.jsonl.2.gz, index.jsonl.1, index.jsonl -> Segment after Segment -> Tail -> lines, and a Position to go on from
//! ```

mod identity;
mod line;
mod passed_over;
mod position;
mod rotated;
mod said;
mod segment;
mod tail;
mod wake;

pub use line::{LONGEST_LINE, Line};
pub use passed_over::PassedOver;
pub use position::Position;
pub use said::Said;
pub use tail::{Tail, TailError};
pub use wake::{Changes, Wake};
