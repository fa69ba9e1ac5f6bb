use std::path::Path;
use std::time::Duration;

use publisher::{PublishError, Publisher};
use tokio::time::{MissedTickBehavior, interval};

use crate::{Disk, DiskError};

/// Why feeding ended.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The broadcaster refused.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The data root cannot be read at all.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Publishes the state of a data root, every so often; never returns without an error. An unchanged
/// state is published again: the broadcaster may have been restarted in between.
pub async fn feed(data_root: &Path, every: Duration, publisher: &Publisher) -> Result<(), FeedError> {
    let mut disk = Disk::new(data_root);
    let mut rounds = interval(every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        // A few milliseconds of work when much was appended, else one stat a file.
        let snapshot = disk.snapshot()?;
        publisher.replace(snapshot.clone())?;
    }
}
