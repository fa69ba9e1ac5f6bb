//! A broadcaster that ends, in whatever way, and the one after it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde_json::Value;

use crate::command::{Broadcaster, command};

fn start(dir: &Path, durability: &str) -> Broadcaster {
    let dir = dir.to_str().unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--state-dir", dir, "--durability", durability];
    Broadcaster::run(command("broadcaster", &serve))
}

fn metric(model: &str) -> String {
    format!(r#"{{"type":"model_metric","model":"{model}","accuracy":0.5}}"#)
}

fn models(wall: &Broadcaster) -> BTreeSet<String> {
    wall.state("model_metric").iter().map(|event| event["model"].as_str().unwrap().to_owned()).collect()
}

fn epoch(wall: &Broadcaster) -> String {
    let health: Value = serde_json::from_str(&wall.get("/healthz")).unwrap();
    health["epoch"].as_str().unwrap().to_owned()
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let acknowledged = Mutex::new(BTreeSet::new());
    let mut epochs = BTreeSet::new();
    for life in 0..5 {
        let wall = start(folder.path(), "sync");
        epochs.insert(epoch(&wall));
        let held = models(&wall);
        assert!(held.is_superset(&acknowledged.lock().unwrap()), "life {life}");
        std::thread::scope(|scope| {
            for producer in 0..4 {
                let (wall, acknowledged) = (&wall, &acknowledged);
                scope.spawn(move || {
                    for n in 0.. {
                        let model = format!("{life}-{producer}-{n}");
                        // Until the connection breaks.
                        let Some(answer) = wall.try_publish(&metric(&model)) else { return };
                        assert!(answer.contains("\"accepted\":1"), "{answer}");
                        acknowledged.lock().unwrap().insert(model);
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(150 + 70 * life));
            wall.process.kill();
        });
    }
    let wall = start(folder.path(), "sync");
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() > 50 && models(&wall).is_superset(&acknowledged));
    assert_eq!(epochs.len(), 1, "one order, all along");
}

/// Points of a run, one a step: the value says which.
fn points(run: &str, steps: Range<u64>) -> String {
    let points: Vec<String> = steps.map(|step| format!("[{step},{},{step}]", step % 1_000)).collect();
    format!(r#"{{"type":"metric_points","run_id":"{run}","metric":"loss","points":[{}]}}"#, points.join(","))
}

/// The steps that are kept of a run.
fn steps(wall: &Broadcaster, run: &str) -> BTreeSet<u64> {
    let mut kept = BTreeSet::new();
    // Of so many steps all points are given.
    for from in (0..).step_by(100_000) {
        let (to, before) = (from + 99_999, kept.len());
        let query = format!("/metrics/{run}?from_step={from}&to_step={to}&max_points=100000");
        let history: Value = serde_json::from_str(&wall.get(&query)).unwrap();
        let points = history["loss"].as_array().cloned().unwrap_or_default();
        kept.extend(points.iter().map(|point| point[0].as_u64().unwrap()));
        if kept.len() == before {
            return kept;
        }
    }
    unreachable!()
}

#[test]
fn no_point_of_a_run_that_was_acknowledged_is_lost_when_the_process_is_killed() {
    const BATCH: u64 = 500;
    let folder = tempfile::tempdir().unwrap();
    let acknowledged: [AtomicU64; 4] = Default::default();
    for life in 0..4 {
        let wall = start(folder.path(), "async");
        std::thread::scope(|scope| {
            for (producer, acknowledged) in acknowledged.iter().enumerate() {
                let wall = &wall;
                scope.spawn(move || {
                    loop {
                        let from = acknowledged.load(Relaxed);
                        let batch = points(&format!("run-{producer}"), from..from + BATCH);
                        // Until the connection breaks.
                        let Some(answer) = wall.try_publish(&batch) else { return };
                        assert!(answer.contains("\"accepted\":1"), "{answer}");
                        acknowledged.store(from + BATCH, Relaxed);
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(300 + 400 * life));
            wall.process.kill();
        });
    }
    let wall = start(folder.path(), "async");
    for (producer, acknowledged) in acknowledged.iter().enumerate() {
        let (kept, acknowledged) = (steps(&wall, &format!("run-{producer}")), acknowledged.load(Relaxed));
        assert!(
            acknowledged > 10 * BATCH && kept.is_superset(&(0..acknowledged).collect()),
            "{acknowledged}"
        );
    }
    let series = wall.state("metric_points");
    assert!(
        series.iter().all(|series| series["points"].as_array().unwrap().len() > 200),
        "pages have them at once"
    );
}

/// A broadcaster whose files may not grow past 4 MB.
fn cramped(folder: &Path) -> Broadcaster {
    let limited = r#"trap "" XFSZ; ulimit -S -f 4000; exec "$0" "$@""#;
    let serve = command(
        "broadcaster",
        &["serve", "--listen", "127.0.0.1:0", "--state-dir", folder.to_str().unwrap()],
    );
    let mut sh = Command::new("sh");
    sh.args(["-c", limited]).arg(serve.get_program()).args(serve.get_args());
    Broadcaster::run(sh)
}

/// Gives its files room.
fn relieve(wall: &Broadcaster) {
    let id = wall.process.0.id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited:"]).status().unwrap().success());
}

#[test]
fn while_the_disk_is_full_points_of_runs_are_refused_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut wall = cramped(folder.path());
    let mut taken = 0;
    let refused = loop {
        let answer = wall.publish(&points("fox", taken..taken + 5_000));
        if answer.contains("\"status\":503") {
            break answer;
        }
        assert!(answer.contains("\"accepted\":1") && taken < 1_000_000, "{answer}");
        taken += 5_000;
    };
    assert!(refused.contains("runs.redb") && refused.contains("File too large"), "{refused}");
    assert_eq!(wall.state("metric_points").len(), 1, "readers go on");
    assert_eq!(steps(&wall, "fox"), (0..taken).collect(), "and what is kept can be read");
    relieve(&wall);
    let last = points("fox", taken..taken + 5_000);
    assert!((0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        wall.publish(&last).contains("\"accepted\":1")
    }));
    assert_eq!(wall.process.interrupt(), 0);
    assert_eq!(steps(&start(folder.path(), "async"), "fox"), (0..taken + 5_000).collect());
}

#[test]
fn while_the_disk_is_full_publishes_are_refused_and_readers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut wall = cramped(folder.path());
    let mut published = BTreeSet::new();
    let refused = loop {
        let batch: Vec<String> =
            (0..1_000).map(|n| format!("{}-{n}{}", published.len(), "m".repeat(150))).collect();
        let events: Vec<String> = batch.iter().map(|model| metric(model)).collect();
        let answer = wall.publish(&format!("[{}]", events.join(",")));
        if answer.contains("\"status\":503") {
            break answer;
        }
        assert!(answer.contains("\"accepted\":1000") && published.len() < 1_000_000, "{answer}");
        published.extend(batch);
    };
    assert!(refused.contains("the state cannot be written: "), "{refused}");
    assert!(refused.contains("File too large"), "{refused}");
    assert_eq!(models(&wall), published, "readers go on");
    // Room again: what was taken before is written, and what comes is taken.
    relieve(&wall);
    let accepted = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        wall.publish(&metric("last")).contains("\"accepted\":1")
    });
    assert!(accepted);
    published.insert("last".to_owned());
    assert_eq!(wall.process.interrupt(), 0);
    assert_eq!(models(&start(folder.path(), "async")), published);
}
