//! A receiver's files while they are written, rotated, truncated and removed, and both ends are killed: what the wall
//! shows is a recount of everything that was ever written.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Broadcaster, PATIENCE, Running, command};
use crate::random::Random;

/// Where things are, what runs, and what was written.
struct World {
    folder: TempDir,
    wall: Option<Broadcaster>,
    feeder: Option<Running>,
    address: String,
    episodes: Vec<Value>,
    alerts: Vec<Value>,
    /// A line that is half written.
    rest: Option<(&'static str, String)>,
    /// Rotations since everything was read.
    rotations: u32,
    /// What was done last, and how many lines there were then.
    done: VecDeque<String>,
    random: Random,
}

impl World {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        let mut world = Self {
            folder,
            wall: None,
            feeder: None,
            address: "127.0.0.1:0".to_owned(),
            episodes: vec![],
            alerts: vec![],
            rest: None,
            rotations: 0,
            done: VecDeque::new(),
            random: Random(seed),
        };
        world.start_wall();
        world.start_feeder();
        // Its stream begins with the file that is there.
        world.append("index.jsonl");
        world.settle_for_good();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("root").join(name)
    }

    fn start_wall(&mut self) {
        let state = self.folder.path().join("state");
        let args = ["serve", "--listen", &self.address, "--state-dir", state.to_str().unwrap()];
        let wall = Broadcaster::run(command("broadcaster", &args));
        self.address.clone_from(&wall.address);
        self.wall = Some(wall);
    }

    fn start_feeder(&mut self) {
        let at = |name| self.folder.path().join(name).to_str().unwrap().to_owned();
        let url = format!("http://{}/publish", self.address);
        let (root, checkpoint) = (at("root"), at("checkpoint"));
        let args = [
            "run",
            "--data-root",
            &root,
            "--checkpoint-dir",
            &checkpoint,
            "--publish-url",
            &url,
            "--snapshot-interval",
            "1s",
        ];
        let mut feeder = command("feeders", &args);
        let log = OpenOptions::new().create(true).append(true).open(at("feeder.log")).unwrap();
        feeder.stdout(Stdio::null()).stderr(log);
        self.feeder = Some(Running(feeder.spawn().unwrap()));
    }

    fn act(&mut self) {
        let action = self.random.below(20);
        self.done.push_back(format!("{action} at {}", self.episodes.len()));
        self.done.drain(..self.done.len().saturating_sub(30));
        match action {
            0..8 => self.append("index.jsonl"),
            8..11 => self.append("alerts.jsonl"),
            11 => self.half(),
            12 => self.rotate(false),
            13 => self.rotate(true),
            14 => {
                self.settle_for_good();
                let _ = fs::remove_file(self.path("index.jsonl"));
            }
            15 => {
                // The process that is killed is waited for: it must have let go of the checkpoint.
                self.feeder = None;
                if self.random.below(2) == 0 {
                    self.append("index.jsonl");
                }
                self.start_feeder();
            }
            16 => {
                self.wall.as_ref().unwrap().process.kill();
                self.wall = None;
                if self.random.below(2) == 0 {
                    self.append("alerts.jsonl");
                }
                self.start_wall();
            }
            17 => self.settle(),
            _ => std::thread::sleep(Duration::from_millis(self.random.below(30))),
        }
    }

    fn write(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Appends a few lines, with some that say nothing among them.
    fn append(&mut self, name: &'static str) {
        self.end_line();
        let mut text = String::new();
        for _ in 0..=self.random.below(30) {
            text += &match self.random.below(15) {
                0 => "not JSON\n".to_owned(),
                _ => self.line(name) + "\n",
            };
        }
        self.write(name, &text);
    }

    /// The next line of a file, and what it has to come to.
    fn line(&mut self, name: &str) -> String {
        let number = self.episodes.len() + self.alerts.len();
        if name == "index.jsonl" {
            let host = format!("host-{}", self.random.below(5));
            let line = json!({"episode_id": format!("e{number}"), "host_id": host, "sha256": format!("{number:064x}"),
                "size_bytes": self.random.below(1_000), "received_at_wall": "2026-03-01T12:00:00Z"});
            self.episodes.push(line.clone());
            return line.to_string();
        }
        let key = format!("key-{}", self.random.below(300));
        let line = json!({"host": "a", "symptom": "s", "detail": format!("{number}"), "suggested_fix": "f",
            "detected_at_wall": "2026-03-01T12:00:00Z", "dedup_key": key});
        self.alerts.push(line.clone());
        line.to_string()
    }

    fn half(&mut self) {
        self.end_line();
        let line = self.line("index.jsonl");
        let (first, rest) = line.split_at(line.len() / 2);
        self.write("index.jsonl", first);
        self.rest = Some(("index.jsonl", format!("{rest}\n")));
    }

    fn end_line(&mut self) {
        if let Some((name, rest)) = self.rest.take() {
            self.write(name, &rest);
        }
    }

    fn rotate(&mut self, copies: bool) {
        self.end_line();
        if fs::metadata(self.path("index.jsonl")).map_or(0, |file| file.len()) == 0 {
            return;
        }
        self.rotations += 1;
        if self.rotations > 3 {
            self.settle_for_good();
        }
        for number in (1..4).rev().filter(|number| self.path(&format!("index.jsonl.{number}")).exists()) {
            let to = self.path(&format!("index.jsonl.{}", number + 1));
            fs::rename(self.path(&format!("index.jsonl.{number}")), to).unwrap();
        }
        if copies {
            fs::copy(self.path("index.jsonl"), self.path("index.jsonl.1")).unwrap();
            OpenOptions::new().write(true).truncate(true).open(self.path("index.jsonl")).unwrap();
        } else {
            fs::rename(self.path("index.jsonl"), self.path("index.jsonl.1")).unwrap();
        }
    }

    /// Waits until the wall shows what was written, all of it, once.
    fn settle(&mut self) {
        self.end_line();
        let expected = (self.snapshot(), self.newest_alerts());
        let start = Instant::now();
        loop {
            let shown = (self.shown_snapshot(), self.shown_alerts());
            if shown == expected {
                break;
            }
            let differ = || {
                let totals = |of: &Value| {
                    ["total_episodes", "total_alerts", "total_bytes"].map(|name| of[name].clone())
                };
                let (recent, alerts) =
                    (shown.0["recent_episodes"] == expected.0["recent_episodes"], shown.1 == expected.1);
                format!(
                    "{:?} for {:?}, recent {recent}, alerts {alerts}",
                    totals(&shown.0),
                    totals(&expected.0)
                )
            };
            assert!(start.elapsed() < PATIENCE, "{}, after {:?}\n{}", differ(), self.done, self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The end of what the feeder said.
    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("feeder.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// The same, before a file goes: what is shown is written down a moment later, and until then only the file has it.
    fn settle_for_good(&mut self) {
        self.settle();
        let written = || -> Option<u64> {
            let file = fs::read(self.folder.path().join("checkpoint/checkpoint.json")).ok()?;
            let checkpoint: Value = serde_json::from_slice(&file).ok()?;
            checkpoint["progress"]["snapshot"]["total_episodes"].as_u64()
        };
        let start = Instant::now();
        while written() != Some(self.episodes.len() as u64) {
            assert!(start.elapsed() < PATIENCE, "{:?} for {}", written(), self.episodes.len());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.rotations = 0;
    }

    fn snapshot(&self) -> Value {
        let mut hosts: BTreeMap<&str, u64> = BTreeMap::new();
        self.episodes
            .iter()
            .for_each(|line| *hosts.entry(line["host_id"].as_str().unwrap()).or_default() += 1);
        let recent = self.episodes.iter().rev().take(200).map(|line| line["episode_id"].clone());
        json!({
            "total_episodes": self.episodes.len(), "total_alerts": self.alerts.len(), "host_counts": hosts,
            "total_bytes": self.episodes.iter().map(|line| line["size_bytes"].as_u64().unwrap()).sum::<u64>(),
            "recent_episodes": recent.collect::<Vec<_>>(),
        })
    }

    fn shown_snapshot(&self) -> Value {
        let state = self.wall.as_ref().unwrap().state("snapshot");
        let Some(shown) = state.first() else { return Value::Null };
        let recent =
            shown["recent_episodes"].as_array().unwrap().iter().map(|line| line["episode_id"].clone());
        json!({
            "total_episodes": shown["total_episodes"], "total_alerts": shown["total_alerts"],
            "host_counts": shown["host_counts"], "total_bytes": shown["total_bytes"],
            "recent_episodes": recent.collect::<Vec<_>>(),
        })
    }

    /// The newest of every key, oldest first, at most 200.
    fn newest_alerts(&self) -> Vec<Value> {
        let mut newest: Vec<&Value> = vec![];
        for line in &self.alerts {
            newest.retain(|other| other["dedup_key"] != line["dedup_key"]);
            newest.push(line);
        }
        let first = newest.len().saturating_sub(200);
        newest[first..].iter().map(|line| line["detail"].clone()).collect()
    }

    fn shown_alerts(&self) -> Vec<Value> {
        self.wall.as_ref().unwrap().state("alert").iter().map(|alert| alert["detail"].clone()).collect()
    }
}

/// A long run asks for more: `VITRINE_CASES=5000`.
#[test]
fn the_wall_shows_what_was_written_once_whatever_is_killed_or_rotated() {
    let actions = std::env::var("VITRINE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(120);
    let seed = std::env::var("VITRINE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x9e37_79b9);
    let mut world = World::new(seed);
    for _ in 0..actions {
        world.act();
    }
    world.settle();
}
