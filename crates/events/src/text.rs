use std::borrow::{Borrow, Cow};
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// A string that does not fit the type it was meant for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got {bytes} bytes")]
pub struct TextError {
    expected: &'static str,
    bytes: usize,
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $min:literal ..= $max:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name<'a>(Cow<'a, str>);

        impl<'a> $name<'a> {
            const EXPECTED: &'static str = $expected;

            /// Checks the length.
            pub fn new(text: impl Into<Cow<'a, str>>) -> Result<Self, TextError> {
                let text = text.into();
                if Self::fits(text.len()) {
                    Ok(Self(text))
                } else {
                    Err(TextError { expected: Self::EXPECTED, bytes: text.len() })
                }
            }

            fn fits(bytes: usize) -> bool {
                ($min..=$max).contains(&bytes)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The same text, borrowing nothing.
            pub fn into_owned(self) -> $name<'static> {
                $name(Cow::Owned(self.0.into_owned()))
            }
        }

        impl std::ops::Deref for $name<'_> {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        // Compared and hashed as the text that it is.
        impl Borrow<str> for $name<'_> {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'a> TryFrom<&'a str> for $name<'a> {
            type Error = TextError;

            fn try_from(text: &'a str) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name<'static> {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = deserializer.deserialize_str(CowVisitor(Self::EXPECTED))?;
                if Self::fits(text.len()) {
                    Ok(Self(text))
                } else {
                    let came = format!("{} bytes", text.len());
                    Err(D::Error::invalid_value(Unexpected::Other(&came), &Self::EXPECTED))
                }
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name<'_> {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "minLength": $min, "maxLength": $max })
            }
        }
    };
}

text!(
    /// An id or a name: 1 to 256 bytes of UTF-8.
    Name, 1..=256, "a name of 1 to 256 bytes"
);
text!(
    /// A text for people: at most 4 KiB of UTF-8.
    Text, 0..=4096, "a text of at most 4096 bytes"
);
text!(
    /// A small image in base64: at most 1 MiB.
    Image, 0..=1_048_576, "a base64 image of at most 1048576 bytes"
);

/// Borrows from the input where the string has no escapes.
struct CowVisitor(&'static str);

impl<'de> Visitor<'de> for CowVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }
}
