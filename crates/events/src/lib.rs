//! The wire schema. One JSON object is one event; its `type` decides every other field.
//!
//! ```text
//! body --decode--> Batch of (checked Event, its JSON) --place, retention--> what a hub keeps
//! producer's value --serde_json--> JSON
//! ```
//!
//! This crate is the only definition of the wire: the JSON Schema and the page's TypeScript types
//! are generated from it (feature `schema`) and a test holds the checked-in copies to it. No I/O,
//! no async, no clock.

mod check;
mod decode;
mod event;
mod kind;
mod number;
mod phase;
mod refusal;
mod retention;
mod session;
mod text;
mod timestamp;

mod batch;
mod detection;
mod embedding;
mod fleet;
mod model;
mod profile;
mod run;
mod update;

#[cfg(feature = "schema")]
pub mod schema;
#[cfg(feature = "schema")]
pub mod typescript;

pub use batch::{Label, Loss, TILES, Tile, Tiles};
pub use decode::{Batch, Format, Item, decode};
pub use detection::{LiveDetection, PhaseChange, Prediction};
pub use embedding::{Embedding, EmbeddingSnapshot, MAX_SNAPSHOT_ROWS};
pub use event::Event;
pub use fleet::{Alert, Episode, PhaseMix, RECENT_EPISODES, RecentEpisode, Snapshot};
pub use kind::Kind;
pub use model::{ModelMetric, ModelPerf};
pub use number::{Positive, Real, Unit};
pub use phase::Phase;
pub use profile::{AttackProfile, PROFILE_POINTS};
pub use refusal::Refusal;
pub use retention::{Items, Key, Place, Retention};
pub use run::{MAX_STEP, MetricPoints, Point, RunMeta, RunsMeta};
pub use session::{PROTOCOL, Session};
pub use text::{Image, Name, Text};
pub use timestamp::Timestamp;
pub use update::BatchUpdate;
