//! Standardize, PCA / LDA / UMAP, k-means and exact nearest neighbours over telemetry windows.
//!
//! ```text
//! WindowTable -> Split -> Standardizer -> z -> Projection -> places  \
//!  (parquet)                                -> Clusters   -> numbers  } Points (parquet) -> stream
//!                                           -> Classifier -> phases  /
//!                              all of it learned: Fit (Arrow IPC)
//! live/<host_id>.jsonl -> Follow -> windows -> Detector -> detect
//! ```
//!
//! The numeric modules take matrices and return matrices; they know no terminal, no signal (a
//! [`Watch`] is asked and told) and no network; `stream` and `detect` alone know the publisher. Work runs on the current rayon pool in fixed blocks:
//! equal input and seed give equal bytes on any number of threads.

mod axes;
mod blocks;
mod classifier;
mod columns;
mod detect;
mod detector;
mod dictionary;
mod distance;
mod eigen;
mod fit;
mod fit_file;
mod follow;
mod k_nearest;
mod kmeans;
mod large_pages;
mod latency;
mod lda;
mod matrix;
mod metric;
pub mod neighbours;
mod origin;
mod pages;
mod params;
mod pca;
mod phase;
mod points;
mod positioned;
mod predictions;
mod produce;
mod projection;
mod projector;
mod row_group;
mod sample;
mod scatter;
mod schema;
mod score;
mod seal;
mod split;
mod standardize;
mod stream;
mod table;
mod umap;
mod unlabelled;
mod validation;
mod watch;

pub use axes::Axes;
pub use classifier::{Classifier, Vote, vote};
pub use columns::ColumnError;
pub use detector::{Detection, Detector, OtherSchema};
pub use dictionary::Dictionary;
pub use distance::squared_distance;
pub use eigen::NoConvergence;
pub use episodes::{Pending, WriteError};
pub use fit::Fit;
pub use fit_file::FitFileError;
pub use follow::{Follow, Recorded};
pub use k_nearest::{KNearest, KNearestError, KNearestParams, KNearestValidParams};
pub use kmeans::{ClusterError, Clusters};
pub use linfa::ParamGuard;
pub use matrix::{Matrix, RaggedMatrix};
pub use metric::Metric;
pub use origin::{Busiest, Origin};
pub use params::{ProduceParams, ProduceParamsError, ProduceValidParams};
pub use points::{FitId, Points};
pub use predictions::Predictions;
pub use produce::{ProduceError, Produced, Report};
pub use projection::{AXES, Map, ProjectError, Projection};
pub use projector::{Projector, UnknownProjector};
pub use sample::stratified;
pub use schema::{FeatureSchema, SchemaError};
pub use score::{Confusion, Score};
pub use split::{Recipe, Split, SplitError, UnknownRecipe};
pub use standardize::{StandardizeError, Standardizer};
pub use stream::{Cloud, Pace, PaceError, Performance, StreamError};
pub use table::{Source, TableError, WindowTable};
pub use umap::Umap;
pub use unlabelled::Unlabelled;
pub use validation::Validation;
pub use watch::{Stage, Stopped, Unwatched, Watch};
