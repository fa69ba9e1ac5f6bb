use std::path::Path;
use std::time::Duration;

use events::Kind;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::idempotency::{Answers, Clock};
use crate::snapshots::Snapshots;
use crate::store::{Head, Held, Store, Unsaved};
use crate::{Core, Durability, Epoch, Hub, LogLimits, StoreError};

/// From the beginning of one write to that of the next, where nobody waits for it.
const PACE: Duration = Duration::from_millis(100);
/// From a write that failed to the next attempt.
const RETRY: Duration = Duration::from_secs(1);
/// Seqs that are given away with a write, for events that come before the next one is done: those of as many
/// events as the hub takes, and of the evictions that they bring.
const RESERVED: u64 = 4 << 20;

/// Keeps a hub's state on disk: what changed while one write was under way is written together by the next.
#[derive(Debug)]
pub struct Keeper {
    hub: Hub,
    /// From before anybody could publish.
    head: watch::Receiver<u64>,
    store: Store,
    /// Ranges of seqs whose events are missing.
    lost: Vec<(u64, u64)>,
    /// What could not be written.
    unsaved: Unsaved,
    /// Why it could not.
    failure: Option<String>,
}

impl Keeper {
    /// The hub whose state is kept in a folder, as it was left; one of a new epoch if there is none.
    ///
    /// If the state can be read and not written, because the disk is full, it is served, and
    /// publishes are refused.
    pub fn open(dir: &Path, limits: LogLimits, durability: Durability) -> Result<(Hub, Self), StoreError> {
        let (store, held) = Store::open(dir)?;
        let is_new = held.is_none();
        let (core, answers, snapshots) = match held {
            None => {
                let mut core = Core::new(Epoch::random(), limits, Kind::retention);
                core.note_changes(0);
                (core, Answers::again(vec![], Clock::now()), Snapshots::default())
            }
            Some(Held { saved, answers, packed }) => {
                let core =
                    Core::restore(&saved, limits, Kind::retention).map_err(|error| store.foreign(error))?;
                (core, Answers::again(answers, Clock::now()), Snapshots::again(packed))
            }
        };
        let lost = core.lost().to_vec();
        let hub = Hub::kept(core, answers, snapshots, durability);
        let (head, unsaved) = (hub.head(), Unsaved::default());
        let mut keeper = Self { hub: hub.clone(), head, store, lost, unsaved, failure: None };
        // The seqs of the first events are given away before anybody can publish one.
        match keeper.write() {
            Err(error) if is_new => return Err(error),
            Err(_refuses) => {}
            Ok(()) if is_new => tracing::info!("a new state, in {}", dir.display()),
            Ok(()) => {}
        }
        Ok((hub, keeper))
    }

    /// Writes what changes until `stop` completes, and then the rest; after that no publish is taken.
    ///
    /// While the disk is full, or fails, publishes are refused with the reason, and what is not written is kept.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), StoreError> {
        let (stopping, stopped) = watch::channel(false);
        let writer = tokio::task::spawn_blocking(move || Handle::current().block_on(self.keep(stopped)));
        tokio::pin!(writer);
        let ended = tokio::select! {
            ended = &mut writer => ended,
            () = stop => {
                stopping.send_replace(true);
                writer.await
            }
        };
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// Blocks its thread while it writes.
    async fn keep(mut self, mut stopped: watch::Receiver<bool>) -> Result<(), StoreError> {
        let mut next = Instant::now();
        loop {
            let due = async {
                if self.failure.is_none() {
                    // The hub lives as long as this.
                    let _ = self.head.changed().await;
                }
                tokio::time::sleep_until(next).await;
            };
            tokio::select! {
                () = due => {}
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
            let began = Instant::now();
            next = match self.write() {
                Err(_refuses) => began + RETRY,
                Ok(()) if self.hub.durability() == Durability::Sync => began,
                Ok(()) => began + PACE,
            };
        }
        self.hub.refuse("the broadcaster is stopping");
        self.put(0)?;
        self.store.close()
    }

    /// Writes what changed; publishes are taken if it is written, and refused if it cannot be.
    fn write(&mut self) -> Result<(), StoreError> {
        match self.put(RESERVED) {
            Ok(seq) => {
                if self.failure.take().is_some() {
                    tracing::info!("the state is written again; publishes are taken");
                }
                self.hub.written(seq);
                Ok(())
            }
            Err(error) => {
                let failure = format!("the state cannot be written: {}", error.reason());
                if self.failure.as_ref() != Some(&failure) {
                    tracing::error!("{failure}; publishes are refused until it can");
                    self.hub.refuse(&failure);
                    self.failure = Some(failure);
                }
                Err(error)
            }
        }
    }

    /// Puts on disk what changed, and that events are given so many seqs more. Returns the newest event's.
    fn put(&mut self, seqs: u64) -> Result<u64, StoreError> {
        self.unsaved.then(self.hub.changes(Clock::now()));
        let seq = self.unsaved.changes.seq;
        let head = Head { epoch: self.hub.epoch(), reserved: seq + seqs, lost: &self.lost };
        let began = Instant::now();
        self.store.write(&head, &self.unsaved)?;
        self.hub.metrics().wrote(began.elapsed());
        self.unsaved = Unsaved::default();
        Ok(seq)
    }
}
