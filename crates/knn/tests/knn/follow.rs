//! Hosts that are recorded now, to windows.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use episodes::{Grid, Phase};
use knn::{Follow, Recorded};

const SECOND: u64 = 1_000_000_000;

fn append(dir: &Path, host: &str, lines: &[String]) {
    let path = dir.join(format!("{host}.jsonl"));
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    lines.iter().for_each(|line| writeln!(file, "{line}").unwrap());
}

fn label(at: u64, phase: &str, episode: &str) -> String {
    format!(r#"{{"t_mono_ns":{},"phase":"{phase}","episode_id":"{episode}"}}"#, at * SECOND)
}

fn samples(seconds: std::ops::RangeInclusive<u64>) -> Vec<String> {
    seconds.map(|at| format!(r#"{{"t_mono_ns":{},"proc.rss_anon_kib":{at}}}"#, at * SECOND)).collect()
}

/// Windows of 2 s, one a second.
fn follow(dir: &Path) -> Follow {
    Follow::new(dir.to_owned(), Grid::new(Duration::from_secs(2), Duration::from_secs(1)).unwrap())
}

/// Everything that is complete when something was written, and at least so many windows.
async fn read(follow: &mut Follow, least: usize) -> Vec<Recorded> {
    let mut windows = vec![];
    while windows.len() < least {
        tokio::time::timeout(Duration::from_secs(30), follow.changed()).await.unwrap();
        while follow.read(|recorded| windows.push(recorded)) {}
    }
    windows
}

/// A line each: host, episode, window, phase.
fn said(windows: &[Recorded]) -> Vec<String> {
    let said = windows.iter().map(|Recorded { host, episode, window, phase, .. }| {
        let episode = episode.as_ref().map_or("-", |name| name.as_str());
        format!("{host} {episode} {} {}", window.idx, phase.map_or("-", Phase::name))
    });
    said.collect()
}

#[tokio::test]
async fn a_window_comes_when_it_is_complete_with_its_host_episode_and_phase() {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), "a", &[label(0, "clean", "e1")]);
    append(dir.path(), "a", &samples(0..=2));
    append(dir.path(), "b", &[label(0, "armed", "e2")]);
    let mut follow = follow(dir.path());
    let first = read(&mut follow, 1).await;
    assert_eq!(said(&first), ["a e1 0 clean"]);
    assert!(first[0].is_past, "it was there before");
    append(dir.path(), "a", &[label(2, "infecting", "e1")]);
    append(dir.path(), "a", &samples(3..=4));
    append(dir.path(), "b", &samples(0..=2));
    let mut next = read(&mut follow, 3).await;
    next.sort_by(|one, other| (&one.host, one.window.idx).cmp(&(&other.host, other.window.idx)));
    let expected = ["a e1 1 infecting", "a e1 2 infecting", "b e2 0 armed"];
    assert_eq!(said(&next), expected);
    assert!(next.iter().all(|recorded| !recorded.is_past));
}

#[tokio::test]
async fn a_new_episode_begins_anew_in_a_new_file_or_in_the_same() {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), "a", &[label(0, "clean", "e1")]);
    append(dir.path(), "a", &samples(0..=2));
    append(dir.path(), "a", &[label(0, "armed", "e2")]);
    append(dir.path(), "a", &samples(0..=2));
    let mut follow = follow(dir.path());
    let windows = read(&mut follow, 2).await;
    let expected = ["a e1 0 clean", "a e2 0 armed"];
    assert_eq!(said(&windows), expected);
    fs::remove_file(dir.path().join("a.jsonl")).unwrap();
    append(dir.path(), "a", &[label(0, "dormant", "e3")]);
    append(dir.path(), "a", &samples(0..=2));
    let windows = read(&mut follow, 1).await;
    assert_eq!(said(&windows), ["a e3 0 dormant"]);
}

#[tokio::test]
async fn a_machine_whose_phases_nobody_knows_is_followed_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), "a", &samples(100..=103));
    // Its recorder was started again.
    append(dir.path(), "a", &samples(1..=3));
    let windows = read(&mut follow(dir.path()), 3).await;
    assert_eq!(said(&windows), ["a - 0 -", "a - 1 -", "a - 0 -"]);
    assert_eq!(windows[0].window.t_s, 2.0);
}

#[tokio::test]
async fn lines_that_are_none_and_files_of_no_host_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), "a", &[label(0, "clean", "e1"), "not JSON".into(), r#"{"phase":"odd"}"#.into()]);
    append(dir.path(), "a", &samples(0..=2));
    append(dir.path(), ".unfinished-x", &samples(0..=2));
    fs::write(dir.path().join("notes.txt"), "hello").unwrap();
    assert_eq!(said(&read(&mut follow(dir.path()), 1).await), ["a e1 0 clean"]);
}
