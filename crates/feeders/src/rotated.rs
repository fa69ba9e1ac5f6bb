use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::tail::{Time, is_same, modified};

/// The plain files beside `path` that a rotation has made of it: `<name>.<something>` or `<name>-<something>`, the newest
/// first. Packed ones are not read.
pub(crate) fn all(path: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(listed(path)?.into_iter().map(|(_, path, _)| path).collect())
}

/// The oldest of them that is newer than the one of this metadata; `None` if that is none of them.
pub(crate) fn after(path: &Path, this: &Metadata) -> io::Result<Option<Option<PathBuf>>> {
    let mut listed = listed(path)?;
    let place = listed.iter().position(|(_, _, metadata)| is_same(metadata, this));
    Ok(place.map(|place| place.checked_sub(1).map(|newer| listed.swap_remove(newer).1)))
}

/// The oldest of them that was changed after a time, but for those that are known.
pub(crate) fn since(
    path: &Path,
    time: Time,
    is_known: impl Fn(&Path) -> bool,
) -> io::Result<Option<PathBuf>> {
    let mut oldest_first = listed(path)?.into_iter().rev();
    let newer = oldest_first.find(|(_, path, metadata)| modified(metadata) > time && !is_known(path));
    Ok(newer.map(|(_, path, _)| path))
}

/// How old a rotated file is, by its name; the newest is the least.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// `.1` is the newest.
    Number(u64),
    /// A date, or another text that rises.
    Text(std::cmp::Reverse<String>),
}

/// Digits that are a number of rotations, and no date.
const DIGITS: usize = 6;
const PACKED: [&str; 5] = [".gz", ".zst", ".xz", ".bz2", ".lz4"];

fn listed(path: &Path) -> io::Result<Vec<(Age, PathBuf, Metadata)>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(vec![]);
    };
    let mut listed = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let other = entry.file_name();
        let Some(rest) = other.to_str().and_then(|other| other.strip_prefix(name)) else { continue };
        let Some(suffix) = rest.strip_prefix(['.', '-']) else { continue };
        // Of the entry itself: what a link points to is not beside the file.
        let Ok(metadata) = entry.metadata() else { continue };
        if !metadata.is_file() || PACKED.iter().any(|packed| suffix.ends_with(packed)) {
            continue;
        }
        let number =
            Some(suffix).filter(|suffix| suffix.len() <= DIGITS).and_then(|suffix| suffix.parse().ok());
        let age = number.map_or_else(|| Age::Text(std::cmp::Reverse(suffix.to_owned())), Age::Number);
        listed.push((age, entry.path(), metadata));
    }
    listed.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    Ok(listed)
}
