use std::fmt;
use std::str::FromStr;

/// The life of one order of events. Seqs of different epochs do not compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch(String);

impl Epoch {
    /// An epoch named by letters and digits, at most 16.
    pub fn new(name: &str) -> Option<Self> {
        let fits = (1..=16).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| Self(name.to_owned()))
    }

    /// A new epoch, which no earlier life of a broadcaster had: drawn from the system's randomness.
    pub fn random() -> Self {
        use std::hash::{BuildHasher, RandomState};
        const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        // RandomState is seeded by the system once a thread and stepped a call.
        let mut bits = RandomState::new().hash_one(std::process::id());
        let mut name = String::with_capacity(8);
        for _ in 0..8 {
            name.push(char::from(LETTERS[(bits & 31) as usize]));
            bits >>= 5;
        }
        Self(name)
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How far a reader is: everything up to `seq` of `epoch`. Written `epoch:seq`, and on the way to the state
/// `epoch:seq~lost`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The order that `seq` counts in.
    pub epoch: Epoch,
    /// The last event that the reader has.
    pub seq: u64,
    /// The reader was cut off before `ready`: of some things it has nothing, as they changed again after `seq`.
    /// That holds as long as no change is lost: so it says up to where events were when it began.
    pub partial: Option<u64>,
}

/// A text that is not a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a cursor such as k3v9:1234")]
pub struct CursorError;

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (text, partial) = match text.split_once('~') {
            Some((text, lost)) => (text, Some(lost.parse().map_err(|_| CursorError)?)),
            None => (text, None),
        };
        let (epoch, seq) = text.split_once(':').ok_or(CursorError)?;
        let epoch = Epoch::new(epoch).ok_or(CursorError)?;
        let seq = seq.parse().map_err(|_| CursorError)?;
        Ok(Self { epoch, seq, partial })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch.0, self.seq)?;
        self.partial.map_or(Ok(()), |lost| write!(f, "~{lost}"))
    }
}
