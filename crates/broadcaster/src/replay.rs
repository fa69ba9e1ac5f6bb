use std::sync::{Arc, OnceLock};

use crate::chunk::{Chunk, Framing};
use crate::core::{Position, Step};
use crate::{Core, Filter, Frame};

/// Bytes of a chunk, about: one write.
pub(crate) const CHUNK: usize = 64 << 10;

/// The whole state as it was at some seq, in chunks, built once for all that come with nothing.
///
/// It may be a little old: what changed since comes out of the [`Core`], as for anybody who is on the
/// way to the state. A reader is on this one if what it knows to be dropped ends where this was taken.
#[derive(Debug)]
pub(crate) struct Replay {
    at: u64,
    frames: Vec<Frame>,
    single: OnceLock<Vec<Arc<Chunk>>>,
    batch: OnceLock<Vec<Arc<Chunk>>>,
}

impl Replay {
    pub(crate) fn of(core: &mut Core) -> Arc<Self> {
        let (at, frames) = (core.seq(), core.state(Filter::ALL));
        Arc::new(Self { at, frames, single: OnceLock::new(), batch: OnceLock::new() })
    }

    /// Where a reader begins that has nothing.
    pub(crate) fn start(&self) -> Position {
        Position { seq: 0, replay: Some(self.at) }
    }

    /// Whether it is worth more than what changed since, at `seq`, costs every reader.
    pub(crate) fn is_fresh(&self, seq: u64) -> bool {
        seq - self.at <= self.frames.len() as u64 / 8
    }

    /// What a reader at this position is sent next; `None` if this is not its replay, or it has all of it.
    pub(crate) fn next(&self, position: Position, framing: Framing) -> Option<&Arc<Chunk>> {
        if position.replay != Some(self.at) {
            return None;
        }
        let chunks = match framing {
            Framing::Single => &self.single,
            Framing::Batch => &self.batch,
        };
        let chunks = chunks.get_or_init(|| self.chunks(framing));
        chunks.get(chunks.partition_point(|chunk| chunk.to().seq <= position.seq))
    }

    fn chunks(&self, framing: Framing) -> Vec<Arc<Chunk>> {
        let (mut chunks, mut position) = (Vec::new(), self.start());
        let mut frames = &self.frames[..];
        while !frames.is_empty() {
            let mut bytes = 0;
            let fits = |frame: &&Frame| {
                let before = bytes;
                bytes += frame.websocket().len();
                before < CHUNK
            };
            let (chunk, later) = frames.split_at(frames.iter().take_while(fits).count());
            frames = later;
            let seq = chunk.last().and_then(Frame::seq).unwrap_or(position.seq);
            let step = Step { frames: chunk.to_vec(), position: Position { seq, ..position } };
            chunks.push(Arc::new(Chunk::new(position, &step, framing)));
            position = step.position;
        }
        chunks
    }
}
