//! The feeders command: a receiver's disk, on the wall.

mod args;

use std::process::ExitCode;

use clap::Parser;
use command::{Failure, Stop};
use publisher::Publisher;

use crate::args::{Args, Command, RunArgs};

fn main() -> ExitCode {
    let Args { log, command: Command::Run(args) } = Args::parse();
    command::run(&log, |stop| run(args, stop))
}

async fn run(args: RunArgs, stop: Stop) -> Result<(), Failure> {
    if !args.data_root.is_dir() {
        return Err(Failure::usage(format!("--data-root {}: no such folder", args.data_root.display())));
    }
    if args.snapshot_interval.is_zero() {
        return Err(Failure::usage("--snapshot-interval: expected more than 0"));
    }
    let publisher = Publisher::open("feeders", &args.publish)?;
    tokio::select! {
        ended = feeders::feed(&args.data_root, args.snapshot_interval, &publisher) => Ok(ended?),
        () = stop.wait() => Err(Failure::Interrupted),
    }
}
