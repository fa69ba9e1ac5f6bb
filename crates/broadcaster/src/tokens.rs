use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// Tokens that let somebody in: several, so that a new one can be given out before the old one is taken away.
#[derive(Clone, Default)]
pub struct Tokens(Vec<[u8; 32]>);

impl Tokens {
    /// These tokens.
    pub fn new<T: AsRef<[u8]>>(tokens: impl IntoIterator<Item = T>) -> Self {
        Self(tokens.into_iter().map(|token| Sha256::digest(token).into()).collect())
    }

    /// Whether there is none: then nobody is asked for one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is one of them. The time that this takes tells nothing of them, not even their lengths.
    pub(crate) fn admit(&self, shown: &[u8]) -> bool {
        let shown: [u8; 32] = Sha256::digest(shown).into();
        let equal = self.0.iter().fold(Choice::from(0), |any, token| any | token.ct_eq(&shown));
        equal.into()
    }
}

/// Not even their digests are for a log.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} tokens", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_several_tokens_lets_in_and_nothing_else_does() {
        let tokens = Tokens::new(["old", "new"]);
        assert!(tokens.admit(b"old") && tokens.admit(b"new"));
        for other in [&b""[..], b"ol", b"old ", b"OLD", b"oldnew"] {
            assert!(!tokens.admit(other));
        }
        assert!(!Tokens::default().admit(b""));
        assert_eq!(format!("{tokens:?}"), "2 tokens");
    }
}
