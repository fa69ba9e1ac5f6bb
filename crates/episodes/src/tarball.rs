use std::fmt;
use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};
use zstd::Encoder;

use crate::Episode;

/// The files in a tarball, in the order in which they are written: a reader that wants the labels
/// only need not read the telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Labels,
    Meta,
    Telemetry,
}

impl Entry {
    pub(crate) const ALL: [Self; 3] = [Self::Labels, Self::Meta, Self::Telemetry];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Labels => "labels.jsonl",
            Self::Meta => "meta.json",
            Self::Telemetry => "telemetry-proc.jsonl",
        }
    }
}

/// Level 19: an episode is packed once, in a few tenths of a second, and kept for long.
const LEVEL: i32 = 19;

/// Packs an episode. Gives the size and the SHA-256 of what was written. The same episode gives the
/// same bytes.
pub(crate) fn write(episode: &Episode, out: impl Write) -> io::Result<(u64, String)> {
    let mut encoder = Encoder::new(Digesting { out, digest: Sha256::new(), size: 0 }, LEVEL)?;
    encoder.include_checksum(true)?;
    let mut tar = Builder::new(encoder);
    for entry in Entry::ALL {
        let bytes = match entry {
            Entry::Labels => lines(&episode.labels)?,
            Entry::Meta => lines(std::slice::from_ref(&episode.meta))?,
            Entry::Telemetry => lines(&episode.samples)?,
        };
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, entry.name(), bytes.as_slice())?;
    }
    let done = tar.into_inner()?.finish()?;
    let hex = done.digest.finalize().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = fmt::Write::write_fmt(&mut hex, format_args!("{byte:02x}"));
        hex
    });
    Ok((done.size, hex))
}

fn lines<T: Serialize>(items: &[T]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for item in items {
        serde_json::to_writer(&mut bytes, item)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// Passes bytes on and keeps their digest.
struct Digesting<W> {
    out: W,
    digest: Sha256,
    size: u64,
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
