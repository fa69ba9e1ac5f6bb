//! The load: a child process whose own counters are the telemetry of an episode.
//!
//! ```text
//! recorder: LoadProcess --phase names--> standard input of `episodes load`: orders -> Habits -> work
//!                       <----"ready"---- standard output
//! ```
//!
//! It lives as long as its standard input: when the recorder ends, however it ends, the load
//! reads end of file, removes its folder and leaves.

mod file_tree;
mod habits;
mod process;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use file_tree::FileTree;
use habits::Habits;
pub use process::LoadCommand;
pub(crate) use process::LoadProcess;

use crate::{Phase, Profile};

/// What the load process is told when it starts.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// A folder of its own. It is removed when the load ends.
    pub dir: PathBuf,
    /// What to do while `infected_running`.
    pub profile: Profile,
    /// Varies how much and how often.
    pub seed: u64,
}

/// Works until `orders` ends: begins as `clean`, and enters the phase that a line names.
///
/// Says `ready` on `answers` once the work has begun. Bounds: one thread of work, 10 MiB of files,
/// 60 MiB of memory.
///
/// # Errors
/// The folder cannot be written to.
pub fn run_load(plan: LoadPlan, orders: impl Read + Send + 'static, answers: impl Write) -> io::Result<()> {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || relay(orders, &sender));
    let outcome = work(&plan, &receiver, answers);
    let removed = std::fs::remove_dir_all(&plan.dir);
    outcome.and(removed)
}

fn relay(orders: impl Read, sender: &SyncSender<Phase>) {
    let phases = BufReader::new(orders).lines().map_while(|line| line.ok()?.parse().ok());
    for phase in phases {
        if sender.send(phase).is_err() {
            return;
        }
    }
}

fn work(plan: &LoadPlan, orders: &Receiver<Phase>, mut answers: impl Write) -> io::Result<()> {
    let mut habits = Habits::new(plan.profile, plan.seed, FileTree::create(&plan.dir)?);
    answers.write_all(b"ready\n")?;
    answers.flush()?;
    let mut pause = Duration::ZERO;
    loop {
        match orders.recv_timeout(pause) {
            Ok(phase) => habits.enter(phase)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        pause = habits.step()?;
    }
}
