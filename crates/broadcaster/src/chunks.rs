use std::collections::HashMap;
use std::sync::Arc;

use crate::chunk::{Chunk, Framing};
use crate::core::Position;
use crate::replay::{CHUNK, Replay};
use crate::{Filter, Hub};

/// Chunks that are kept within a pass: readers at as many places as this share what they are sent.
const KEPT: usize = 64;

/// What differs between readers that are sent different bytes.
type Reader = (Position, Filter, Framing);

/// What the readers of one pass are sent: made once for all that are at the same place.
#[derive(Debug)]
pub(crate) struct Chunks {
    hub: Hub,
    head: u64,
    made: HashMap<Reader, Arc<Chunk>>,
    /// Most readers are where the one before was.
    last: Option<(Reader, Arc<Chunk>)>,
    /// The shared replay, once somebody needed it in this pass.
    replay: Option<Option<Arc<Replay>>>,
}

impl Chunks {
    pub(crate) fn new(hub: Hub) -> Self {
        Self { hub, head: 0, made: HashMap::new(), last: None, replay: None }
    }

    /// Begins a pass that goes up to `head` at least.
    pub(crate) fn begin(&mut self, head: u64) {
        self.head = head;
    }

    /// Gives up what was made.
    pub(crate) fn end(&mut self) {
        self.made.clear();
        self.last = None;
        self.replay = None;
    }

    /// Whether there is nothing more for a reader, as far as this pass knows.
    pub(crate) fn is_at_head(&self, position: Position) -> bool {
        position.is_live() && position.seq >= self.head
    }

    /// What a reader is sent next, and where in it the bytes begin that it lacks; `None` if it has everything.
    pub(crate) fn next(
        &mut self,
        position: Position,
        filter: Filter,
        framing: Framing,
    ) -> Option<(Arc<Chunk>, usize)> {
        if self.is_at_head(position) {
            return None;
        }
        if !position.is_live()
            && filter == Filter::ALL
            && let Some(chunk) = self.of_replay(position, framing)
        {
            let start = chunk.after(position.seq);
            return Some((chunk, start));
        }
        let reader = (position, filter, framing);
        if let Some((_, chunk)) = self.last.as_ref().filter(|(last, _)| *last == reader) {
            return Some((chunk.clone(), 0));
        }
        if self.made.len() >= KEPT {
            self.made.clear();
        }
        let hub = &self.hub;
        let chunk = self.made.entry(reader).or_insert_with(|| {
            let step = hub.next(position, filter, CHUNK);
            Arc::new(Chunk::new(position, &step, framing))
        });
        self.last = Some((reader, chunk.clone()));
        Some((chunk.clone(), 0))
    }

    fn of_replay(&mut self, position: Position, framing: Framing) -> Option<Arc<Chunk>> {
        let hub = &self.hub;
        let replay = self.replay.get_or_insert_with(|| hub.replay());
        replay.as_ref()?.next(position, framing).cloned()
    }
}
