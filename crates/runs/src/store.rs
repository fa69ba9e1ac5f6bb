use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use events::MetricPoints;
use futures_util::future::BoxFuture;

use crate::{History, Query, Span};

/// Where the points of training runs are kept.
///
/// What it holds of a series is a set: a point that is given again, which a producer does that got no answer, is there once, and
/// points may come in any order.
pub trait Store: Debug + Send + Sync {
    /// Adds points, all of them or none. When it returns they outlive the process.
    ///
    /// # Errors
    /// They cannot be written. Whether they are there is not known: they may be given again.
    fn append<'a>(&'a self, points: &'a [&'a MetricPoints<'a>]) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Series of a run; `None` if there is no such run.
    ///
    /// # Errors
    /// They cannot be read, or are too many.
    fn history(&self, query: Query) -> BoxFuture<'_, Result<Option<History>, StoreError>>;

    /// All runs.
    ///
    /// # Errors
    /// They cannot be read.
    fn runs(&self) -> BoxFuture<'_, Result<BTreeMap<String, Span>, StoreError>>;

    /// The units of a run's metrics, by metric: the newest of each that has one. A table that others write knows when points were
    /// measured, and not when they came.
    ///
    /// # Errors
    /// They cannot be read.
    fn units<'a>(&'a self, run_id: &'a str) -> BoxFuture<'a, Result<BTreeMap<String, String>, StoreError>>;
}

/// Why points cannot be kept, or read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be made, or the file cannot be opened, read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says, or the database.
        cause: Arc<io::Error>,
    },
    /// Another process has it open.
    #[error("{}: another broadcaster keeps its runs here; give this one a --runs-store of its own", path.display())]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// It is damaged, or not what this version writes.
    #[error("{}: {what}; move the file away to start with nothing, or choose another --runs-store", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A server does not do what it is asked.
    #[error("{address}: {reason}")]
    Server {
        /// Which, and which of its databases.
        address: String,
        /// What it says, or why it is not reached.
        reason: String,
    },
    /// More is asked for than is answered at once.
    #[error(
        "there are more than {most} points: ask for one metric, for fewer steps, or with a smaller max_points"
    )]
    TooMany {
        /// What would be answered.
        most: usize,
    },
    /// It takes no more points.
    #[error("the runs are closed")]
    Closed,
}
