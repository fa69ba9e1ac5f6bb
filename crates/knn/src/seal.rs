//! A digest of a file inside the file.
//!
//! Arrow IPC has no checksum, and its reader trusts the offsets it finds. A sealed file says by
//! itself whether it is whole: its SHA-256 stands in it as text, computed with that text blank.

use std::fmt::Write;

use memchr::memmem;
use sha2::{Digest, Sha256};

/// What the digest stands in place of while it is computed.
pub(crate) const BLANK: &str = "----------------------------------------------------------------";

/// Puts the digest wherever the blank is.
pub(crate) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let digest = digest(&bytes, BLANK);
    let blanks: Vec<usize> = memmem::find_iter(&bytes, BLANK).collect();
    for at in blanks {
        bytes[at..at + BLANK.len()].copy_from_slice(digest.as_bytes());
    }
    bytes
}

/// Whether these are the bytes that were sealed with this digest.
pub(crate) fn is_whole(bytes: &[u8], sealed: &str) -> bool {
    sealed.len() == BLANK.len() && digest(bytes, sealed) == sealed
}

/// Of the bytes with the blank in place of `text`, which is as long.
fn digest(bytes: &[u8], text: &str) -> String {
    let mut hash = Sha256::new();
    let mut rest = 0;
    for at in memmem::find_iter(bytes, text) {
        hash.update(&bytes[rest..at]);
        hash.update(BLANK);
        rest = at + text.len();
    }
    hash.update(&bytes[rest..]);
    let mut digest = String::with_capacity(BLANK.len());
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_file_is_whole_until_any_byte_of_it_changes() {
        let sealed = seal(format!("head {BLANK} body {BLANK} tail").into_bytes());
        let digest = String::from_utf8(sealed[5..5 + BLANK.len()].to_vec()).unwrap();
        assert!(is_whole(&sealed, &digest));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(!is_whole(&changed, &digest), "byte {at}");
        }
    }
}
