//! A machine that is recorded, and classified meanwhile: what is said live is what the stored episode says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{Broadcaster, Running, command, run};

/// Cuts a data root into windows.
fn windows(root: &str, out: &str) {
    let ended = run(command("episodes", &["windows", "--data-root", root, "--out-dir", out]));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

/// A fit of windows, by the features of a schema.
fn fit(windows: &Path, schema: &str, out: &str) {
    let path = |name: &str| windows.join(name).to_str().unwrap().to_owned();
    let (window, validation) = (path("features_window_v1.parquet"), path("validation_v1.parquet"));
    let points = path("points.parquet");
    let mut args = vec!["fit-only", "--window", &window, "--schema", schema, "--validation", &validation];
    args.extend(["--fit-out", &points, "--model-out", out]);
    let ended = run(command("knn", &args));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn what_is_said_live_is_what_the_stored_episode_says() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (sample, root, model) = (at("sample"), at("root"), at("knn.fit"));
    windows("data/sample", &sample);
    fit(Path::new(&sample), &format!("{sample}/feature_schema_v1.json"), &model);
    let wall = Broadcaster::start();
    let mut detect =
        command("knn", &["detect", "--model", &model, "--follow", &format!("{root}/live"), "--points"]);
    detect.env("VITRINE_PUBLISH_URL", wall.publish_url());
    // It waits for the folder, which the first episode makes.
    let mut detect = Running::start(detect);
    let record =
        ["record", "--data-root", &root, "--host-id", "here", "--profile", "bursty", "--duration", "12s"];
    let ended = run(command("episodes", &record));
    assert_eq!(ended.code, 0, "{}", ended.stderr);

    let stored = at("stored");
    windows(&root, &stored);
    let predicted = at("predicted.jsonl");
    let table = format!("{stored}/features_window_v1.parquet");
    let ended = run(command("knn", &["predict", "--model", &model, "--window", &table, "--out", &predicted]));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let stored: BTreeMap<u64, (String, f64)> = fs::read_to_string(predicted)
        .unwrap()
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let phase = line["phase"].as_str().unwrap().to_owned();
            (line["window_idx"].as_u64().unwrap(), (phase, line["confidence"].as_f64().unwrap()))
        })
        .collect();
    assert_eq!(stored.len(), 8, "windows of 5 s in 12 s");

    let said = |event: &Value| {
        let phase = event["predicted"].as_str().unwrap().to_owned();
        (event["window_idx"].as_u64().unwrap(), (phase, event["confidence"].as_f64().unwrap()))
    };
    let predictions = wall.wait_for("prediction", stored.len());
    assert_eq!(predictions.iter().map(said).collect::<BTreeMap<_, _>>(), stored);
    let live = wall.wait_for("live_detection", stored.len());
    assert_eq!(live.iter().map(said).collect::<BTreeMap<_, _>>(), stored);
    assert!(
        live.iter().all(|event| event["host_id"] == "here" && event["latency_us"].as_f64().unwrap() > 0.0)
    );
    assert_eq!(wall.state("embedding").len(), stored.len());
    assert_eq!(detect.interrupt(), 130);
}

#[test]
fn a_fit_of_another_schema_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let sample = dir.path().join("sample");
    windows("data/sample", sample.to_str().unwrap());
    let schema = dir.path().join("schema.json");
    fs::write(&schema, r#"{"feature_names": ["proc.run_ns.mean", "t_s"]}"#).unwrap();
    let model = dir.path().join("other.fit");
    let (schema, model) = (schema.to_str().unwrap(), model.to_str().unwrap());
    fit(&sample, schema, model);
    let live = dir.path().join("live");
    let ended = run(command("knn", &["detect", "--model", model, "--follow", live.to_str().unwrap()]));
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .stderr
            .contains("another schema: 1 of its 2 features are not in the telemetry, the first is `t_s`"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("other.fit"), "{}", ended.stderr);
    let root = dir.path().to_str().unwrap();
    fs::create_dir(&live).unwrap();
    let ended = run(command("knn", &["detect", "--model", model, "--follow", root]));
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("that is a data root"), "{}", ended.stderr);
}
