//! What `/stream` says, word for word, to a program that knows nothing of ours.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::command::{Broadcaster, Running, python, repository};

/// As docs/protocol.md says it, with the names, the numbers and the times that are published here.
const TRANSCRIPT: &str = include_str!("golden/stream.txt");

#[test]
fn a_plain_client_reads_the_stream_as_it_is_written_down() {
    let Some(python) = python() else { return };
    let wall = Broadcaster::start();
    let points = |run: &str, metric: &str, first: u64| {
        let point = |step: u64| json!([step, 1.0 / step as f64, 1_772_000_000.0 + step as f64 / 4.0]);
        json!({ "type": "metric_points", "run_id": run, "metric": metric, "points": [point(first), point(first + 1)] })
    };
    wall.publish(&json!([points("fox", "loss", 1), points("fox", "lr/head", 1)]).to_string());
    wall.wait_for("runs_meta", 1);
    let mut client = Command::new(python);
    client.arg(repository().join("crates/e2e/tests/whole/client.py"));
    client.args([&format!("http://{}/stream", wall.address), "3"]).stdout(Stdio::piped());
    let mut client = Running(client.spawn().unwrap());
    let mut said = BufReader::new(client.0.stdout.take().unwrap());
    let mut transcript = String::new();
    said.read_line(&mut transcript).unwrap();
    wall.publish(&points("run of ducks \"2\"", "loss", 7).to_string());
    while said.read_line(&mut transcript).unwrap() > 0 {}
    assert!(client.0.wait().unwrap().success());
    assert_eq!(transcript, TRANSCRIPT);
}
