//! Golden samples: `golden/<type>.ndjson` holds good events, `golden/refused.ndjson` bad ones with
//! what is said of each.

use std::path::PathBuf;

use events::{Format, Kind, Refusal, decode};
use serde_json::{Value, json};

fn golden(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wire/golden").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The good samples of a type.
pub(crate) fn good(kind: Kind) -> Vec<String> {
    golden(&format!("{kind}.ndjson")).lines().map(str::to_owned).collect()
}

#[test]
fn every_good_sample_is_accepted_and_kept_as_written() {
    for kind in Kind::ALL {
        let samples = good(*kind);
        assert!(!samples.is_empty(), "{kind}");
        for sample in samples {
            let batch = decode(Format::Json, sample.as_bytes(), 1)
                .unwrap_or_else(|error| panic!("{sample}\n{error}"));
            assert_eq!(batch.items[0].event.kind(), *kind);
            assert_eq!(batch.items[0].json, sample);
        }
    }
}

#[test]
fn a_field_order_with_the_type_last_reads_the_same() {
    for kind in Kind::ALL {
        for sample in good(*kind) {
            let Value::Object(mut fields) = serde_json::from_str(&sample).unwrap() else { unreachable!() };
            let tag = fields.remove("type").unwrap();
            let fields = serde_json::to_string(&fields).unwrap();
            let late = format!("{},\"type\":{tag}}}", fields.strip_suffix('}').unwrap());
            let (late, early) = (late.as_bytes(), sample.as_bytes());
            let event = |text| decode(Format::Json, text, 1).unwrap().items.remove(0).event;
            assert_eq!(event(late), event(early));
        }
    }
}

#[test]
fn every_bad_sample_is_refused_with_its_sentence() {
    let mut said = String::new();
    for line in golden("refused.ndjson").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let body = case["body"].as_str().unwrap();
        let format = if case["ndjson"] == json!(true) { Format::Ndjson } else { Format::Json };
        let mut now = case.clone();
        now["says"] = match decode(format, body.as_bytes(), 3) {
            Ok(_) => json!("accepted"),
            Err(refusal @ (Refusal::Syntax { .. } | Refusal::Invalid { .. } | Refusal::TooMany { .. })) => {
                json!(refusal.to_string())
            }
        };
        said += &format!("{now}\n");
    }
    if std::env::var_os("VITRINE_BLESS").is_some() {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wire/golden/refused.ndjson");
        std::fs::write(path, &said).unwrap();
    }
    assert_eq!(said, golden("refused.ndjson"));
    assert!(!said.contains("\"accepted\""));
}
