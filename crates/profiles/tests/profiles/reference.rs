//! The sample's envelopes, beside those that numpy computed: scripts/reference.

use std::collections::BTreeMap;
use std::path::Path;

use profiles::produce;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    profiles: BTreeMap<String, Profile>,
}

#[derive(Deserialize)]
struct Profile {
    channel: String,
    episodes: u64,
    p25: Vec<f64>,
    median: Vec<f64>,
    p75: Vec<f64>,
}

#[test]
fn every_point_is_that_of_numpy() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data");
    let text = std::fs::read(data.join("reference/profiles.json")).unwrap();
    let Reference { profiles } = serde_json::from_slice(&text).unwrap();
    let envelopes = produce(&data.join("sample"), None, 100).unwrap().envelopes;
    assert_eq!(envelopes.len(), profiles.len());
    for envelope in &envelopes {
        let expected = &profiles[&envelope.name];
        assert_eq!((&envelope.channel, envelope.episodes), (&expected.channel, expected.episodes));
        for (quartile, expected) in [&expected.p25, &expected.median, &expected.p75].into_iter().enumerate() {
            for (point, (ours, theirs)) in envelope.points.iter().zip(expected).enumerate() {
                let (name, ours) = (&envelope.name, ours[quartile]);
                let close = (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0);
                assert!(close, "{name}, point {point}: {ours}, numpy {theirs}; run scripts/reference");
            }
        }
    }
}
