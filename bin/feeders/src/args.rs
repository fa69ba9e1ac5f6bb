use std::path::PathBuf;
use std::time::Duration;

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

/// Keep publishing the state of a data root: totals, hosts, the newest episodes
///
/// Example: feeders run --data-root data/sample
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct RunArgs {
    /// The folder with index.jsonl and alerts.jsonl
    #[arg(long, value_name = "DIR", env = "VITRINE_DATA_ROOT", default_value = "/var/lib/vitrine")]
    pub(crate) data_root: PathBuf,

    /// How often the snapshot is published
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = command::parse_duration)]
    pub(crate) snapshot_interval: Duration,

    #[command(flatten)]
    pub(crate) publish: PublishArgs,
}
