use std::time::Duration;

use command::{Failure, Stop};
use publisher::Publisher;

use crate::args::StreamArgs;
use crate::produce::publish;

/// Publishes envelopes of a file, again and again with --loop.
pub(crate) async fn stream(args: StreamArgs, stop: Stop) -> Result<(), Failure> {
    let pause = Duration::try_from_secs_f64(args.cycle_pause_s).map_err(|_| {
        Failure::usage(format!("--cycle-pause-s {:?}: expected 0 or more seconds", args.cycle_pause_s))
    })?;
    tokio::select! {
        biased;
        () = stop.wait() => Err(Failure::Interrupted),
        done = cycles(args, pause) => done,
    }
}

async fn cycles(args: StreamArgs, pause: Duration) -> Result<(), Failure> {
    let envelopes = profiles::read_table(&args.load_fit)?;
    let publisher = Publisher::open("profiles", &args.publish)?;
    for cycle in 1_u64.. {
        publish(&publisher, &envelopes).await?;
        tracing::info!("cycle {cycle}: {} profiles", envelopes.len());
        if !args.repeat {
            break;
        }
        tokio::time::sleep(pause).await;
    }
    Ok(())
}
