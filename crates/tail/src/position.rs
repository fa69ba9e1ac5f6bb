use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

use crate::identity::Identity;

/// Where a tail is: the last line before it was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// Bytes of the files before the one of that line.
    pub(crate) base: u64,
    /// Bytes of that one, to the end of the line.
    pub(crate) offset: u64,
    /// How that one is found again; `None` before the first line.
    pub(crate) file: Option<Identity>,
    /// How the one before it is told from those that come after it.
    pub(crate) before: Option<Identity>,
}

/// Seconds and nanoseconds.
pub(crate) type Time = (i64, i64);

impl Position {
    /// Bytes of the stream before it: of all files so far. It only rises.
    pub fn bytes(&self) -> u64 {
        self.base + self.offset
    }

    /// The beginning of the next file.
    pub(crate) fn next(&self) -> Self {
        let before = self.file.as_ref().or(self.before.as_ref()).cloned();
        Self { base: self.bytes(), before, ..Self::default() }
    }

    /// The end of its file, where that has only so many bytes, or was written anew.
    pub(crate) fn cut(&self, length: u64, file: Identity) -> Self {
        let base = self.bytes().saturating_sub(length);
        Self { base, offset: length, file: Some(file), before: self.before.clone() }
    }
}

pub(crate) fn modified(metadata: &Metadata) -> Time {
    (metadata.mtime(), metadata.mtime_nsec())
}
