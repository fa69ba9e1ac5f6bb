//! The knn command.

mod args;
mod detect;
mod metric;
mod outputs;
mod predict;
mod produce;
mod progress;
mod stream;
mod summary;
mod windows;

use std::process::ExitCode;

use args::{Arguments, Command};
use clap::Parser;
use command::Failure;
use knn::neighbours::Instructions;

fn main() -> ExitCode {
    let Arguments { command, log } = Arguments::parse();
    command::run(&log, |stop| async move {
        Instructions::forced().map_err(|error| Failure::Usage(error.into()))?;
        match command {
            Command::Produce(args) => produce::produce(args, stop).await,
            Command::Stream(args) => stream::stream(args, stop).await,
            Command::FitOnly(args) => produce::fit_only(args, stop).await,
            Command::Metric(args) => metric::metric(args, stop).await,
            Command::Predict(args) => predict::predict(args, stop).await,
            Command::Detect(args) => detect::detect(args, stop).await,
        }
    })
}
