use std::fs;

use episodes::Phase;
use knn::{Busiest, Validation};

use crate::fixture::{Folder, Values, parquet, without};

fn validation(folder: &Folder, statuses: [&'static str; 3]) -> Validation {
    let path = folder.path("validation.parquet");
    let columns = [
        ("episode_id", Values::Text(vec!["e1", "e2", "e3"])),
        ("sample_name", Values::Text(vec!["s1", "s2", "s1"])),
        ("status", Values::Text(statuses.to_vec())),
    ];
    fs::write(&path, parquet(&columns)).unwrap();
    Validation::read(&path).unwrap()
}

#[test]
fn columns_come_in_the_order_of_the_schema_whatever_their_width() {
    let folder = Folder::with(vec![]);
    fs::write(folder.schema(), br#"{"feature_names": ["b", "a"]}"#).unwrap();
    let table = folder.read().unwrap();
    assert_eq!(table.features.row(1), [0.25, 2.0]);
    assert!(table.features.row(2)[1].is_nan());
    assert_eq!(table.phases, [Phase::Clean, Phase::Armed, Phase::Dormant, Phase::Failed]);
    assert_eq!(table.origin.episodes.names(), ["e1", "e2", "e3"]);
    assert_eq!((table.origin.window_idx, table.samples), (None, None));
}

#[test]
fn a_null_is_a_missing_value_and_wide_integers_are_codes_too() {
    let folder = Folder::with(vec![
        ("a", Values::Nullable(vec![Some(1.0), None, Some(3.0), None])),
        ("phase", Values::Long(vec![0, 1, 2, 3])),
        ("window_idx", Values::Long(vec![0, 1, 0, 0])),
    ]);
    let table = folder.read().unwrap();
    let a: Vec<f32> = (0..4).map(|row| table.features.row(row)[0]).collect();
    assert!(a[0] == 1.0 && a[1].is_nan() && a[2] == 3.0 && a[3].is_nan());
    assert_eq!(table.origin.window_idx.unwrap(), [0, 1, 0, 0]);
}

#[test]
fn only_accepted_and_degraded_episodes_are_read() {
    let folder = Folder::with(vec![]);
    let validation = validation(&folder, ["degraded", "rejected", "accepted"]);
    let table = folder.read_some(Some(&validation), None).unwrap();
    assert_eq!(table.origin.episodes.names(), ["e1", "e3"]);
    assert_eq!(table.rows(), 3);
    let samples = table.samples.unwrap();
    assert_eq!((samples.name(0), samples.names()), ("s1", &["s1".to_owned()][..]));
    assert!(validation.uses("e1") && !validation.accepts("e1") && validation.accepts("e3"));
}

#[test]
fn fewer_rows_are_spaced_evenly_over_the_accepted_ones() {
    let folder = Folder::with(vec![]);
    let some = folder.read_some(None, Some(2)).unwrap();
    assert_eq!((some.features.row(0)[0], some.features.row(1)[1]), (1.0, 0.125));
    assert_eq!(folder.read_some(None, Some(100)).unwrap().rows(), 4);
}

#[test]
fn the_busiest_host_has_the_most_accepted_episodes_however_few_rows_are_read() {
    let busiest =
        |host: &str, episodes, accepted| Some(Busiest { host: host.to_owned(), episodes, accepted });
    let folder = Folder::with(vec![]);
    for rows in [None, Some(1)] {
        let read = |statuses: Option<_>| {
            let validation = statuses.map(|statuses| validation(&folder, statuses));
            folder.read_some(validation.as_ref(), rows).unwrap().busiest_host
        };
        assert_eq!(read(None), busiest("h2", 2, false));
        assert_eq!(read(Some(["accepted"; 3])), busiest("h2", 2, true));
        // Of equal ones the first by name.
        assert_eq!(read(Some(["accepted", "accepted", "degraded"])), busiest("h1", 1, true));
        assert_eq!(read(Some(["rejected", "degraded", "degraded"])), busiest("h2", 2, false));
    }
}

#[test]
fn what_is_wrong_with_a_column_is_said_with_file_and_column() {
    let refusal = |changed| Folder::with(changed).refusal();
    let missing = Folder::with(vec![]);
    fs::write(missing.schema(), br#"{"feature_names": ["a", "c"]}"#).unwrap();
    assert_eq!(missing.refusal(), "windows.parquet: column `c` is missing");
    assert_eq!(
        refusal(vec![("a", Values::Text(vec!["1"; 4]))]),
        "windows.parquet: column `a`: expected float32 or float64, found BYTE_ARRAY"
    );
    assert_eq!(
        refusal(vec![("a", Values::Int(vec![1; 4]))]),
        "windows.parquet: column `a`: expected float32 or float64, found INT32"
    );
    assert_eq!(
        refusal(vec![("a", Values::Float(vec![0.0, 0.0, f32::INFINITY, 0.0]))]),
        "windows.parquet: column `a`, row 2: expected a finite float32 or NaN, found inf"
    );
    assert_eq!(
        refusal(vec![("b", Values::Double(vec![0.0, 1e300, 0.0, 0.0]))]),
        "windows.parquet: column `b`, row 1: expected a finite float32 or NaN, found inf"
    );
    assert_eq!(
        refusal(vec![("phase", Values::Int(vec![0, 1, 6, 0]))]),
        "windows.parquet: column `phase`, row 2: expected a phase code from 0 to 5, found 6"
    );
    assert_eq!(
        refusal(vec![("phase", Values::NullInt(4))]),
        "windows.parquet: column `phase`, row 3: expected a phase code from 0 to 5, found null"
    );
    assert_eq!(
        refusal(vec![("host_id", Values::Int(vec![1; 4]))]),
        "windows.parquet: column `host_id`: expected strings, found INT32"
    );
    assert_eq!(
        refusal(vec![("window_idx", Values::Long(vec![0, 0, -1, 0]))]),
        "windows.parquet: column `window_idx`, row 2: expected a window number from 0, found -1"
    );
    assert_eq!(
        refusal(vec![("profile", Values::Text(vec!["p", "p", "", "p"]))]),
        "windows.parquet: column `profile`, row 2: expected a name of 1 to 256 bytes, found 0 bytes"
    );
}

#[test]
fn a_file_that_is_no_whole_table_is_refused() {
    let folder = Folder::with(vec![]);
    let whole = fs::read(folder.window()).unwrap();
    for len in [0, 3, 11, whole.len() / 2, whole.len() - 1] {
        fs::write(folder.window(), &whole[..len]).unwrap();
        let refusal = folder.refusal();
        assert!(refusal.starts_with("windows.parquet: not a whole parquet file ("), "{refusal}");
    }
    fs::remove_file(folder.window()).unwrap();
    assert_eq!(folder.refusal(), "windows.parquet: No such file or directory (os error 2)");
    let empty = Folder::with(vec![
        ("a", Values::Float(vec![])),
        ("b", Values::Double(vec![])),
        ("phase", Values::Int(vec![])),
        ("episode_id", Values::Text(vec![])),
        ("host_id", Values::Text(vec![])),
        ("profile", Values::Text(vec![])),
    ]);
    assert_eq!(empty.refusal(), "windows.parquet: the table is empty (0 rows)");
}

#[test]
fn a_schema_that_is_none_is_refused_with_line_and_column() {
    let folder = Folder::with(vec![]);
    let refusal = |text: &str| {
        fs::write(folder.schema(), text).unwrap();
        folder.refusal()
    };
    assert!(refusal("{\n \"feature_names\": [").contains("line 2 column 19"));
    assert!(refusal(r#"{"features": []}"#).contains("missing field `feature_names`"));
    assert_eq!(
        refusal(r#"{"feature_names": []}"#),
        "schema.json: `feature_names` is empty: expected at least one feature"
    );
    assert_eq!(
        refusal(r#"{"feature_names": ["a", "a"]}"#),
        "schema.json: `feature_names` has `a` twice: expected distinct names"
    );
}

#[test]
fn a_validation_table_that_leaves_nothing_is_named() {
    let folder = Folder::with(vec![]);
    let validation = validation(&folder, ["rejected"; 3]);
    let error = folder.read_some(Some(&validation), None).unwrap_err();
    assert_eq!(
        without(error, folder.dir.path()),
        "windows.parquet: none of its 4 windows is of an accepted or degraded episode of validation.parquet"
    );
    let error = Validation::read(&folder.window()).unwrap_err();
    assert_eq!(without(error, folder.dir.path()), "windows.parquet: column `sample_name` is missing");
}

#[test]
fn damaged_bytes_are_an_error_or_other_values_but_never_a_panic() {
    let folder = Folder::with(vec![]);
    let whole = fs::read(folder.window()).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        fs::write(folder.window(), damaged).unwrap();
        let _ = folder.read();
    }
}
