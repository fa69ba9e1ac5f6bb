//! The history of training runs.
//!
//! ```text
//! metric_points -> Store: append  -> Embedded: a folder of its own
//!                         history
//!                         runs
//! Point -> Bucket -> Pyramid: what is drawn of a series, however long it is
//! ```

mod bucket;
mod embedded;
mod point;
mod pyramid;
mod query;
mod run;
mod store;
mod triangles;

pub use bucket::Bucket;
pub use embedded::{Embedded, Limits};
pub use point::Point;
pub use pyramid::{Change, POINTS_PER_BUCKET, Pyramid};
pub use query::{History, Metrics, Query, View};
pub use run::{Span, is_active_now};
pub use store::{Store, StoreError};
use triangles::triangles;
