//! A file that others write, rotate, truncate and remove while it is read, case by case.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tail::{LONGEST_LINE, Line, Position, Tail};

use crate::history::{gzipped, read};

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
fn a_copy_of_a_file_of_one_short_line_is_not_read_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("index.jsonl"), "short\n").unwrap();
    let mut tail = Tail::new(at("index.jsonl"), Position::default(), Duration::ZERO);
    let mut got = vec![];
    let mut read = |tail: &mut Tail| {
        // Each call ends, and so do the calls.
        for _ in 0..10 {
            read(tail, 1_000, &mut got);
        }
        got.join(" ")
    };
    assert_eq!(read(&mut tail), "short");
    fs::copy(at("index.jsonl"), at("index.jsonl.1")).unwrap();
    let later = SystemTime::now() + Duration::from_secs(9);
    File::open(at("index.jsonl.1")).unwrap().set_modified(later).unwrap();
    assert_eq!(read(&mut tail), "short");
    fs::write(at("index.jsonl.1"), "short\nand more\n").unwrap();
    File::open(at("index.jsonl.1")).unwrap().set_modified(later).unwrap();
    assert_eq!(read(&mut tail), "short");
}

#[test]
fn what_a_file_that_is_gone_has_behind_its_last_newline_is_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("index.jsonl"), "no newline").unwrap();
    let mut tail = Tail::new(at("index.jsonl"), Position::default(), Duration::ZERO);
    let mut got = vec![];
    while read(&mut tail, 1_000, &mut got) {}
    fs::remove_file(at("index.jsonl")).unwrap();
    fs::write(at("index.jsonl"), "next\n").unwrap();
    while read(&mut tail, 1_000, &mut got) {}
    assert_eq!(got, ["no newline", "next"]);
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
