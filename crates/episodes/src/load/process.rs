use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempDir;

use crate::{Phase, Profile};

/// The command line that runs [`run_load`](crate::run_load) as a process of its own. It is followed by
/// `--dir DIR --profile PROFILE --seed N`.
#[derive(Debug, Clone)]
pub struct LoadCommand {
    /// The program.
    pub program: PathBuf,
    /// What stands between the program and the flags.
    pub args: Vec<OsString>,
}

/// A running load. Dropping it ends the process and removes its folder.
pub(crate) struct LoadProcess {
    child: Child,
    orders: Option<ChildStdin>,
    dir: TempDir,
}

impl LoadProcess {
    /// Starts the load and waits until it works.
    pub(crate) fn start(command: &LoadCommand, profile: Profile, seed: u64) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("vitrine-load-").tempdir()?;
        let mut child = Command::new(&command.program)
            .args(&command.args)
            .arg("--dir")
            .arg(dir.path())
            .args(["--profile", profile.name(), "--seed", &seed.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for the recorder, which ends the load in its own time.
            .process_group(0)
            .spawn()?;
        let orders = child.stdin.take();
        let answers = child.stdout.take();
        let load = Self { child, orders, dir };
        let mut answer = String::new();
        if let Some(answers) = answers {
            BufReader::new(answers).read_line(&mut answer)?;
        }
        if answer == "ready\n" { Ok(load) } else { Err(io::Error::other("did not start")) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails if the load has ended. Its counters would still be there, and stand still.
    pub(crate) fn check(&mut self) -> io::Result<()> {
        self.child
            .try_wait()?
            .map_or(Ok(()), |status| Err(io::Error::other(format!("ended early, {status}"))))
    }

    pub(crate) fn enter(&mut self, phase: Phase) -> io::Result<()> {
        match &mut self.orders {
            Some(orders) => writeln!(orders, "{phase}"),
            None => Ok(()),
        }
    }
}

impl Drop for LoadProcess {
    fn drop(&mut self) {
        self.orders = None;
        // It may be in the middle of a step, and nothing that it does is worth waiting for.
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            tracing::warn!(pid = self.child.id(), "the load could not be ended: {error}");
        }
        tracing::debug!(dir = %self.dir.path().display(), "load ended");
    }
}
