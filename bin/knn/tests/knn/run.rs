//! The command as a process, and the recorded sample as its input.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
    time::Duration,
};

use episodes::{DataRoot, Grid, build_dataset};
use serde_json::Value;
use tempfile::TempDir;

/// The windows of the sample, made once.
static WINDOWS: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/sample");
    let grid = Grid::new(Duration::from_secs(5), Duration::from_secs(1)).unwrap();
    build_dataset(&DataRoot::new(sample), folder.path(), grid, &|| false, &|_, _| ()).unwrap();
    folder
});

/// `--window ... --schema ... --validation ...`
pub(crate) fn sample() -> Vec<String> {
    let path = |name: &str| WINDOWS.path().join(name).to_str().unwrap().to_owned();
    vec![
        "--window".to_owned(),
        path("features_window_v1.parquet"),
        "--schema".to_owned(),
        path("feature_schema_v1.json"),
        "--validation".to_owned(),
        path("validation_v1.parquet"),
    ]
}

/// How it ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The events that it printed.
    pub(crate) fn events(&self) -> Vec<Value> {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(crate) fn command(args: impl IntoIterator<Item = impl AsRef<str>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_knn"));
    command.args(args.into_iter().map(|arg| arg.as_ref().to_owned()));
    command.env_remove("VITRINE_PUBLISH_URL").env_remove("VITRINE_LOG").stdin(Stdio::null());
    command
}

pub(crate) fn knn(args: impl IntoIterator<Item = impl AsRef<str>>) -> Ended {
    let output = command(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A subcommand on the sample.
pub(crate) fn on_sample(subcommand: &str, args: &[&str]) -> Ended {
    let sample = sample();
    knn([subcommand].into_iter().chain(sample.iter().map(String::as_str)).chain(args.iter().copied()))
}

/// A folder and the name of a file in it.
pub(crate) fn file(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

/// The points of the sample, made once.
pub(crate) fn points() -> &'static str {
    static POINTS: LazyLock<(TempDir, String)> = LazyLock::new(|| {
        let (folder, path) = file("knn_v1.parquet");
        let path = path.to_str().unwrap().to_owned();
        assert_eq!(on_sample("fit-only", &["--fit-out", &path]).code, Some(0));
        (folder, path)
    });
    &POINTS.1
}
