//! The multi-model-metrics command: model reports, on the wall.

mod args;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use command::{Failure, Stop};
use multi_model_metrics::{Model, Pace, watch};
use publisher::Publisher;

use crate::args::Args;

/// How long `--once` waits for a broadcaster that does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let args = Args::parse();
    command::run(&args.log.clone(), |stop| run(args, stop))
}

async fn run(args: Args, stop: Stop) -> Result<(), Failure> {
    if !args.reports.is_dir() {
        return Err(Failure::usage(format!("--reports {}: no such folder", args.reports.display())));
    }
    let models = if args.models.is_empty() { Model::ALL.to_vec() } else { args.models };
    let pace = match (args.once, args.on_change) {
        (true, _) => Pace::Once,
        (false, true) => Pace::OnChange(args.tick),
        (false, false) => Pace::Every(args.tick),
    };
    let publisher = match pace {
        Pace::Once => Publisher::open_for("multi-model-metrics", &args.publish, PATIENCE)?,
        _ => Publisher::open("multi-model-metrics", &args.publish)?,
    };
    tokio::select! {
        readable = watch(&args.reports, &models, pace, &publisher) => match readable? {
            0 => Err(Failure::failed(format!("{}: no report could be read", args.reports.display()))),
            readable => {
                tracing::info!("published {readable} of {} reports", models.len());
                Ok(())
            }
        },
        () = stop.wait() => Err(Failure::Interrupted),
    }
}
