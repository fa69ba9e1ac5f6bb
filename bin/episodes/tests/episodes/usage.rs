use std::fs;

use crate::workspace::{Workspace, text};

/// A name, but too long for one with more behind it.
const LONG: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

#[test]
fn wrong_usage_is_one_message_and_exit_code_2() {
    let place = Workspace::new();
    let record = |more: &[&'static str]| [&["record", "--host-id", "h", "--profile", "idle"], more].concat();
    let cases = [
        (vec!["record", "--host-id", "h", "--profile", "mine"], "low-and-slow"),
        (vec!["record", "--host-id", "../h", "--profile", "idle"], "cannot be an id"),
        (record(&["--duration", "0s"]), "'--duration <TIME>': expected more than 0"),
        (record(&["--duration", "soon"]), "'--duration <TIME>': "),
        (record(&["--duration", "100ms"]), "--duration 100ms: expected at least 1s"),
        (record(&["--sample-hz", "1000"]), "--sample-hz 1000.0: expected 1 to 100"),
        (record(&["--sample-hz", "NaN"]), "--sample-hz NaN: expected 1 to 100"),
        (
            record(&["--duration", "5h"]),
            "--duration 18000s at --sample-hz 10: 180000 samples; expected at most 100000",
        ),
        (
            vec!["record", "--host-id", LONG, "--profile", "idle"],
            "xxx: expected at most 76 characters with --profile idle",
        ),
        (vec!["windows", "--out-dir", "w", "--hop", "0.1ms"], "--hop 100µs: expected 1 ms to 1 h"),
        (vec!["windows", "--out-dir", "w", "--window", "2h"], "--window 7200s: expected 1 ms to 1 h"),
        (vec!["check"], "FILE.tar.zst"),
        (vec![], "Usage"),
    ];
    for (args, expected) in cases {
        let output = place.run(&args);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(message.contains(expected), "{args:?}: {message}");
        assert!(!place.path("root").exists());
    }
}

#[test]
fn every_help_has_an_example() {
    let place = Workspace::new();
    for action in ["record", "windows", "check"] {
        let output = place.run(&[action, "--help"]);
        assert!(output.status.success());
        assert!(text(&output.stdout).contains(&format!("Example:\n  episodes {action}")));
    }
    assert!(text(&place.run(&["--version"]).stdout).starts_with("episodes "));
}

#[test]
fn check_says_of_each_tarball_whether_it_is_good_and_fails_if_one_is_not() {
    let place = Workspace::new();
    let bad = place.path("bad.tar.zst");
    fs::write(&bad, b"no tarball").unwrap();
    let recorded = place.run(&["record", "--host-id", "h", "--profile", "idle", "--duration", "1s"]);
    let good = text(&recorded.stdout).trim_end().to_owned();
    let output = place.run(&["check", bad.to_str().unwrap(), &good]);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    assert!(lines[0].starts_with(&format!("bad  {}: ", bad.display())), "{lines:?}");
    assert!(lines[1].starts_with(&format!("good {good}: h-idle-")), "{lines:?}");
    assert_eq!(text(&output.stderr), "error: 1 of 2 tarballs are bad\n");
}

#[test]
fn windows_says_what_is_in_the_files_or_why_there_are_none() {
    let place = Workspace::new();
    let out = place.path("out");
    let windows = ["windows", "--window", "500ms", "--hop", "100ms", "--out-dir", out.to_str().unwrap()];
    let output = place.run(&windows);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("root/episodes: No such file"), "{}", text(&output.stderr));
    assert!(!out.exists());

    place.run(&["record", "--host-id", "h", "--profile", "idle", "--duration", "1s"]);
    let output = place.run(&windows);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("6 windows in "), "{}", text(&output.stdout));
    assert_eq!(place.list("out").len(), 3);
}
