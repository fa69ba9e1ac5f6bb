//! A digest of a file inside the file.
//!
//! Arrow IPC has no checksum, and its reader trusts the offsets it finds. A sealed file says by itself
//! whether it is whole, before anything of it is read: it has `sha256:` and its SHA-256 as 64 digits, computed
//! with these blank. The seal is where the first such mark is.

use std::fmt::Write;

use memchr::memmem;
use sha2::{Digest, Sha256};

/// The mark, and what the digest stands in place of while it is computed.
pub(crate) const BLANK: &str = "sha256:----------------------------------------------------------------";
const MARK: &str = "sha256:";

/// What became of a sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seal {
    /// These are the bytes that were sealed.
    Whole,
    /// They are others.
    Broken,
    /// There is no mark.
    None,
}

/// Puts the seal wherever the blank is.
pub(crate) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let seal = of(&bytes, BLANK.as_bytes());
    let blanks: Vec<usize> = memmem::find_iter(&bytes, BLANK).collect();
    for at in blanks {
        bytes[at..at + BLANK.len()].copy_from_slice(seal.as_bytes());
    }
    bytes
}

/// Whether these are the bytes that were sealed.
pub(crate) fn look(bytes: &[u8]) -> Seal {
    let Some(at) = memmem::find(bytes, MARK.as_bytes()) else { return Seal::None };
    match bytes.get(at..at + BLANK.len()) {
        Some(seal) if of(bytes, seal).as_bytes() == seal => Seal::Whole,
        _ => Seal::Broken,
    }
}

/// The seal of the bytes with the blank in place of `seal`, which is as long.
fn of(bytes: &[u8], seal: &[u8]) -> String {
    let mut hash = Sha256::new();
    let mut rest = 0;
    for at in memmem::find_iter(bytes, seal) {
        hash.update(&bytes[rest..at]);
        hash.update(BLANK);
        rest = at + seal.len();
    }
    hash.update(&bytes[rest..]);
    let mut seal = MARK.to_owned();
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(seal, "{byte:02x}");
    }
    seal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_file_is_whole_until_any_byte_of_it_changes() {
        let sealed = seal(format!("head {BLANK} body {BLANK} tail").into_bytes());
        assert_eq!(look(&sealed), Seal::Whole);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(look(&changed), Seal::Broken, "byte {at}");
        }
        for len in 0..sealed.len() {
            assert_ne!(look(&sealed[..len]), Seal::Whole);
        }
        assert_eq!(look(b"head body tail"), Seal::None);
    }
}
