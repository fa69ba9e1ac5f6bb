//! Training runs out of a ClickHouse, while rows come late and everything is killed: what the wall shows is what the table has.
//!
//! The engine is chDB, behind the server of the tests of `runs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Broadcaster, PATIENCE, Running, command, python, repository};
use crate::random::Random;

const RUNS: [&str; 3] = ["fox", "hare", "run of ducks/2"];
const METRICS: [&str; 2] = ["loss", "lr"];
/// How long ago a row may have been measured, in seconds: now, within what is read often, within what is not, and long ago.
const AGES: [u64; 4] = [2, 200, 4_000, 10_000_000];
const CREATE: &str = "CREATE TABLE training_observability.metric_points (event_time DateTime64(3) DEFAULT now64(3), run_id LowCardinality(String),
    host LowCardinality(String) DEFAULT '', rank UInt32 DEFAULT 0, device UInt16 DEFAULT 65535, step UInt64 DEFAULT 0, metric LowCardinality(String),
    value Float64, unit LowCardinality(String) DEFAULT '', tags_json String DEFAULT '')
    ENGINE = MergeTree PARTITION BY toYYYYMM(event_time) ORDER BY (run_id, metric, host, rank, device, step, event_time)";
const INSERT: &str = "INSERT INTO training_observability.metric_points (event_time, run_id, host, rank, step, metric, value) FORMAT JSONEachRow";

/// Step, milliseconds since 1970, and value.
type Point = (u64, u64, i64);

struct World {
    python: PathBuf,
    folder: TempDir,
    clickhouse: Option<Running>,
    port: u16,
    wall: Option<Broadcaster>,
    address: String,
    feeder: Option<Running>,
    /// By run and metric.
    points: BTreeMap<(usize, usize), BTreeSet<Point>>,
    random: Random,
}

impl World {
    /// `None` where chDB is not installed; `scripts/test` installs it.
    fn new(seed: u64) -> Option<Self> {
        let python = python()?;
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self {
            python,
            folder,
            clickhouse: None,
            port: 0,
            wall: None,
            address: "127.0.0.1:0".to_owned(),
            feeder: None,
            points: BTreeMap::new(),
            random: Random(seed),
        };
        world.start_clickhouse();
        world.start_wall();
        // Before there is a table.
        world.start_feeder();
        world.ask("CREATE DATABASE training_observability", "");
        world.ask(CREATE, "");
        Some(world)
    }

    fn start_clickhouse(&mut self) {
        let mut server = Command::new(&self.python);
        server.arg(repository().join("crates/runs/tests/runs/server.py"));
        server.args([self.folder.path().join("clickhouse").as_os_str(), self.port.to_string().as_ref()]);
        server.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = Running(server.spawn().unwrap());
        let mut port = String::new();
        BufReader::new(server.0.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        self.port = port.trim().parse().unwrap();
        self.clickhouse = Some(server);
    }

    fn start_wall(&mut self) {
        let state = self.folder.path().join("state");
        let args = ["serve", "--listen", &self.address, "--state-dir", state.to_str().unwrap()];
        let wall = Broadcaster::run(command("broadcaster", &args));
        self.address.clone_from(&wall.address);
        self.wall = Some(wall);
    }

    fn start_feeder(&mut self) {
        let (publish, table) =
            (format!("http://{}/publish", self.address), format!("http://127.0.0.1:{}", self.port));
        let args = [
            ["run", "--only=clickhouse"],
            ["--clickhouse", &table],
            ["--publish-url", &publish],
            ["--poll-interval", "100ms"],
            ["--runs-interval", "500ms"],
        ];
        let mut feeder = command("feeders", args.as_flattened());
        let log =
            OpenOptions::new().create(true).append(true).open(self.folder.path().join("feeder.log")).unwrap();
        feeder.stdout(Stdio::null()).stderr(log);
        self.feeder = Some(Running(feeder.spawn().unwrap()));
    }

    /// What ClickHouse answers.
    fn ask(&self, query: &str, rows: &str) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let length = rows.len();
        write!(socket, "POST /?query={escaped} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{rows}").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }

    /// Writes rows: some of them late, some twice, some that are no points.
    fn insert(&mut self) {
        let (run, metric) = (self.random.below(3) as usize, self.random.below(2) as usize);
        let age = AGES[self.random.below(4) as usize];
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let first = now - 1_000 * self.random.below(age);
        let mut rows = String::new();
        for number in 0..=self.random.below(40) {
            let (step, time_ms, value) =
                (self.random.below(5_000), first + 10 * number, self.random.below(1_000) as i64 - 500);
            let is_point = self.random.below(10) > 0;
            let row = json!({
                "event_time": format!("{}.{:03}", time_ms / 1_000, time_ms % 1_000), "run_id": RUNS[run], "metric": METRICS[metric],
                "step": step, "rank": number % 3, "host": if number % 2 == 0 { "" } else { "node-1" },
                "value": if is_point { json!(value as f64 / 4.0) } else { json!(["nan", "inf", "-inf"][number as usize % 3]) },
            });
            rows += &format!("{row}\n");
            if is_point {
                self.points.entry((run, metric)).or_default().insert((step, time_ms, value));
            }
        }
        for _ in 0..=u32::from(self.random.below(8) == 0) {
            self.ask(INSERT, &rows);
        }
    }

    fn act(&mut self) {
        match self.random.below(24) {
            0..14 => self.insert(),
            14 => {
                self.clickhouse = None;
                std::thread::sleep(Duration::from_millis(300));
                self.start_clickhouse();
            }
            15 => {
                self.feeder = None;
                self.insert();
                self.start_feeder();
            }
            16 => {
                self.wall.as_ref().unwrap().process.kill();
                self.wall = None;
                self.insert();
                self.start_wall();
            }
            17 => self.settle(),
            _ => std::thread::sleep(Duration::from_millis(self.random.below(200))),
        }
    }

    /// Waits until the wall has every point of the table, once.
    fn settle(&self) {
        let start = Instant::now();
        for ((run, metric), points) in &self.points {
            let expected: Vec<Point> = points.iter().copied().collect();
            loop {
                let shown = self.shown(RUNS[*run], METRICS[*metric]);
                if shown == expected {
                    break;
                }
                assert!(
                    start.elapsed() < PATIENCE,
                    "{} of {}: {} points for {}\n{}",
                    METRICS[*metric],
                    RUNS[*run],
                    shown.len(),
                    expected.len(),
                    std::fs::read_to_string(self.folder.path().join("feeder.log")).unwrap()
                );
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    fn shown(&self, run: &str, metric: &str) -> Vec<Point> {
        let run: String = run.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let path = format!("/metrics/{run}?metric={metric}&max_points=100000");
        let answer: Value = serde_json::from_str(&self.wall.as_ref().unwrap().get(&path)).unwrap_or_default();
        let points = answer[metric].as_array().into_iter().flatten();
        let point = |point: &Value| {
            let time_ms = (point[2].as_f64()? * 1e3).round() as u64;
            Some((point[0].as_u64()?, time_ms, (point[1].as_f64()? * 4.0) as i64))
        };
        points.filter_map(point).collect()
    }

    /// What keeps the runs from being read, as pages are told.
    fn wait_for_trouble(&self, is: bool) -> String {
        let start = Instant::now();
        loop {
            let meta = self.wall.as_ref().unwrap().state("runs_meta");
            let trouble = meta.first().and_then(|meta| meta["trouble"].as_str());
            if trouble.is_some() == is {
                return trouble.unwrap_or_default().to_owned();
            }
            assert!(start.elapsed() < PATIENCE, "{meta:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A long run asks for more: `VITRINE_CASES=2000`.
#[test]
fn the_wall_shows_what_the_table_has_whatever_comes_late_or_is_killed() {
    let actions = std::env::var("VITRINE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60);
    let seed = std::env::var("VITRINE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x9e37_79b9);
    let Some(mut world) = World::new(seed) else { return };
    for _ in 0..actions {
        world.act();
    }
    world.settle();
    world.wait_for_trouble(false);
    let address = format!("http://127.0.0.1:{}/training_observability: ", world.port);
    world.clickhouse = None;
    assert!(world.wait_for_trouble(true).starts_with(&address));
    let runs = world.wall.as_ref().unwrap().state("runs_meta")[0]["runs_meta"].clone();
    assert_eq!(
        runs.as_array().map(Vec::len),
        Some(world.points.keys().map(|(run, _)| run).collect::<BTreeSet<_>>().len())
    );
    world.start_clickhouse();
    world.insert();
    world.wait_for_trouble(false);
    world.settle();
}
