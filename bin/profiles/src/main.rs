//! The profiles command: how each kind of load runs through its phases, on the wall.

mod args;
mod produce;
mod stream;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let Args { log, command } = Args::parse();
    match command {
        Command::Produce(args) => command::run(&log, |stop| produce::produce(args, stop)),
        Command::Stream(args) => command::run(&log, |stop| stream::stream(args, stop)),
    }
}
