//! The state on disk: what a process leaves, another one goes on with.

use std::fs;
use std::path::Path;

use broadcaster::{Durability, Keeper, LogLimits, StoreError};
use events::Kind;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::http::{ARROW, columns, post};
use crate::page::Page;
use crate::random;
use crate::wall::{self, Wall};

const FILE: &str = "state.redb";

async fn health(wall: &Wall) -> Value {
    let body = reqwest::get(wall.url("/healthz")).await.unwrap().text().await.unwrap();
    serde_json::from_str(&body).unwrap()
}

async fn publish_once(wall: &Wall, key: &str, event: &str) -> Value {
    let request = post(wall, "application/json", event.to_owned()).header("idempotency-key", key);
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

const METRIC: &str = r#"{"type":"model_metric","model":"knn","accuracy":0.5}"#;

#[tokio::test]
async fn a_restart_goes_on_where_the_process_before_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let wall = Wall::keep(folder.path(), Durability::Async).await;
    for batch in random::batches(200) {
        wall.publish(&batch).await;
    }
    post(&wall, ARROW, columns(1_000).encode().unwrap()).send().await.unwrap();
    let answered = publish_once(&wall, "p:1", METRIC).await;
    let mut page = Page::new(Kind::retention);
    let mut socket = wall.websocket("").await;
    while !page.ready {
        socket.next().await.iter().for_each(|message| page.receive(message));
    }
    drop(socket);
    let (before, state) = (health(&wall).await, wall.state().await);
    assert!(state.len() > 50);
    let url = state.iter().find(|event| event["type"] == "embedding_snapshot").unwrap()["url"].clone();
    let url = url.as_str().unwrap();
    let packed = reqwest::get(wall.url(url)).await.unwrap().bytes().await.unwrap();
    wall.stopped().await;

    let wall = Wall::keep(folder.path(), Durability::Async).await;
    let after = health(&wall).await;
    for field in ["epoch", "seq", "sticky", "entries"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert_eq!(wall.state().await, state);
    assert_eq!(publish_once(&wall, "p:1", METRIC).await, answered, "as before, and nothing changes");
    assert_eq!(wall.state().await, state);
    assert_eq!(reqwest::get(wall.url(url)).await.unwrap().bytes().await.unwrap(), packed);
    // What changes from here on is all that a page is sent that was there before.
    wall.publish(&[METRIC.to_owned()]).await;
    page.reconnect();
    let mut socket = wall.websocket(&format!("?{}", page.since())).await;
    let hello = socket.next().await;
    assert_eq!(hello[0]["resumed"], true);
    page.receive(&hello[0]);
    let changed = socket.next().await;
    assert_eq!(changed[0]["seq"].as_u64(), before["seq"].as_u64().map(|seq| seq + 1));
    page.receive(&changed[0]);
    page.receive(&socket.next().await[0]);
    assert_eq!(page.state(), wall.state().await);
    drop(socket);
    wall.stopped().await;
}

#[tokio::test]
async fn what_was_acknowledged_after_it_was_on_disk_survives_a_crash() {
    let (folder, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let wall = Wall::keep(folder.path(), Durability::Sync).await;
    for batch in random::batches(40) {
        wall.publish(&batch).await;
        // As a process would leave it that ends here: nothing is under way.
        fs::copy(folder.path().join(FILE), crashed.path().join(FILE)).unwrap();
        let next = Wall::keep(crashed.path(), Durability::Sync).await;
        assert_eq!(next.state().await, wall.state().await);
        assert_eq!(next.hub.epoch(), wall.hub.epoch());
        assert!(
            next.hub.head_seq() > wall.hub.head_seq(),
            "seqs that may have been given away are not given again"
        );
        next.stopped().await;
    }
    wall.stopped().await;
}

fn open(dir: &Path) -> Result<(), StoreError> {
    Keeper::open(dir, LogLimits::default(), Durability::Async).map(drop)
}

#[test]
fn a_file_that_is_not_the_state_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    for (content, expected) in [
        (&b""[..], "move the file away"),
        (b"not a database\n", "move the file away"),
        (&[0; 100_000], "move the file away"),
    ] {
        fs::write(&file, content).unwrap();
        let error = open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("state.redb: ") && error.contains(expected), "{error}");
        assert_eq!(fs::read(&file).unwrap(), content);
    }
    fs::remove_file(&file).unwrap();
    redb::Database::create(&file).unwrap();
    let error = open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("not the state of a broadcaster"), "{error}");
    // A start that was cut short before there was any state.
    fs::remove_file(&file).unwrap();
    fs::write(folder.path().join("state.redb.new"), "torn").unwrap();
    open(folder.path()).unwrap();
    assert!(file.exists() && !folder.path().join("state.redb.new").exists());
}

#[test]
fn two_broadcasters_do_not_share_a_state() {
    let folder = tempfile::tempdir().unwrap();
    let (_hub, _keeper) = Keeper::open(folder.path(), LogLimits::default(), Durability::Async).unwrap();
    let error = open(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("another broadcaster keeps its state here; give this one a --state-dir"),
        "{error}"
    );
}

/// Cut anywhere, or with any bit another, it is the state as it was, or said to be damaged.
#[tokio::test]
async fn a_damaged_file_is_never_taken_for_an_empty_state() {
    let (folder, damaged) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let wall = Wall::keep(folder.path(), Durability::Sync).await;
    for batch in random::batches(60) {
        wall.publish(&batch).await;
    }
    let state = wall.state().await;
    // As a process leaves it that is killed, and one that stops.
    let killed = fs::read(folder.path().join(FILE)).unwrap();
    wall.stopped().await;
    let stopped = fs::read(folder.path().join(FILE)).unwrap();
    let (mut refused, mut same) = (0, 0);
    let mut runner = TestRunner::deterministic();
    let rounds =
        std::env::var("VITRINE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(200_usize);
    for round in 0..rounds {
        let whole = if round % 8 < 4 { &killed } else { &stopped };
        let at = (0..whole.len()).new_tree(&mut runner).unwrap().current();
        let mut bytes = whole.clone();
        match round % 4 {
            0 => bytes.truncate(at),
            // The first pages say where all others are.
            1 => bytes[at % 8_192] ^= 1 << (round / 4 % 8),
            _ => bytes[at] ^= 1 << (round / 4 % 8),
        }
        let file = damaged.path().join(FILE);
        fs::write(&file, bytes).unwrap();
        match Keeper::open(damaged.path(), LogLimits::default(), Durability::Async) {
            Err(StoreError::Foreign { .. }) => refused += 1,
            Err(other) => panic!("round {round}, {at}: {other}"),
            Ok((hub, keeper)) => {
                let wall = Wall::of(wall::config(), hub, Some(keeper)).await;
                assert_eq!(wall.state().await, state, "round {round}, {at}");
                wall.stopped().await;
                same += 1;
            }
        }
    }
    assert!(refused > 20 && same > 20, "{refused} refused, {same} the same");
}
