use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::chunk::{Chunk, Framing};
use crate::core::{Position, Step, Way};
use crate::{Core, Filter, Frame};

/// Bytes of a chunk, about: one write.
pub(crate) const CHUNK: usize = 64 << 10;

/// The state of one moment, as far as it changed after some seq: what brings readers to it, each place once.
///
/// Its frames are in the order of their seqs, so that a reader's own seq says what it lacks of it. Of many
/// that read it at once each has a position and no more; what they are sent is encoded once.
#[derive(Debug)]
pub struct Replay {
    /// What changed after this seq is in it,
    from: u64,
    /// and what changed up to this one.
    at: u64,
    frames: Vec<Frame>,
    ready: Frame,
    pieces: Vec<Piece>,
}

/// Frames that go into one write.
#[derive(Debug)]
struct Piece {
    frames: Range<usize>,
    /// The seq of the last of them.
    last: u64,
    /// Encoded for readers that had nothing and for others, in each framing.
    chunks: [OnceLock<Arc<Chunk>>; 4],
}

impl Replay {
    pub(crate) fn new(from: u64, at: u64, frames: Vec<Frame>, ready: Frame) -> Self {
        let (mut pieces, mut start, mut bytes) = (Vec::new(), 0, 0);
        for (number, frame) in frames.iter().enumerate() {
            bytes += frame.websocket().len();
            if bytes >= CHUNK || number + 1 == frames.len() {
                let last = frame.seq().unwrap_or(at);
                pieces.push(Piece { frames: start..number + 1, last, chunks: Default::default() });
                (start, bytes) = (number + 1, 0);
            }
        }
        Self { from, at, frames, ready, pieces }
    }

    /// Whether it brings a reader at this position to the state, and the reader can go on from there.
    pub(crate) fn serves(&self, position: Position, core: &Core) -> bool {
        let Position { seq, way } = position;
        let knows = match way {
            Way::Live => false,
            Way::New => self.from == 0,
            Way::Partial => self.from == 0 && core.remembers(seq),
            Way::Behind => core.remembers(seq),
        };
        knows && (self.from..=self.at).contains(&seq) && core.goes_on_from(self.at, self.frames.len())
    }

    /// What a reader at a position is sent next, about `budget` bytes at most; `ready` comes last.
    pub fn step(&self, mut position: Position, filter: Filter, budget: usize) -> Step {
        let (mut frames, mut bytes) = (Vec::new(), 0);
        for frame in &self.frames[self.after(position.seq)..] {
            if bytes >= budget {
                return Step { frames, position };
            }
            position.seq = frame.seq().unwrap_or(position.seq);
            let is_for_it = position.way != Way::New || !frame.evicts();
            if is_for_it && filter.passes(frame) {
                bytes += frame.websocket().len();
                frames.push(frame.clone());
            }
        }
        frames.push(self.ready.clone());
        Step { frames, position: Position { seq: self.at, way: Way::Live } }
    }

    /// The number of the first frame that a reader lacks.
    fn after(&self, seq: u64) -> usize {
        self.frames.partition_point(|frame| frame.seq() <= Some(seq))
    }

    /// What a reader of everything is sent next, and where in it the bytes begin that it lacks: a chunk that it
    /// shares with all others, if it is where one of its frames ends.
    pub(crate) fn chunk(&self, position: Position, framing: Framing) -> Option<(Arc<Chunk>, usize)> {
        let piece = self.pieces.get(self.pieces.partition_point(|piece| piece.last <= position.seq))?;
        let is_new = position.way == Way::New;
        let chunk = piece.chunks[2 * usize::from(is_new) + usize::from(framing == Framing::Batch)]
            .get_or_init(|| Arc::new(self.encode(piece, position.way, framing)));
        let start =
            if self.after(position.seq) <= piece.frames.start { 0 } else { chunk.after(position.seq)? };
        Some((chunk.clone(), start))
    }

    fn encode(&self, piece: &Piece, way: Way, framing: Framing) -> Chunk {
        let before = piece.frames.start.checked_sub(1).and_then(|last| self.frames[last].seq());
        let from = Position { seq: before.unwrap_or(self.from), way };
        let frames = self.frames[piece.frames.clone()].iter();
        let mut frames: Vec<Frame> =
            frames.filter(|frame| way != Way::New || !frame.evicts()).cloned().collect();
        let mut to = Position { seq: piece.last, way };
        if piece.frames.end == self.frames.len() {
            frames.push(self.ready.clone());
            to = Position { seq: self.at, way: Way::Live };
        }
        Chunk::new(from, &Step { frames, position: to }, framing)
    }
}
