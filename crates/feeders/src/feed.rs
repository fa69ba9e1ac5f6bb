use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use publisher::{Delivery, Memory, PublishError};
use tail::{Said, Wake};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::checkpoint::Checkpoint;
use crate::receiver::{Lines, Receiver};

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

/// Where nothing is published for this long the broadcaster is asked whether it still has everything.
const SILENCE: Duration = Duration::from_secs(2);
/// From one checkpoint to the next, at least.
const SAVES: Duration = Duration::from_millis(250);
/// Bytes that are read at once where nothing is published of each line.
const READ_PAST: usize = 32 << 20;

/// One loop: what was appended is read, published, acknowledged, and then it is written down that it was.
struct Pump<'a> {
    receiver: Receiver,
    delivery: &'a mut Delivery,
    checkpoint: &'a mut Checkpoint,
    /// What the broadcaster remembered that took everything so far; `None` before the first.
    memory: Option<Memory>,
    /// When something was published last.
    published: Instant,
    /// Whether it is further than was written down, and when that may be mended.
    is_dirty: bool,
    save_at: Instant,
    troubles: Troubles,
}

/// What stands in the way of each part of the work, said when it is news.
#[derive(Default)]
struct Troubles(BTreeMap<&'static str, Said>);

impl Feed {
    /// Publishes what is there and what comes, for ever. It may end at any moment: what was not written down by then is
    /// published again by the next, and a broadcaster tells it from what is new. What cannot be read or written is
    /// said, and tried again.
    ///
    /// # Errors
    /// The broadcaster refuses what is published.
    pub async fn run(
        &self,
        delivery: &mut Delivery,
        checkpoint: &mut Checkpoint,
    ) -> Result<Infallible, PublishError> {
        let saved = checkpoint.saved().filter(|_| !self.from_start).cloned();
        let is_new = saved.is_none();
        let (memory, progress) = saved.map(|saved| (saved.memory, saved.progress)).unwrap_or_default();
        let receiver = Receiver::new(&self.data_root, self.sources, progress);
        let now = Instant::now();
        let troubles = Troubles::default();
        let mut pump = Pump {
            receiver,
            delivery,
            checkpoint,
            memory,
            published: now,
            is_dirty: false,
            save_at: now,
            troubles,
        };
        if is_new {
            if !self.from_start {
                pump.read_past().await;
            }
            pump.state().await?;
        } else {
            pump.publish(Lines::default()).await?;
            pump.drain().await?;
            // What was taken from the one before after its last checkpoint was passed over just now.
            pump.publish_totals().await?;
        }
        let mut wake = Wake::of(&self.data_root);
        let mut snapshots = interval(self.snapshot_interval);
        snapshots.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pump.drain().await?;
            tokio::select! {
                _ = wake.next() => {}
                _ = snapshots.tick() => pump.count_hosts().await?,
                () = sleep_until(pump.save_at), if pump.is_dirty => pump.save(),
                () = sleep_until(pump.published + SILENCE) => pump.publish(Lines::default()).await?,
            }
        }
    }
}

impl Pump<'_> {
    /// Reads what is there, as the past. What cannot be read is read when it can.
    async fn read_past(&mut self) {
        loop {
            let read = self.receiver.read_past(READ_PAST);
            self.troubles.note("reading", read.error.as_ref());
            if !read.more {
                break;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Publishes what was appended, to the end.
    async fn drain(&mut self) -> Result<(), PublishError> {
        loop {
            let mut lines = Lines::default();
            let read = self.receiver.read(&mut lines);
            match lines.is_empty() {
                true => tokio::task::yield_now().await,
                false => self.publish(lines).await?,
            }
            self.troubles.note("reading", read.error.as_ref());
            if !read.more {
                return Ok(());
            }
        }
    }

    async fn count_hosts(&mut self) -> Result<(), PublishError> {
        self.drain().await?;
        let counted = self.receiver.count_hosts();
        self.troubles.note("counting", counted.as_ref().err());
        match counted {
            Ok(false) => Ok(()),
            Ok(true) | Err(_) => self.publish_totals().await,
        }
    }

    async fn publish_totals(&mut self) -> Result<(), PublishError> {
        let mut lines = Lines::default();
        self.receiver.totals(&mut lines);
        self.publish(lines).await
    }

    /// Publishes lines, and everything if the broadcaster has lost something; then writes down how far it is.
    async fn publish(&mut self, lines: Lines) -> Result<(), PublishError> {
        let before = self.memory.clone();
        if self.deliver(lines).await? != before {
            tracing::info!(
                "the broadcaster has lost something of what was published: it gets the state again"
            );
            return self.state().await;
        }
        self.progressed();
        Ok(())
    }

    /// Publishes everything as it is by now.
    async fn state(&mut self) -> Result<(), PublishError> {
        loop {
            let mut lines = Lines::default();
            self.receiver.state(&mut lines);
            let before = self.memory.clone();
            let after = self.deliver(lines).await?;
            // It may have been started again meanwhile, and have lost what it took before this.
            if before.is_none() || before == after {
                self.progressed();
                return Ok(());
            }
        }
    }

    async fn deliver(&mut self, lines: Lines) -> Result<Option<Memory>, PublishError> {
        self.memory = self.delivery.deliver(lines.into_body()).await?;
        self.published = Instant::now();
        Ok(self.memory.clone())
    }

    /// What was read by now was taken.
    fn progressed(&mut self) {
        self.is_dirty = true;
        // The first at once: whatever is rotated before the next, where the stream begins is known.
        if Instant::now() >= self.save_at {
            self.save();
        }
    }

    fn save(&mut self) {
        self.save_at = Instant::now() + SAVES;
        // What was only printed was taken by nobody.
        self.is_dirty = self.memory.is_some();
        if self.is_dirty {
            let saved = self.checkpoint.save(self.memory.clone(), self.receiver.progress());
            self.troubles.note("checkpoint", saved.as_ref().err());
            self.is_dirty = saved.is_err();
        }
    }
}

impl Troubles {
    fn note(&mut self, part: &'static str, error: Option<&impl Display>) {
        let said = self.0.entry(part).or_default();
        match error {
            Some(error) => said.warn(format_args!("{error}; trying again")),
            None if said.clear() => tracing::info!("{part}: it works again"),
            None => {}
        }
    }
}
