//! The broadcaster command: publish in, a live wall out.

mod access;
mod args;
mod doctor;
mod serve;
mod supervisor;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let Args { log, command } = Args::parse();
    match command {
        Command::Serve(args) => command::run(&log, |stop| serve::serve(args, stop)),
        Command::Doctor(args) => command::run(&log, |stop| doctor::doctor(args, stop)),
    }
}
