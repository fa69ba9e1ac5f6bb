use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{
    Args, Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use events::{Positive, Unit};
use knn::{Projector, Recipe};
use publisher::PublishArgs;

use crate::stream::{positive, share};

/// Classify telemetry windows by their nearest neighbours, and show them as a cloud of points.
#[derive(Debug, Parser)]
#[command(
    name = "knn",
    version,
    after_help = "Example, from recorded episodes to a page:
  episodes windows --data-root data/sample --out-dir windows
  knn produce --window windows/features_window_v1.parquet --schema windows/feature_schema_v1.json \\
      --validation windows/validation_v1.parquet --fit-out windows/knn_v1.parquet
  knn stream --load-fit windows/knn_v1.parquet --loop

VITRINE_KNN_INSTRUCTIONS=portable, avx2 or avx512 has the neighbours found with these instructions [default: the best that the CPU has]"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) log: command::LogArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fit, place and classify a window table; publish the points and the held-out macro F1
    #[command(after_help = "Example:
  knn produce --window features_window_v1.parquet --schema feature_schema_v1.json \\
      --validation validation_v1.parquet --fit-out knn_v1.parquet")]
    Produce(ProduceArgs),

    /// Publish the points of a fit that was made before
    #[command(after_help = "Example:
  knn stream --load-fit knn_v1.parquet --loop --also-metric 0.76")]
    Stream(StreamArgs),

    /// As produce, without publishing
    #[command(after_help = "Example:
  knn fit-only --window features_window_v1.parquet --schema feature_schema_v1.json \\
      --projector pca --fit-out knn_v1.parquet --model-out knn_v1.fit")]
    FitOnly(FitOnlyArgs),

    /// Measure how well neighbours tell the phases of the windows held out; publish it as model knn
    #[command(after_help = "Example:
  knn metric --window features_window_v1.parquet --schema feature_schema_v1.json \\
      --validation validation_v1.parquet --interval 20")]
    Metric(MetricArgs),

    /// Tell the phases of windows by a fit: a label and a confidence each
    #[command(after_help = "Example:
  knn predict --model knn_v1.fit --window new_windows.parquet --out predictions.parquet
  knn predict --model knn_v1.fit --window new_windows.parquet --neighbors | head")]
    Predict(PredictArgs),

    /// Tell the phases of hosts while they are recorded; publish each window as prediction and live_detection
    #[command(after_help = "Example, with `episodes record --data-root data --loop ...` beside it:
  knn detect --model knn_v1.fit --follow data/live")]
    Detect(DetectArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ProduceArgs {
    #[command(flatten)]
    pub(crate) fit: FitArgs,

    /// Where the points go (parquet)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) fit_out: Option<PathBuf>,

    /// Publish at most this many points, every phase among them (0: all)
    #[arg(long, value_name = "N", default_value_t = 2000, help_heading = "Publishing")]
    pub(crate) max_publish: usize,

    /// Publish nothing
    #[arg(long, help_heading = "Publishing")]
    pub(crate) no_publish: bool,

    /// Publish one embedding event a point instead of one snapshot
    #[arg(long, help_heading = "Publishing")]
    pub(crate) per_point: bool,

    /// Points a second with --per-point, at least 0.001 (0: no limit)
    #[arg(long, value_name = "HZ", default_value_t = 200.0, help_heading = "Publishing")]
    pub(crate) rate_hz: f64,

    #[command(flatten, next_help_heading = "Publishing")]
    pub(crate) publish: PublishArgs,
}

#[derive(Debug, Args)]
pub(crate) struct StreamArgs {
    /// The points (parquet), as produce and fit-only write them with --fit-out
    #[arg(long, value_name = "FILE")]
    pub(crate) load_fit: PathBuf,

    /// Publish at most this many points, every phase among them (0: all)
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub(crate) max_points: usize,

    /// Of the points that are drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Publish again after a pause, until Ctrl-C
    #[arg(long = "loop")]
    pub(crate) repeat: bool,

    /// Seconds between two cycles of --loop
    #[arg(long, value_name = "S", default_value_t = 15.0)]
    pub(crate) cycle_pause_s: f64,

    /// Publish one embedding event a point instead of one snapshot a cycle
    #[arg(long)]
    pub(crate) per_point: bool,

    /// Points of a burst with --per-point
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) burst_size: usize,

    /// Points a second with --per-point, at least 0.001 (0: no limit)
    #[arg(long, value_name = "HZ", default_value_t = 2000.0)]
    pub(crate) rate_hz: f64,

    /// Publish this macro F1 as model_metric of model knn
    #[arg(long, value_name = "F1", value_parser = share)]
    pub(crate) also_metric: Option<Unit>,

    /// Publish this time to classify one window as model_perf of model knn
    #[arg(long, value_name = "US", value_parser = positive, requires = "also_metric")]
    pub(crate) also_perf_latency_us: Option<Positive>,

    #[command(flatten, next_help_heading = "Publishing")]
    pub(crate) publish: PublishArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MetricArgs {
    #[command(flatten)]
    pub(crate) windows: WindowArgs,

    /// Seconds between two publications; the windows are read again when their file has changed (0: once)
    #[arg(long, value_name = "S", default_value_t = 20.0, help_heading = "Publishing")]
    pub(crate) interval: f64,

    #[command(flatten, next_help_heading = "Publishing")]
    pub(crate) publish: PublishArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// The fit, as produce and fit-only write it with --model-out
    #[arg(long, value_name = "FILE")]
    pub(crate) model: PathBuf,

    /// The windows (parquet), with the feature columns that the fit was made of
    #[arg(long, value_name = "FILE")]
    pub(crate) window: PathBuf,

    /// Where the predictions go: parquet, or JSON lines if the name ends with .jsonl [default: JSON lines
    /// on standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// With the training windows that voted, by their row among those of the fit, and their distances
    #[arg(long)]
    pub(crate) neighbors: bool,

    /// Threads to compute on; the result does not depend on it [default: one a core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
pub(crate) struct DetectArgs {
    /// The fit, as produce and fit-only write it with --model-out
    #[arg(long, value_name = "FILE")]
    pub(crate) model: PathBuf,

    /// The folder of what is being recorded, one <host_id>.jsonl a host: live/ of a data root. It need not be there yet
    #[arg(long, value_name = "DIR")]
    pub(crate) follow: PathBuf,

    /// How long a window is: as in the windows that the fit was made of
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = command::parse_duration)]
    pub(crate) window: Duration,

    /// From the start of a window to the start of the next, likewise
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = command::parse_duration)]
    pub(crate) hop: Duration,

    /// Also publish each window as a point of the cloud
    #[arg(long, help_heading = "Publishing")]
    pub(crate) points: bool,

    #[command(flatten, next_help_heading = "Publishing")]
    pub(crate) publish: PublishArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FitOnlyArgs {
    #[command(flatten)]
    pub(crate) fit: FitArgs,

    /// Where the points go (parquet)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) fit_out: PathBuf,
}

/// What is read, and how windows are parted and told.
#[derive(Debug, Args)]
pub(crate) struct WindowArgs {
    /// The window table (parquet)
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) window: PathBuf,

    /// The feature schema that names the table's feature columns (JSON)
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) schema: PathBuf,

    /// The validation table (parquet): only accepted and degraded episodes are used, and it says which
    /// sample an episode is of
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) validation: Option<PathBuf>,

    /// Use at most this many windows, evenly spaced
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub(crate) max_rows: Option<NonZeroUsize>,

    /// Number of neighbours that vote, by 1 / distance: 1 to 1,000
    #[arg(long, value_name = "K", default_value_t = 10, help_heading = "Fit")]
    pub(crate) k_neighbors: usize,

    /// Which windows test: those of all but the training hosts; a fifth of the windows, drawn; those of
    /// a fifth of the samples (a load, on whichever host; needs --validation), drawn; those of the last
    /// fifth of the episodes of every host and profile
    #[arg(
        long,
        value_name = "RECIPE",
        default_value = "host",
        value_parser = PossibleValuesParser::new(Recipe::NAMES).try_map(|name| name.parse::<Recipe>()),
        help_heading = "Fit"
    )]
    pub(crate) split_recipe: Recipe,

    /// Hosts to train on, with --split-recipe host [default: the one with most accepted episodes]
    #[arg(long, value_name = "HOST", num_args = 1.., help_heading = "Fit")]
    pub(crate) train_hosts: Vec<String>,

    /// Of everything that is drawn; equal seeds give equal files
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Fit")]
    pub(crate) seed: u64,

    /// Threads to compute on; the result does not depend on it [default: one a core]
    #[arg(long, value_name = "N", help_heading = "Fit")]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// How a fit is made.
#[derive(Debug, Args)]
pub(crate) struct FitArgs {
    #[command(flatten)]
    pub(crate) windows: WindowArgs,

    /// How windows become points: lda parts the phases, pca keeps the variance, umap
    /// keeps neighbours together and parts the phases
    #[arg(
        long,
        default_value = "lda",
        value_parser = PossibleValuesParser::new(Projector::NAMES).try_map(|name| name.parse::<Projector>()),
        help_heading = "Fit"
    )]
    pub(crate) projector: Projector,

    /// Number of clusters
    #[arg(long, value_name = "K", default_value_t = 8, help_heading = "Fit")]
    pub(crate) k_clusters: usize,

    /// Where the fit itself goes: all that is needed to classify new windows (Arrow IPC)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) model_out: Option<PathBuf>,
}
