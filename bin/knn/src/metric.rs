use std::{sync::Arc, time::Duration};

use command::{Failure, Stop};
use knn::{Metric, ParamGuard, Performance, ProduceValidParams};
use publisher::Publisher;

use crate::{
    args::MetricArgs,
    progress::Progress,
    stream::seconds,
    summary::Shown,
    windows::{State, Windows},
};

/// A measurement to make.
struct Job {
    windows: Windows,
    params: ProduceValidParams,
    threads: usize,
}

/// Measures and publishes, again and again unless --interval is 0. Ends with `Interrupted` on Ctrl-C.
pub(crate) async fn metric(args: MetricArgs, stop: Stop) -> Result<(), Failure> {
    let (windows, params, threads) = Windows::check(args.windows)?;
    let job = Arc::new(Job { windows, params: params.check().map_err(Failure::usage)?, threads });
    let interval = seconds("--interval", args.interval)?;
    let publisher = Publisher::open("knn", &args.publish)?;
    tokio::select! {
        biased;
        () = stop.wait() => Err(Failure::Interrupted),
        done = publish(job, &publisher, interval, &stop) => done,
    }
}

async fn publish(
    job: Arc<Job>,
    publisher: &Publisher,
    interval: Duration,
    stop: &Stop,
) -> Result<(), Failure> {
    let mut measured: Option<(Option<State>, Metric)> = None;
    loop {
        let state = job.windows.state().ok();
        if measured.as_ref().is_none_or(|(of, _)| *of != state) {
            match measure(Arc::clone(&job), stop.clone()).await {
                Ok(metric) => {
                    tracing::info!("macro F1 {}", Shown(&metric.held_out));
                    measured = Some((state, metric));
                }
                // What was measured before stands until the file is whole.
                Err(Failure::Failed(error)) if measured.is_some() => tracing::warn!("{error:#}"),
                Err(failure) => return Err(failure),
            }
        }
        if let Some((_, metric)) = &measured {
            Performance::of(&metric.held_out, metric.latency)?.publish(publisher)?;
            publisher.flush().await?;
        }
        if interval.is_zero() {
            return Ok(());
        }
        tokio::time::sleep(interval).await;
    }
}

/// Measures on threads of its own, so that this one hears Ctrl-C.
async fn measure(job: Arc<Job>, stop: Stop) -> Result<Metric, Failure> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(job.threads).build()?;
    let work = move || {
        let progress = Progress::new(stop);
        let table = job.windows.read(&progress)?;
        let metric = job.params.metric(&table, &progress).map_err(|error| job.windows.failure(error));
        progress.finish();
        metric
    };
    tokio::task::spawn_blocking(move || threads.install(work)).await?
}
