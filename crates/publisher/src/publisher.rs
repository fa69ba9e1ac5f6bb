use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use events::Event;
use tokio::sync::Notify;

use crate::outbox::{Batch, Outbox};
use crate::post::Post;
use crate::{Columns, PublishArgs, PublishError};

/// A producer that has a state looks after this much silence whether the broadcaster still has it.
const SILENCE: Duration = Duration::from_secs(2);

/// Publishes events, in the order in which they are handed over. Clones share one order.
///
/// Dropping the last clone gives up what was not sent: [`flush`](Self::flush) first.
#[derive(Debug, Clone)]
pub struct Publisher(Arc<Handle>);

/// Ends the sending task when the last publisher is dropped.
#[derive(Debug)]
struct Handle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    desk: Mutex<Desk>,
    /// Something was handed over, or the last publisher is gone.
    work: Notify,
    /// Something was taken or acknowledged, or sending failed.
    progress: Notify,
}

#[derive(Debug)]
struct Desk {
    outbox: Outbox,
    /// Everything below this number is acknowledged.
    acknowledged: u64,
    failure: Option<PublishError>,
    /// A source was slowed since the last batch, which was said.
    slowed: bool,
    closed: bool,
    dry_run: bool,
}

impl Publisher {
    /// A publisher that tries for as long as it takes. `name` is the producer's, for its
    /// Idempotency-Keys. Must be called on a tokio runtime.
    pub fn open(name: &str, args: &PublishArgs) -> Result<Self, PublishError> {
        Self::with_patience(name, args, None)
    }

    /// A publisher that fails when one body was tried for longer than `patience`, for commands
    /// that a person waits for.
    pub fn open_for(name: &str, args: &PublishArgs, patience: Duration) -> Result<Self, PublishError> {
        Self::with_patience(name, args, Some(patience))
    }

    fn with_patience(
        name: &str,
        args: &PublishArgs,
        patience: Option<Duration>,
    ) -> Result<Self, PublishError> {
        let post = Post::new(name, args, patience)?;
        let shared = Arc::new(Shared {
            desk: Mutex::new(Desk {
                outbox: Outbox::default(),
                acknowledged: 0,
                failure: None,
                slowed: false,
                closed: false,
                dry_run: args.dry_run,
            }),
            work: Notify::new(),
            progress: Notify::new(),
        });
        if !args.dry_run {
            tokio::spawn(deliver(shared.clone(), post));
        }
        Ok(Self(Arc::new(Handle(shared))))
    }

    /// Hands an event over; waits while the outbox is full, which slows its source. Cancel safe:
    /// an event is handed over whole or not at all.
    pub async fn send(&self, event: impl Into<Event<'_>>) -> Result<(), PublishError> {
        let json = json(&event.into())?;
        let mut desk = self.room().await?;
        if desk.dry_run {
            return print(&json);
        }
        desk.outbox.push(json);
        self.shared().work.notify_one();
        Ok(())
    }

    /// Hands a state over; never waits. Of the events that would take the same place in the
    /// broadcaster's state, only the newest is sent if they wait together; it is sent again to a
    /// broadcaster that lost events.
    pub fn replace(&self, event: impl Into<Event<'static>>) -> Result<(), PublishError> {
        let event = event.into();
        let json = json(&event)?;
        let mut desk = self.desk()?;
        if desk.dry_run {
            return print(&json);
        }
        desk.outbox.replace(&event, json);
        let dropped = desk.outbox.take_dropped();
        drop(desk);
        if dropped > 0 {
            tracing::warn!("{dropped} states were dropped unsent: too many wait");
        }
        self.shared().work.notify_one();
        Ok(())
    }

    /// Hands an embedding snapshot over; waits while the outbox is full. It is a state as well: the
    /// newest is sent again to a broadcaster that lost events.
    pub async fn send_columns(&self, columns: &Columns) -> Result<(), PublishError> {
        let event = columns.event()?;
        let stream = columns.encode()?;
        let mut desk = self.room().await?;
        if desk.dry_run {
            return print(&json(&event)?);
        }
        desk.outbox.push_columns(stream);
        self.shared().work.notify_one();
        Ok(())
    }

    /// Waits until everything that was handed over before this call is acknowledged.
    pub async fn flush(&self) -> Result<(), PublishError> {
        let target = self.desk()?.outbox.next();
        self.until(|desk| desk.acknowledged >= target || desk.dry_run).await.map(drop)
    }

    async fn room(&self) -> Result<MutexGuard<'_, Desk>, PublishError> {
        self.until(|desk| {
            let room = desk.outbox.has_room();
            if !room && !desk.slowed {
                desk.slowed = true;
                tracing::warn!("the outbox is full: the source is slowed");
            }
            room
        })
        .await
    }

    /// Waits until the desk is as wished, or sending failed.
    async fn until(
        &self,
        mut wish: impl FnMut(&mut Desk) -> bool,
    ) -> Result<MutexGuard<'_, Desk>, PublishError> {
        loop {
            let progress = self.shared().progress.notified();
            let mut progress = std::pin::pin!(progress);
            // From here on, progress is seen even if it happens before the await.
            progress.as_mut().enable();
            {
                let mut desk = self.desk()?;
                if wish(&mut desk) {
                    return Ok(desk);
                }
            }
            progress.await;
        }
    }

    fn desk(&self) -> Result<MutexGuard<'_, Desk>, PublishError> {
        let desk = self.shared().desk();
        match &desk.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(desk),
        }
    }

    fn shared(&self) -> &Shared {
        &self.0.0
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        // A panic between two of the desk's plain assignments is not possible.
        self.desk.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.desk().closed = true;
        self.0.work.notify_one();
    }
}

/// Sends batch after batch until the last publisher is gone or the broadcaster refuses.
///
/// An answer says what the broadcaster remembers. If it lost something, the states are sent again; so that a quiet producer learns of it, an empty body follows some silence.
async fn deliver(shared: Arc<Shared>, mut post: Post) {
    let mut memory = None;
    loop {
        let (batch, upto, remembers) = {
            let desk = &mut *shared.desk();
            if desk.closed {
                return;
            }
            (desk.outbox.take(), desk.outbox.first(), desk.outbox.remembers())
        };
        shared.progress.notify_waiters();
        let batch = match batch {
            Some(batch) => batch,
            None => {
                let silence = if remembers { SILENCE } else { Duration::MAX };
                if tokio::time::timeout(silence, shared.work.notified()).await.is_ok() {
                    continue;
                }
                Batch::Events(String::new())
            }
        };
        let (media, body) = match batch {
            Batch::Events(lines) => ("application/x-ndjson", Bytes::from(lines)),
            Batch::Columns(stream) => ("application/vnd.apache.arrow.stream", stream),
        };
        let sent = tokio::select! {
            sent = post.send(media, body) => sent,
            () = gone(&shared) => return,
        };
        let mut desk = shared.desk();
        match sent {
            Ok(answered) => {
                desk.acknowledged = upto;
                desk.slowed &= !desk.outbox.is_relaxed();
                if memory.is_some() && answered.is_some() && answered != memory {
                    tracing::info!("the broadcaster lost events: the state is sent again");
                    desk.outbox.repeat();
                }
                memory = answered.or(memory);
            }
            Err(failure) => desk.failure = Some(failure),
        }
        let failed = desk.failure.is_some();
        drop(desk);
        shared.progress.notify_waiters();
        if failed {
            return;
        }
    }
}

/// Returns when the last publisher is dropped.
async fn gone(shared: &Shared) {
    loop {
        shared.work.notified().await;
        if shared.desk().closed {
            return;
        }
    }
}

fn json(event: &Event<'_>) -> Result<String, PublishError> {
    serde_json::to_string(event).map_err(|error| PublishError::Print(error.to_string()))
}

fn print(json: &str) -> Result<(), PublishError> {
    writeln!(std::io::stdout().lock(), "{json}").map_err(|error| PublishError::Print(error.to_string()))
}
