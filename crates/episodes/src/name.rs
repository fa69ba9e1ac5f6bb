use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A host or episode id that is also a safe file name: 1 to 100 ASCII letters, digits, `.`, `_` and
/// `-`, beginning with a letter or digit.
///
/// Ids become folders and files below the data root, so what could leave it, hide in it or upset a
/// shell is refused where the id enters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    pub(crate) const MAX_BYTES: usize = 100;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An id that cannot be a [`Name`].
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} cannot be an id; expected 1 to 100 letters, digits, '.', '_' and '-', beginning with a letter or digit"
)]
pub struct BadName(String);

impl TryFrom<String> for Name {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        let begins_well = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if begins_well && text.len() <= Self::MAX_BYTES && text.bytes().all(safe) {
            Ok(Self(text))
        } else {
            Err(BadName(text))
        }
    }
}

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        text.to_owned().try_into()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}
