//! A file that others write, rotate, truncate and remove while it is read: every line once, in order.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use feeders::{LONGEST_LINE, Line, Position, Tail};
use proptest::prelude::*;
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
}

#[derive(Debug, Clone)]
enum Action {
    /// Lines, each of about so many bytes.
    Append(Vec<usize>),
    /// The first half of a line; the next lines stand behind it.
    Half,
    Read,
    /// The reader is killed, and begins at a position that it wrote down.
    Restart,
    Rename,
    RenameAndCreate,
    CopyAndTruncate,
    Remove,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        6 => prop::collection::vec(1..600_usize, 1..6).prop_map(Action::Append),
        2 => Just(Action::Half),
        6 => Just(Action::Read),
        2 => Just(Action::Restart),
        1 => Just(Action::Rename),
        1 => Just(Action::RenameAndCreate),
        1 => Just(Action::CopyAndTruncate),
        1 => Just(Action::Remove),
    ];
    prop::collection::vec(action, 1..60)
}

/// Rotated files that are kept.
const KEPT: u32 = 4;

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tail = Tail::new(folder.path().join("index.jsonl"), Position::default());
        let mut world = Self {
            folder,
            tail,
            got: vec![],
            written: vec![],
            lost: HashSet::new(),
            fragment: String::new(),
            count: 0,
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
            Action::Half => self.append(20, false),
            Action::Read => self.read(),
            Action::Restart => {
                let position = serde_json::to_string(self.tail.position()).unwrap();
                self.tail = Tail::new(self.path(), serde_json::from_str(&position).unwrap());
            }
            Action::Rename => self.rotate(false),
            Action::RenameAndCreate => {
                self.rotate(false);
                if !self.path().exists() {
                    fs::write(self.path(), "").unwrap();
                }
            }
            Action::CopyAndTruncate => self.rotate(true),
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

    /// Changes are a second apart: those of one tick of the kernel's clock have the same time.
    fn stamp(&mut self, file: &File) {
        self.count += 1;
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(self.count as u64)).unwrap();
    }

    fn read(&mut self) {
        while read(&mut self.tail, 1_000, &mut self.got) {}
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
        if self.rotated(KEPT).exists() {
            // Whoever is so far behind has to be quick.
            self.read();
        }
        for number in (1..KEPT).rev().filter(|number| self.rotated(*number).exists()) {
            fs::rename(self.rotated(number), self.rotated(number + 1)).unwrap();
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

    /// What was not read by now may be lost.
    fn remove(&mut self) {
        if fs::remove_file(self.path()).is_ok() {
            self.end_file();
            let got: HashSet<&String> = self.got.iter().collect();
            self.lost.extend(self.written.iter().filter(|text| !got.contains(text)).cloned());
        }
    }
}

fn read(tail: &mut Tail, most: usize, got: &mut Vec<String>) -> bool {
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

#[test]
fn places_go_on_where_a_file_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.jsonl");
    fs::write(&path, "one\ntwo\n").unwrap();
    let mut tail = Tail::new(path.clone(), Position::default());
    let mut places = vec![];
    tail.read(1_000, |place, _| places.push(place)).unwrap();
    fs::rename(&path, folder.path().join("index.jsonl.1")).unwrap();
    fs::write(&path, "three\nfour\n").unwrap();
    while tail.read(1_000, |place, _| places.push(place)).unwrap() {}
    assert_eq!(places, [0, 4, 8, 14]);
    assert_eq!(tail.position().bytes(), 19);
}

#[test]
fn a_line_that_is_too_long_is_passed_over_and_not_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.jsonl");
    let long = LONGEST_LINE as u64 + 1;
    let mut file = File::create(&path).unwrap();
    writeln!(file, "before").unwrap();
    file.write_all(&vec![b'x'; long as usize]).unwrap();
    let mut tail = Tail::new(path, Position::default());
    let mut got = vec![];
    let mut read = |tail: &mut Tail| while tail.read(1_000, |_, line| got.push(describe(line))).unwrap() {};
    read(&mut tail);
    writeln!(file, "y\nafter").unwrap();
    read(&mut tail);
    // The longest that is handed over.
    file.write_all(&vec![b'z'; LONGEST_LINE]).unwrap();
    writeln!(file).unwrap();
    read(&mut tail);
    assert_eq!(
        got,
        ["6".to_owned(), format!("too long: {}", long + 1), "5".into(), LONGEST_LINE.to_string()]
    );
}

fn describe(line: Line<'_>) -> String {
    match line {
        Line::Whole(line) => line.len().to_string(),
        Line::TooLong(bytes) => format!("too long: {bytes}"),
    }
}

#[test]
fn what_is_no_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: &Path| {
        let mut tail = Tail::new(path.to_owned(), Position::default());
        tail.read(1_000, |_, _| {}).unwrap_err().to_string()
    };
    assert!(error(folder.path()).ends_with(": expected a plain file"));
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(error(&pipe), format!("cannot read {}: expected a plain file", pipe.display()));
}
