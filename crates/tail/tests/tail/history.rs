//! Random histories of a file that others write, rotate, truncate and remove while it is read: every line once, in order.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use tail::{Line, Position, Tail};
use tempfile::TempDir;

/// A file and who reads it.
struct World {
    folder: TempDir,
    tail: Tail,
    /// What was handed over.
    got: Vec<String>,
    /// What was written, in order: pieces that end where a line or a file does.
    written: Vec<String>,
    /// Of these, what may be lost: it was removed when nobody had it open.
    lost: HashSet<String>,
    /// What the file has behind its last newline.
    fragment: String,
    /// Lines so far.
    count: usize,
    rotations: u32,
}

#[derive(Debug, Clone)]
enum Action {
    /// Lines, each of about so many bytes.
    Append(Vec<usize>),
    /// A line that is the same in every file; it is of no interest, and may be read again.
    Same,
    /// The first half of a line; the next lines stand behind it.
    Half,
    Read,
    /// The reader is killed, and begins at a position that it wrote down.
    Restart,
    Rename,
    RenameAndCreate,
    CopyAndTruncate,
    /// The newest of the rotated files is packed.
    Pack(bool),
    Remove,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        6 => prop::collection::vec(1..600_usize, 1..6).prop_map(Action::Append),
        3 => Just(Action::Same),
        2 => Just(Action::Half),
        6 => Just(Action::Read),
        2 => Just(Action::Restart),
        1 => Just(Action::Rename),
        1 => Just(Action::RenameAndCreate),
        1 => Just(Action::CopyAndTruncate),
        1 => any::<bool>().prop_map(Action::Pack),
        1 => Just(Action::Remove),
    ];
    prop::collection::vec(action, 1..60)
}

/// Long ago, by the times of the files here.
const LATE: Duration = Duration::from_secs(2);
/// What a file says without saying anything.
const SAME: &str = "not JSON";
/// Rotated files that are kept.
const KEPT: u32 = 4;

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tail = Tail::new(folder.path().join("index.jsonl"), Position::default(), LATE);
        let mut world = Self {
            folder,
            tail,
            got: vec![],
            written: vec![],
            lost: HashSet::new(),
            fragment: String::new(),
            count: 0,
            rotations: 0,
        };
        // What was rotated before it began is not of its stream.
        world.append(10, true);
        world.read();
        world
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("index.jsonl")
    }

    fn rotated(&self, number: u32) -> PathBuf {
        self.folder.path().join(format!("index.jsonl.{number}"))
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Append(lengths) => lengths.iter().for_each(|length| self.append(*length, true)),
            Action::Same => self.same(),
            Action::Half => self.append(20, false),
            Action::Read => self.read(),
            Action::Restart => {
                let position = serde_json::to_string(self.tail.position()).unwrap();
                self.tail = Tail::new(self.path(), serde_json::from_str(&position).unwrap(), LATE);
            }
            Action::Rename => self.rotate(false),
            Action::RenameAndCreate => {
                self.rotate(false);
                if !self.path().exists() {
                    let file = File::create(self.path()).unwrap();
                    self.stamp(&file);
                }
            }
            Action::CopyAndTruncate => self.rotate(true),
            Action::Pack(gzip) => self.pack(*gzip),
            Action::Remove => self.remove(),
        }
    }

    fn append(&mut self, length: usize, whole: bool) {
        self.count += 1;
        let text = format!("{:06}{}", self.count, "x".repeat(length));
        let mut file = OpenOptions::new().create(true).append(true).open(self.path()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self.fragment += &text;
        if whole {
            file.write_all(b"\n").unwrap();
            self.written.push(std::mem::take(&mut self.fragment));
        }
        self.stamp(&file);
    }

    fn same(&mut self) {
        if self.fragment.is_empty() {
            let mut file = OpenOptions::new().create(true).append(true).open(self.path()).unwrap();
            writeln!(file, "{SAME}").unwrap();
            self.stamp(&file);
        }
    }

    /// Changes are a second apart: those of one tick of the kernel's clock have the same time.
    fn stamp(&mut self, file: &File) {
        self.count += 1;
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(self.count as u64)).unwrap();
    }

    fn read(&mut self) {
        self.rotations = 0;
        while read(&mut self.tail, 1_000, &mut self.got) {}
        self.got.retain(|line| line != SAME);
    }

    /// The file ends here: who reads it comes to its end while it is there.
    fn end_file(&mut self) {
        if !self.fragment.is_empty() {
            self.written.push(std::mem::take(&mut self.fragment));
        }
    }

    fn rotate(&mut self, copies: bool) {
        if fs::metadata(self.path()).map_or(0, |file| file.len()) == 0 {
            return;
        }
        self.end_file();
        // Whoever is so far behind has to be quick.
        self.rotations += 1;
        if self.rotations == KEPT {
            self.read();
        }
        for number in (1..KEPT).rev() {
            for packing in ["", ".gz", ".zst"] {
                let named = |number| PathBuf::from(format!("{}{packing}", self.rotated(number).display()));
                if number + 1 == KEPT {
                    drop(fs::remove_file(named(KEPT)));
                }
                drop(fs::rename(named(number), named(number + 1)));
            }
        }
        if copies {
            fs::copy(self.path(), self.rotated(1)).unwrap();
            let file = OpenOptions::new().write(true).truncate(true).open(self.path()).unwrap();
            self.stamp(&File::open(self.rotated(1)).unwrap());
            self.stamp(&file);
        } else {
            fs::rename(self.path(), self.rotated(1)).unwrap();
        }
    }

    fn pack(&mut self, gzip: bool) {
        let path = self.rotated(1);
        let Ok(text) = fs::read(&path) else { return };
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let (bytes, packing) = match gzip {
            true => (gzipped(&text), "gz"),
            false => (zstd::encode_all(text.as_slice(), 1).unwrap(), "zst"),
        };
        let packed = path.with_file_name(format!("index.jsonl.1.{packing}"));
        fs::write(&packed, bytes).unwrap();
        File::open(packed).unwrap().set_modified(modified).unwrap();
        fs::remove_file(path).unwrap();
    }

    /// What was not read by now may be lost.
    fn remove(&mut self) {
        if fs::remove_file(self.path()).is_ok() {
            self.end_file();
            let got: HashSet<&String> = self.got.iter().collect();
            self.lost.extend(self.written.iter().filter(|text| !got.contains(text)).cloned());
        }
    }
}

pub(crate) fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

pub(crate) fn read(tail: &mut Tail, most: usize, got: &mut Vec<String>) -> bool {
    let take = |_, line: Line<'_>| {
        let Line::Whole(line) = line else { panic!("{line:?}") };
        got.push(String::from_utf8(line.to_vec()).unwrap());
    };
    tail.read(most, take).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("VITRINE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_line_comes_once_and_in_order(actions in actions()) {
        let mut world = World::new();
        for action in &actions {
            world.act(action);
        }
        // The file before is at its end when the next one has something in it.
        world.append(10, true);
        world.read();
        let got: HashSet<&String> = world.got.iter().collect();
        let expected: Vec<&String> =
            world.written.iter().filter(|text| !world.lost.contains(*text) || got.contains(text)).collect();
        prop_assert_eq!(world.got.iter().collect::<Vec<_>>(), expected);
    }
}
