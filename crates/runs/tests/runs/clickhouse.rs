//! The store in a ClickHouse, over the engine itself: chDB, behind a server of the test's own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write, stderr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use events::{MetricPoints, Name};
use proptest::prelude::*;
use runs::{Address, ClickHouse, Point, Query, Store};
use tokio::runtime::Runtime;

use crate::contract::{answers_as, appends, asked, sent};
use crate::plain::{Plain, event};

/// It ends with its standard input.
struct Server {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Server {
    /// `None` where chDB is not installed; `scripts/test` installs it.
    fn start(password: &str) -> Option<Self> {
        let python = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.venv/chdb/bin/python");
        let python = std::env::var_os("CHDB_PYTHON").map_or_else(|| python.into(), PathBuf::from);
        if !python.exists() {
            assert!(std::env::var_os("CI").is_none(), "{} is missing", python.display());
            let _ =
                writeln!(stderr(), "not tested: {} is missing; scripts/test installs it", python.display());
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runs/server.py")).arg(folder.path());
        command.env("CHDB_PASSWORD", password).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        Some(Self { child, port: port.trim().parse().unwrap(), _folder: folder })
    }

    fn address(&self, user: &str, database: &str) -> Address {
        Address::parse(&format!("http://{user}127.0.0.1:{}/{database}", self.port)).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn it_answers_as_the_plainest_one() {
    let Some(server) = Server::start("") else { return };
    let (runtime, cases) = (Runtime::new().unwrap(), AtomicU32::new(0));
    let sent = prop::collection::vec((prop::collection::vec(sent(), 1..4), any::<bool>()), 1..4);
    let asked = prop::collection::vec(asked(), 1..6);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) };
    proptest!(config, |(sent in sent, asked in asked)| {
        let database = format!("case {}", cases.fetch_add(1, Ordering::Relaxed));
        let open = || ClickHouse::open(server.address("", &database));
        runtime.block_on(async {
            let (mut store, mut plain) = (open().await.unwrap(), Plain::default());
            for (sent, again) in sent {
                if again {
                    store = open().await.unwrap();
                }
                appends(&store, &mut plain, &sent).await;
                answers_as(&store, &plain, &asked).await;
            }
        });
    });
}

#[tokio::test]
async fn a_metric_has_the_unit_of_its_newest_point() {
    let Some(server) = Server::start("") else { return };
    let store = ClickHouse::open(server.address("", "units")).await.unwrap();
    for (time_ms, unit) in [(2_000, "ms"), (3_000, ""), (1_000, "s")] {
        let unit = Name::new(unit).ok();
        let point = Point { step: 1, value: 0.5, time_ms };
        store.append(&[&MetricPoints { unit, ..event("run", "step time", &[point]) }]).await.unwrap();
    }
    let newest = BTreeMap::from([("step time".to_owned(), "ms".to_owned())]);
    assert_eq!(store.units("run").await.unwrap(), newest);
}

#[tokio::test]
async fn what_a_server_refuses_is_said_in_one_line() {
    let Some(server) = Server::start("right") else { return };
    let refused = ClickHouse::open(server.address("default:wrong@", "runs")).await.unwrap_err().to_string();
    let address = format!("http://127.0.0.1:{}/runs", server.port);
    assert_eq!(
        refused,
        format!(
            "{address}: Code: 516. DB::Exception: default: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)"
        )
    );
    let store = ClickHouse::open(server.address("default:right@", "runs")).await.unwrap();
    assert!(store.history(Query::all("nobody", 100)).await.unwrap().is_none());
    drop(server);
    let gone = store.runs().await.unwrap_err().to_string();
    assert!(gone.starts_with(&address) && gone.contains("onnect"), "{gone}");
    let point = Point { step: 1, value: 0.5, time_ms: 1_772_000_000_000 };
    let refused = store.append(&[&event("run", "loss", &[point])]).await.unwrap_err().to_string();
    assert!(refused.starts_with(&address), "{refused}");
}
