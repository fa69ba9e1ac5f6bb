use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often a folder is looked at in any case: a network file system does not tell of others' changes.
const LOOK: Duration = Duration::from_secs(1);
/// Names that are held, at most: if there are more, all may have changed.
const MOST: usize = 10_000;

/// Wakes when something in a folder changes, or might have.
pub struct Wake {
    told: Arc<Told>,
    looks: Interval,
    /// Tells of changes for as long as it is held.
    _watcher: Option<RecommendedWatcher>,
}

/// What was told of since the last time.
#[derive(Default)]
struct Told {
    changes: Mutex<Changes>,
    notify: Notify,
}

/// What changed in a folder.
#[derive(Debug, Default)]
pub struct Changes {
    /// Anything may have.
    all: bool,
    names: HashSet<OsString>,
}

impl Wake {
    /// Of a folder.
    pub fn of(dir: &Path) -> Self {
        let told = Arc::new(Told::default());
        let telling = Arc::clone(&told);
        let watcher = notify::recommended_watcher(move |change: notify::Result<notify::Event>| {
            // To look at the folder is an access as well: it must not be a reason to look again.
            if !change.as_ref().is_ok_and(|change| change.kind.is_access()) {
                telling.changes.lock().unwrap_or_else(PoisonError::into_inner).add(change);
                telling.notify.notify_one();
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
        Self { told, looks, _watcher: watched.ok() }
    }

    /// Waits for changes. Those that it was waiting for when it is dropped are told the next time.
    pub async fn next(&mut self) -> Changes {
        let all = tokio::select! {
            () = self.told.notify.notified() => false,
            _ = self.looks.tick() => true,
        };
        let mut changes =
            std::mem::take(&mut *self.told.changes.lock().unwrap_or_else(PoisonError::into_inner));
        changes.all |= all;
        changes
    }
}

impl Changes {
    /// Whether every file may have changed: also those that nobody told of.
    pub fn is_all(&self) -> bool {
        self.all
    }

    /// The names of those that were told of.
    pub fn names(&self) -> impl Iterator<Item = &OsStr> {
        self.names.iter().map(OsString::as_os_str)
    }

    fn add(&mut self, change: notify::Result<notify::Event>) {
        match change {
            Ok(change) if !change.need_rescan() && self.names.len() < MOST => {
                self.names
                    .extend(change.paths.iter().filter_map(|path| path.file_name().map(OsStr::to_owned)));
            }
            _ => self.all = true,
        }
    }
}
