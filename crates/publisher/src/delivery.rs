use std::io::Write;

use bytes::Bytes;

use crate::post::{Memory, Post};
use crate::{PublishArgs, PublishError};

/// Publishes bodies one after the other, each until it is acknowledged: for a source that keeps its place, and needs
/// to know when it may write it down.
#[derive(Debug)]
pub struct Delivery {
    post: Post,
    dry_run: bool,
}

impl Delivery {
    /// Tries for as long as it takes. `name` is the producer's, for its Idempotency-Keys.
    ///
    /// # Errors
    /// The arguments cannot be used.
    pub fn open(name: &str, args: &PublishArgs) -> Result<Self, PublishError> {
        Ok(Self { post: Post::new(name, args, None)?, dry_run: args.dry_run })
    }

    /// Publishes events, one a line, all or none; no events ask only whether the broadcaster is there. What it remembers:
    /// another answer than the one before means that it lost something of what was acknowledged.
    ///
    /// # Errors
    /// The broadcaster refuses the events.
    pub async fn deliver(&mut self, events: Bytes) -> Result<Option<Memory>, PublishError> {
        if self.dry_run {
            std::io::stdout().write_all(&events).map_err(|error| PublishError::Print(error.to_string()))?;
            return Ok(None);
        }
        self.post.send("application/x-ndjson", events).await
    }
}
