use tokio::sync::watch;

use crate::core::Position;
use crate::hub::Present;
use crate::replay::CHUNK;
use crate::{Cursor, Filter, Frame, Hub};

/// One connection's way through the order, for a task of its own: a position, not a queue. While its client is
/// slow it costs what it holds to write, at most about [`CHUNK`].
#[derive(Debug)]
pub(crate) struct Reader {
    hub: Hub,
    filter: Filter,
    position: Position,
    /// `hello`, until it is handed out.
    hello: Option<Frame>,
    head: watch::Receiver<u64>,
    _present: Present,
}

impl Reader {
    pub(crate) fn join(hub: &Hub, cursor: Option<&Cursor>, filter: Filter) -> Self {
        let head = hub.head();
        let (hello, position) = hub.join(cursor);
        Self { hub: hub.clone(), filter, position, hello: Some(hello), head, _present: hub.enter() }
    }

    /// The next frames, at least one. Waits while there is nothing new. Cancel safe: what was not returned is
    /// returned by the next call.
    pub(crate) async fn next(&mut self) -> Vec<Frame> {
        if let Some(hello) = self.hello.take() {
            return vec![hello];
        }
        loop {
            let step = self.hub.next(self.position, self.filter, CHUNK);
            self.position = step.position;
            if !step.frames.is_empty() {
                return step.frames;
            }
            let seq = self.position.seq;
            // The hub, and with it the sender, lives as long as this reader.
            let _ = self.head.wait_for(|head| *head > seq).await;
        }
    }
}
