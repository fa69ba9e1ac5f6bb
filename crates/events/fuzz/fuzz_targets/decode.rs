//! Any bytes decode or are refused; what was accepted is read the same when it is sent on.

#![no_main]

use events::{Event, Format, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    for format in [Format::Json, Format::Ndjson] {
        for item in decode(format, body, 1_000).map_or(vec![], |batch| batch.items) {
            assert!(!item.json.contains('\n'));
            let again: Event<'_> = serde_json::from_str(&item.json).expect("accepted");
            assert_eq!(again, item.event);
        }
    }
});
