//! The history of training runs.
//!
//! ```text
//! metric_points -> Store: append  -> Embedded: a folder of its own
//!                         history -> ClickHouse: a table that others may write as well
//!                         runs
//! Table: what others write into that table, to whom follows it
//! Point -> Bucket -> Pyramid: what is drawn of a series, however long it is
//! ```

mod bucket;
mod clickhouse;
mod embedded;
mod point;
mod pyramid;
mod query;
mod run;
mod store;
mod triangles;

pub use bucket::Bucket;
pub use clickhouse::{Address, AddressError, ClickHouse, Count, Measured, NO_DEVICE, Rows, Slots, Table};
pub use embedded::{Embedded, Limits};
pub use point::Point;
pub use pyramid::{Change, POINTS_PER_BUCKET, Pyramid};
pub use query::{History, Metrics, Query, View};
pub use run::Span;
pub use store::{Store, StoreError};
use triangles::triangles;
