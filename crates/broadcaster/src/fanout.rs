use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::Hub;
use crate::server::Stopping;
use crate::shard::{Newcomer, Shard};

/// Pages that a shard has not taken in yet, at most.
const WAITING: usize = 256;

/// The shards, one a thread of the runtime. They end when this is dropped.
pub(crate) struct Fanout {
    shards: Vec<mpsc::Sender<Newcomer>>,
    next: AtomicUsize,
}

impl Fanout {
    /// Starts the shards on the current runtime.
    pub(crate) fn start(hub: &Hub, heartbeat: Duration, stopping: &Stopping) -> io::Result<Self> {
        let shards = (0..Handle::current().metrics().num_workers()).map(|_| {
            let (sender, inbox) = mpsc::channel(WAITING);
            tokio::spawn(Shard::new(hub.clone(), inbox, heartbeat, stopping.clone())?.run());
            Ok(sender)
        });
        Ok(Self { shards: shards.collect::<io::Result<_>>()?, next: AtomicUsize::new(0) })
    }

    /// Hands a page to a shard, in turn; waits while the shard has many to take in.
    pub(crate) async fn take_in(&self, newcomer: Newcomer) {
        let shard = self.next.fetch_add(1, Ordering::Relaxed) % self.shards.len();
        // A shard that ended lost its way to hear of sockets: the page comes back.
        let _ = self.shards[shard].send(newcomer).await;
    }
}
