use std::path::PathBuf;

use publisher::PublishArgs;

/// Shows how each kind of load runs through its phases.
#[derive(Debug, clap::Parser)]
#[command(name = "profiles", version, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) log: command::LogArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Produce(ProduceArgs),
    Stream(StreamArgs),
}

/// Make the envelope of every profile from recorded episodes, and publish them
///
/// Of each episode one channel is cut by its labels, each phase resampled to its points (80 together); an envelope is
/// the median and the quartiles over up to --max-episodes of them.
///
/// Example: profiles produce --data-root data/sample --fit-out attack_profiles_v1.parquet
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ProduceArgs {
    /// The folder with episodes/
    #[arg(long, value_name = "DIR", env = "VITRINE_DATA_ROOT", default_value = "/var/lib/vitrine")]
    pub(crate) data_root: PathBuf,

    /// Use the accepted episodes of this table only
    #[arg(long, value_name = "FILE")]
    pub(crate) validation: Option<PathBuf>,

    /// Episodes of one profile, at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) max_episodes: usize,

    /// Write the envelopes here
    #[arg(long, value_name = "FILE")]
    pub(crate) fit_out: Option<PathBuf>,

    /// Publish nothing
    #[arg(long)]
    pub(crate) no_publish: bool,

    #[command(flatten)]
    pub(crate) publish: PublishArgs,
}

/// Publish envelopes that were made before
///
/// Example: profiles stream --load-fit attack_profiles_v1.parquet --loop
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct StreamArgs {
    /// The file that produce wrote
    #[arg(long, value_name = "FILE")]
    pub(crate) load_fit: PathBuf,

    /// Publish again after a pause, until Ctrl-C
    #[arg(long = "loop")]
    pub(crate) repeat: bool,

    /// Seconds between two cycles of --loop
    #[arg(long, value_name = "S", default_value_t = 15.0)]
    pub(crate) cycle_pause_s: f64,

    #[command(flatten)]
    pub(crate) publish: PublishArgs,
}
