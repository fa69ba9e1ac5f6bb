use memchr::memmem::Finder;

/// The type of the events of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of {
    /// Kept by episode, window and model: 20,000 at most.
    Prediction,
    /// Kept by model: 100,000 at most.
    Metric,
}

impl Of {
    /// What comes before the number of an event, whatever a server wraps around it.
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Prediction => b"\"host_id\":\"",
            Self::Metric => b"\"accuracy\":0.",
        }
    }
}

/// Digits of the number, and of the stamp after it.
const DIGITS: usize = 16;

/// Events that say which of the run they are, and when they were due: nanoseconds since the run began.
pub(crate) struct Maker {
    of: Of,
    keys: u64,
    model: &'static str,
    pad: usize,
}

impl Maker {
    /// Events over so many keys of a model; about `bytes` long.
    pub(crate) fn new(of: Of, keys: u64, model: &'static str, bytes: usize) -> Self {
        let mut bare = Vec::new();
        let mut maker = Self { of, keys, model, pad: 0 };
        maker.put(&mut bare, 0, 0);
        maker.pad = bytes.saturating_sub(bare.len());
        maker
    }

    /// The key of an event.
    pub(crate) fn key(&self, number: u64) -> u64 {
        // Neighbours in time are no neighbours in the order of keys.
        number.wrapping_mul(7919) % self.keys
    }

    /// Appends an event.
    pub(crate) fn put(&self, out: &mut Vec<u8>, number: u64, stamp: u64) {
        use std::io::Write;
        let (key, model, pad) = (self.key(number), self.model, self.pad);
        // A vector takes everything.
        let _ = match self.of {
            Of::Prediction => write!(
                out,
                r#"{{"type":"prediction","episode_id":"e{:04}","window_idx":{},"model":"{model}","predicted":"clean","host_id":"{number:0DIGITS$}{stamp:0DIGITS$}{:x<pad$}"}}"#,
                key / 100,
                100 + key % 100,
                "",
            ),
            Of::Metric => write!(
                out,
                r#"{{"type":"model_metric","model":"{model}{key:06}{:x<pad$}","accuracy":0.{number:0DIGITS$}{stamp:0DIGITS$}}}"#,
                "",
            ),
        };
    }
}

/// Finds events in what a server sends.
pub(crate) struct Reader {
    mark: &'static [u8],
    finder: Finder<'static>,
}

impl Reader {
    pub(crate) fn new(of: Of) -> Self {
        Self { mark: of.mark(), finder: Finder::new(of.mark()) }
    }

    /// Calls with number and stamp of every event; answers where an event begins that is not whole.
    pub(crate) fn read(&self, bytes: &[u8], mut event: impl FnMut(u64, u64)) -> usize {
        // Nearly always an event is as long as the one before, and its mark need not be looked for.
        let (mut at, mut stride) = (0_usize, usize::MAX);
        loop {
            let guess = at.saturating_add(stride);
            let is_there = bytes.get(guess..).is_some_and(|rest| rest.starts_with(self.mark));
            let found = if is_there { Some(stride) } else { self.finder.find(&bytes[at..]) };
            let Some(mark) = found else { break };
            let start = at + mark + self.mark.len();
            let Some(digits) = bytes.get(start..start + 2 * DIGITS) else { return at + mark };
            let (number, stamp) = digits.split_at(DIGITS);
            event(value(number), value(stamp));
            (at, stride) = (start + 2 * DIGITS, mark);
        }
        // A mark may be cut as well.
        at.max(bytes.len().saturating_sub(self.mark.len()))
    }
}

/// The value of 16 digits.
fn value(digits: &[u8]) -> u64 {
    let (high, low) = digits.split_at(8);
    eight(high) * 100_000_000 + eight(low)
}

/// The value of 8 digits: pairs at once, then pairs of pairs, then those.
fn eight(digits: &[u8]) -> u64 {
    let Ok(digits) = <[u8; 8]>::try_from(digits) else { return 0 };
    let ones = u64::from_le_bytes(digits) & 0x0f0f_0f0f_0f0f_0f0f;
    let twos = (ones.wrapping_mul(2_561) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos.wrapping_mul(6_553_601) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(42_949_672_960_001) >> 32
}
