use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ArgGroup, Parser, Subcommand};
use command::LogArgs;
use episodes::{Name, Profile};

/// Record episodes of real telemetry, and turn them into windows of features
///
/// An episode is what one host went through in some seconds: telemetry of /proc, and the phases
/// (clean, armed, infecting, infected_running, dormant) of a harmless load that runs meanwhile.
#[derive(Debug, Parser)]
#[command(
    name = "episodes",
    version,
    after_help = "Example:
  episodes record --data-root data --profile cpu-saturate --host-id here --duration 20s
  episodes windows --data-root data --out-dir data/windows"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) action: Action,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    Record(RecordArgs),
    Windows(WindowsArgs),
    Check(CheckArgs),
    #[command(hide = true)]
    Load(LoadArgs),
}

/// Record this machine under a load of its own
///
/// Samples /proc while a bounded load (one busy thread, 10 MiB of files in a temporary folder, 60
/// MiB of memory) goes through the phases. An episode is stored when it is whole; a recorder that is
/// stopped leaves nothing of the one that it was in, and its load ends with it.
#[derive(Debug, ArgGroup)]
#[command(after_help = "Example:
  episodes record --data-root data --profile bursty,idle,io-walk --host-id here --loop")]
pub(crate) struct RecordArgs {
    #[command(flatten)]
    pub(crate) root: RootArgs,
    /// What the load does while infected_running; of several, one an episode in turn, with --loop
    #[arg(long, value_name = "PROFILE", value_parser = profile(), value_delimiter = ',', required = true)]
    pub(crate) profile: Vec<Profile>,
    /// Whose telemetry this is
    #[arg(long, value_name = "ID")]
    pub(crate) host_id: Name,
    /// How long an episode is
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration)]
    pub(crate) duration: Duration,
    /// Samples a second, 1 to 100
    #[arg(long, value_name = "HZ", default_value_t = 10.0)]
    pub(crate) sample_hz: f64,
    /// Go on with the next episode, until stopped
    #[arg(long = "loop")]
    pub(crate) again: bool,
    /// Phase lengths and vigour of the load; the next episode counts on from it
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

/// Turn episodes into the window table, its schema and the validation table
///
/// Writes features_window_v1.parquet, feature_schema_v1.json and validation_v1.parquet. The same
/// episodes give the same bytes.
#[derive(Debug, ArgGroup)]
#[command(after_help = "Example:
  episodes windows --data-root data/sample --out-dir /tmp/windows")]
pub(crate) struct WindowsArgs {
    #[command(flatten)]
    pub(crate) root: RootArgs,
    /// Where the three files go
    #[arg(long, value_name = "DIR")]
    pub(crate) out_dir: PathBuf,
    /// How long a window is
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub(crate) window: Duration,
    /// From the start of a window to the start of the next
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    pub(crate) hop: Duration,
}

/// Read tarballs whole and say of each whether it is good
#[derive(Debug, ArgGroup)]
#[command(after_help = "Example:
  episodes check data/sample/episodes/*/*.tar.zst")]
pub(crate) struct CheckArgs {
    /// Tarballs
    #[arg(required = true, value_name = "FILE.tar.zst")]
    pub(crate) files: Vec<PathBuf>,
}

/// The load of `record`, until standard input ends
#[derive(Debug, ArgGroup)]
pub(crate) struct LoadArgs {
    #[arg(long)]
    pub(crate) dir: PathBuf,
    #[arg(long)]
    pub(crate) profile: Profile,
    #[arg(long)]
    pub(crate) seed: u64,
}

#[derive(Debug, ArgGroup)]
pub(crate) struct RootArgs {
    /// The folder with index.jsonl and episodes/
    #[arg(long, value_name = "DIR", env = "VITRINE_DATA_ROOT", default_value = "/var/lib/vitrine")]
    pub(crate) data_root: PathBuf,
}

fn profile() -> impl clap::builder::TypedValueParser<Value = Profile> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(Profile::ALL.map(Profile::name)).try_map(|name| name.parse::<Profile>())
}

fn duration(text: &str) -> Result<Duration, String> {
    match command::parse_duration(text)? {
        Duration::ZERO => Err("expected more than 0".to_owned()),
        time => Ok(time),
    }
}
