//! A data root that grows, to the state that is published of it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use feeders::Disk;

fn line(n: u32, host: &str) -> String {
    format!(
        "{{\"episode_id\":\"e{n}\",\"host_id\":\"{host}\",\"sha256\":\"{n:064x}\",\"size_bytes\":{},\"received_at_wall\":\"2026-03-01T12:00:00Z\"}}\n",
        100 + n
    )
}

fn append(root: &Path, name: &str, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(root.join(name)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn only_whole_lines_count_and_each_counts_once() {
    let root = tempfile::tempdir().unwrap();
    let mut disk = Disk::new(root.path());
    assert_eq!(disk.snapshot().unwrap().total_episodes, 0, "a missing file is empty");
    append(root.path(), "index.jsonl", &(line(1, "a") + &line(2, "b") + &line(3, "a")[..40]));
    let snapshot = disk.snapshot().unwrap().clone();
    assert_eq!((snapshot.total_episodes, snapshot.total_bytes), (2, 203));
    assert_eq!(snapshot.recent_episodes[0].episode_id.as_str(), "e2", "newest first");
    assert_eq!(snapshot.index_offset, Some((line(1, "a").len() + line(2, "b").len()) as u64));
    append(root.path(), "index.jsonl", &line(3, "a")[40..]);
    append(root.path(), "alerts.jsonl", "{}\n{}\n");
    let snapshot = disk.snapshot().unwrap();
    assert_eq!((snapshot.total_episodes, snapshot.total_alerts), (3, 2));
    let hosts: Vec<_> = snapshot.host_counts.iter().map(|(host, count)| (host.as_str(), *count)).collect();
    assert_eq!(hosts, [("a", 2), ("b", 1)]);
}

#[test]
fn lines_that_are_no_episodes_are_passed_over() {
    let root = tempfile::tempdir().unwrap();
    append(root.path(), "index.jsonl", &format!("nonsense\n\n{{}}\n{}", line(1, "a")));
    let mut file = OpenOptions::new().append(true).open(root.path().join("index.jsonl")).unwrap();
    file.write_all(b"\xff\xfe\n").unwrap();
    append(root.path(), "index.jsonl", &line(2, "a"));
    assert_eq!(Disk::new(root.path()).snapshot().unwrap().total_episodes, 2);
}

#[test]
fn a_file_that_was_replaced_is_counted_anew() {
    let root = tempfile::tempdir().unwrap();
    let mut disk = Disk::new(root.path());
    append(root.path(), "index.jsonl", &(line(1, "a") + &line(2, "a")));
    assert_eq!(disk.snapshot().unwrap().total_episodes, 2);
    fs::write(root.path().join("new"), line(3, "b")).unwrap();
    fs::rename(root.path().join("new"), root.path().join("index.jsonl")).unwrap();
    let snapshot = disk.snapshot().unwrap();
    assert_eq!((snapshot.total_episodes, snapshot.host_counts.len()), (1, 1));
}
