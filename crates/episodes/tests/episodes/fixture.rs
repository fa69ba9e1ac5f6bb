use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use episodes::{CHANNEL_COUNT, CHANNELS, Label, Phase, Reading, Sample};

/// The three files of a small episode that is good: 10 Hz, all phases, counters that count.
pub(crate) struct Files {
    pub(crate) labels: String,
    pub(crate) meta: String,
    pub(crate) telemetry: String,
}

impl Files {
    pub(crate) fn good(seconds: u64) -> Self {
        Self::named("ep-1", "host-1", seconds)
    }

    pub(crate) fn named(episode: &str, host: &str, seconds: u64) -> Self {
        let ticks = seconds * 10;
        let labels: Vec<Label> = Phase::ALL[..5]
            .iter()
            .enumerate()
            .map(|(at, &phase)| Label { t_mono_ns: at as u64 * ticks / 5 * 100_000_000, phase })
            .collect();
        let samples: Vec<Sample> = (0..=ticks).map(|tick| sample(tick * 100_000_000, tick as f64)).collect();
        let meta = serde_json::json!({
            "episode_id": episode, "host_id": host, "profile": "idle", "sample_name": "idle-1",
            "started_at_wall": "2026-01-02T03:04:05Z", "ended_mono_ns": ticks * 100_000_000,
            "sample_hz": 10.0, "recorder": "a test",
        });
        Self { labels: jsonl(&labels), meta: format!("{meta}\n"), telemetry: jsonl(&samples) }
    }

    pub(crate) fn entries(&self) -> Vec<(&str, &[u8])> {
        vec![
            ("labels.jsonl", self.labels.as_bytes()),
            ("meta.json", self.meta.as_bytes()),
            ("telemetry-proc.jsonl", self.telemetry.as_bytes()),
        ]
    }

    pub(crate) fn pack(&self, path: &Path) {
        pack(path, &self.entries());
    }
}

/// Counters at `count`, gauges at `count` modulo 7.
pub(crate) fn sample(t_mono_ns: u64, count: f64) -> Sample {
    let mut values = [0.0; CHANNEL_COUNT];
    for (value, channel) in values.iter_mut().zip(&CHANNELS) {
        *value = if channel.reading == Reading::Counter { count } else { count % 7.0 };
    }
    Sample { t_mono_ns, values }
}

pub(crate) fn jsonl<T: serde::Serialize>(items: &[T]) -> String {
    items.iter().map(|item| serde_json::to_string(item).unwrap() + "\n").collect()
}

/// Packs any entries, also ones that no recorder writes.
pub(crate) fn pack(path: &Path, entries: &[(&str, &[u8])]) {
    let mut tar = tar::Builder::new(zstd::Encoder::new(File::create(path).unwrap(), 1).unwrap());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        // Past the builder's own check of names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap().flush().unwrap();
}

/// A data root with these episodes, each `(host, episode, files)`.
pub(crate) fn data_root(dir: &Path, episodes: &[(&str, &str, u64)]) -> PathBuf {
    for (host, episode, seconds) in episodes {
        let folder = dir.join("episodes").join(host);
        fs::create_dir_all(&folder).unwrap();
        Files::named(episode, host, *seconds).pack(&folder.join(format!("{episode}.tar.zst")));
    }
    dir.to_owned()
}
