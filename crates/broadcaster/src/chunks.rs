use std::collections::HashMap;
use std::sync::Arc;

use crate::chunk::{Chunk, Framing};
use crate::core::Position;
use crate::hub::Next;
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
}

impl Chunks {
    pub(crate) fn new(hub: Hub) -> Self {
        Self { hub, head: 0, made: HashMap::new(), last: None }
    }

    /// Begins a pass that goes up to `head` at least.
    pub(crate) fn begin(&mut self, head: u64) {
        self.head = head;
    }

    /// Gives up what was made.
    pub(crate) fn end(&mut self) {
        self.made.clear();
        self.last = None;
    }

    /// Whether there is nothing more for a reader, as far as this pass knows.
    pub(crate) fn is_at_head(&self, position: Position) -> bool {
        position.is_live() && position.seq >= self.head
    }

    /// What a reader is sent next, and where in it the bytes begin that it lacks; `None` if it has everything.
    /// A reader that needs a replay gets one.
    pub(crate) fn next(
        &mut self,
        position: Position,
        filter: Filter,
        framing: Framing,
        replay: &mut Option<Arc<Replay>>,
    ) -> Option<(Arc<Chunk>, usize)> {
        if self.is_at_head(position) {
            return None;
        }
        let reader = (position, filter, framing);
        let shared = self.last.as_ref().filter(|(last, _)| *last == reader).map(|(_, chunk)| chunk);
        if let Some(chunk) = shared.or_else(|| self.made.get(&reader)) {
            return Some((chunk.clone(), 0));
        }
        if replay.is_none() {
            match self.hub.next(position, filter, CHUNK) {
                Next::Step(step) => {
                    let chunk = Arc::new(Chunk::new(position, &step, framing));
                    if self.made.len() >= KEPT {
                        self.made.clear();
                    }
                    self.made.insert(reader, chunk.clone());
                    self.last = Some((reader, chunk.clone()));
                    return Some((chunk, 0));
                }
                Next::Replay(shared) => *replay = Some(shared),
            }
        }
        let replay = replay.as_ref()?;
        let chunk = if filter == Filter::ALL { replay.chunk(position, framing) } else { None };
        Some(chunk.unwrap_or_else(|| {
            let step = replay.step(position, filter, CHUNK);
            (Arc::new(Chunk::new(position, &step, framing)), 0)
        }))
    }
}
