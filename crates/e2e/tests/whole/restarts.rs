//! A broadcaster that ends, in whatever way, and the one after it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
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

#[test]
fn while_the_disk_is_full_publishes_are_refused_and_readers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let limited = r#"trap "" XFSZ; ulimit -S -f 4000; exec "$0" "$@""#;
    let serve = command(
        "broadcaster",
        &["serve", "--listen", "127.0.0.1:0", "--state-dir", folder.path().to_str().unwrap()],
    );
    let mut sh = Command::new("sh");
    sh.args(["-c", limited]).arg(serve.get_program()).args(serve.get_args());
    let mut wall = Broadcaster::run(sh);
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
    let id = wall.process.0.id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited:"]).status().unwrap().success());
    let accepted = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        wall.publish(&metric("last")).contains("\"accepted\":1")
    });
    assert!(accepted);
    published.insert("last".to_owned());
    assert_eq!(wall.process.interrupt(), 0);
    assert_eq!(models(&start(folder.path(), "async")), published);
}
