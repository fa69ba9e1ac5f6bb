use std::fmt;

/// Who watches long numeric work: told how far it is, asked between blocks whether to go on.
///
/// The numeric modules know no terminal and no signal. They call this, from any thread, at least
/// every few tens of milliseconds of one core's work.
pub trait Watch: Sync {
    /// A stage begins; it will [`advance`](Self::advance) by `steps` in all.
    fn begin(&self, stage: Stage, steps: u64);

    /// The stage that began last is this much further.
    fn advance(&self, steps: u64);

    /// Whether the work should end now with [`Stopped`].
    fn stop_requested(&self) -> bool;

    /// [`Stopped`] if the work should end now.
    fn check(&self) -> Result<(), Stopped> {
        if self.stop_requested() { Err(Stopped) } else { Ok(()) }
    }
}

/// Nobody watches: the work runs to its end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn begin(&self, _: Stage, _: u64) {}

    fn advance(&self, _: u64) {}

    fn stop_requested(&self) -> bool {
        false
    }
}

/// The work ended early because its [`Watch`] asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped on request")]
pub struct Stopped;

/// The stages of the pipeline, in the order they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Parquet columns into one matrix.
    Read,
    /// Medians, means and deviations, then every row imputed and scaled.
    Standardize,
    /// The map of PCA, LDA or UMAP, then every row placed.
    Project,
    /// `KMeans` centroids, then every row assigned.
    Cluster,
    /// Nearest training rows of the validation and test rows, and their vote.
    Classify,
    /// Scores with their intervals, and the time that single windows take.
    Measure,
    /// Files encoded and put on disk.
    Write,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Read => "read",
            Self::Standardize => "standardize",
            Self::Project => "project",
            Self::Cluster => "cluster",
            Self::Classify => "classify",
            Self::Measure => "measure",
            Self::Write => "write",
        })
    }
}
