use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::Stdio,
};

use episodes::Phase;
use knn::{FitId, Points};
use serde_json::{Value, json};

use crate::run::{command, file, knn, points};

fn stream(args: &[&str]) -> Vec<Value> {
    let fit = ["stream", "--load-fit", points(), "--dry-run"];
    knn(fit.iter().chain(args)).events()
}

#[test]
fn a_cycle_is_one_snapshot_named_by_the_bytes_of_the_fit() {
    let events = stream(&[]);
    let id = FitId::of(&std::fs::read(points()).unwrap());
    assert_eq!(
        events,
        [json!({
            "type": "embedding_snapshot", "fit_id": id.0, "rows": 1728, "url": "", "projector": "lda", "cycle": 1
        })]
    );
    assert_eq!(stream(&["--max-points", "0"])[0]["rows"], 1728);
    assert_eq!(stream(&["--max-points", "100"])[0]["rows"], 100);
}

#[test]
fn single_points_say_where_they_are_from() {
    let events = stream(&["--per-point", "--max-points", "120", "--rate-hz", "0"]);
    assert_eq!(events.len(), 120);
    for event in &events {
        assert_eq!(event["type"], "embedding");
        assert!(event["episode_id"].as_str().unwrap().starts_with(event["host_id"].as_str().unwrap()));
        assert!(event["window_idx"].as_u64().unwrap() < 16);
        for axis in ["x", "y", "z"] {
            assert!((0.0..=1.0).contains(&event[axis].as_f64().unwrap()));
        }
    }
    let drawn = |seed| stream(&["--per-point", "--max-points", "120", "--rate-hz", "0", "--seed", seed]);
    assert_eq!(drawn("0"), events);
    assert_ne!(drawn("1"), events);
}

#[test]
fn the_model_is_published_beside_the_points_on_request() {
    let events = stream(&["--also-metric", "0.76", "--also-perf-latency-us", "210"]);
    assert_eq!(
        events[1..],
        [
            json!({"type": "model_metric", "model": "knn", "accuracy": 0.76}),
            json!({"type": "model_perf", "model": "knn", "latency_us": 210.0, "accuracy": 0.76}),
        ]
    );
}

#[test]
fn a_failed_phase_is_published_as_dormant() {
    let (mut points, _) = Points::read(points().as_ref()).unwrap();
    points.phases.fill(Phase::Failed);
    points.predicted.fill(Phase::Failed);
    let (_folder, path) = file("failed.parquet");
    std::fs::write(&path, points.encode().unwrap()).unwrap();
    let args = ["stream", "--load-fit", path.to_str().unwrap(), "--dry-run", "--per-point", "--rate-hz", "0"];
    let events = knn(args).events();
    let phases: BTreeSet<(&str, &str)> = events
        .iter()
        .map(|event| (event["phase"].as_str().unwrap(), event["predicted"].as_str().unwrap()))
        .collect();
    assert_eq!(phases, BTreeSet::from([("dormant", "dormant")]));
}

#[test]
fn a_loop_counts_its_cycles() {
    let args = ["stream", "--load-fit", points(), "--dry-run", "--loop", "--cycle-pause-s", "0.01"];
    let mut child = command(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let cycles: Vec<u64> = lines
        .take(4)
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()["cycle"].as_u64().unwrap())
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(cycles, [1, 2, 3, 4]);
}
