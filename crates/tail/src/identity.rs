use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::position::{Time, modified};

/// The beginning of a file goes to the end of a line, at least so far into it, and at most so far.
const BEGINNING: (usize, usize) = (64, 1024);
/// Bytes before a place, at most.
const END: usize = 256;

/// What a file is known by, wherever it is moved or copied to: how it begins, and how it goes on up to a place.
///
/// Its inode tells only files of which little was read from those that begin with the same words: one that is removed gives
/// its number to the next, and a copy has another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Its first line, or its first lines if they are short.
    begins: Mark,
    /// Right before the place.
    ends: Mark,
    /// When it was changed last, then.
    pub(crate) modified: Time,
    inode: u64,
}

/// Some bytes of a file, by their digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    length: u64,
    sha256: String,
}

/// The first bytes of what was read of a file, and the last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ends {
    first: Vec<u8>,
    last: Vec<u8>,
}

/// How a file compares with one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// It is that one, or a copy of it, as far as that was read.
    Whole,
    /// It begins like it, and was cut or written anew after that.
    Beginning,
    /// It is too short to say.
    Short,
    /// It is another.
    Other,
}

impl Ends {
    /// Of a file that was read up to `offset`, as it is now.
    pub(crate) fn of(file: &File, offset: u64) -> io::Result<Self> {
        let bytes = |at, length| read_at(file, at, length);
        let end = offset.min(END as u64);
        Ok(Self { first: bytes(0, offset.min(BEGINNING.1 as u64))?, last: bytes(offset - end, end)? })
    }

    /// These were read next.
    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        let room = BEGINNING.1 - self.first.len();
        self.first.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.last.extend_from_slice(&bytes[bytes.len().saturating_sub(END)..]);
        self.last.drain(..self.last.len().saturating_sub(END));
    }

    /// Of the file of an entry of its folder that was changed last at this time.
    pub(crate) fn identity(&self, entry: &Metadata, modified: Time) -> Identity {
        let newline = self.first.iter().skip(BEGINNING.0 - 1).position(|byte| *byte == b'\n');
        let length = newline.map_or(self.first.len(), |newline| BEGINNING.0 + newline);
        Identity {
            begins: Mark::of(&self.first[..length]),
            ends: Mark::of(&self.last),
            modified,
            inode: entry.ino(),
        }
    }
}

impl Identity {
    /// How a file compares with this one, which was read up to `offset`.
    pub(crate) fn likeness(&self, file: &File, offset: u64) -> io::Result<Likeness> {
        let beginning = read_at(file, 0, self.beginning())?;
        Ok(match self.begins_like(&beginning) {
            true if self.ends.is_at(file, offset.saturating_sub(self.ends.length))? => Likeness::Whole,
            true => Likeness::Beginning,
            false if (beginning.len() as u64) < self.begins.length => Likeness::Short,
            false => Likeness::Other,
        })
    }

    /// Whether so little was read of it that another may well begin like it.
    pub(crate) fn is_short(&self) -> bool {
        self.begins.length < BEGINNING.0 as u64
    }

    /// Whether it is the file of this entry, and was not changed since.
    pub(crate) fn is_unchanged(&self, entry: &Metadata) -> bool {
        (entry.ino(), modified(entry)) == (self.inode, self.modified)
    }

    /// Bytes of a file that tell how it begins.
    pub(crate) fn beginning(&self) -> u64 {
        self.begins.length.min(BEGINNING.1 as u64)
    }

    /// Whether a file with this [`beginning`](Self::beginning) begins like this one.
    pub(crate) fn begins_like(&self, beginning: &[u8]) -> bool {
        Mark::of(beginning) == self.begins
    }
}

impl Mark {
    fn of(bytes: &[u8]) -> Self {
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { length: bytes.len() as u64, sha256 }
    }

    /// Whether these bytes are at this place.
    fn is_at(&self, file: &File, at: u64) -> io::Result<bool> {
        Ok(Self::of(&read_at(file, at, self.length.min(END as u64))?) == *self)
    }
}

/// The bytes of a file from a place on: fewer only where it ends.
pub(crate) fn read_at(file: &File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length as usize];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
