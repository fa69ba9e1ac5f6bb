use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::run::{command, file, points, sample};

/// Asks it to stop as Ctrl-C does; its exit code.
fn interrupt(mut child: Child) -> Option<i32> {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    child.wait().unwrap().code()
}

/// Starts it and waits until it has printed a line that begins like this.
fn started(mut command: Command, line: &str) -> Child {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let out = child.stdout.take().unwrap();
    assert!(BufReader::new(out).lines().any(|printed| printed.unwrap().starts_with(line)));
    child
}

#[test]
fn a_loop_ends_with_130() {
    let args = ["stream", "--load-fit", points(), "--dry-run", "--loop", "--cycle-pause-s", "3600"];
    assert_eq!(interrupt(started(command(args), "{")), Some(130));
}

#[test]
fn waiting_for_a_broadcaster_ends_with_130() {
    // Port 9 discards; nothing listens there.
    let url = ["--publish-url", "http://127.0.0.1:9/publish"];
    let (_folder, out) = file("knn_v1.parquet");
    let mut args = vec!["produce".to_owned(), "--fit-out".to_owned(), out.to_str().unwrap().to_owned()];
    args.extend(sample());
    args.extend(url.map(str::to_owned));
    assert_eq!(interrupt(started(command(args), "  latency")), Some(130));
    // What was made before is there.
    assert!(knn::Points::read(&out).is_ok());
    let args = ["stream", "--load-fit", points(), "--loop", url[0], url[1], "--log-level", "info"];
    let mut child = command(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // Kept until the end: it logs that it stops.
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(log.any(|line| line.unwrap().contains("trying again")));
    assert_eq!(interrupt(child), Some(130));
}
