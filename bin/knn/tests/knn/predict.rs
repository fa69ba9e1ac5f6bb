use std::{collections::BTreeSet, fs, sync::LazyLock};

use knn::{Fit, Points};
use serde_json::Value;
use tempfile::TempDir;

use crate::run::{file, knn, on_sample, sample};

/// A fit of the sample and its points, made once.
static FIT: LazyLock<(TempDir, String, Points)> = LazyLock::new(|| {
    let (folder, model) = file("knn_v1.fit");
    let points = folder.path().join("knn_v1.parquet");
    let (model, out) = (model.to_str().unwrap(), points.to_str().unwrap());
    assert_eq!(on_sample("fit-only", &["--model-out", model, "--fit-out", out]).code, Some(0));
    let (read, _) = Points::read(&points).unwrap();
    (folder, model.to_owned(), read)
});

/// `predict` on the sample's windows with the sample's fit.
fn predict(args: &[&str]) -> crate::run::Ended {
    let window = &sample()[1];
    knn(["predict", "--model", &FIT.1, "--window", window].into_iter().chain(args.iter().copied()))
}

#[test]
fn windows_held_out_are_told_what_produce_told_them() {
    let lines = predict(&[]).events();
    let (_, _, points) = &*FIT;
    assert_eq!(lines.len(), points.rows());
    for (row, line) in lines.iter().enumerate() {
        assert_eq!(line["row"].as_u64(), Some(row as u64));
        assert_eq!(line["episode_id"].as_str(), Some(points.origin.episodes.name(row)));
        let confidence = line["confidence"].as_f64().unwrap();
        assert!(confidence > 0.0 && confidence <= 1.0);
        assert!(line.get("neighbors").is_none());
        if !points.is_train[row] {
            assert_eq!(line["phase"].as_str(), Some(&*points.predicted[row].to_string()), "row {row}");
        }
    }
}

#[test]
fn neighbours_are_rows_of_the_fit_nearest_first_and_a_training_window_is_its_own() {
    let (_, model, points) = &*FIT;
    let training = Fit::read(model.as_ref()).unwrap().training.rows() as u64;
    let lines = predict(&["--neighbors"]).events();
    for (row, line) in lines.iter().enumerate() {
        let near: &Vec<Value> = line["neighbors"].as_array().unwrap();
        let distances: Vec<f64> = near.iter().map(|near| near["distance"].as_f64().unwrap()).collect();
        assert!(distances.is_sorted() && distances.len() == 10);
        let rows: BTreeSet<u64> = near.iter().map(|near| near["row"].as_u64().unwrap()).collect();
        assert!(rows.len() == 10 && rows.iter().all(|row| *row < training));
        assert_eq!(points.is_train[row], distances[0] == 0.0, "row {row}");
    }
}

#[test]
fn a_file_holds_the_same_as_the_lines() {
    let (_folder, lines) = file("predictions.jsonl");
    let ended = predict(&["--neighbors", "--out", lines.to_str().unwrap()]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
    assert_eq!(fs::read_to_string(&lines).unwrap(), predict(&["--neighbors"]).stdout);

    let (_folder, table) = file("predictions.parquet");
    assert_eq!(predict(&["--out", table.to_str().unwrap()]).code, Some(0));
    let bytes = fs::read(&table).unwrap();
    assert_eq!((&bytes[..4], &bytes[bytes.len() - 4..]), (&b"PAR1"[..], &b"PAR1"[..]));
}

#[test]
fn a_table_without_a_column_of_the_fit_is_refused_by_name() {
    let (_, model, _) = &*FIT;
    let points = FIT.0.path().join("knn_v1.parquet");
    let ended = knn(["predict", "--model", model, "--window", points.to_str().unwrap()]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("knn_v1.fit"), "{}", ended.stderr);
    assert!(ended.stderr.contains("column `proc.cpu_user_jiffies.mean` is missing"), "{}", ended.stderr);
}

#[test]
fn an_input_is_not_written_over() {
    let ended = predict(&["--out", &FIT.1]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--out") && ended.stderr.contains("is an input"), "{}", ended.stderr);
}
