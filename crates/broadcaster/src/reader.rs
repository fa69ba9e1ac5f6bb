use tokio::sync::watch;

use crate::hub::Present;
use crate::{Cursor, Filter, Frame, Hub};

/// Bytes of live frames that a connection holds while it writes them, about. While it writes a join or
/// what changed while it lagged, it holds references to those sticky frames instead.
const BUDGET: usize = 64 << 10;

/// One connection's way through the log: a cursor, not a queue. It costs a number while its client
/// is slow, and is moved forward to the latest state when the log no longer reaches back to it.
#[derive(Debug)]
pub(crate) struct Reader {
    hub: Hub,
    filter: Filter,
    position: u64,
    /// The join, until it is handed out.
    joined: Option<Vec<Frame>>,
    head: watch::Receiver<u64>,
    _present: Present,
}

impl Reader {
    pub(crate) fn join(hub: &Hub, cursor: Option<&Cursor>, filter: Filter) -> Self {
        let head = hub.head();
        let step = hub.join(cursor, filter);
        Self {
            hub: hub.clone(),
            filter,
            position: step.position,
            joined: Some(step.frames),
            head,
            _present: hub.enter(),
        }
    }

    /// The next frames, at least one: first the whole join, then what is live. Waits while there is
    /// nothing new. Cancel safe: what was not returned is returned by the next call.
    pub(crate) async fn next(&mut self) -> Vec<Frame> {
        if let Some(frames) = self.joined.take() {
            return frames;
        }
        loop {
            let step = self.hub.read(self.position, self.filter, BUDGET);
            self.position = step.position;
            if !step.frames.is_empty() {
                return step.frames;
            }
            let position = self.position;
            // The hub, and with it the sender, lives as long as this reader.
            let _ = self.head.wait_for(|head| *head > position).await;
        }
    }
}
