use std::ops::Range;

use anyhow::{Context, Result, ensure};
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

/// Keys that an event's digits have room for.
const KEYS: u64 = 1_000_000;

/// Events that say which of the run they are, and when they were due: microseconds of Unix time.
pub(crate) struct Maker {
    /// An event with zeros for digits.
    blank: Vec<u8>,
    /// Where its key's digits are; two pieces.
    key: [Range<usize>; 2],
    /// Where its number's and its stamp's are.
    number: usize,
    keys: u64,
}

impl Maker {
    /// Events over so many keys of a model; about `bytes` long.
    pub(crate) fn new(of: Of, keys: u64, model: &str, bytes: usize) -> Result<Self> {
        ensure!((1..=KEYS).contains(&keys), "--keys: expected 1 to {KEYS}, got {keys}");
        let zeros = "0".repeat(2 * DIGITS);
        let event = |pad: &str| match of {
            Of::Prediction => (
                r#"{"type":"prediction","episode_id":"e"#.to_owned(),
                r#"","window_idx":1"#.to_owned(),
                format!(r#","model":"{model}","predicted":"clean","host_id":"{zeros}{pad}"}}"#),
            ),
            Of::Metric => (
                format!(r#"{{"type":"model_metric","model":"{model}"#),
                String::new(),
                format!(r#"{pad}","accuracy":0.{zeros}}}"#),
            ),
        };
        let length =
            |(first, second, third): &(String, String, String)| first.len() + second.len() + third.len() + 6;
        let (first, second, third) = event(&"x".repeat(bytes.saturating_sub(length(&event("")))));
        let high = first.len()..first.len() + 4;
        let low = high.end + second.len()..high.end + second.len() + 2;
        let blank = format!("{first}0000{second}00{third}").into_bytes();
        let mark = memchr::memmem::find(&blank, of.mark()).context("an event has its mark")?;
        Ok(Self { blank, key: [high, low], number: mark + of.mark().len(), keys })
    }

    /// The key of an event.
    pub(crate) fn key(&self, number: u64) -> u64 {
        // Neighbours in time are no neighbours in the order of keys.
        number.wrapping_mul(7919) % self.keys
    }

    /// Appends an event.
    pub(crate) fn put(&self, out: &mut Vec<u8>, number: u64, stamp: u64) {
        let (begin, key) = (out.len(), self.key(number));
        out.extend_from_slice(&self.blank);
        let event = &mut out[begin..];
        let [high, low] = self.key.clone();
        put_digits(&mut event[high], key / 100);
        put_digits(&mut event[low], key % 100);
        let (number_at, stamp_at) = (self.number, self.number + DIGITS);
        put_digits(&mut event[number_at..stamp_at], number);
        put_digits(&mut event[stamp_at..stamp_at + DIGITS], stamp);
    }
}

fn put_digits(digits: &mut [u8], mut value: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
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
