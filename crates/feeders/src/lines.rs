use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// The whole lines of a file that only grows, each read once.
#[derive(Debug)]
pub(crate) struct Lines {
    path: PathBuf,
    /// The file that `offset` counts in.
    inode: u64,
    /// The start of the first line that was not whole.
    offset: u64,
}

/// What has become of the file since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// It goes on where it was.
    Same,
    /// It is another file now, or was cut: everything that was read of it is void.
    Anew,
}

impl Lines {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, inode: 0, offset: 0 }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the next line starts.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Looks whether the file is still the one that was read. A file that is not there is empty.
    pub(crate) fn look(&mut self) -> io::Result<Look> {
        let (inode, length) = match std::fs::metadata(&self.path) {
            Ok(metadata) => (metadata.ino(), metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (0, 0),
            Err(error) => return Err(error),
        };
        if inode == self.inode && length >= self.offset {
            return Ok(Look::Same);
        }
        (self.inode, self.offset) = (inode, 0);
        Ok(Look::Anew)
    }

    /// Hands over each line that is whole by now, with the offset that it starts at; a last line
    /// without its newline is left for the next time. Memory is bounded by the longest line.
    pub(crate) fn each(&mut self, mut take: impl FnMut(u64, &[u8])) -> io::Result<()> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut held = Vec::new();
        loop {
            let searched = held.len();
            let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut held)?;
            if read == 0 {
                return Ok(());
            }
            let mut start = 0;
            for newline in memchr::memchr_iter(b'\n', &held[searched..]) {
                let end = searched + newline;
                take(self.offset, &held[start..end]);
                self.offset += (end + 1 - start) as u64;
                start = end + 1;
            }
            held.drain(..start);
        }
    }
}
