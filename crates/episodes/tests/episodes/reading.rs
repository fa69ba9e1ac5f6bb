use std::fs;
use std::path::PathBuf;

use episodes::{CHANNELS, Episode, read_episode};
use proptest::prelude::*;

use crate::fixture::{Files, pack};

fn read(entries: &[(&str, &[u8])]) -> Result<Episode, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("e.tar.zst");
    pack(&path, entries);
    read_episode(&path).map_err(|error| {
        let text = error.to_string();
        assert!(text.starts_with(&path.display().to_string()), "the message names the file: {text}");
        text[path.display().to_string().len()..].to_owned()
    })
}

fn good_file(dir: &tempfile::TempDir) -> PathBuf {
    let path = dir.path().join("e.tar.zst");
    Files::good(6).pack(&path);
    path
}

#[test]
fn a_good_tarball_reads_whole() {
    let episode = read(&Files::good(6).entries()).unwrap();
    assert_eq!((episode.samples.len(), episode.labels.len()), (61, 5));
    assert_eq!(episode.meta.episode_id.as_str(), "ep-1");
}

#[test]
fn a_channel_that_is_missing_or_null_is_nan_and_an_unknown_one_is_passed_over() {
    let mut files = Files::good(6);
    files.telemetry =
        "{\"t_mono_ns\":1,\"proc.run_ns\":null,\"proc.minor_faults\":3,\"gpu.heat\":[7]}\n".into();
    let sample = &read(&files.entries()).unwrap().samples[0];
    for (channel, value) in CHANNELS.iter().zip(sample.values) {
        let known = channel.name == "proc.minor_faults";
        assert!(if known { value == 3.0 } else { value.is_nan() }, "{}: {value}", channel.name);
    }
}

#[test]
fn files_beside_the_three_are_passed_over() {
    let files = Files::good(6);
    let mut entries = files.entries();
    entries.insert(0, ("notes.txt", b"hello"));
    assert!(read(&entries).is_ok());
}

#[test]
fn a_missing_or_repeated_entry_is_named() {
    let files = Files::good(6);
    for at in 0..3 {
        let mut entries = files.entries();
        let (name, bytes) = entries.remove(at);
        assert_eq!(read(&entries).unwrap_err(), format!(": {name}: is missing"));
        entries.extend([(name, bytes), (name, bytes)]);
        assert_eq!(read(&entries).unwrap_err(), format!(": {name}: is there twice"));
    }
}

#[test]
fn a_bad_line_is_named_by_entry_line_and_column() {
    let cases = [
        ("{\"t_mono_ns\":0}\n{oops}\n", "telemetry-proc.jsonl, line 2: column 2: "),
        ("{\"t_mono_ns\":0}\n{}\n", "telemetry-proc.jsonl, line 2: column 2: missing field `t_mono_ns`"),
        ("{\"t_mono_ns\":0,\"proc.run_ns\":\"x\"}\n", "telemetry-proc.jsonl, line 1: "),
        ("{\"t_mono_ns\":-1}\n", "telemetry-proc.jsonl, line 1: "),
        (
            "{\"t_mono_ns\":5}\n{\"t_mono_ns\":5}\n",
            "telemetry-proc.jsonl, line 2: t_mono_ns is 5, not later than the line before",
        ),
    ];
    for (telemetry, expected) in cases {
        let files = Files { telemetry: telemetry.into(), ..Files::good(6) };
        let message = read(&files.entries()).unwrap_err();
        assert!(message.starts_with(&format!(": {expected}")), "{message}");
    }
    let files = Files { labels: "{\"t_mono_ns\":0,\"phase\":\"sleepy\"}\n".into(), ..Files::good(6) };
    let message = read(&files.entries()).unwrap_err();
    assert!(message.contains("labels.jsonl, line 1: column 31: unknown variant `sleepy`"), "{message}");
}

#[test]
fn a_channel_that_is_no_number_is_named() {
    let files = Files { telemetry: "{\"t_mono_ns\":0,\"proc.run_ns\":\"x\"}\n".into(), ..Files::good(6) };
    assert!(read(&files.entries()).unwrap_err().contains("proc.run_ns: invalid type"));
}

#[test]
fn a_bad_meta_names_the_field() {
    let wrong = |from: &str, to: &str| {
        let files = Files::good(6);
        let files = Files { meta: files.meta.replace(from, to), ..files };
        read(&files.entries()).unwrap_err()
    };
    assert!(wrong("\"ep-1\"", "\"../ep\"").contains("meta.json: \"../ep\" cannot be an id"));
    assert!(wrong("\"profile\"", "\"profil\"").contains("missing field `profile`"));
    assert!(wrong("10.0", "0.0").contains("sample_hz is 0; expected more than 0"));
    assert!(wrong("2026-01-02T", "yesterday").contains("started_at_wall"));
    assert!(wrong("\"idle\"", "\"\"").contains("profile has 0 bytes; expected 1 to 256"));
    let long = format!("\"{}\"", "x".repeat(257));
    assert!(wrong("\"idle-1\"", &long).contains("sample_name has 257 bytes; expected 1 to 256"));
}

#[test]
fn a_path_that_leaves_the_tarball_is_refused() {
    let files = Files::good(6);
    for name in ["../labels.jsonl", "/etc/passwd", "a/../../b"] {
        let mut entries = files.entries();
        entries.insert(0, (name, b"x"));
        let message = read(&entries).unwrap_err();
        assert!(message.contains("leaves the tarball"), "{message}");
    }
}

#[test]
fn a_bomb_is_refused_before_it_fills_memory() {
    let zeros = vec![0; 64 << 20];
    let files = Files::good(6);
    let mut entries = vec![("filler", zeros.as_slice()); 9];
    entries.extend(files.entries());
    assert!(read(&entries).unwrap_err().contains("more than 512 MiB unpacked"));

    let long = format!("{{\"t_mono_ns\":0,\"x\":\"{}\"}}\n", "x".repeat(70_000));
    let files = Files { telemetry: long, ..Files::good(6) };
    assert_eq!(read(&files.entries()).unwrap_err(), ": telemetry-proc.jsonl, line 1: longer than 64 KiB");

    let empty: &[u8] = b"";
    assert!(read(&vec![("filler", empty); 65]).unwrap_err().contains("more than 64 files"));
}

#[test]
fn a_tarball_cut_short_anywhere_is_never_taken_for_a_whole_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = good_file(&dir);
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(37).chain([whole.len() - 1]) {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(read_episode(&path).is_err(), "{length} of {} bytes", whole.len());
    }
}

#[test]
fn what_is_no_tarball_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("e.tar.zst");
    assert!(read_episode(&path).unwrap_err().to_string().contains("No such file"));
    fs::write(&path, b"PK not a tarball").unwrap();
    assert!(read_episode(&path).is_err());
    assert!(read_episode(dir.path()).is_err());
}

proptest! {
    #[test]
    fn no_damage_makes_the_reader_panic(at in 0_usize..4000, byte: u8) {
        let dir = tempfile::tempdir().unwrap();
        let path = good_file(&dir);
        let mut bytes = fs::read(&path).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        fs::write(&path, bytes).unwrap();
        let _ = read_episode(&path);
    }
}
