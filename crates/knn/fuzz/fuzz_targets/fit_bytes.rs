//! Any bytes are a fit file or are refused.

#![no_main]

use std::path::Path;

use knn::Fit;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(fit) = Fit::decode(Path::new("fuzz.fit"), bytes) {
        assert_eq!(fit.encode().expect("it was read"), bytes);
    }
});
