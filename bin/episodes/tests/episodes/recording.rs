use std::fs;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::workspace::{Workspace, eventually, text};

const RECORD: [&str; 5] = ["record", "--host-id", "h", "--profile", "bursty"];

fn record(more: &[&'static str]) -> Vec<&'static str> {
    [&RECORD, more].concat()
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn assert_nothing_is_left(place: &Workspace) {
    eventually("the load is gone", || place.loads().is_empty());
    eventually("its folder is gone", || place.list("tmp").is_empty());
}

#[test]
fn a_recorded_episode_is_whole_indexed_and_good_and_its_load_is_gone() {
    let place = Workspace::new();
    let output = place.run(&record(&["--duration", "2s", "--seed", "5"]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let path = text(&output.stdout).trim_end().to_owned();

    assert_eq!(place.list("root/episodes/h").len(), 1);
    assert_eq!(place.list("root/live"), [] as [&str; 0]);
    assert_eq!((place.loads().len(), place.list("tmp").len()), (0, 0));

    let index = fs::read_to_string(place.path("root/index.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(index.strip_suffix('\n').unwrap()).unwrap();
    assert_eq!(line["host_id"], "h");
    assert_eq!(line["size_bytes"], fs::metadata(&path).unwrap().len());
    assert!(path.ends_with(&format!("{}.tar.zst", line["episode_id"].as_str().unwrap())));

    let checked = place.run(&["check", &path]);
    assert!(checked.status.success());
    assert!(text(&checked.stdout).contains("bursty, 21 samples, 6 phases"), "{}", text(&checked.stdout));
}

#[test]
fn a_recorded_load_shows_in_its_own_counters() {
    let place = Workspace::new();
    let output = place.run(&["record", "--host-id", "h", "--profile", "cpu-saturate", "--duration", "3s"]);
    assert!(output.status.success());
    let path = text(&output.stdout).trim_end().to_owned();
    let episode = episodes::read_episode(path.as_ref()).unwrap();
    let at = episodes::CHANNELS.iter().position(|channel| channel.name == "proc.run_ns").unwrap();
    let ran = |phase: episodes::Phase| {
        let begin = episode.labels.iter().position(|label| label.phase == phase).unwrap();
        let (from, to) = (episode.labels[begin].t_mono_ns, episode.labels[begin + 1].t_mono_ns);
        let within = |sample: &&episodes::Sample| (from..=to).contains(&sample.t_mono_ns);
        let first = episode.samples.iter().find(within).unwrap();
        let last = episode.samples.iter().rfind(within).unwrap();
        (last.values[at] - first.values[at]) / (last.t_mono_ns - first.t_mono_ns) as f64
    };
    let (busy, resting) = (ran(episodes::Phase::InfectedRunning), ran(episodes::Phase::Dormant));
    assert!(busy > 3.0 * resting, "{busy} of a core while running, {resting} while dormant");
}

#[test]
fn a_recorder_that_is_asked_to_stop_leaves_no_half_episode() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = Workspace::new();
        let child = place.command(&record(&["--duration", "60s"])).spawn().unwrap();
        eventually("it records", || place.list("root/live") == ["h.jsonl"]);
        send(&child, signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
        assert_eq!(place.list("root/episodes/h"), [] as [&str; 0]);
        assert_eq!(place.list("root/live"), [] as [&str; 0]);
        assert!(!place.path("root/index.jsonl").exists());
        assert_nothing_is_left(&place);
    }
}

#[test]
fn the_load_ends_with_a_recorder_that_is_killed_and_the_next_recorder_is_not_held_up() {
    let place = Workspace::new();
    let mut child = place.command(&record(&["--duration", "60s"])).spawn().unwrap();
    eventually("it records", || place.list("root/live") == ["h.jsonl"]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_nothing_is_left(&place);
    fs::write(place.path("root/episodes/h/.unfinished-1"), b"half").unwrap();

    let output = place.run(&record(&["--duration", "1s"]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(place.list("root/episodes/h").len(), 1);
    assert_eq!(place.list("root/live"), [] as [&str; 0]);
}

#[test]
fn a_load_that_ends_early_is_not_recorded_as_one_at_rest() {
    let place = Workspace::new();
    let child = place.command(&record(&["--duration", "60s"])).spawn().unwrap();
    eventually("it records", || place.list("root/live") == ["h.jsonl"]);
    for load in place.loads() {
        kill_process(Pid::from_raw(load).unwrap(), Signal::KILL).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(message.starts_with("error: load: ended early, signal: 9"), "{message}");
    assert_eq!(place.list("root/episodes/h"), [] as [&str; 0]);
    assert_nothing_is_left(&place);
}

#[test]
fn live_telemetry_begins_with_a_phase_and_names_its_episode() {
    let place = Workspace::new();
    let mut child = place.command(&record(&["--duration", "60s", "--sample-hz", "50"])).spawn().unwrap();
    let live = place.path("root/live/h.jsonl");
    let lines = || fs::read_to_string(&live).unwrap_or_default().lines().count();
    eventually("samples are there", || lines() > 5);
    let text = fs::read_to_string(&live).unwrap();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((first["t_mono_ns"].as_u64(), first["phase"].as_str()), (Some(0), Some("clean")));
    assert!(first["episode_id"].as_str().unwrap().starts_with("h-bursty-"));
    let second: serde_json::Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert!(second["proc.cpu_user_jiffies"].is_u64());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_looping_recorder_goes_on_and_keeps_what_was_whole() {
    let place = Workspace::new();
    let child = place.command(&record(&["--duration", "1s", "--loop"])).spawn().unwrap();
    let index = || fs::read_to_string(place.path("root/index.jsonl")).unwrap_or_default();
    eventually("two episodes are there", || index().lines().count() == 2);
    send(&child, Signal::TERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let tarballs = place.list("root/episodes/h");
    assert_eq!(
        (tarballs.len(), text(&output.stdout).lines().count()),
        (index().lines().count(), tarballs.len())
    );
    assert_nothing_is_left(&place);
}

#[test]
fn a_host_has_one_recorder_at_a_time() {
    let place = Workspace::new();
    let mut child = place.command(&record(&["--duration", "60s"])).spawn().unwrap();
    eventually("it records", || place.list("root/live") == ["h.jsonl"]);
    let second = place.run(&record(&["--duration", "1s"]));
    assert_eq!(second.status.code(), Some(1));
    assert_eq!(text(&second.stderr), "error: host h: another recorder is recording this host\n");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_line_that_an_earlier_writer_left_half_does_not_swallow_the_next() {
    let place = Workspace::new();
    fs::create_dir(place.path("root")).unwrap();
    fs::write(place.path("root/index.jsonl"), b"{\"episode_id\":\"ha").unwrap();
    assert!(place.run(&record(&["--duration", "1s"])).status.success());
    let index = fs::read_to_string(place.path("root/index.jsonl")).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(index.lines().nth(1).unwrap()).is_ok());
}

#[test]
fn an_episode_that_the_index_cannot_take_is_not_there() {
    let place = Workspace::new();
    let index = place.path("root/index.jsonl");
    fs::create_dir_all(&index).unwrap();
    let refused = || {
        let output = place.run(&record(&["--duration", "1s"]));
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(place.list("root/episodes/h"), [] as [&str; 0]);
        text(&output.stderr).replace(index.to_str().unwrap(), "index.jsonl")
    };
    assert_eq!(refused(), "error: index.jsonl: cannot be written: Is a directory (os error 21)\n");
    fs::remove_dir(&index).unwrap();
    // A device that is always full.
    std::os::unix::fs::symlink("/dev/full", &index).unwrap();
    assert_eq!(refused(), "error: index.jsonl: cannot be written: No space left on device (os error 28)\n");
}
