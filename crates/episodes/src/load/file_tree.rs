use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const FOLDERS: usize = 12;
const FILES_A_FOLDER: usize = 16;
const LOG_LIMIT: u64 = 1 << 20;

/// A small tree of files to list, read, rewrite and log into: about 5 MiB.
pub(super) struct FileTree {
    root: PathBuf,
    log: File,
    scratch: Vec<u8>,
}

impl FileTree {
    pub(super) const FILES: usize = FOLDERS * FILES_A_FOLDER;

    pub(super) fn create(root: &Path) -> io::Result<Self> {
        for index in 0..Self::FILES {
            let path = path(root, index);
            if index % FILES_A_FOLDER == 0 {
                fs::create_dir_all(path.with_file_name(""))?;
            }
            // 8 to 44 KiB, in no order.
            fs::write(path, vec![index as u8; (8 + 4 * (index * 7 % 10)) << 10])?;
        }
        let log = OpenOptions::new().create(true).append(true).open(root.join("log"))?;
        Ok(Self { root: root.to_owned(), log, scratch: Vec::new() })
    }

    pub(super) fn open(&self, index: usize) -> io::Result<File> {
        File::open(path(&self.root, index % Self::FILES))
    }

    /// Reads a whole file.
    pub(super) fn read(&mut self, index: usize) -> io::Result<()> {
        self.scratch.clear();
        self.open(index)?.read_to_end(&mut self.scratch).map(drop)
    }

    /// Lists a folder, asks for the metadata of its files and reads the beginning of each.
    pub(super) fn walk(&mut self, folder: usize) -> io::Result<()> {
        let first = path(&self.root, folder % FOLDERS * FILES_A_FOLDER);
        let mut head = [0; 512];
        for entry in fs::read_dir(first.with_file_name(""))? {
            let entry = entry?;
            if entry.metadata()?.is_file() {
                let _ = File::open(entry.path())?.read(&mut head)?;
            }
        }
        Ok(())
    }

    /// Asks for the metadata of every file in a folder, and reads none.
    pub(super) fn poll(&self, folder: usize) -> io::Result<()> {
        let first = folder % FOLDERS * FILES_A_FOLDER;
        (first..first + FILES_A_FOLDER).try_for_each(|index| fs::metadata(path(&self.root, index)).map(drop))
    }

    /// Reads a file, scrambles its bytes and puts the result in its place, as a packer would.
    pub(super) fn scramble(&mut self, index: usize, sync: bool) -> io::Result<()> {
        self.read(index)?;
        let mut key = index as u8 | 1;
        for byte in &mut self.scratch {
            key = key.wrapping_mul(5).wrapping_add(13);
            *byte ^= key;
        }
        let path = path(&self.root, index % Self::FILES);
        let scrambled = path.with_extension("new");
        let mut file = File::create(&scrambled)?;
        file.write_all(&self.scratch)?;
        if sync {
            file.sync_data()?;
        }
        fs::rename(scrambled, path)
    }

    /// Appends to a log, which begins anew at 1 MiB.
    pub(super) fn log(&mut self, bytes: usize) -> io::Result<()> {
        self.log.write_all(&vec![b'.'; bytes])?;
        if self.log.metadata()?.len() > LOG_LIMIT { self.log.set_len(0) } else { Ok(()) }
    }
}

fn path(root: &Path, index: usize) -> PathBuf {
    root.join(format!("{:02}", index / FILES_A_FOLDER)).join(format!("{:03}", index))
}
