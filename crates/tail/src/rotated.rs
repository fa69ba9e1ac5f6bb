use std::cmp::Reverse;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::identity::Identity;

/// A file beside another that a rotation has made of that: `<name>.1`, `<name>-20260301`, packed or not.
#[derive(Debug)]
pub(crate) struct Rotated {
    pub(crate) path: PathBuf,
    /// Of the entry itself.
    pub(crate) metadata: Metadata,
    age: Age,
    packing: Option<Packing>,
}

/// How old it is, by its name; the newest is the least.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// `.1` is the newest.
    Number(u16),
    /// A date, which rises.
    Date(Reverse<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Packing {
    Gzip,
    Zstandard,
}

/// What a packed file may unpack to, at most: it is kept on disk while it is read.
const MAX_UNPACKED: u64 = 4 << 30;

/// What a rotation has made of the file at `path`, the oldest first. Other files with similar names are none of it: a backup by
/// hand, an editor's or a lock.
pub(crate) fn listed(path: &Path) -> io::Result<Vec<Rotated>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(vec![]);
    };
    let mut listed = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let other = entry.file_name();
        let Some(rest) = other.to_str().and_then(|other| other.strip_prefix(name)) else { continue };
        let (suffix, packing) = Packing::of(rest);
        let Some(age) = Age::of(suffix) else { continue };
        // Of the entry itself: what a link points to is not beside the file.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() {
            listed.push(Rotated { path: entry.path(), metadata, age, packing });
        }
    }
    listed.sort_by(|one, other| (&one.age, one.packing).cmp(&(&other.age, other.packing)));
    // While a file is being packed it is there twice, and the one that is not packed is whole.
    listed.dedup_by(|later, earlier| later.age == earlier.age && later.packing.is_some());
    listed.reverse();
    Ok(listed)
}

impl Age {
    /// By what stands behind the file's name.
    fn of(suffix: &str) -> Option<Self> {
        let text = suffix.strip_prefix(['.', '-'])?;
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if digits == text.len() && (1..=3).contains(&digits) {
            return text.parse().ok().map(Self::Number);
        }
        let is_date = digits >= 6
            && text.starts_with(|first: char| first.is_ascii_digit())
            && text.chars().all(|one| one.is_ascii_digit() || "-_:.TZ".contains(one));
        is_date.then(|| Self::Date(Reverse(text.to_owned())))
    }
}

impl Packing {
    /// The name without it.
    fn of(name: &str) -> (&str, Option<Self>) {
        let packings = [(".gz", Self::Gzip), (".zst", Self::Zstandard)];
        let packed = packings.into_iter().find_map(|(end, packing)| Some((name.strip_suffix(end)?, packing)));
        packed.map_or((name, None), |(name, packing)| (name, Some(packing)))
    }

    fn unpacking(self, packed: File) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(packed)),
            Self::Zstandard => Box::new(zstd::Decoder::new(packed)?),
        })
    }
}

impl Rotated {
    /// Opens it, unpacked; `None` if another file has its name by now.
    pub(crate) fn open(&self) -> io::Result<Option<File>> {
        let Some(file) = self.open_as_it_is()? else { return Ok(None) };
        let Some(packing) = self.packing else { return Ok(Some(file)) };
        let mut unpacked = tempfile::tempfile()?;
        let bytes = io::copy(&mut packing.unpacking(file)?.take(MAX_UNPACKED + 1), &mut unpacked)?;
        if bytes > MAX_UNPACKED {
            return Err(io::Error::other(format!("more than {} GiB unpacked", MAX_UNPACKED >> 30)));
        }
        unpacked.seek(SeekFrom::Start(0))?;
        Ok(Some(unpacked))
    }

    /// Whether it begins like a file that was read. If it is there no more it is not of interest, as one that is known.
    pub(crate) fn begins_like(&self, file: &Identity) -> io::Result<bool> {
        let Some(opened) = self.open_as_it_is()? else { return Ok(true) };
        let mut beginning = Vec::new();
        let opened: Box<dyn Read> = match self.packing {
            Some(packing) => packing.unpacking(opened)?,
            None => Box::new(opened),
        };
        opened.take(file.beginning()).read_to_end(&mut beginning)?;
        Ok(file.begins_like(&beginning))
    }

    pub(crate) fn is_packed(&self) -> bool {
        self.packing.is_some()
    }

    fn open_as_it_is(&self) -> io::Result<Option<File>> {
        let Some(file) = open(&self.path)? else { return Ok(None) };
        Ok(is_same(&file.metadata()?, &self.metadata).then_some(file))
    }
}

/// Opens a plain file; `None` if there is none. A pipe would make the reader wait for its writer.
pub(crate) fn open(path: &Path) -> io::Result<Option<File>> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("expected a plain file"));
    }
    Ok(Some(file))
}

pub(crate) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}
