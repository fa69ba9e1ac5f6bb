//! What a user does wrong, and what is said of it.

use std::fs;
use std::net::TcpListener;

use crate::command::{Broadcaster, Running, command, run};

const NAMES: [&str; 6] = ["broadcaster", "episodes", "feeders", "knn", "multi-model-metrics", "profiles"];

#[test]
fn every_command_explains_itself() {
    for name in NAMES {
        let help = run(command(name, &["--help"]));
        assert_eq!(help.code, 0, "{name}");
        assert!(
            help.stdout.contains("Usage:") && help.stdout.contains("--log-level"),
            "{name}: {}",
            help.stdout
        );
        let version = run(command(name, &["--version"]));
        assert_eq!(
            (version.code, version.stdout.trim()),
            (0, format!("{name} {}", env!("CARGO_PKG_VERSION")).as_str())
        );
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for (name, args) in [
        ("broadcaster", &["serve", "--no-such-flag"][..]),
        ("broadcaster", &["serve", "--listen", "0.0.0.0:0"]),
        ("broadcaster", &["serve", "--max-body", "lots"]),
        ("broadcaster", &["serve", "--ui-dir", "/nowhere"]),
        ("broadcaster", &["serve", "--metric-tabs", "/nowhere"]),
        ("broadcaster", &["serve", "--no-state", "--runs-store", "ftp://nowhere"]),
        ("broadcaster", &["serve", "--log-level", "!"]),
        ("broadcaster", &["serve", "--allow-host", "wall.example:8447"]),
        ("broadcaster", &["serve", "--allow-host", "https://wall.example"]),
        ("broadcaster", &["serve", "--allow-origin", "wall.example"]),
        ("broadcaster", &["serve", "--allow-origin", "https://wall.example/page"]),
        ("broadcaster", &["doctor", "http://localhost", "--wait", "9999999999999999999s"]),
        ("feeders", &["run", "--data-root", "/nowhere"]),
        ("feeders", &["run", "--data-root", ".", "--only", "nothing"]),
        ("feeders", &["run", "--only", "clickhouse", "--clickhouse", "ftp://nowhere"]),
        ("feeders", &["run", "--only", "clickhouse", "--poll-interval", "0"]),
        ("feeders", &["run", "--only", "index", "--data-root", ".", "--clickhouse", "http://localhost"]),
        ("feeders", &["run", "--data-root", ".", "--clickhouse-database", "lab"]),
        ("profiles", &["produce", "--data-root", "/nowhere"]),
        ("profiles", &["stream", "--load-fit", "x", "--cycle-pause-s", "-1"]),
        ("multi-model-metrics", &["--reports", "/nowhere"]),
        ("multi-model-metrics", &["--reports", ".", "--models", "gbt,nothing"]),
        ("multi-model-metrics", &["--reports", ".", "--tick", "5"]),
        ("multi-model-metrics", &["--reports", ".", "--publish-url", "ftp://x"]),
        ("knn", &["produce"]),
        ("episodes", &["record", "--profile", "nothing", "--host-id", "h", "--data-root", "/tmp"]),
    ] {
        let ended = run(command(name, args));
        assert_eq!(ended.code, 2, "{name} {args:?}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error:"), "{}", ended.stderr);
    }
}

#[test]
fn a_port_in_use_is_named() {
    let wall = Broadcaster::start();
    let ended = run(command("broadcaster", &["serve", "--listen", &wall.address]));
    assert_eq!(ended.code, 1);
    assert_eq!(
        ended.stderr,
        format!(
            "error: cannot listen on {}: Address already in use (os error 98); --listen chooses another address\n",
            wall.address
        )
    );
}

#[test]
fn ctrl_c_ends_a_server_well_and_a_producer_as_interrupted() {
    let mut wall = Broadcaster::start();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gbt_eval.json"), r#"{"macro_f1": 0.5}"#).unwrap();
    let reports = folder.path().to_str().unwrap().to_owned();
    let mut producer = command("multi-model-metrics", &["--reports", &reports, "--tick", "1s"]);
    producer.env("VITRINE_PUBLISH_URL", wall.publish_url());
    let mut producer = Running::start(producer);
    wall.wait_for("model_metric", 1);
    assert_eq!(producer.interrupt(), 130);
    assert_eq!(wall.process.interrupt(), 0);
}

#[test]
fn ctrl_c_ends_a_start_that_waits_for_a_server() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let store = format!("http://{}", server.local_addr().unwrap());
    let serve = ["serve", "--listen", "127.0.0.1:0", "--no-state", "--runs-store", &store];
    let mut starting = Running::start(command("broadcaster", &serve));
    let _asked = server.accept().unwrap();
    assert_eq!(starting.interrupt(), 0);
}

#[test]
fn a_refused_event_leaves_the_broadcaster_up_and_unchanged() {
    let wall = Broadcaster::start();
    let refused = wall.publish(r#"{"type":"model_metric","model":"knn","acuracy":0.5}"#);
    assert!(refused.contains("/acuracy"), "{refused}");
    assert!(wall.publish(r#"{"type":"model_metric","model":"knn","accuracy":0.5}"#).contains("\"seq\":1,"));
}
