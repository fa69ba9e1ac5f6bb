use std::{collections::BTreeSet, fs};

use knn::{Fit, Points};

use crate::run::{file, knn, on_sample, sample};

#[test]
fn one_snapshot_the_test_f1_with_its_interval_and_the_latency_are_published() {
    let ended = on_sample("produce", &["--dry-run"]);
    let events = ended.events();
    assert_eq!(events.len(), 3);
    let snapshot = &events[0];
    assert_eq!(
        (snapshot["type"].as_str(), snapshot["projector"].as_str()),
        (Some("embedding_snapshot"), Some("lda"))
    );
    assert_eq!(snapshot["rows"].as_u64(), Some(1728));
    let metric = &events[1];
    assert_eq!((metric["type"].as_str(), metric["model"].as_str()), (Some("model_metric"), Some("knn")));
    let number = |field: &str| metric[field].as_f64().unwrap();
    assert!(number("low") <= number("accuracy") && number("accuracy") <= number("high"));
    assert!(number("accuracy") > 0.8);
    let cost = &events[2];
    assert_eq!((cost["type"].as_str(), cost["model"].as_str()), (Some("model_perf"), Some("knn")));
    assert_eq!(cost["accuracy"], metric["accuracy"]);
    // The summary gives way to the events.
    assert!(ended.stderr.contains("F1        0.8"), "{}", ended.stderr);
}

#[test]
fn single_points_are_published_on_request_and_every_phase_is_among_few() {
    let args = ["--dry-run", "--per-point", "--rate-hz", "0", "--max-publish", "20", "--projector", "pca"];
    let events = on_sample("produce", &args).events();
    assert_eq!(events.len(), 22);
    let phases: BTreeSet<&str> = events[..20].iter().map(|event| event["phase"].as_str().unwrap()).collect();
    assert_eq!(phases, BTreeSet::from(["armed", "clean", "dormant", "infected_running", "infecting"]));
    assert!(events[..20].iter().all(|event| event["type"] == "embedding" && event["host_id"].is_string()));
    assert!(events[..20].iter().all(|event| event["window_idx"].as_u64().unwrap() < 16));
}

#[test]
fn nothing_is_published_on_request_and_the_summary_says_what_was_done() {
    let (_folder, points) = file("knn_v1.parquet");
    let (folder, fit) = file("knn_v1.fit");
    let args = ["--no-publish", "--fit-out", points.to_str().unwrap(), "--model-out", fit.to_str().unwrap()];
    let ended = on_sample("produce", &args);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let (read, id) = Points::read(&points).unwrap();
    assert!(
        ended.stdout.starts_with(&format!("fit {}: 1728 windows of 108 episodes\n", id.0)),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("bench-1core (picked: most accepted episodes, 36)"));
    assert!(ended.stdout.contains("of bench-2core-busy, bench-nice\n"));
    assert_eq!(
        Fit::read(&fit).unwrap().training.rows(),
        read.is_train.iter().filter(|train| **train).count()
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn equal_seeds_give_equal_files_on_any_number_of_threads() {
    let bytes = |threads: &str, seed: &str| {
        let ((_a, points), (_b, fit)) = (file("points"), file("fit"));
        let (points, fit) = (points.to_str().unwrap(), fit.to_str().unwrap());
        let args = ["--fit-out", points, "--model-out", fit, "--threads", threads, "--seed", seed];
        let ended = on_sample("fit-only", &args);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        (fs::read(points).unwrap(), fs::read(fit).unwrap())
    };
    let one = bytes("1", "0");
    assert!(bytes("1", "0") == one && bytes("2", "0") == one && bytes("3", "0") == one);
    assert!(bytes("1", "1") != one);
}

#[test]
fn fewer_rows_named_hosts_and_other_recipes_are_used() {
    let said = |args: &[&str]| {
        let ended = on_sample("produce", &[&["--no-publish"], args].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout
    };
    let few = said(&["--max-rows", "500"]);
    assert!(few.contains(": 500 windows of ") && few.contains("most accepted episodes, 36)"), "{few}");
    let two = said(&["--train-hosts", "bench-nice", "bench-1core"]);
    assert!(two.contains("train     1152 windows of bench-1core, bench-nice\n"), "{two}");
    for recipe in ["random", "sample", "time"] {
        let said = said(&["--split-recipe", recipe]);
        assert!(said.contains(&format!("split     {recipe}, seed 0")), "{said}");
    }
}

#[test]
fn without_a_validation_table_nobody_says_that_episodes_are_accepted() {
    let [_, window, _, schema, ..] = &sample()[..] else { panic!() };
    let ended = knn(["produce", "--no-publish", "--window", window, "--schema", schema]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("bench-1core (picked: most episodes, 36)"), "{}", ended.stdout);
}

#[test]
fn every_stage_is_timed_by_its_name() {
    let said = on_sample("produce", &["--no-publish"]).stdout;
    let time = said.lines().find_map(|line| line.strip_prefix("  time      ")).unwrap();
    let stages: Vec<&str> = time.split(", ").map(|stage| stage.split_once(' ').unwrap().0).collect();
    assert_eq!(stages, ["read", "standardize", "project", "cluster", "classify", "measure", "write"]);
}
