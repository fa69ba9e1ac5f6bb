//! Input that nobody meant: whatever it is, the answer is a batch or a refusal.

use events::{Format, Kind, Refusal, decode};
use proptest::prelude::*;

use crate::golden;

fn samples() -> Vec<String> {
    Kind::ALL.iter().flat_map(|kind| golden::good(*kind)).collect()
}

/// A good event with bytes changed, cut out or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..3u8);
    (prop::sample::select(samples()), prop::collection::vec(change, 0..6)).prop_map(|(sample, changes)| {
        let mut bytes = sample.into_bytes();
        for (at, byte, what) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match what {
                0 => bytes[at] = byte,
                1 => drop(bytes.drain(at..)),
                _ => bytes.insert(at, bytes[at]),
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in mutated(), ndjson in any::<bool>()) {
        let format = if ndjson { Format::Ndjson } else { Format::Json };
        if let Err(Refusal::Syntax { line, column, .. }) = decode(format, &bytes, 8) {
            prop_assert!(line >= 1 && column >= 1);
        }
    }

    #[test]
    fn an_array_and_its_lines_decode_alike(picked in prop::collection::vec(prop::sample::select(samples()), 1..8)) {
        let lines = picked.join("\n");
        let array = format!("[\n{}\n]", picked.join(",\n"));
        prop_assert_eq!(decode(Format::Ndjson, lines.as_bytes(), 8), decode(Format::Json, array.as_bytes(), 8));
    }

    #[test]
    fn pretty_printed_events_are_kept_on_one_line(sample in prop::sample::select(samples())) {
        let value: serde_json::Value = serde_json::from_str(&sample).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let batch = decode(Format::Json, pretty.as_bytes(), 1).unwrap();
        prop_assert!(!batch.items[0].json.contains('\n'));
        let kept: serde_json::Value = serde_json::from_str(&batch.items[0].json).unwrap();
        prop_assert_eq!(kept, value);
    }
}
