use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// A number outside the range of the type it was meant for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("expected {expected}, got {got}")]
pub struct NumberError {
    expected: &'static str,
    got: f64,
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $fits:expr, $expected:literal, $schema:tt) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(f64);

        impl $name {
            /// Checks the range.
            pub fn new(number: f64) -> Result<Self, NumberError> {
                let fits: fn(f64) -> bool = $fits;
                if fits(number) { Ok(Self(number)) } else { Err(NumberError { expected: $expected, got: number }) }
            }

            /// The number.
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = NumberError;

            fn try_from(number: f64) -> Result<Self, NumberError> {
                Self::new(number)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = deserializer.deserialize_f64(NumberVisitor($expected))?;
                Self::new(number)
                    .map_err(|_| D::Error::invalid_value(Unexpected::Float(number), &$expected))
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

number!(
    /// A number from 0 to 1, both included.
    Unit, |number| (0.0..=1.0).contains(&number), "a number from 0 to 1",
    { "type": "number", "minimum": 0, "maximum": 1 }
);
number!(
    /// A finite number greater than 0.
    Positive, |number| number > 0.0 && number.is_finite(), "a number greater than 0",
    { "type": "number", "exclusiveMinimum": 0 }
);
number!(
    /// A finite number.
    Real, f64::is_finite, "a finite number",
    { "type": "number" }
);

struct NumberVisitor(&'static str);

impl Visitor<'_> for NumberVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    #[allow(clippy::cast_precision_loss)] // JSON does not tell 1 from 1.0
    fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }
}
