use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of a mark, at most.
const LENGTH: usize = 256;

/// What a file is known by, wherever it is moved or copied to: how it begins, and how it goes on up to a place.
///
/// Not its inode: a file that is removed gives its number to the next, and a copy has another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    begins: Mark,
    /// Right before the place.
    ends: Mark,
}

/// Some bytes of a file, by their digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    length: u64,
    sha256: String,
}

/// The first bytes of what was read of a file, and the last.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    first: Vec<u8>,
    last: Vec<u8>,
}

impl Ends {
    /// Of a file that was read up to `offset`, as it is now.
    pub(crate) fn of(file: &File, offset: u64) -> io::Result<Self> {
        let length = offset.min(LENGTH as u64);
        let bytes = |at| {
            let mut bytes = vec![0; length as usize];
            let read = file.read_at(&mut bytes, at)?;
            bytes.truncate(read);
            Ok::<_, io::Error>(bytes)
        };
        Ok(Self { first: bytes(0)?, last: bytes(offset - length)? })
    }

    /// These were read next.
    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        let room = LENGTH - self.first.len();
        self.first.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.last.extend_from_slice(&bytes[bytes.len().saturating_sub(LENGTH)..]);
        self.last.drain(..self.last.len().saturating_sub(LENGTH));
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity { begins: Mark::of(&self.first), ends: Mark::of(&self.last) }
    }
}

impl Identity {
    /// Whether a file is this one, or a copy of it, as far as `offset`.
    pub(crate) fn is_of(&self, file: &File, offset: u64) -> io::Result<bool> {
        Ok(self.begins.is_at(file, 0)? && self.ends.is_at(file, offset.saturating_sub(self.ends.length))?)
    }
}

impl Mark {
    fn of(bytes: &[u8]) -> Self {
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { length: bytes.len() as u64, sha256 }
    }

    /// Whether these bytes are at this place.
    fn is_at(&self, file: &File, at: u64) -> io::Result<bool> {
        let mut bytes = vec![0; self.length.min(LENGTH as u64) as usize];
        let read = file.read_at(&mut bytes, at)?;
        Ok(Self::of(&bytes[..read]) == *self)
    }
}
