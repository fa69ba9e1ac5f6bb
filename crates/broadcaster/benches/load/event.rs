use memchr::memmem::Finder;

/// What comes before the number of an event, whatever a server wraps around it.
const MARK: &[u8] = b"\"host_id\":\"";
/// Digits of the number, and of the stamp after it.
const DIGITS: usize = 16;

/// Events that say which of the run they are, and when they were due: nanoseconds since the run began.
pub(crate) struct Maker {
    keys: u64,
    pad: usize,
}

impl Maker {
    /// Events over so many keys; about `bytes` long.
    pub(crate) fn new(keys: u64, bytes: usize) -> Self {
        let mut bare = Vec::new();
        let mut maker = Self { keys, pad: 0 };
        maker.put(&mut bare, 0, 0);
        maker.pad = bytes.saturating_sub(bare.len());
        maker
    }

    /// The key of an event.
    pub(crate) fn key(&self, number: u64) -> u64 {
        // Neighbours in time are no neighbours in the order of keys.
        number.wrapping_mul(7919) % self.keys
    }

    /// Appends an event: a prediction, whose state is kept by episode, window and model.
    pub(crate) fn put(&self, out: &mut Vec<u8>, number: u64, stamp: u64) {
        use std::io::Write;
        let (key, pad) = (self.key(number), self.pad);
        // A vector takes everything.
        let _ = write!(
            out,
            r#"{{"type":"prediction","episode_id":"e{:04}","window_idx":{},"model":"knn","predicted":"clean","host_id":"{number:0DIGITS$}{stamp:0DIGITS$}{:x<pad$}"}}"#,
            key / 100,
            key % 100,
            "",
        );
    }
}

/// Finds events in what a server sends.
pub(crate) struct Reader(Finder<'static>);

impl Reader {
    pub(crate) fn new() -> Self {
        Self(Finder::new(MARK))
    }

    /// Calls with number and stamp of every event; answers where an event begins that is not whole.
    pub(crate) fn read(&self, bytes: &[u8], mut event: impl FnMut(u64, u64)) -> usize {
        let mut at = 0;
        while let Some(mark) = self.0.find(&bytes[at..]) {
            let start = at + mark + MARK.len();
            let Some(digits) = bytes.get(start..start + 2 * DIGITS) else { return at + mark };
            let (number, stamp) = digits.split_at(DIGITS);
            event(value(number), value(stamp));
            at = start + 2 * DIGITS;
        }
        // A mark may be cut as well.
        at.max(bytes.len().saturating_sub(MARK.len()))
    }
}

fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))
}
