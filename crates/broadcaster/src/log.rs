use std::collections::VecDeque;

use crate::Frame;

/// How much of the past the log holds. Readers further behind get the latest state instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimits {
    /// Frames, at least 1.
    pub events: usize,
    /// Bytes of frames.
    pub bytes: usize,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self { events: 65_536, bytes: 64 << 20 }
    }
}

/// The newest frames, in order: `seq` of a frame is its place.
#[derive(Debug)]
pub(crate) struct Log {
    limits: LogLimits,
    frames: VecDeque<Frame>,
    bytes: usize,
    /// Seq of the oldest frame that is held, or of the next one.
    first: u64,
}

impl Log {
    pub(crate) fn new(limits: LogLimits, first: u64) -> Self {
        Self { limits, frames: VecDeque::new(), bytes: 0, first }
    }

    pub(crate) fn push(&mut self, frame: Frame) {
        self.bytes += frame.websocket().len();
        self.frames.push_back(frame);
        while self.frames.len() > self.limits.events || self.bytes > self.limits.bytes {
            let Some(oldest) = self.frames.pop_front() else { break };
            self.bytes -= oldest.websocket().len();
            self.first += 1;
        }
    }

    /// Begins anew, with this seq.
    pub(crate) fn restart(&mut self, first: u64) {
        *self = Self::new(self.limits, first);
    }

    /// The frames after `seq`, oldest first. `None` if some of them are gone.
    pub(crate) fn after(&self, seq: u64) -> Option<impl Iterator<Item = &Frame>> {
        let skip = (seq + 1).checked_sub(self.first)?;
        Some(self.frames.range(usize::try_from(skip).ok()?.min(self.frames.len())..))
    }

    /// Seq of the oldest frame that is held, or of the next one.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Frames held, and their bytes.
    pub(crate) fn span(&self) -> (usize, usize) {
        (self.frames.len(), self.bytes)
    }
}
