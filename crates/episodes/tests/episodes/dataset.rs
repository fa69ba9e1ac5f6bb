use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use episodes::{DataRoot, DatasetError, Grid, Summary, build_dataset, feature_names};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

use crate::fixture::{Files, data_root};

const FILES: [&str; 3] = ["features_window_v1.parquet", "feature_schema_v1.json", "validation_v1.parquet"];

fn build(root: &Path, out: &Path) -> Result<Option<Summary>, DatasetError> {
    let grid = Grid::new(Duration::from_secs(5), Duration::from_secs(1)).unwrap();
    build_dataset(&DataRoot::new(root), out, grid, &|| false, &|_, _| {})
}

fn statuses(out: &Path) -> BTreeMap<String, String> {
    let reader = SerializedFileReader::new(File::open(out.join(FILES[2])).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    rows.map(|row| (row.get_string(0).unwrap().clone(), row.get_string(4).unwrap().clone())).collect()
}

#[test]
fn the_tables_have_the_columns_of_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let root = data_root(dir.path(), &[("a", "e1", 20), ("b", "e2", 8)]);
    let out = dir.path().join("out");
    let summary = build(&root, &out).unwrap().unwrap();
    assert_eq!(summary, Summary { windows: 16 + 4, accepted: 2, degraded: 0, rejected: 0 });

    let reader = SerializedFileReader::new(File::open(out.join(FILES[0])).unwrap()).unwrap();
    let columns: Vec<String> = reader
        .metadata()
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    let rest = ["phase", "episode_id", "host_id", "profile", "window_idx", "t_s"].map(str::to_owned);
    assert_eq!(columns, feature_names().chain(rest).collect::<Vec<_>>());

    let schema: serde_json::Value = serde_json::from_slice(&fs::read(out.join(FILES[1])).unwrap()).unwrap();
    assert_eq!(schema["feature_names"].as_array().unwrap().len(), feature_names().count());
    let last = reader.get_row_iter(None).unwrap().last().unwrap().unwrap();
    let base = feature_names().count();
    assert_eq!(last.get_int(base).unwrap(), 4);
    assert_eq!(last.get_string(base + 1).unwrap(), "e2");
    assert_eq!(last.get_int(base + 4).unwrap(), 3);
    assert_eq!(last.get_double(base + 5).unwrap(), 8.0);
}

#[test]
fn the_same_episodes_give_the_same_bytes_on_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let root = data_root(dir.path(), &[("a", "e1", 20), ("a", "e2", 9), ("b", "e3", 12), ("c", "e4", 30)]);
    let built = [1, 2, 4].map(|threads| {
        let out = dir.path().join(threads.to_string());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| build(&root, &out)).unwrap();
        FILES.map(|name| fs::read(out.join(name)).unwrap())
    });
    assert!(built.iter().all(|files| *files == built[0]));
}

#[test]
fn an_episode_that_falls_short_is_degraded_and_one_that_is_no_use_is_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let root = data_root(dir.path(), &[("h", "good", 20), ("h", "short", 4), ("h", "cut", 20)]);
    let host = root.join("episodes/h");
    let file = |name: &str| host.join(format!("{name}.tar.zst"));
    let whole = fs::read(file("cut")).unwrap();
    fs::write(file("cut"), &whole[..whole.len() / 2]).unwrap();
    fs::write(host.join(".unfinished-x.tar.zst"), b"half").unwrap();
    let with = |name: &str, change: &dyn Fn(&mut Files)| {
        let mut files = Files::named(name, "h", 20);
        change(&mut files);
        files.pack(&file(name));
    };
    let lines = |text: &str, keep: &dyn Fn(usize) -> bool| -> String {
        text.lines().enumerate().filter(|(at, _)| keep(*at)).map(|(_, line)| format!("{line}\n")).collect()
    };
    with("paused", &|files| files.telemetry = lines(&files.telemetry, &|at| !(100..115).contains(&at)));
    with("ended-early", &|files| files.telemetry = lines(&files.telemetry, &|at| at < 60));
    with("ended-a-bit-early", &|files| files.telemetry = lines(&files.telemetry, &|at| at < 185));
    with("began-late", &|files| files.telemetry = lines(&files.telemetry, &|at| at >= 15));
    with("unsampled-phase", &|files| {
        files.labels = lines(&files.labels, &|at| at != 4);
        files.labels += "{\"t_mono_ns\":20000000001,\"phase\":\"dormant\"}\n";
    });
    with("sparse", &|files| files.telemetry = lines(&files.telemetry, &|at| at % 4 != 1));
    with("starved", &|files| files.telemetry = lines(&files.telemetry, &|at| at % 5 == 0));
    with("unarmed", &|files| files.labels = lines(&files.labels, &|at| at != 1));
    with("one-phase", &|files| files.labels = lines(&files.labels, &|at| at == 0));
    with("failed", &|files| files.labels = files.labels.replace("dormant", "failed"));
    with("mute", &|files| files.telemetry.clear());

    let out = dir.path().join("out");
    let summary = build(&root, &out).unwrap().unwrap();
    let expected = [
        ("began-late", "degraded"),
        ("cut", "rejected"),
        ("ended-a-bit-early", "degraded"),
        ("ended-early", "rejected"),
        ("failed", "rejected"),
        ("good", "accepted"),
        ("mute", "rejected"),
        ("one-phase", "rejected"),
        ("paused", "degraded"),
        ("short", "rejected"),
        ("sparse", "degraded"),
        ("starved", "rejected"),
        ("unarmed", "degraded"),
        ("unsampled-phase", "degraded"),
    ];
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(name, status)| ((*name).to_owned(), (*status).to_owned())).collect();
    assert_eq!(statuses(&out), expected);
    assert_eq!((summary.accepted, summary.degraded, summary.rejected), (1, 6, 7));
    // Telemetry of 18.4 s holds two windows less than that of 20 s.
    assert_eq!(summary.windows, 6 * 16 + 14);
}

#[test]
fn where_nothing_can_be_used_nothing_is_written_and_what_was_there_stays() {
    let dir = tempfile::tempdir().unwrap();
    let root = data_root(dir.path(), &[("h", "short", 2)]);
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join(FILES[0]), b"before").unwrap();
    let error = build(&root, &out).unwrap_err().to_string();
    assert!(error.ends_with("of 1 episodes none can be used"), "{error}");
    assert_eq!(fs::read(out.join(FILES[0])).unwrap(), b"before");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
    assert!(matches!(build(&out, &out), Err(DatasetError::Root(_))));
}
