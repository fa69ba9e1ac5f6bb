use std::{
    ffi::OsStr,
    io::{self, BufWriter, Write},
};

use anyhow::{Context, anyhow};
use command::{Failure, Stop};
use knn::{ColumnError, Fit, Pending, Predictions, TableError, Unlabelled};

use crate::{args::PredictArgs, outputs::Outputs, progress::Progress};

/// Tells the phases of a window table by a fit.
pub(crate) async fn predict(args: PredictArgs, stop: Stop) -> Result<(), Failure> {
    Outputs::beside([&args.model, &args.window]).claim("--out", args.out.as_ref())?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(args.threads.map_or(0, Into::into)).build()?;
    tokio::task::spawn_blocking(move || threads.install(|| run(&args, stop))).await?
}

fn run(args: &PredictArgs, stop: Stop) -> Result<(), Failure> {
    let progress = Progress::new(stop);
    let fit = Fit::read(&args.model)?;
    let windows =
        Unlabelled::read(&args.window, &fit.feature_names, &progress).map_err(|error| match error {
            TableError::Stopped(_) => Failure::Interrupted,
            TableError::Column(error @ (ColumnError::Missing { .. } | ColumnError::WrongType { .. })) => {
                let told = format!("--window does not fit the model {}", args.model.display());
                anyhow!(error).context(told).into()
            }
            error => error.into(),
        })?;
    let predictions = fit.predict(windows, args.neighbors, &progress).map_err(|_| Failure::Interrupted)?;
    progress.finish();
    write(&predictions, args)
}

fn write(predictions: &Predictions, args: &PredictArgs) -> Result<(), Failure> {
    let Some(out) = &args.out else {
        let mut out = BufWriter::new(io::stdout().lock());
        return match predictions.lines(&mut out).and_then(|()| out.flush()) {
            // Whoever reads has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written.context("standard output")?),
        };
    };
    let bytes = if out.extension() == Some(OsStr::new("jsonl")) {
        let mut lines = Vec::new();
        predictions.lines(&mut lines)?;
        lines
    } else {
        predictions.encode().context("predictions")?
    };
    Pending::keep_all([Pending::holding(out, &bytes)?])?;
    tracing::info!("told the phases of {} windows: {}", predictions.rows(), out.display());
    Ok(())
}
