//! Episodes on disk: record, read, label, window into features.
//!
//! ```text
//! Recorder: LoadProcess + Sampler --> Episode --> DataRoot: tarball, index line
//!                             \--> LiveFile
//! DataRoot --> read_episode --> Windower --> build_dataset: window table, schema, validation table
//! ```
//!
//! Episodes are kept as they were measured, counters as counters. What is derived from them, rates,
//! windows and verdicts, is computed when it is needed and never stored beside them.

mod channel;
mod data_root;
mod dataset;
mod episode;
mod index;
mod live;
mod load;
mod name;
mod pending;
mod phase;
mod phase_plan;
mod profile;
mod reader;
mod recorder;
mod sample;
mod sampler;
mod statistic;
mod table;
mod tarball;
mod validation;
mod window_rows;
mod windower;

pub use channel::{CHANNEL_COUNT, CHANNELS, Channel, Reading};
pub use data_root::DataRoot;
pub use dataset::{DatasetError, Summary, build_dataset};
pub use episode::{Episode, Label, Meta};
pub use live::LiveLine;
pub use load::{LoadCommand, LoadPlan, run_load};
pub use name::{BadName, Name};
pub use pending::{Pending, WriteError};
pub use phase::{Phase, UnknownPhase};
pub use profile::{Profile, UnknownProfile};
pub use reader::{ReadError, read_episode, read_labels};
pub use recorder::{RecordError, Recorder, Recording};
pub use sample::Sample;
pub use statistic::Statistic;
pub use table::CREATED_BY;
pub use validation::{Status, judge};
pub use windower::{BadGrid, FEATURE_COUNT, Grid, Window, Windower, feature_names};
