use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use publisher::PublishArgs;

/// Publishes what lies on a receiver's disk.
#[derive(Debug, clap::Parser)]
#[command(name = "feeders", version, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) log: command::LogArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Run(RunArgs),
}

/// What is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// An event for every line of index.jsonl
    Index,
    /// An event for every line of alerts.jsonl
    Alerts,
    /// Totals, hosts, and the newest episodes
    Snapshot,
    /// How much of the time each phase takes
    PhaseMix,
    /// Training runs, out of the table metric_points of a ClickHouse
    Clickhouse,
}

impl Source {
    /// Those of a receiver's folder.
    pub(crate) const OF_FOLDER: [Self; 4] = [Self::Index, Self::Alerts, Self::Snapshot, Self::PhaseMix];
}

/// Keep publishing what a receiver has on disk: every episode and alert once, totals, phases; and the training runs of a ClickHouse
///
/// It may be stopped, killed and started again at any moment: how far it is stands in a checkpoint,
/// and what was published twice counts once. Files may be appended to, rotated by renaming or by
/// copying and truncating, removed and made anew. While the broadcaster is away nothing is read.
///
/// Of a ClickHouse nothing is written down: what is there is published at every start, and what is there
/// already stays as it is.
///
/// Examples: feeders run --data-root data/sample
///           feeders run --only clickhouse --clickhouse http://ch.example:8123
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct RunArgs {
    /// The folder with index.jsonl, alerts.jsonl and episodes/
    #[arg(long, value_name = "DIR", env = "VITRINE_DATA_ROOT", default_value = "/var/lib/vitrine")]
    pub(crate) data_root: PathBuf,

    /// Only these sources [default: all of the folder, and a --clickhouse if there is one]
    #[arg(long, value_name = "SOURCE", value_delimiter = ',')]
    pub(crate) only: Vec<Source>,

    /// Where the checkpoint is kept [default: feeders/ and the data root's path, in the platform's state folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) checkpoint_dir: Option<PathBuf>,

    /// Publish every line that is there, as if it came now, whatever the checkpoint says
    #[arg(long)]
    pub(crate) from_start: bool,

    /// How often the hosts' episodes are counted on disk
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = command::parse_duration)]
    pub(crate) snapshot_interval: Duration,

    /// How often the phase mix is computed
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = command::parse_duration)]
    pub(crate) phase_mix_interval: Duration,

    /// How many episodes the phase mix is computed from
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(crate) phase_mix_sample: usize,

    /// Which episodes those are
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// The ClickHouse: http://[user@]host[:8123][/database]; what that leaves open CH_DATABASE, CH_USER and CH_PASSWORD say [default with --only clickhouse: the one that CH_HOST, CH_PORT and CH_PROTOCOL say]
    #[arg(long, value_name = "URL")]
    pub(crate) clickhouse: Option<String>,

    /// Its database [default: that of --clickhouse, or CH_DATABASE, or training_observability]
    #[arg(long, value_name = "NAME")]
    pub(crate) clickhouse_database: Option<String>,

    /// How often new points are looked for
    #[arg(long, value_name = "TIME", env = "POLL_INTERVAL_SEC", default_value = "3s", value_parser = seconds)]
    pub(crate) poll_interval: Duration,

    /// How often late ones are, and which runs there are
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = command::parse_duration)]
    pub(crate) runs_interval: Duration,

    #[command(flatten)]
    pub(crate) publish: PublishArgs,
}

/// A time, or a number of seconds, as the environment says it.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(_) => command::parse_duration(&format!("{text}s")),
        Err(_) => command::parse_duration(text),
    }
}
