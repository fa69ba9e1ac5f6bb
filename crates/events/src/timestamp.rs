use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error, Unexpected};

use crate::Text;

/// A moment as an RFC 3339 string, kept as it was written.
///
/// Checked for form and for the range of every part; not compared, and leap seconds are allowed in
/// any minute, because the wire only carries it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Timestamp<'a>(Text<'a>);

const EXPECTED: &str = "an RFC 3339 time such as 2026-01-31T09:30:00Z";

/// A string that is not an RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {EXPECTED}, got {0:?}")]
pub struct TimestampError(String);

impl<'a> Timestamp<'a> {
    /// Checks the form.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Result<Self, TimestampError> {
        let text = text.into();
        if !is_rfc3339(&text) {
            return Err(TimestampError(text.into_owned()));
        }
        Text::new(text).map(Self).map_err(|error| TimestampError(error.to_string()))
    }

    /// The time as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The same time, borrowing nothing.
    pub fn into_owned(self) -> Timestamp<'static> {
        Timestamp(self.0.into_owned())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Timestamp<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        if is_rfc3339(&text) {
            Ok(Self(text))
        } else {
            Err(D::Error::invalid_value(Unexpected::Str(&text), &EXPECTED))
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Timestamp<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// `YYYY-MM-DDThh:mm:ss[.fraction](Z|+hh:mm|-hh:mm)`, letters in either case, a space for the T.
fn is_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    let number = |from: usize, digits: usize| -> Option<u32> {
        bytes
            .get(from..from + digits)?
            .iter()
            .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
    };
    let mark = |at: usize, marks: &[u8]| bytes.get(at).is_some_and(|byte| marks.contains(byte));
    let within = |value: Option<u32>, low: u32, high: u32| value.is_some_and(|v| (low..=high).contains(&v));

    let (Some(year), Some(month)) = (number(0, 4), number(5, 2)) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => return false,
    };
    let date = mark(4, b"-") && mark(7, b"-") && within(number(8, 2), 1, days);
    let time = mark(10, b"Tt ")
        && within(number(11, 2), 0, 23)
        && mark(13, b":")
        && within(number(14, 2), 0, 59)
        && mark(16, b":")
        && within(number(17, 2), 0, 60);
    let mut zone = 19;
    if mark(zone, b".") {
        zone += 1 + bytes[20..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if zone == 20 {
            return false;
        }
    }
    let offset = mark(zone, b"+-")
        && within(number(zone + 1, 2), 0, 23)
        && mark(zone + 3, b":")
        && within(number(zone + 4, 2), 0, 59);
    date && time && ((mark(zone, b"Zz") && bytes.len() == zone + 1) || (offset && bytes.len() == zone + 6))
}

#[cfg(test)]
mod tests {
    use super::is_rfc3339;

    #[test]
    fn rfc_3339_times_are_told_from_others() {
        for good in [
            "2026-01-31T09:30:00Z",
            "2024-02-29 23:59:60.123456789+05:30",
            "1999-12-31t00:00:00z",
            "2000-02-29T00:00:00-00:00",
        ] {
            assert!(is_rfc3339(good), "{good}");
        }
        for bad in [
            "",
            "2026-01-31",
            "2026-01-31T09:30:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T09:30:00.Z",
            "2026-01-31T09:30:00+5:30",
            "2026-01-31T09:30:00Zé",
            "２026-01-31T09:30:00Z",
        ] {
            assert!(!is_rfc3339(bad), "{bad}");
        }
    }
}
