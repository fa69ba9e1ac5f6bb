use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::identity::{Ends, Identity, Likeness, read_at};
use crate::position::{Position, Time, modified};
use crate::rotated::{Rotated, is_same, open};
use crate::{LONGEST_LINE, Line};

/// Bytes of the beginning of a line that are compared with those in the file.
const CHECKED: usize = 256;
/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// One of the files of a stream, while it is read.
#[derive(Debug)]
pub(crate) struct Segment {
    file: File,
    pub(crate) path: PathBuf,
    /// As it was found in its folder: a file that was unpacked has another.
    found: Metadata,
    /// The end of the last line that was handed over of it.
    pub(crate) position: Position,
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

impl Segment {
    /// The file of a name; `None` if there is none.
    pub(crate) fn named(path: &Path) -> io::Result<Option<Self>> {
        let Some(file) = open(path)? else { return Ok(None) };
        let found = file.metadata()?;
        Ok(Some(Self::new(file, path, found)))
    }

    /// A rotated file; `None` if it is another by now.
    pub(crate) fn rotated(rotated: &Rotated) -> io::Result<Option<Self>> {
        let file = rotated.open()?;
        Ok(file.map(|file| Self::new(file, &rotated.path, rotated.metadata.clone())))
    }

    fn new(file: File, path: &Path, found: Metadata) -> Self {
        Self {
            file,
            path: path.to_owned(),
            found,
            position: Position::default(),
            partial: Vec::new(),
            passed: 0,
            read: Ends::default(),
            checked: None,
        }
    }

    pub(crate) fn likeness(&self, file: &Identity, offset: u64) -> io::Result<Likeness> {
        file.likeness(&self.file, offset)
    }

    /// From a position in it.
    pub(crate) fn at(mut self, position: Position) -> io::Result<Self> {
        self.read = Ends::of(&self.file, position.offset)?;
        self.position = position;
        Ok(self)
    }

    /// From a place in it, after what was read of it up to a position was cut or written anew.
    pub(crate) fn cut_at(self, length: u64, position: &Position) -> io::Result<Self> {
        let ends = Ends::of(&self.file, length)?;
        let position = position.cut(length, ends.identity(&self.found, modified(&self.found)));
        self.at(position)
    }

    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Whether it is the file of an entry of its folder.
    pub(crate) fn is(&self, entry: &Metadata) -> bool {
        is_same(&self.found, entry)
    }

    /// Whether it is a file that was read, and was not changed since.
    pub(crate) fn is_unchanged(&self, file: &Identity) -> bool {
        file.is_unchanged(&self.found)
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.is(&other.found)
    }

    /// Whether nobody has written to it for so long, as far as clocks agree.
    pub(crate) fn is_quiet(&self, for_long: Duration) -> io::Result<bool> {
        Ok(self.metadata()?.modified()?.elapsed().map_or(true, |ago| ago >= for_long))
    }

    /// When it was changed last: as the last line of it was handed over, or else as it was found.
    pub(crate) fn modified(&self) -> Time {
        self.position.file.as_ref().map_or_else(|| modified(&self.found), |file| file.modified)
    }

    /// What it is known by as far as it was read, the beginning of a line included; `None` before anything was.
    pub(crate) fn identity(&self) -> Option<Identity> {
        let mut read = self.read.clone();
        read.pass(&self.partial);
        (!self.is_untouched()).then(|| read.identity(&self.found, self.modified()))
    }

    /// Whether nothing was read of it.
    pub(crate) fn is_untouched(&self) -> bool {
        self.position.file.is_none() && self.partial.is_empty() && self.passed == 0
    }

    /// Whether everything that was read of it is still there. It is not where a file was truncated or overwritten.
    pub(crate) fn is_what_was_read(&mut self) -> io::Result<bool> {
        let changed = (modified(&self.metadata()?), self.length()?);
        if self.checked == Some(changed) {
            return Ok(true);
        }
        let Position { offset, file, .. } = &self.position;
        let is_long_enough = changed.1 >= offset + self.passed + self.partial.len() as u64;
        let is_same = match file {
            Some(file) => file.likeness(&self.file, *offset)? == Likeness::Whole,
            None => true,
        };
        self.checked = Some(changed);
        Ok(is_long_enough && is_same && self.has_partial()?)
    }

    /// Whether the beginning of a line that is held is still in the file.
    fn has_partial(&self) -> io::Result<bool> {
        let ends = &self.partial[self.partial.len().saturating_sub(CHECKED)..];
        let end = self.position.offset + self.passed + self.partial.len() as u64;
        Ok(read_at(&self.file, end - ends.len() as u64, ends.len() as u64)? == ends)
    }

    /// Reads what comes next: so many bytes.
    pub(crate) fn fill(&mut self) -> io::Result<usize> {
        let held = self.partial.len();
        let from = self.position.offset + self.passed + held as u64;
        let there = self.length()?.saturating_sub(from);
        self.partial.resize(held + there.clamp(1, CHUNK as u64) as usize, 0);
        let read = self.file.read_at(&mut self.partial[held..], from);
        self.partial.truncate(held + *read.as_ref().unwrap_or(&0));
        read
    }

    /// Hands over the lines that are whole after so many bytes more were read.
    pub(crate) fn hand_over(&mut self, more: usize, take: &mut impl FnMut(u64, Line<'_>)) {
        let searched = self.partial.len() - more;
        let mut start = 0;
        for newline in memchr::memchr_iter(b'\n', &self.partial[searched..]) {
            let end = searched + newline;
            self.position.offset +=
                hand_over(&self.position, &self.partial[start..end], &mut self.passed, take) + 1;
            start = end + 1;
        }
        if start > 0 {
            self.read.pass(&self.partial[..start]);
            self.partial.drain(..start);
            self.identify();
        }
        if self.partial.len() > LONGEST_LINE {
            self.passed += self.partial.len() as u64;
            self.read.pass(&self.partial);
            self.partial = Vec::new();
        }
    }

    /// Hands over what stands at the end of a file that nobody writes to any more: a line without its newline.
    pub(crate) fn finish(&mut self, take: &mut impl FnMut(u64, Line<'_>)) {
        if !self.partial.is_empty() || self.passed > 0 {
            self.read.pass(&self.partial);
            self.position.offset += hand_over(&self.position, &self.partial, &mut self.passed, take);
            self.partial = Vec::new();
            self.identify();
        }
    }

    /// Notes how the file is found again.
    fn identify(&mut self) {
        let modified = self.checked.map_or_else(|| modified(&self.found), |(modified, _)| modified);
        self.position.file = Some(self.read.identity(&self.found, modified));
    }

    /// What its folder says of it now.
    fn metadata(&self) -> io::Result<Metadata> {
        let metadata = self.file.metadata()?;
        Ok(if self.is(&metadata) { metadata } else { self.found.clone() })
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
