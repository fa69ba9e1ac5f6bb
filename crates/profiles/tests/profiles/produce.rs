//! Which episodes an envelope is made of.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use episodes::{DataRoot, Grid, build_dataset};
use profiles::produce;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/sample")
}

/// A data root like the sample, and its validation table.
fn copied() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    for tarball in DataRoot::new(sample()).tarballs().unwrap() {
        let to = root.path().join(tarball.strip_prefix(sample()).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(tarball, to).unwrap();
    }
    let grid = Grid::new(Duration::from_secs(5), Duration::from_secs(1)).unwrap();
    let out = root.path().join("windows");
    build_dataset(&DataRoot::new(root.path()), &out, grid, &|| false, &|_, _| ()).unwrap().unwrap();
    let validation = out.join("validation_v1.parquet");
    (root, validation)
}

#[test]
fn there_is_one_of_each_profile_with_or_without_the_table() {
    let (root, validation) = copied();
    let all = produce(root.path(), None, 100).unwrap();
    let names: Vec<&str> = all.envelopes.iter().map(|envelope| envelope.name.as_str()).collect();
    assert_eq!(names, ["bursty", "cpu-saturate", "idle", "io-walk", "low-and-slow", "mem-walk"]);
    assert_eq!(produce(root.path(), Some(&validation), 100).unwrap().envelopes, all.envelopes);
}

#[test]
fn at_most_so_many_episodes_are_used() {
    let (root, validation) = copied();
    for table in [None, Some(validation.as_path())] {
        let produced = produce(root.path(), table, 2).unwrap();
        assert!(produced.envelopes.iter().all(|envelope| envelope.episodes == 2));
    }
}

#[test]
fn where_one_cannot_be_read_another_takes_its_place() {
    let (root, validation) = copied();
    let first = DataRoot::new(root.path()).tarballs().unwrap().remove(0);
    fs::write(&first, "not a tarball").unwrap();
    let produced = produce(root.path(), Some(&validation), 3).unwrap();
    assert!(produced.envelopes.iter().all(|envelope| envelope.episodes == 3));
    assert_eq!(produced.missing.len(), 1, "{:?}", produced.missing);
    assert!(produced.missing[0].starts_with(&first.display().to_string()), "{:?}", produced.missing);
}

#[test]
fn without_episodes_there_is_nothing_and_a_table_that_is_none_is_named() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("episodes")).unwrap();
    assert!(
        produce(root.path(), None, 100).unwrap_err().to_string().contains("no episode to make a profile of")
    );
    let table = root.path().join("validation.parquet");
    fs::write(&table, "no").unwrap();
    let error = produce(root.path(), Some(&table), 100).unwrap_err().to_string();
    assert!(error.starts_with(&table.display().to_string()), "{error}");
}
