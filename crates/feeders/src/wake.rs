use std::path::Path;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often a folder is looked at in any case: a network file system does not tell of others' changes.
const LOOK: Duration = Duration::from_secs(1);

/// Wakes when something in a folder changes, or might have.
pub(crate) struct Wake {
    changes: mpsc::Receiver<()>,
    looks: Interval,
    /// Tells of changes for as long as it is held.
    _watcher: Option<RecommendedWatcher>,
}

impl Wake {
    pub(crate) fn of(dir: &Path) -> Self {
        let (sender, changes) = mpsc::channel(1);
        // One that waits to be taken is enough.
        let watcher = notify::recommended_watcher(move |change: notify::Result<notify::Event>| {
            // To look at the folder is an access as well: it must not be a reason to look again.
            if !change.is_ok_and(|change| change.kind.is_access()) {
                let _ = sender.try_send(());
            }
        });
        let watched = watcher.and_then(|mut watcher| {
            watcher.watch(dir, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        if let Err(error) = &watched {
            tracing::info!("{}: {error}; it is looked at every {LOOK:?}", dir.display());
        }
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { changes, looks, _watcher: watched.ok() }
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            Some(()) = self.changes.recv() => {}
            _ = self.looks.tick() => {}
        }
    }
}
