//! The recorded sample, all the way to the wall.

use std::fs;
use std::path::Path;

use crate::command::{Broadcaster, Running, command, run};

/// Cuts the sample into windows.
fn windows(dir: &Path) {
    let ended = run(command(
        "episodes",
        &["windows", "--data-root", "data/sample", "--out-dir", dir.to_str().unwrap()],
    ));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

fn fit(dir: &Path, out: &str, threads: &str) -> Vec<u8> {
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let (window, schema) = (path("features_window_v1.parquet"), path("feature_schema_v1.json"));
    let (validation, out) = (path("validation_v1.parquet"), path(out));
    let ended = run(command(
        "knn",
        &[
            "fit-only",
            "--window",
            &window,
            "--schema",
            &schema,
            "--validation",
            &validation,
            "--fit-out",
            &out,
            "--threads",
            threads,
        ],
    ));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    fs::read(out).unwrap()
}

#[test]
fn a_fit_is_the_same_bytes_whatever_the_threads() {
    let dir = tempfile::tempdir().unwrap();
    windows(dir.path());
    let one = fit(dir.path(), "one.parquet", "1");
    assert_eq!(fit(dir.path(), "again.parquet", "1"), one);
    assert_eq!(fit(dir.path(), "two.parquet", "2"), one);
}

#[test]
fn the_sample_reaches_the_wall() {
    let dir = tempfile::tempdir().unwrap();
    windows(dir.path());
    fit(dir.path(), "fit.parquet", "2");
    let fit = dir.path().join("fit.parquet");
    let wall = Broadcaster::start();
    let producer = |name, args: &[&str]| {
        let mut producer = command(name, args);
        producer.env("VITRINE_PUBLISH_URL", wall.publish_url());
        producer
    };
    let ended = run(producer("multi-model-metrics", &["--reports", "data/reports", "--once"]));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let stream = ["stream", "--load-fit", fit.to_str().unwrap(), "--loop", "--also-metric", "0.76"];
    let _stream = Running::start(producer("knn", &stream));
    let checkpoint = dir.path().join("feeders");
    let feeders = ["run", "--data-root", "data/sample", "--checkpoint-dir", checkpoint.to_str().unwrap()];
    let _feeders = Running::start(producer("feeders", &feeders));
    let metrics = wall.wait_for("model_metric", 8);
    wall.wait_for("model_perf", 7);
    assert!(metrics.iter().any(|metric| metric["model"] == "knn" && metric["accuracy"] == 0.76));
    let snapshot = &wall.wait_for("embedding_snapshot", 1)[0];
    assert_eq!((snapshot["rows"].as_u64(), snapshot["projector"].as_str()), (Some(1_728), Some("lda")));
    let fleet = &wall.wait_for("snapshot", 1)[0];
    let index = fs::read_to_string(crate::command::repository().join("data/sample/index.jsonl")).unwrap();
    assert_eq!(fleet["total_episodes"].as_u64(), Some(index.lines().count() as u64));
    assert_eq!(fleet["index_offset"].as_u64(), Some(index.len() as u64));
}
