use std::time::Duration;

use command::{Failure, Stop};
use events::{Positive, Unit};
use knn::{Cloud, Pace, Performance, Points};
use publisher::Publisher;

use crate::args::StreamArgs;

/// Publishes a fit, again and again with --loop. Ends with `Interrupted` on Ctrl-C.
pub(crate) async fn stream(args: StreamArgs, stop: Stop) -> Result<(), Failure> {
    let pace = Pace::new(args.burst_size, args.rate_hz).map_err(Failure::usage)?;
    let pause = seconds("--cycle-pause-s", args.cycle_pause_s)?;
    tokio::select! {
        biased;
        () = stop.wait() => Err(Failure::Interrupted),
        done = cycles(args, pace, pause) => done,
    }
}

async fn cycles(args: StreamArgs, pace: Pace, pause: Duration) -> Result<(), Failure> {
    let performance = args.also_metric.map(|macro_f1| Performance {
        macro_f1,
        interval: None,
        latency_us: args.also_perf_latency_us,
    });
    let path = args.load_fit.clone();
    let (most, seed) = (args.max_points, args.seed);
    let load = move || {
        let (points, id) = Points::read(&path)?;
        let cloud = Cloud::new(&points, &id, most, seed);
        cloud.map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
    };
    let cloud = tokio::task::spawn_blocking(load).await??;
    let publisher = Publisher::open("knn", &args.publish)?;
    for cycle in 1.. {
        if args.per_point {
            cloud.publish_each(&publisher, pace).await?;
        } else {
            cloud.publish(&publisher, Some(cycle)).await?;
        }
        if let Some(performance) = &performance {
            performance.publish(&publisher)?;
        }
        publisher.flush().await?;
        tracing::info!("cycle {cycle}: {} points", cloud.rows());
        if !args.repeat {
            break;
        }
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// A macro F1 off the command line.
pub(crate) fn share(text: &str) -> Result<Unit, String> {
    number(text).and_then(|number| Unit::new(number).map_err(|error| error.to_string()))
}

/// A latency off the command line.
pub(crate) fn positive(text: &str) -> Result<Positive, String> {
    number(text).and_then(|number| Positive::new(number).map_err(|error| error.to_string()))
}

/// The time of a flag.
pub(crate) fn seconds(flag: &str, value: f64) -> Result<Duration, Failure> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| Failure::usage(format!("{flag} {value:?}: expected 0 or more seconds")))
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "expected a number".to_owned())
}
