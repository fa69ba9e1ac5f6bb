//! What every command shares, so that all of them behave alike at a prompt and under a supervisor.
//!
//! ```text
//! Args::parse() -> run(&args.log, |stop| work) -> exit code
//!                      |            |
//!                  log lines     Ctrl-C, SIGTERM
//! ```
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C (or SIGTERM) after a clean stop;
//! a server, which ends in no other way, is then done: 0.

mod duration;
mod failure;
mod log;
mod run;
mod stop;

pub use duration::parse_duration;
pub use failure::Failure;
pub use log::{LogArgs, LogFormat};
pub use run::run;
pub use stop::Stop;
