use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use serde::Serialize;

use crate::Name;
use crate::pending::WriteError;

/// `index.jsonl` of a data root, open for one more line.
pub(crate) struct Index {
    file: File,
    path: PathBuf,
}

/// A line of it.
#[derive(Debug, Serialize)]
pub(crate) struct IndexLine<'a> {
    pub(crate) episode_id: &'a Name,
    pub(crate) host_id: &'a Name,
    pub(crate) sha256: String,
    pub(crate) size_bytes: u64,
    pub(crate) received_at_wall: String,
}

impl Index {
    /// Opens it, or begins it.
    pub(crate) fn open(path: PathBuf) -> Result<Self, WriteError> {
        let opened = OpenOptions::new().read(true).create(true).append(true).open(&path);
        let file = opened.map_err(WriteError::at(&path))?;
        Ok(Self { file, path })
    }

    /// Appends a line for good. An error may leave a part of it, which the next line does not join.
    pub(crate) fn append(mut self, line: &IndexLine<'_>) -> Result<(), WriteError> {
        self.write(line).map_err(WriteError::at(&self.path))
    }

    fn write(&mut self, line: &IndexLine<'_>) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        // A writer that died in the middle of its line must not take ours with it.
        if self.file.seek(SeekFrom::End(0))? > 0 {
            let mut last = [0];
            self.file.seek(SeekFrom::End(-1))?;
            self.file.read_exact(&mut last)?;
            if last != *b"\n" {
                bytes.insert(0, b'\n');
            }
        }
        self.file.write_all(&bytes)?;
        self.file.sync_all()
    }
}
