//! The feeders command: a receiver's disk, on the wall.

mod args;
mod run;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let Args { log, command: Command::Run(args) } = Args::parse();
    command::run(&log, |stop| run::run(args, stop))
}
