use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// Log flags, flattened into every command's arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct LogArgs {
    /// What to log: a level, or a filter such as `info,hyper=debug`
    #[arg(long, value_name = "LEVEL", env = "VITRINE_LOG", default_value = "info", global = true)]
    pub log_level: String,

    /// How to log: lines for people, or one JSON object a line
    #[arg(long, value_name = "FORMAT", default_value = "human", global = true)]
    pub log_format: LogFormat,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people, coloured on a terminal.
    Human,
    /// One JSON object a line.
    Json,
}

impl LogArgs {
    /// Starts logging to standard error. Standard output stays free for results.
    pub(crate) fn start(&self) -> Result<(), tracing_subscriber::filter::ParseError> {
        let filter = EnvFilter::try_new(&self.log_level)?;
        // A closed standard error is no reason to end: without this it would be printed to, and panic.
        let lines = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .log_internal_errors(false)
            .with_writer(std::io::stderr);
        // A second start in one process (tests) keeps the first subscriber: nothing is lost by it.
        let _ = match self.log_format {
            LogFormat::Json => lines.json().try_init(),
            LogFormat::Human => {
                lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).compact().try_init()
            }
        };
        Ok(())
    }
}
