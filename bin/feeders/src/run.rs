use std::convert::Infallible;
use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context;
use command::{Failure, Stop};
use directories::ProjectDirs;
use feeders::{Checkpoint, Feed, PhaseMixer, Sources, TableFeed};
use publisher::{Delivery, Publisher};
use runs::{Address, Table};
use tokio::time::{MissedTickBehavior, interval};

use crate::args::{RunArgs, Source};

/// Checks the arguments, and feeds until it is told to stop.
pub(crate) async fn run(args: RunArgs, stop: Stop) -> Result<(), Failure> {
    let is_of_folder = Source::OF_FOLDER.into_iter().any(|source| wants(&args, source));
    if is_of_folder && !args.data_root.is_dir() {
        return Err(Failure::usage(format!("--data-root {}: no such folder", args.data_root.display())));
    }
    for (flag, every) in [
        ("--snapshot-interval", args.snapshot_interval),
        ("--phase-mix-interval", args.phase_mix_interval),
        ("--poll-interval", args.poll_interval),
        ("--runs-interval", args.runs_interval),
    ] {
        if every.is_zero() {
            return Err(Failure::usage(format!("{flag}: expected more than 0")));
        }
    }
    let table = table(&args)?;
    tokio::select! {
        ended = feed(&args) => match ended? {},
        ended = mix(&args) => match ended? {},
        ended = follow(&args, table) => match ended? {},
        () = stop.wait() => Err(Failure::Interrupted),
    }
}

fn wants(args: &RunArgs, source: Source) -> bool {
    match args.only.is_empty() {
        true => source != Source::Clickhouse || args.clickhouse.is_some(),
        false => args.only.contains(&source),
    }
}

/// The table of training runs, if they are wanted.
fn table(args: &RunArgs) -> Result<Option<Table>, Failure> {
    if !wants(args, Source::Clickhouse) {
        return match (&args.clickhouse, &args.clickhouse_database) {
            (None, None) => Ok(None),
            (Some(_), _) => Err(Failure::usage("--clickhouse: --only leaves clickhouse out")),
            (None, Some(_)) => {
                Err(Failure::usage("--clickhouse-database: there is no --clickhouse, nor --only clickhouse"))
            }
        };
    }
    let server = args.clickhouse.as_deref().unwrap_or("clickhouse");
    let address = Address::configured(server, |name| env::var(name).ok());
    let mut address = address.map_err(|error| Failure::usage(format!("--clickhouse: {error}")))?;
    if let Some(database) = &args.clickhouse_database {
        address = address.with_database(database);
    }
    Ok(Some(Table::new(address)))
}

/// Publishes the training runs of a table.
async fn follow(args: &RunArgs, table: Option<Table>) -> Result<Infallible, Failure> {
    let Some(table) = table else { std::future::pending().await };
    let mut delivery = Delivery::open("feeders-clickhouse", &args.publish)?;
    let (poll_interval, runs_interval) = (args.poll_interval, args.runs_interval);
    Ok(TableFeed { table, poll_interval, runs_interval }.run(&mut delivery).await?)
}

async fn feed(args: &RunArgs) -> Result<Infallible, Failure> {
    let wants = |source| wants(args, source);
    let sources = Sources {
        index: wants(Source::Index),
        alerts: wants(Source::Alerts),
        snapshot: wants(Source::Snapshot),
    };
    if !(sources.index || sources.alerts || sources.snapshot) {
        std::future::pending::<()>().await;
    }
    let dir = match &args.checkpoint_dir {
        Some(dir) => dir.clone(),
        None => default_checkpoint(&args.data_root)?,
    };
    let checkpoint = match args.publish.dry_run {
        true => Checkpoint::look(&dir, &args.data_root),
        false => Checkpoint::open(&dir, &args.data_root),
    };
    let mut checkpoint = checkpoint?;
    let mut delivery = Delivery::open("feeders", &args.publish)?;
    let feed = Feed {
        data_root: args.data_root.clone(),
        sources,
        snapshot_interval: args.snapshot_interval,
        from_start: args.from_start,
    };
    Ok(feed.run(&mut delivery, &mut checkpoint).await?)
}

/// Publishes the phase mix, now and every so often.
async fn mix(args: &RunArgs) -> Result<Infallible, Failure> {
    if !wants(args, Source::PhaseMix) {
        std::future::pending::<()>().await;
    }
    let publisher = Publisher::open("feeders-phase-mix", &args.publish)?;
    let mut mixer = PhaseMixer::new(&args.data_root, args.phase_mix_sample, args.seed);
    let mut rounds = interval(args.phase_mix_interval);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        // It reads files on all cores.
        let mixed = tokio::task::spawn_blocking(move || (mixer.mix(), mixer)).await;
        let (mix, back) = mixed.context("the phase mix")?;
        mixer = back;
        match mix {
            Ok(Some(mix)) => publisher.replace(mix)?,
            Ok(None) => {}
            Err(error) => {
                tracing::warn!("no phase mix: {error}; trying again in {:?}", args.phase_mix_interval);
            }
        }
    }
}

/// A folder for this data root, wherever the command was started.
fn default_checkpoint(data_root: &Path) -> Result<PathBuf, Failure> {
    let dirs = ProjectDirs::from("", "", "vitrine").ok_or_else(|| {
        Failure::usage("there is no home folder to keep the checkpoint in: give a --checkpoint-dir")
    })?;
    let data_root =
        data_root.canonicalize().with_context(|| format!("--data-root {}", data_root.display()))?;
    let name = data_root.to_string_lossy().trim_matches('/').replace('/', "-");
    Ok(dirs.state_dir().unwrap_or(dirs.data_local_dir()).join("feeders").join(name))
}
