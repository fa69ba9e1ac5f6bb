use std::io::Write;

use anyhow::Context;
use command::{Failure, Stop};
use episodes::{DataRoot, LoadCommand, RecordError, Recorder, Recording};
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::RecordArgs;

/// Records until the episode is whole, or with `--loop` until stopped, and prints each tarball's path.
pub(crate) fn record(args: RecordArgs, stop: &Stop) -> Result<(), Failure> {
    let program = std::env::current_exe().context("this program's own path")?;
    let load = LoadCommand { program, args: vec!["load".into()] };
    let recording = Recording {
        profiles: args.profile,
        host_id: args.host_id,
        duration: args.duration,
        sample_hz: args.sample_hz,
        seed: args.seed,
    };
    let mut recorder =
        Recorder::new(DataRoot::new(args.root.data_root), recording, load).map_err(|error| match error {
            RecordError::Bounds(_) => Failure::Usage(error.into()),
            other => other.into(),
        })?;
    loop {
        let bar = ProgressBar::new(1000).with_style(ProgressStyle::with_template("{wide_bar} {percent}%")?);
        let recorded =
            recorder.record(&|| stop.requested(), &|part| bar.set_position((part * 1e3) as u64))?;
        bar.finish_and_clear();
        let path = recorded.ok_or(Failure::Interrupted)?;
        writeln!(std::io::stdout(), "{}", path.display())?;
        if !args.again {
            return Ok(());
        }
    }
}
