//! Recorded episodes to the envelope of each kind of load: how its channel runs through the phases.
//!
//! ```text
//! tarballs -> Curve: rates of one channel, cut by labels, each section resampled to its points
//!          -> Envelope of a profile: median and quartiles over its curves -> attack_profiles_v1.parquet, attack_profile
//! ```

mod channel;
mod curve;
mod envelope;
mod produce;
mod section;
mod table;
mod validation;

pub use channel::channel;
pub use curve::Curve;
pub use envelope::Envelope;
pub use produce::{ProduceError, Produced, produce};
pub use section::Section;
pub use table::{TableError, read_table, write_table};
