//! `place` takes the fields that the retention table names: readers in other languages go by the table.

use events::{Event, Format, Items, Key, Kind, decode};
use serde_json::Value;

use crate::golden;

#[test]
fn an_events_place_is_made_of_the_fields_that_its_retention_names() {
    for kind in Kind::ALL {
        let Some(retention) = kind.retention() else { continue };
        let sample = golden::good(*kind).into_iter().next().expect("a golden sample of every type");
        let json: Value = serde_json::from_str(&sample).unwrap();
        let batch = decode(Format::Json, sample.as_bytes(), 1).unwrap();
        let place = batch.items[0].event.place();
        let values = |fields: &[&str]| -> Vec<String> {
            let text = |field: &&str| json[field].as_str().map_or(json[field].to_string(), str::to_owned);
            fields.iter().map(text).collect()
        };
        assert_eq!(place.group.values(), values(retention.group), "group of {kind}");
        match retention.items {
            Items::Each => assert_eq!(place.item, None, "{kind} is a ring"),
            Items::Series => assert_eq!(place.item, Some(Key::Whole), "{kind} is one event a series"),
            Items::Fields(fields) => {
                assert_eq!(place.item.map(|key| key.values()), Some(values(fields)), "item of {kind}");
            }
        }
        assert!(retention.per_group <= retention.total);
        assert_eq!(retention.groups == 1, retention.group.is_empty(), "one group without group fields");
    }
}

#[test]
fn keys_that_differ_are_encoded_differently() {
    let encode = |key: Key<'_>| {
        let mut out = vec![];
        key.encode(&mut out);
        out
    };
    assert_ne!(encode(Key::Names("ab", "c")), encode(Key::Names("a", "bc")));
    assert_ne!(encode(Key::Indexed(1, "m")), encode(Key::Indexed(2, "m")));
}

#[test]
fn an_event_that_was_made_is_the_event_that_is_read() {
    for kind in Kind::ALL {
        for sample in golden::good(*kind) {
            let made = decode(Format::Json, sample.as_bytes(), 1).unwrap().items.remove(0).event;
            let json = serde_json::to_string(&made).unwrap();
            assert!(json.starts_with(&format!("{{\"type\":\"{kind}\"")), "{json}");
            assert_eq!(serde_json::from_str::<Event<'_>>(&json).unwrap(), made);
        }
    }
}
