use std::path::Path;
use std::time::Duration;

use events::Kind;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::idempotency::{Answers, Clock};
use crate::snapshots::Snapshots;
use crate::store::{Held, Order, Store, Unsaved};
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
    durability: Durability,
}

impl Keeper {
    /// The hub whose state is kept in a folder, as it was left; one of a new epoch if there is none.
    pub fn open(dir: &Path, limits: LogLimits, durability: Durability) -> Result<(Hub, Self), StoreError> {
        let (store, held) = Store::open(dir)?;
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
        let mut keeper = Self { hub: hub.clone(), head, store, lost, unsaved, durability };
        // The seqs of the first events are given away before anybody can publish one.
        keeper.write(RESERVED)?;
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
        loop {
            tokio::select! {
                _ = self.head.changed() => {}
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
            let began = Instant::now();
            while let Err(error) = self.write(RESERVED) {
                tracing::error!("{error}: publishes are refused until the state can be written");
                self.hub.refuse(&error.reason());
                tokio::select! {
                    () = tokio::time::sleep(RETRY) => {}
                    _ = stopped.wait_for(|stopped| *stopped) => break,
                }
            }
            if self.durability == Durability::Async {
                tokio::select! {
                    () = tokio::time::sleep_until(began + PACE) => {}
                    _ = stopped.wait_for(|stopped| *stopped) => break,
                }
            }
        }
        self.hub.refuse("the broadcaster is stopping");
        self.write(0)?;
        self.store.close()
    }

    /// Writes what changed, and that events are given as many seqs more.
    fn write(&mut self, seqs: u64) -> Result<(), StoreError> {
        self.unsaved.then(self.hub.changes(Clock::now()));
        let seq = self.unsaved.changes.seq;
        let order = Order { epoch: self.hub.epoch(), reserved: seq + seqs, lost: &self.lost };
        self.store.write(&order, &self.unsaved)?;
        self.unsaved = Unsaved::default();
        if seqs > 0 {
            self.hub.written(seq);
        }
        Ok(())
    }
}
