//! The recorded sample against scikit-learn: `scripts/reference` computes `data/reference/knn.json`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use episodes::{DataRoot, Grid, build_dataset};
use knn::{ParamGuard, ProduceParams, Produced, Projector, Source, Unwatched, Validation, WindowTable};
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Reference {
    windows_sha256: String,
    rows: usize,
    train_host: String,
    train_rows: usize,
    medians: Vec<f64>,
    means: Vec<f64>,
    deviations: Vec<f64>,
    kept: Vec<u32>,
    pca: Axes,
    lda: Axes,
    kmeans: KMeans,
    knn: Neighbours,
}

#[derive(Deserialize)]
struct Axes {
    axes: Vec<Vec<f64>>,
    captured: Vec<f64>,
}

#[derive(Deserialize)]
struct KMeans {
    clusters: usize,
    mini_batch_inertia: f64,
    best_of_50_inertia: f64,
}

#[derive(Deserialize)]
struct Neighbours {
    neighbours: usize,
    predicted: String,
    ties: Vec<usize>,
    macro_f1: f64,
}

struct Sample {
    table: WindowTable,
    reference: Reference,
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(name)
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let grid = Grid::new(Duration::from_secs(5), Duration::from_secs(1)).unwrap();
    build_dataset(&DataRoot::new(data("sample")), folder.path(), grid, &|| false, &|_, _| ()).unwrap();
    let path = |name| folder.path().join(name);
    let (window, schema) = (path("features_window_v1.parquet"), path("feature_schema_v1.json"));
    let validation = Validation::read(&path("validation_v1.parquet")).unwrap();
    let source = Source { window: &window, schema: &schema, validation: Some(&validation), max_rows: None };
    let table = WindowTable::read(&source, &Unwatched).unwrap();
    let reference: Reference =
        serde_json::from_slice(&fs::read(data("reference/knn.json")).unwrap()).unwrap();
    let sha256: String =
        Sha256::digest(fs::read(&window).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        sha256, reference.windows_sha256,
        "the windows of data/sample are others than the reference was computed on: run scripts/reference"
    );
    Sample { table, reference }
});

fn produce(projector: Projector) -> Produced {
    let Sample { table, reference } = &*SAMPLE;
    let params = ProduceParams::default()
        .projector(projector)
        .clusters(reference.kmeans.clusters)
        .neighbours(reference.knn.neighbours);
    params.check().unwrap().produce(table.clone(), &Unwatched).unwrap()
}

static LDA: LazyLock<Produced> = LazyLock::new(|| produce(Projector::Lda));

/// The largest difference between two lists, in units of the largest magnitude of the second.
fn apart(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let scale = theirs.iter().fold(0.0_f64, |scale, value| scale.max(value.abs()));
    ours.iter().zip(theirs).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs())) / scale
}

#[test]
fn the_same_windows_train() {
    let reference = &SAMPLE.reference;
    assert_eq!(SAMPLE.table.rows(), reference.rows);
    assert_eq!(LDA.report.train_hosts.concat(), reference.train_host);
    assert_eq!(LDA.report.train_rows, reference.train_rows);
}

#[test]
fn windows_are_standardized_as_by_simple_imputer_and_standard_scaler() {
    let (ours, theirs) = (&LDA.fit.standardizer, &SAMPLE.reference);
    assert_eq!(ours.kept, theirs.kept);
    for column in 0..theirs.means.len() {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs();
        assert!(
            close(ours.medians[column], theirs.medians[column]),
            "median of column {column}: {} {}",
            ours.medians[column],
            theirs.medians[column]
        );
        assert!(close(ours.means[column], theirs.means[column]), "mean of column {column}");
        if theirs.deviations[column] > 1e-6 {
            let (ours, theirs) = (ours.deviations[column], theirs.deviations[column]);
            assert!(close(ours, theirs), "deviation of column {column}: {ours} and {theirs}");
        }
    }
}

fn axes_are_close(ours: &Produced, theirs: &Axes, tolerance: f64) {
    let ours = ours.fit.projection.axes().unwrap();
    assert_eq!(ours.axes.len(), theirs.axes.len());
    for (number, (ours, theirs)) in ours.axes.iter().zip(&theirs.axes).enumerate() {
        let same: f64 = ours.iter().zip(theirs).map(|(a, b)| a * b).sum();
        let theirs: Vec<f64> = theirs.iter().map(|entry| entry * same.signum()).collect();
        let apart = apart(ours, &theirs);
        assert!(apart <= tolerance, "axis {number}: {apart:e}");
    }
    assert!(apart(&ours.captured, &theirs.captured) <= tolerance);
}

#[test]
fn pca_axes_are_those_of_scikit_learn_up_to_sign() {
    axes_are_close(&produce(Projector::Pca), &SAMPLE.reference.pca, 1e-6);
}

#[test]
fn lda_axes_are_those_of_scikit_learn_up_to_sign() {
    axes_are_close(&LDA, &SAMPLE.reference.lda, 1e-6);
}

#[test]
fn clusters_are_as_tight_as_those_of_mini_batch_k_means() {
    let (ours, theirs) = (LDA.fit.clusters.inertia, &SAMPLE.reference.kmeans);
    assert!(ours <= 1.02 * theirs.mini_batch_inertia, "{ours} and {}", theirs.mini_batch_inertia);
    // Nothing is tighter than the best of many complete runs, but by luck.
    assert!(ours >= 0.98 * theirs.best_of_50_inertia, "{ours} and {}", theirs.best_of_50_inertia);
}

#[test]
fn neighbours_tell_the_phases_that_scikit_learn_tells_but_for_ties() {
    let theirs = &SAMPLE.reference.knn;
    let points = &LDA.points;
    let told: Vec<u8> = (0..points.rows())
        .filter(|&row| !points.is_train[row])
        .map(|row| b'0' + points.predicted[row].code())
        .collect();
    assert_eq!(told.len(), theirs.predicted.len());
    assert!(theirs.ties.len() * 50 < told.len(), "{} ties", theirs.ties.len());
    let others: Vec<usize> = (0..told.len())
        .filter(|number| {
            told[*number] != theirs.predicted.as_bytes()[*number] && !theirs.ties.contains(number)
        })
        .collect();
    assert!(others.is_empty(), "told otherwise: {others:?}");
    if theirs.ties.is_empty() {
        assert!((LDA.report.held_out.macro_f1 - theirs.macro_f1).abs() < 1e-12);
    }
}
