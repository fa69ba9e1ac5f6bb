//! The episodes command.

mod args;
mod check;
mod load;
mod record;
mod windows;

use std::process::ExitCode;

use clap::Parser;

use args::{Action, Args};

fn main() -> ExitCode {
    let Args { action, log } = Args::parse();
    // The load is its main thread and nothing else: the kernel's per-thread counters are its own.
    if let Action::Load(load) = action {
        return load.run();
    }
    command::run(&log, |stop| async move {
        tokio::task::spawn_blocking(move || match action {
            Action::Record(args) => record::record(args, &stop),
            Action::Windows(args) => windows::windows(&args, &stop),
            Action::Check(args) => check::check(&args, &stop),
            Action::Load(_) => Ok(()),
        })
        .await?
    })
}
