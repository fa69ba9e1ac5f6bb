use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use publisher::{Delivery, Memory, PublishError};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::receiver::{Lines, Receiver};
use crate::tail::TailError;
use crate::tree::TreeError;
use crate::wake::Wake;

/// What is fed, and from where.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The receiver's folder.
    pub data_root: PathBuf,
    /// What of it.
    pub sources: Sources,
    /// How often hosts are counted.
    pub snapshot_interval: Duration,
    /// Publishes every line that is there, as if it came now.
    pub from_start: bool,
}

/// What is published of a data root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sources {
    /// An `episode` for every line of `index.jsonl`.
    pub index: bool,
    /// An `alert` for every line of `alerts.jsonl`.
    pub alerts: bool,
    /// The totals.
    pub snapshot: bool,
}

/// Why feeding ended.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The broadcaster refused.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A file cannot be read.
    #[error(transparent)]
    Tail(#[from] TailError),
    /// The tree of episodes cannot be listed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The checkpoint cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Where nothing is published for this long the broadcaster is asked whether it still has everything.
const SILENCE: Duration = Duration::from_secs(2);
/// From an episode's file to its line in the index, at most: a receiver writes one after the other.
const FILE_TO_LINE: Duration = Duration::from_millis(100);

/// One loop: what was appended is read, published, acknowledged, and then it is written down that it was.
struct Pump<'a> {
    receiver: Receiver,
    delivery: &'a mut Delivery,
    checkpoint: &'a mut Checkpoint,
    /// What the broadcaster remembered that took everything so far; `None` before the first.
    memory: Option<Memory>,
    /// When something was published last.
    published: Instant,
}

impl Feed {
    /// Publishes what is there and what comes, for ever. It may end at any moment: what was not written down by then is
    /// published again by the next, and a broadcaster tells it from what is new.
    ///
    /// # Errors
    /// The broadcaster refuses, or a file cannot be read or written.
    pub async fn run(
        &self,
        delivery: &mut Delivery,
        checkpoint: &mut Checkpoint,
    ) -> Result<Infallible, FeedError> {
        let saved = checkpoint.saved().filter(|_| !self.from_start).cloned();
        let is_new = saved.is_none();
        let (memory, progress) = saved.map(|saved| (saved.memory, saved.progress)).unwrap_or_default();
        let mut receiver = Receiver::new(&self.data_root, self.sources, progress);
        if is_new && !self.from_start {
            receiver.read_past()?;
        }
        let mut pump = Pump { receiver, delivery, checkpoint, memory, published: Instant::now() };
        match is_new {
            true => pump.state().await?,
            false => pump.publish(Lines::default()).await?,
        }
        let mut wake = Wake::of(&self.data_root);
        let mut snapshots = interval(self.snapshot_interval);
        snapshots.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pump.drain().await?;
            tokio::select! {
                () = wake.next() => {}
                _ = snapshots.tick() => pump.count_hosts().await?,
                () = sleep_until(pump.published + SILENCE) => pump.publish(Lines::default()).await?,
            }
        }
    }
}

impl Pump<'_> {
    /// Publishes what was appended, to the end.
    async fn drain(&mut self) -> Result<(), FeedError> {
        loop {
            let mut lines = Lines::default();
            let more = self.receiver.read(&mut lines)?;
            if !lines.is_empty() {
                self.publish(lines).await?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    async fn count_hosts(&mut self) -> Result<(), FeedError> {
        let Some(counts) = self.receiver.count_hosts()? else { return Ok(()) };
        sleep(FILE_TO_LINE).await;
        self.drain().await?;
        if self.receiver.adopt(counts) {
            let mut lines = Lines::default();
            self.receiver.totals(&mut lines);
            self.publish(lines).await?;
        }
        Ok(())
    }

    /// Publishes lines, and everything if the broadcaster has lost something; then writes down how far it is.
    async fn publish(&mut self, lines: Lines) -> Result<(), FeedError> {
        let before = self.memory.clone();
        if self.deliver(lines).await? != before {
            tracing::info!(
                "the broadcaster has lost something of what was published: it gets the state again"
            );
            return self.state().await;
        }
        Ok(self.save()?)
    }

    /// Publishes everything as it is by now.
    async fn state(&mut self) -> Result<(), FeedError> {
        loop {
            let mut lines = Lines::default();
            self.receiver.state(&mut lines);
            let before = self.memory.clone();
            let after = self.deliver(lines).await?;
            // It may have been started again meanwhile, and have lost what it took before this.
            if before.is_none() || before == after {
                return Ok(self.save()?);
            }
        }
    }

    async fn deliver(&mut self, lines: Lines) -> Result<Option<Memory>, FeedError> {
        self.memory = self.delivery.deliver(lines.into_body()).await?;
        self.published = Instant::now();
        Ok(self.memory.clone())
    }

    fn save(&mut self) -> Result<(), CheckpointError> {
        // What was only printed was taken by nobody.
        if self.memory.is_none() {
            return Ok(());
        }
        self.checkpoint.save(self.memory.clone(), self.receiver.progress())
    }
}
