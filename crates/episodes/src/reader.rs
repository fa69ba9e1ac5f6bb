use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use serde::de::DeserializeOwned;
use tar::{Archive, Entries, EntryType};
use zstd::Decoder;

use crate::tarball::Entry;
use crate::{Episode, Label, Meta, Sample};

/// Why a tarball could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be opened, it is no tar.zst, or its end is missing.
    #[error("{path}: {cause}")]
    File {
        /// The tarball.
        path: PathBuf,
        /// What the system or the decoder says.
        cause: io::Error,
    },
    /// A file in it, or the absence of one.
    #[error("{path}: {entry}: {what}")]
    Entry {
        /// The tarball.
        path: PathBuf,
        /// The file in it.
        entry: String,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// A line of a file in it.
    #[error("{path}: {entry}, line {line}: {what}")]
    Line {
        /// The tarball.
        path: PathBuf,
        /// The file in it.
        entry: &'static str,
        /// From 1.
        line: usize,
        /// What is wrong, and what was expected.
        what: String,
    },
}

const MAX_UNPACKED: u64 = 512 << 20;
/// The labels stand near the front.
const MAX_BEFORE_LABELS: u64 = 64 << 20;
/// The base-2 logarithm of the bytes that unpacking may look back: 16 MiB, twice what level 19 asks for.
const WINDOW: u32 = 24;
const MAX_ENTRIES: usize = 64;
const MAX_LINE: u64 = 64 << 10;
/// As much as an event has room for.
const MAX_NAME: usize = 256;
const MAX_LABELS: usize = 10_000;
const MAX_SAMPLES: usize = 200_000;

/// Reads a tarball.
///
/// Bounds: 512 MiB unpacked, 64 files, 64 KiB a line, 200,000 samples (95 MB in memory), 10,000 labels.
/// Nothing is unpacked to disk; a path that would leave the folder that it were unpacked to is
/// refused all the same. Files beside the three of an episode are passed over.
///
/// # Errors
/// The file, the entry and the line, and what was expected there.
pub fn read_episode(path: &Path) -> Result<Episode, ReadError> {
    let file = |cause| ReadError::File { path: path.to_owned(), cause };
    let mut archive = open(path, MAX_UNPACKED)?;
    let (mut labels, mut meta, mut samples) = (None, None, None);
    for (count, entry) in entries(&mut archive).map_err(file)?.enumerate() {
        let entry = entry.map_err(file)?;
        let Some(kind) = kind(path, count, &entry)? else { continue };
        let repeated = match kind {
            Entry::Labels => labels.replace(labels_in(path, entry)?).is_some(),
            Entry::Meta => meta.replace(read_meta(path, entry)?).is_some(),
            Entry::Telemetry => samples.replace(read_samples(path, entry)?).is_some(),
        };
        if repeated {
            return Err(wrong(path, kind.name(), "is there twice"));
        }
    }
    // The end of the tar is not the end of the file: the checksum stands behind it.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(file)?;
    let missing = |entry: Entry| wrong(path, entry.name(), "is missing");
    Ok(Episode {
        meta: meta.ok_or_else(|| missing(Entry::Meta))?,
        labels: labels.ok_or_else(|| missing(Entry::Labels))?,
        samples: samples.ok_or_else(|| missing(Entry::Telemetry))?,
    })
}

/// Reads the labels of a tarball, and nothing that stands behind them: whether that is whole is not known.
///
/// Bounds: those of [`read_episode`], and 64 MiB unpacked.
///
/// # Errors
/// The file, the entry and the line, and what was expected there.
pub fn read_labels(path: &Path) -> Result<Vec<Label>, ReadError> {
    let file = |cause| ReadError::File { path: path.to_owned(), cause };
    let mut archive = open(path, MAX_BEFORE_LABELS)?;
    for (count, entry) in entries(&mut archive).map_err(file)?.enumerate() {
        let entry = entry.map_err(file)?;
        if kind(path, count, &entry)? == Some(Entry::Labels) {
            return labels_in(path, entry);
        }
    }
    Err(wrong(path, Entry::Labels.name(), "is missing"))
}

type Unpacked = Bounded<Decoder<'static, BufReader<File>>>;

fn open(path: &Path, most: u64) -> Result<Archive<Unpacked>, ReadError> {
    let unpacked = File::open(path).and_then(|packed| {
        let mut unpacked = Decoder::new(packed)?;
        // What a file says that it needs is allocated before anything of it is known to be true.
        unpacked.window_log_max(WINDOW)?;
        Ok(unpacked)
    });
    let inner = unpacked.map_err(|cause| ReadError::File { path: path.to_owned(), cause })?;
    Ok(Archive::new(Bounded { inner, left: most, most }))
}

/// Longer names than a header has room for are none of ours, and are not put together: they may be as long as the tarball.
fn entries(archive: &mut Archive<Unpacked>) -> io::Result<Entries<'_, Unpacked>> {
    Ok(archive.entries()?.raw(true))
}

/// Which of an episode's files it is, if it is one; a file that no tarball of ours has is refused.
fn kind<R: Read>(path: &Path, count: usize, entry: &tar::Entry<'_, R>) -> Result<Option<Entry>, ReadError> {
    let name = entry.path().map_err(|cause| ReadError::File { path: path.to_owned(), cause })?;
    // Quoted: it may hold anything.
    let wrong = |what| Err(wrong(path, &format!("{name:?}"), what));
    if count == MAX_ENTRIES {
        return wrong("more than 64 files; expected three");
    }
    let safe = |component: Component<'_>| matches!(component, Component::Normal(_) | Component::CurDir);
    if !name.components().all(safe) {
        return wrong("the path leaves the tarball; expected a plain file name");
    }
    let name = name.display().to_string();
    let Some(kind) = Entry::ALL.into_iter().find(|kind| name.trim_start_matches("./") == kind.name()) else {
        return Ok(None);
    };
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => Ok(Some(kind)),
        _ => wrong("expected a plain file, not a folder or link"),
    }
}

fn wrong(path: &Path, entry: &str, what: &str) -> ReadError {
    ReadError::Entry { path: path.to_owned(), entry: entry.to_owned(), what: what.to_owned() }
}

fn read_meta(path: &Path, entry: impl Read) -> Result<Meta, ReadError> {
    let wrong =
        |what: String| ReadError::Entry { path: path.to_owned(), entry: Entry::Meta.name().to_owned(), what };
    let mut bytes = Vec::new();
    entry.take(MAX_LINE + 1).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
    if bytes.len() as u64 > MAX_LINE {
        return Err(wrong("longer than 64 KiB".to_owned()));
    }
    let meta: Meta = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if !(meta.sample_hz > 0.0 && meta.sample_hz.is_finite()) {
        return Err(wrong(format!("sample_hz is {}; expected more than 0", meta.sample_hz)));
    }
    for (field, name) in [("profile", &meta.profile), ("sample_name", &meta.sample_name)] {
        if !(1..=MAX_NAME).contains(&name.len()) {
            return Err(wrong(format!("{field} has {} bytes; expected 1 to {MAX_NAME}", name.len())));
        }
    }
    if let Err(error) = meta.started_at_wall.parse::<jiff::Timestamp>() {
        return Err(wrong(format!("started_at_wall: {error}")));
    }
    Ok(meta)
}

fn labels_in(path: &Path, entry: impl Read) -> Result<Vec<Label>, ReadError> {
    read_lines(path, Entry::Labels, MAX_LABELS, entry, |label: &Label| label.t_mono_ns)
}

fn read_samples(path: &Path, entry: impl Read) -> Result<Vec<Sample>, ReadError> {
    read_lines(path, Entry::Telemetry, MAX_SAMPLES, entry, |sample: &Sample| sample.t_mono_ns)
}

/// Fails where [`io::Read::take`] would end, so that a bomb is not taken for a short tarball.
struct Bounded<R> {
    inner: R,
    left: u64,
    most: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other(format!("more than {} MiB unpacked", self.most >> 20)))?;
        Ok(read)
    }
}

/// Reads one JSON value a line, at most `most`, whose times rise.
fn read_lines<T: DeserializeOwned>(
    path: &Path,
    entry: Entry,
    most: usize,
    contents: impl Read,
    time: impl Fn(&T) -> u64,
) -> Result<Vec<T>, ReadError> {
    let mut contents = BufReader::new(contents);
    let mut items: Vec<T> = Vec::new();
    let mut bytes = Vec::new();
    for line in 1.. {
        let wrong = |what: String| ReadError::Line { path: path.to_owned(), entry: entry.name(), line, what };
        bytes.clear();
        let read = contents.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut bytes);
        if read.map_err(|error| wrong(error.to_string()))? == 0 {
            break;
        }
        if bytes.len() as u64 > MAX_LINE {
            return Err(wrong("longer than 64 KiB".to_owned()));
        }
        if items.len() == most {
            return Err(wrong(format!("more than {most} lines")));
        }
        let item: T = serde_json::from_slice(&bytes).map_err(|error| wrong(located(&error)))?;
        if items.last().is_some_and(|before| time(before) >= time(&item)) {
            return Err(wrong(format!("t_mono_ns is {}, not later than the line before", time(&item))));
        }
        items.push(item);
    }
    Ok(items)
}

/// A JSON error by column: the line is that of the file, which the caller knows.
pub(crate) fn located(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((what, _)) => format!("column {}: {what}", error.column()),
        None => text,
    }
}
