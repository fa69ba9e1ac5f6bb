use std::fs;

use episodes::Phase;
use knn::{FitId, Origin, Points};
use proptest::prelude::*;

use crate::fixture::{Values, parquet, windows, without};

fn points(episodes: usize) -> Points {
    let table = windows(episodes, 4, 1);
    let rows = table.rows();
    Points {
        projector: Some("lda".to_owned()),
        places: (0..rows).map(|row| [row as f32 / rows as f32, 1.0, 0.0]).collect(),
        predicted: table.phases.iter().rev().copied().collect(),
        phases: table.phases,
        origin: table.origin,
        clusters: (0..rows as i32).collect(),
        is_train: (0..rows).map(|row| row % 3 == 0).collect(),
    }
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("knn_v1.parquet");
    let whole = points(5);
    let origin = Origin { window_idx: None, ..whole.origin.clone() };
    let bare = Points { projector: None, origin, ..whole.clone() };
    for points in [whole, bare] {
        let bytes = points.encode().unwrap();
        assert_eq!(points.encode().unwrap(), bytes);
        fs::write(&path, &bytes).unwrap();
        assert_eq!(Points::read(&path).unwrap(), (points, FitId::of(&bytes)));
    }
}

#[test]
fn a_point_outside_the_cube_or_without_a_phase_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.parquet");
    let refusal = |x: f32, phase: i64, cluster: i32| {
        let columns = [
            ("x", Values::Float(vec![0.5, x])),
            ("y", Values::Double(vec![0.5, 0.5])),
            ("z", Values::Float(vec![0.0, 1.0])),
            ("episode_id", Values::Text(vec!["e", "e"])),
            ("host_id", Values::Text(vec!["h", "h"])),
            ("profile", Values::Text(vec!["p", "p"])),
            ("phase_int", Values::Long(vec![0, phase])),
            ("predicted_int", Values::Int(vec![0, 5])),
            ("cluster", Values::Int(vec![0, cluster])),
        ];
        fs::write(&path, parquet(&columns)).unwrap();
        without(Points::read(&path).unwrap_err(), folder.path())
    };
    assert_eq!(
        refusal(1.5, 0, 0),
        "points.parquet: column `x`, row 1: expected a number from 0 to 1, found 1.5"
    );
    assert_eq!(
        refusal(f32::NAN, 0, 0),
        "points.parquet: column `x`, row 1: expected a number from 0 to 1, found NaN"
    );
    assert_eq!(
        refusal(1.0, 9, 0),
        "points.parquet: column `phase_int`, row 1: expected a phase code from 0 to 5, found 9"
    );
    assert_eq!(
        refusal(1.0, 0, -1),
        "points.parquet: column `cluster`, row 1: expected a cluster number from 0, found -1"
    );
    assert_eq!(refusal(1.0, 0, 0), "points.parquet: column `is_train` is missing");
}

#[test]
fn damaged_bytes_are_an_error_or_other_points_but_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.parquet");
    let whole = points(2).encode().unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        fs::write(&path, damaged).unwrap();
        let _ = Points::read(&path);
    }
}

proptest! {
    #[test]
    fn every_phase_is_among_few_points(wanted in 6_usize..60, seed in 0_u64..100) {
        let mut phases = vec![Phase::Clean.code(); 500];
        for (row, phase) in Phase::ALL.iter().enumerate() {
            phases[row * 50] = phase.code();
        }
        let rows = knn::stratified(&phases, wanted, seed);
        prop_assert_eq!(rows.len(), wanted);
        prop_assert!(rows.is_sorted_by(|a, b| a < b));
        for phase in Phase::ALL {
            prop_assert!(rows.iter().any(|&row| phases[row as usize] == phase.code()));
        }
    }
}
