//! Model reports to model_metric and model_perf events.
//!
//! ```text
//! <model>_eval.json, else <model>_train.json -> Report -> model_metric, model_perf -> publisher
//! ```
//!
//! A report that is missing or unreadable is said once and does not stop the others; what was last
//! published of its model stays on the wall.

mod model;
mod report;
mod watch;

pub use model::Model;
pub use report::{Estimate, Report, ReportError};
pub use watch::{Pace, watch};
