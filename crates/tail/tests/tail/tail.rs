//! A file that others write, rotate, truncate and remove while it is read: every line once, in order.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use tail::{LONGEST_LINE, Line, Position, Tail};
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

fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
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
    let mut tail = Tail::new(path.clone(), Position::default(), Duration::ZERO);
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
    let mut tail = Tail::new(path, Position::default(), Duration::ZERO);
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

/// What a tail says in a folder of such files, the last of which is `index.jsonl`, from a position on.
fn lines(folder: &Path, position: Position) -> (Vec<String>, Position) {
    let mut tail = Tail::new(folder.join("index.jsonl"), position, Duration::ZERO);
    let mut got = vec![];
    while read(&mut tail, 1_000, &mut got) {}
    (got, tail.position().clone())
}

#[test]
fn files_that_only_look_like_rotations_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("index.jsonl", "one\n");
    let (_, position) = lines(folder.path(), Position::default());
    // What was read is gone, and all of these are newer.
    let others = [".bak", ".lock", ".save", "-old", ".1234", ".tmp.1", "~", ".1.xz", ".swp", ".20260301.bak"];
    for (number, suffix) in others.iter().enumerate() {
        write(&format!("index.jsonl{suffix}"), &format!("other {number}\n"));
    }
    write("index.jsonl", "two\n");
    let (got, position) = lines(folder.path(), position);
    assert_eq!(got, ["two"]);
    for (number, suffix) in [".1", "-20260301", ".2026-03-01_12-00-00", "-1772366400"].iter().enumerate() {
        fs::rename(folder.path().join("index.jsonl"), folder.path().join(format!("index.jsonl{suffix}")))
            .unwrap();
        write("index.jsonl", &format!("{number}\n"));
        assert_eq!(lines(folder.path(), position.clone()).0.last().unwrap(), &number.to_string(), "{suffix}");
        fs::remove_file(folder.path().join(format!("index.jsonl{suffix}"))).unwrap();
        write("index.jsonl", "two\n");
    }
}

#[test]
fn a_copy_of_what_was_read_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.jsonl");
    let text: String = (0..100).map(|number| format!("line {number}\n")).collect();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    // By hand, under the name of a rotation.
    fs::copy(&path, folder.path().join("index.jsonl.20260301")).unwrap();
    fs::write(&path, &text).unwrap();
    let (got, position) = lines(folder.path(), Position::default());
    assert_eq!(got.len(), 100);
    File::open(folder.path().join("index.jsonl.20260301")).unwrap().set_modified(SystemTime::now()).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "new\n").unwrap();
    assert_eq!(lines(folder.path(), position).0, ["new"]);
}

#[test]
fn a_file_that_was_cut_goes_on_at_its_end_and_places_do_not_fall() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.jsonl");
    let text: String = (0..100).map(|number| format!("line {number}\n")).collect();
    fs::write(&path, &text).unwrap();
    let (_, before) = lines(folder.path(), Position::default());
    let file = OpenOptions::new().append(true).open(&path).unwrap();
    file.set_len(text.len() as u64 / 2 + 3).unwrap();
    let (got, cut) = lines(folder.path(), before.clone());
    assert!(got.is_empty(), "{got:?}");
    assert_eq!(cut.bytes(), before.bytes());
    writeln!(&file, "rest\nnext").unwrap();
    let (got, after) = lines(folder.path(), cut);
    assert_eq!(got.last().unwrap(), "next");
    assert!(after.bytes() > before.bytes());
}

#[test]
fn a_file_that_is_replaced_by_one_that_says_the_same_and_more_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("index.jsonl"), folder.path().join("copy"));
    let text: String = (0..100).map(|number| format!("line {number}\n")).collect();
    fs::write(&path, &text).unwrap();
    let mut tail = Tail::new(path.clone(), Position::default(), Duration::ZERO);
    let mut got = vec![];
    let mut read = |tail: &mut Tail| {
        got.clear();
        while read(tail, 1_000, &mut got) {}
        got.join(" ")
    };
    read(&mut tail);
    fs::write(&copy, text.clone() + "more\n").unwrap();
    fs::rename(&copy, &path).unwrap();
    assert_eq!(read(&mut tail), "more");
    // Of an older state.
    let before = tail.position().bytes();
    fs::write(&copy, &text[..text.len() / 2]).unwrap();
    fs::rename(&copy, &path).unwrap();
    assert_eq!(read(&mut tail), "");
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    writeln!(file, "rest\nagain").unwrap();
    assert!(read(&mut tail).ends_with("again"));
    assert!(tail.position().bytes() > before);
}

#[test]
fn an_older_file_that_was_touched_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("index.jsonl"), "one\n").unwrap();
    let mut tail = Tail::new(at("index.jsonl"), Position::default(), Duration::ZERO);
    let mut got = vec![];
    while read(&mut tail, 1_000, &mut got) {}
    fs::rename(at("index.jsonl"), at("index.jsonl.1")).unwrap();
    fs::write(at("index.jsonl.2"), "before\n").unwrap();
    File::open(at("index.jsonl.2"))
        .unwrap()
        .set_modified(SystemTime::now() + Duration::from_secs(9))
        .unwrap();
    fs::write(at("index.jsonl"), "two\n").unwrap();
    while read(&mut tail, 1_000, &mut got) {}
    assert_eq!(got, ["one", "two"]);
}

#[test]
fn files_of_one_tick_of_the_clock_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, text: &str| {
        fs::write(at(name), format!("{text} {}\n", "x".repeat(100))).unwrap();
        File::open(at(name)).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    };
    let lines = |position| {
        let (got, position) = lines(folder.path(), position);
        (got.iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>(), position)
    };
    write("index.jsonl", "one");
    let (_, position) = lines(Position::default());
    fs::rename(at("index.jsonl"), at("index.jsonl.1")).unwrap();
    write("index.jsonl", "two");
    let (got, position) = lines(position);
    assert_eq!(got, ["two"]);
    // What was read last is gone, and what was read before that is not.
    fs::rename(at("index.jsonl.1"), at("index.jsonl.2")).unwrap();
    write("index.jsonl.1", "three");
    write("index.jsonl", "four");
    assert_eq!(lines(position).0, ["three", "four"]);
}

#[test]
fn a_writer_that_is_late_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (path, rotated) = (folder.path().join("index.jsonl"), folder.path().join("index.jsonl.1"));
    let mut old = File::create(&path).unwrap();
    writeln!(old, "one").unwrap();
    let mut tail = Tail::new(path.clone(), Position::default(), Duration::from_hours(1));
    let mut got = vec![];
    let mut read = |tail: &mut Tail| {
        while read(tail, 1_000, &mut got) {}
        got.join(" ")
    };
    read(&mut tail);
    fs::rename(&path, &rotated).unwrap();
    fs::write(&path, "three\n").unwrap();
    assert_eq!(read(&mut tail), "one");
    writeln!(old, "two").unwrap();
    assert_eq!(read(&mut tail), "one two");
    old.set_modified(SystemTime::now() - Duration::from_hours(2)).unwrap();
    assert_eq!(read(&mut tail), "one two three");
}

#[test]
fn a_packed_file_that_is_broken_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.jsonl");
    fs::write(&path, "one\n").unwrap();
    let (_, position) = lines(folder.path(), Position::default());
    fs::remove_file(&path).unwrap();
    for (number, bytes) in [(2, &gzipped(b"two\n")[..12]), (1, &gzipped(b"three\n"))] {
        let path = folder.path().join(format!("index.jsonl.{number}.gz"));
        fs::write(&path, bytes).unwrap();
        let later = SystemTime::now() + Duration::from_secs(60 - number);
        File::open(path).unwrap().set_modified(later).unwrap();
    }
    fs::write(&path, "four\n").unwrap();
    assert_eq!(lines(folder.path(), position).0, ["three", "four"]);
}

#[test]
fn what_is_no_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: &Path| {
        let mut tail = Tail::new(path.to_owned(), Position::default(), Duration::ZERO);
        tail.read(1_000, |_, _| {}).unwrap_err().to_string()
    };
    assert!(error(folder.path()).ends_with(": expected a plain file"));
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(error(&pipe), format!("cannot read {}: expected a plain file", pipe.display()));
}
