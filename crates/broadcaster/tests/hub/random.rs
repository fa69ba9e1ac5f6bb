//! Random events of every type, with few keys, so that they meet.

use events::{Items, Kind, Retention};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// The published retention with caps so small that a few dozen events meet all of them.
pub(crate) fn small(kind: Kind) -> Option<Retention> {
    let kept = kind.retention()?;
    let many_groups = kept.groups > 1;
    let single = kept.items == Items::Fields(&[]);
    let per_group = if single { 1 } else { 4 };
    let (groups, total) = match kind {
        Kind::LiveDetection => (3, 12),
        Kind::Prediction => (20, 8),
        _ if many_groups => (4, 6),
        _ => (1, per_group),
    };
    Some(Retention { per_group, groups, total, ..kept })
}

pub(crate) fn event() -> impl Strategy<Value = String> {
    let phase = prop::sample::select(vec!["clean", "armed", "infecting", "infected_running", "dormant"]);
    let at = "2026-03-01T12:00:00Z";
    (0..13u8, 0..6u8, 0..3u8, prop_oneof![1 => Just(0), 9 => 0..1000u32], phase).prop_map(move |(kind, key, other, value, phase)| {
        let share = f64::from(value) / 1000.0;
        match kind {
            0 => format!(r#"{{"type":"embedding","x":{share},"y":0,"z":1,"phase":"{phase}","predicted":"clean","cluster":{key}}}"#),
            1 => format!(r#"{{"type":"model_metric","model":"m{key}","accuracy":{share}}}"#),
            2 => format!(r#"{{"type":"model_perf","model":"m{key}","latency_us":{},"accuracy":{share}}}"#, value + 1),
            3 => format!(r#"{{"type":"live_detection","host_id":"h{key}","predicted":"{phase}","confidence":{share},"model":"knn","at":"{at}"}}"#),
            4 => format!(r#"{{"type":"prediction","episode_id":"e{key}","window_idx":{other},"model":"m{}","predicted":"{phase}"}}"#, value % 2),
            5 => format!(r#"{{"type":"phase","host_id":"h{key}","phase":"{phase}","at":"{at}"}}"#),
            6 | 7 => format!(r#"{{"type":"episode","episode_id":"e{value}","host_id":"h{key}","sha256":"00","size_bytes":{value},"received_at":"{at}","offset":{}}}"#, value),
            8 => format!(r#"{{"type":"alert","host":"h{key}","symptom":"s","detail":"{value}","suggested_fix":"","detected_at":"{at}","dedup_key":"k{key}"}}"#),
            9 if value == 0 => format!(r#"{{"type":"snapshot","total_episodes":{max},"total_alerts":0,"total_bytes":{max},"host_counts":{{"h{key}":{max}}},"recent_episodes":[]}}"#, max = u64::MAX),
            9 => format!(r#"{{"type":"snapshot","total_episodes":{value},"total_alerts":0,"total_bytes":0,"host_counts":{{}},"recent_episodes":[],"index_offset":{}}}"#, value / 2),
            10 => {
                let (step, unit) = (value % 50, if value % 7 == 0 { r#","unit":"s""# } else { "" });
                format!(
                    r#"{{"type":"metric_points","run_id":"r{}","metric":"m{}","points":[[{step},{share},1],[{},-1,0.5]]{unit}}}"#,
                    key % 2, other % 2, step + 3 * u32::from(key)
                )
            }
            11 => format!(r#"{{"type":"loss","iteration":{value},"loss":{share},"batch_size":1}}"#),
            _ => format!(r#"{{"type":"embedding_snapshot","fit_id":"f{key}","rows":{},"url":"/s","projector":"lda"}}"#, value + 1),
        }
    })
}

/// Batches of random events that may be published as JSON. None of runs: of those the broadcaster says more by itself.
pub(crate) fn batches(count: usize) -> Vec<Vec<String>> {
    let others = ["embedding_snapshot", "metric_points"];
    let event = event().prop_filter("made by the broadcaster", move |event| {
        !others.iter().any(|other| event.contains(other))
    });
    let mut runner = TestRunner::deterministic();
    let batch = prop::collection::vec(event, 1..20);
    (0..count).map(|_| batch.new_tree(&mut runner).unwrap().current()).collect()
}
