//! The broadcaster command: publish in, a live wall out.

mod access;
mod args;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let Args { log, command: Command::Serve(args) } = Args::parse();
    command::run(&log, |stop| serve::serve(args, stop))
}
