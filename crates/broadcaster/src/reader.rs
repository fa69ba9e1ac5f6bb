use std::sync::Arc;

use tokio::sync::watch;

use crate::core::Position;
use crate::hub::{Next, Present};
use crate::replay::{CHUNK, Replay};
use crate::{Cursor, Filter, Frame, Hub};

/// What a reader is sent next.
#[derive(Debug)]
pub(crate) struct Portion {
    /// In order.
    pub(crate) frames: Vec<Frame>,
    /// They bring the reader to the state; if not, they follow it.
    pub(crate) replayed: bool,
}

/// One connection's way through the order, for a task of its own: a position, not a queue. While its client is
/// slow it costs what it holds to write, at most about [`CHUNK`].
#[derive(Debug)]
pub(crate) struct Reader {
    hub: Hub,
    filter: Filter,
    position: Position,
    /// What brings it to the state, while it is on the way.
    replay: Option<Arc<Replay>>,
    /// `hello`, until it is handed out.
    hello: Option<Frame>,
    head: watch::Receiver<u64>,
    present: Present,
}

impl Reader {
    pub(crate) fn join(hub: &Hub, cursor: Option<&Cursor>, filter: Filter) -> Self {
        let head = hub.head();
        let (hello, position) = hub.join(cursor);
        let hello = Some(hello);
        Self { hub: hub.clone(), filter, position, replay: None, hello, head, present: hub.enter() }
    }

    /// Its client does not read: the state of that moment is not kept for it.
    pub(crate) fn give_up_replay(&mut self) {
        if self.replay.take().is_some() {
            self.position = self.position.without_replay();
        }
    }

    /// The next frames, at least one. Waits while there is nothing new. Cancel safe: what was not returned is
    /// returned by the next call.
    pub(crate) async fn next(&mut self) -> Portion {
        if let Some(hello) = self.hello.take() {
            return Portion { frames: vec![hello], replayed: false };
        }
        loop {
            let step = match &self.replay {
                Some(replay) => replay.step(self.position, self.filter, CHUNK),
                None => match self.hub.next(self.position, self.filter, CHUNK) {
                    Next::Step(step) => step,
                    Next::Replay(replay) => {
                        self.replay = Some(replay);
                        continue;
                    }
                },
            };
            let replayed = self.replay.is_some();
            // Those of a reader that is live and stays so are events, all of them.
            let events = step.frames.len() as u64;
            self.present.enter(self.position, step.position, events, self.filter);
            self.position = step.position;
            if self.position.is_live() {
                self.replay = None;
            }
            if !step.frames.is_empty() {
                return Portion { frames: step.frames, replayed };
            }
            let seq = self.position.seq;
            // The hub, and with it the sender, lives as long as this reader.
            let _ = self.head.wait_for(|head| *head > seq).await;
        }
    }
}
