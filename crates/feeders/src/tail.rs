use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::identity::{Ends, Identity};
use crate::rotated;

/// The longest line that is handed over: a longer one is passed over without being held.
pub const LONGEST_LINE: usize = 16 << 20;
/// Bytes of the beginning of a line that are compared with those in the file.
const CHECKED: usize = 256;
/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// A file that others append to, rotate, truncate and remove, as one stream of lines of which each is handed over once.
///
/// A file that was renamed is drained before the one that took its place, once that has something in it. Of one
/// that was copied and truncated the rest is read from the copy. What cannot be found any more is said.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    position: Position,
    held: Option<Held>,
    /// That there is no file was said.
    is_missing: bool,
}

/// Where a tail is: the last line before it was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// Bytes of the files before the one of that line.
    base: u64,
    /// Bytes of that one, to the end of the line.
    offset: u64,
    /// How that one is found again; `None` before the first line.
    file: Option<Identity>,
    /// When it was changed last, then.
    modified: Time,
}

/// A file that is being read.
#[derive(Debug)]
struct Held {
    file: File,
    path: PathBuf,
    /// The end of the last line that was handed over of it.
    position: Position,
    /// The beginning of a line that is not whole: the bytes after that.
    partial: Vec<u8>,
    /// Bytes of a line that is too long: they come before, and are not held.
    passed: u64,
    /// What was read of it: from memory, as the file may have been overwritten since.
    read: Ends,
    /// When it was last found to be what was read.
    checked: Option<Changed>,
}

/// When a file was changed, and how long it was.
type Changed = (Time, u64);

/// Seconds and nanoseconds.
pub(crate) type Time = (i64, i64);

/// A line, as it stands in the file, without its newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// Its bytes.
    Whole(&'a [u8]),
    /// It is longer than [`LONGEST_LINE`]: so many bytes.
    TooLong(u64),
}

/// A file that is there and cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {error}")]
pub struct TailError {
    path: PathBuf,
    error: io::Error,
}

impl Position {
    /// Bytes of the stream before it: of all files so far.
    pub fn bytes(&self) -> u64 {
        self.base + self.offset
    }

    /// The oldest of the rotated files that were changed after the one that this is in, and are no copies of it.
    fn rotated_since(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let Some(file) = &self.file else { return Ok(None) };
        let is_known =
            |path: &Path| File::open(path).and_then(|other| file.is_of(&other, self.offset)).unwrap_or(false);
        rotated::since(path, self.modified, is_known)
    }
}

impl Tail {
    /// Goes on from a position, or begins at the start of the file.
    pub fn new(path: PathBuf, position: Position) -> Self {
        Self { path, position, held: None, is_missing: false }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Hands over lines that are whole by now, each with its place in the stream, and stops after about `most` bytes;
    /// whether there may be more.
    ///
    /// # Errors
    /// A file that is there cannot be read; what was handed over stays handed over.
    pub fn read(&mut self, most: usize, mut take: impl FnMut(u64, Line<'_>)) -> Result<bool, TailError> {
        let begin = self.position.bytes();
        while self.position.bytes() - begin < most as u64 {
            self.hold()?;
            let Some(held) = &mut self.held else { return Ok(false) };
            // Before the read: who writes to the next file wrote the last of this one before.
            let next = successor(&self.path, held).map_err(at(&self.path))?;
            let searched = held.partial.len();
            let moved = held.fill().map_err(at(&held.path))?;
            if moved && !held.is_what_was_read().map_err(at(&held.path))? {
                // What came may be of what it was overwritten with.
                self.held = None;
                continue;
            }
            held.hand_over_from(searched, &mut take).map_err(at(&held.path))?;
            // Until a line of this file was handed over, the end of the one before is what finds it again.
            if held.position.file.is_some() {
                self.position.clone_from(&held.position);
            }
            if !moved {
                let Some(next) = next else { return Ok(false) };
                held.finish(&mut take).map_err(at(&self.path))?;
                if held.position.file.is_some() {
                    self.position.clone_from(&held.position);
                }
                let fresh = Position { base: self.position.bytes(), ..Position::default() };
                self.held = Held::open(next.clone(), fresh).map_err(at(&next))?;
            }
        }
        Ok(true)
    }

    /// Makes sure that the file is held that the next lines are in, if there is one.
    fn hold(&mut self) -> Result<(), TailError> {
        let is_good = match &mut self.held {
            // Of a file that was empty when it was found, another may have been made by now.
            Some(held) if held.is_untouched() && held.path == self.path => {
                self.position.rotated_since(&self.path).map_err(at(&self.path))?.is_none()
            }
            Some(held) => held.is_what_was_read().map_err(at(&held.path))?,
            None => false,
        };
        if !is_good {
            self.held = self.find().map_err(at(&self.path))?;
        }
        let is_missing = self.held.is_none();
        if is_missing && !self.is_missing {
            tracing::info!("{} is not there; waiting for it", self.path.display());
        }
        self.is_missing = is_missing;
        Ok(())
    }

    /// Looks for the file that the position is in: under its name, or as a rotation left it. If it is nowhere, the one
    /// of the name is a new one.
    fn find(&self) -> io::Result<Option<Held>> {
        if self.position.file.is_some() {
            for path in std::iter::once(self.path.clone()).chain(rotated::all(&self.path)?) {
                let Some(mut held) = Held::open(path, self.position.clone())? else { continue };
                if held.is_what_was_read()? {
                    return Ok(Some(held));
                }
            }
        }
        let fresh = Position { base: self.position.bytes(), ..Position::default() };
        let next = self.position.rotated_since(&self.path)?;
        let held = Held::open(next.unwrap_or_else(|| self.path.clone()), fresh)?;
        if self.position.file.is_some() && held.is_some() {
            tracing::warn!(
                "{}: the file that was read up to byte {} is not there any more, nor a copy of it; what was appended to it after that is lost",
                self.path.display(),
                self.position.offset
            );
        }
        Ok(held)
    }
}

impl Held {
    /// Opens a plain file; `None` if there is none. A pipe would make the reader wait for its writer.
    fn open(path: PathBuf, position: Position) -> io::Result<Option<Self>> {
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("expected a plain file"));
        }
        let read = Ends::of(&file, position.offset)?;
        Ok(Some(Self { file, path, position, partial: Vec::new(), passed: 0, read, checked: None }))
    }

    /// Whether everything that was read of it is still there. It is not where a file was truncated or overwritten.
    fn is_what_was_read(&mut self) -> io::Result<bool> {
        let metadata = self.file.metadata()?;
        let changed = (modified(&metadata), metadata.len());
        if self.checked == Some(changed) {
            return Ok(true);
        }
        let Position { offset, file, .. } = &self.position;
        let is_long_enough = metadata.len() >= offset + self.passed + self.partial.len() as u64;
        let is_same = match file {
            Some(file) => file.is_of(&self.file, *offset)?,
            None => true,
        };
        self.checked = Some(changed);
        Ok(is_long_enough && is_same && self.has_partial()?)
    }

    /// Whether the beginning of a line that is held is still in the file.
    fn has_partial(&self) -> io::Result<bool> {
        let ends = &self.partial[self.partial.len().saturating_sub(CHECKED)..];
        let mut there = [0; CHECKED];
        let there = &mut there[..ends.len()];
        let end = self.position.offset + self.passed + self.partial.len() as u64;
        let read = self.file.read_at(there, end - ends.len() as u64)?;
        Ok(there[..read] == *ends)
    }

    /// Reads what comes next; whether there was anything.
    fn fill(&mut self) -> io::Result<bool> {
        let held = self.partial.len();
        self.partial.resize(held + CHUNK, 0);
        let from = self.position.offset + self.passed + held as u64;
        let read = self.file.read_at(&mut self.partial[held..], from);
        self.partial.truncate(held + *read.as_ref().unwrap_or(&0));
        Ok(read? > 0)
    }

    /// Hands over the lines that are whole; newlines are looked for from a place on.
    fn hand_over_from(&mut self, searched: usize, take: &mut impl FnMut(u64, Line<'_>)) -> io::Result<()> {
        let mut start = 0;
        for newline in memchr::memchr_iter(b'\n', &self.partial[searched..]) {
            let end = searched + newline;
            self.read.pass(&self.partial[start..=end]);
            self.position.offset +=
                hand_over(&self.position, &self.partial[start..end], &mut self.passed, take) + 1;
            start = end + 1;
        }
        if start > 0 {
            self.partial.drain(..start);
            self.identify()?;
        }
        if self.partial.len() > LONGEST_LINE {
            self.passed += self.partial.len() as u64;
            self.read.pass(&self.partial);
            self.partial = Vec::new();
        }
        Ok(())
    }

    /// Hands over what stands at the end of a file that nobody writes to any more: a line without its newline.
    fn finish(&mut self, take: &mut impl FnMut(u64, Line<'_>)) -> io::Result<()> {
        if !self.partial.is_empty() || self.passed > 0 {
            self.read.pass(&self.partial);
            self.position.offset += hand_over(&self.position, &self.partial, &mut self.passed, take);
            self.identify()?;
        }
        Ok(())
    }

    /// Notes how the file is found again.
    fn identify(&mut self) -> io::Result<()> {
        self.position.file = Some(self.read.identity());
        self.position.modified = modified(&self.file.metadata()?);
        Ok(())
    }

    /// Whether nothing was read of it.
    fn is_untouched(&self) -> bool {
        self.position.file.is_none() && self.partial.is_empty() && self.passed == 0
    }
}

/// Hands over a line of which so many bytes were passed over already; its length.
fn hand_over(
    position: &Position,
    line: &[u8],
    passed: &mut u64,
    take: &mut impl FnMut(u64, Line<'_>),
) -> u64 {
    let length = std::mem::take(passed) + line.len() as u64;
    let is_whole = length == line.len() as u64 && line.len() <= LONGEST_LINE;
    take(position.bytes(), if is_whole { Line::Whole(line) } else { Line::TooLong(length) });
    length
}

/// The file that is read once this one is at its end: `None` while this one is the newest, or nothing is in the next
/// one yet.
fn successor(path: &Path, held: &Held) -> io::Result<Option<PathBuf>> {
    let this = held.file.metadata()?;
    let named = match std::fs::metadata(path) {
        Ok(named) if is_same(&named, &this) => return Ok(None),
        Ok(named) => named.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let rotated = match rotated::after(path, &this)? {
        Some(newer) => newer,
        // It is gone, and others may have come and been rotated since.
        None => held.position.rotated_since(path)?,
    };
    Ok(rotated.or_else(|| (named > 0).then(|| path.to_owned())))
}

pub(crate) fn modified(metadata: &Metadata) -> Time {
    (metadata.mtime(), metadata.mtime_nsec())
}

pub(crate) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Says of an error which file it was.
fn at(path: &Path) -> impl FnOnce(io::Error) -> TailError + use<> {
    let path = path.to_owned();
    |error| TailError { path, error }
}
