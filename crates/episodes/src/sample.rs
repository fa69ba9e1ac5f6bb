use std::fmt;

use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::channel::{CHANNEL_COUNT, CHANNELS, position};

const TIME: &str = "t_mono_ns";

/// One line of telemetry: every channel at one moment.
///
/// As JSON one flat object, `{"t_mono_ns": 123, "proc.cpu_user_jiffies": 4, ...}`. A channel that
/// is not there is NaN here, and a channel that this crate does not know is passed over.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Nanoseconds of a monotonic clock; the recorder's begins with the episode.
    pub t_mono_ns: u64,
    /// In the order of [`CHANNELS`]; NaN where there is no number.
    pub values: [f64; CHANNEL_COUNT],
}

impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(TIME, &self.t_mono_ns)?;
        for (channel, &value) in CHANNELS.iter().zip(&self.values) {
            // Whole numbers without a fraction: what the kernel counts stays as it printed it.
            if value.fract() == 0.0 && value.abs() < 9e15 {
                map.serialize_entry(channel.name, &(value as i64))?;
            } else if !value.is_nan() {
                map.serialize_entry(channel.name, &value)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SampleVisitor)
    }
}

struct SampleVisitor;

impl<'de> Visitor<'de> for SampleVisitor {
    type Value = Sample;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of numbers with t_mono_ns")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Sample, M::Error> {
        let mut time = None;
        let mut values = [f64::NAN; CHANNEL_COUNT];
        while let Some(key) = map.next_key::<String>()? {
            if key == TIME {
                time = Some(map.next_value()?);
            } else if let Some(at) = position(&key) {
                // The key goes into the message: the column alone does not tell which channel it was.
                let value = map.next_value::<Option<f64>>();
                let value = value.map_err(|error| de::Error::custom(format_args!("{key}: {error}")))?;
                values[at] = value.unwrap_or(f64::NAN);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        let t_mono_ns = time.ok_or_else(|| de::Error::missing_field(TIME))?;
        Ok(Sample { t_mono_ns, values })
    }
}
