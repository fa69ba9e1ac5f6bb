use std::time::Duration;

use command::{Failure, Stop};
use profiles::{Envelope, Produced};
use publisher::Publisher;

use crate::args::ProduceArgs;

/// How long a person waits for a broadcaster that does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes the envelopes, writes them down, and publishes them.
pub(crate) async fn produce(args: ProduceArgs, stop: Stop) -> Result<(), Failure> {
    if !args.data_root.is_dir() {
        return Err(Failure::usage(format!("--data-root {}: no such folder", args.data_root.display())));
    }
    if args.max_episodes == 0 {
        return Err(Failure::usage("--max-episodes: expected at least 1"));
    }
    tokio::select! {
        biased;
        () = stop.wait() => Err(Failure::Interrupted),
        done = make(args) => done,
    }
}

async fn make(args: ProduceArgs) -> Result<(), Failure> {
    let ProduceArgs { data_root, validation, max_episodes, .. } = args;
    let work = move || profiles::produce(&data_root, validation.as_deref(), max_episodes);
    let Produced { envelopes, missing } = tokio::task::spawn_blocking(work).await??;
    for what in &missing {
        tracing::warn!("{what}; passed over");
    }
    if envelopes.is_empty() {
        return Err(Failure::failed("no profile could be made"));
    }
    for envelope in &envelopes {
        tracing::info!("{}: {} of {} episodes", envelope.name, envelope.channel, envelope.episodes);
    }
    if let Some(path) = &args.fit_out {
        profiles::write_table(path, &envelopes)?;
    }
    if args.no_publish {
        return Ok(());
    }
    let publisher = Publisher::open_for("profiles", &args.publish, PATIENCE)?;
    publish(&publisher, &envelopes).await
}

/// Publishes envelopes, and waits until they are taken.
pub(crate) async fn publish(publisher: &Publisher, envelopes: &[Envelope]) -> Result<(), Failure> {
    for envelope in envelopes {
        match envelope.event() {
            Some(event) => publisher.replace(event)?,
            None => tracing::warn!("{:?}: expected a name of 1 to 256 bytes; passed over", envelope.name),
        }
    }
    Ok(publisher.flush().await?)
}
