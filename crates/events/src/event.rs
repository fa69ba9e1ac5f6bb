use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::{
    Alert, AttackProfile, Embedding, EmbeddingSnapshot, Episode, Kind, LiveDetection, Loss, MetricPoints,
    ModelMetric, ModelPerf, PhaseChange, PhaseMix, Prediction, RunsMeta, Snapshot, Tiles,
};

macro_rules! events {
    ($($kind:ident($payload:ty),)*) => {
        /// One event. Serializes to its JSON object, `type` first.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(tag = "type", rename_all = "snake_case")]
        #[allow(missing_docs)] // each payload says what it is
        pub enum Event<'a> {
            $($kind($payload),)*
        }

        impl Event<'_> {
            /// Its type.
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind,)*
                }
            }
        }

        impl<'a> Event<'a> {
            /// Reads the fields of an event of a known type.
            pub(crate) fn of_kind<'de: 'a, D: Deserializer<'de>>(kind: Kind, fields: D) -> Result<Self, D::Error> {
                match kind {
                    $(Kind::$kind => <$payload>::deserialize(fields).map(Self::$kind),)*
                }
            }
        }

        $(impl<'a> From<$payload> for Event<'a> {
            fn from(payload: $payload) -> Self {
                Self::$kind(payload)
            }
        })*
    };
}

events! {
    Embedding(Embedding<'a>),
    EmbeddingSnapshot(EmbeddingSnapshot<'a>),
    ModelMetric(ModelMetric<'a>),
    ModelPerf(ModelPerf<'a>),
    LiveDetection(LiveDetection<'a>),
    AttackProfile(AttackProfile<'a>),
    Prediction(Prediction<'a>),
    Phase(PhaseChange<'a>),
    Episode(Episode<'a>),
    Alert(Alert<'a>),
    Snapshot(Snapshot<'a>),
    PhaseMix(PhaseMix),
    MetricPoints(MetricPoints<'a>),
    RunsMeta(RunsMeta<'a>),
    Tiles(Tiles<'a>),
    Loss(Loss),
}

/// Reads the fields straight into the payload when `type` comes first, as every producer of ours
/// writes it; otherwise the other fields are set aside until it comes.
///
/// Checks each field; [`decode`](crate::decode) also checks how fields fit together.
impl<'de: 'a, 'a> Deserialize<'de> for Event<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EventVisitor<'a>(std::marker::PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for EventVisitor<'a> {
            type Value = Event<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event: an object with a `type`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event<'a>, A::Error> {
                let mut aside = serde_json::Map::new();
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    if key != "type" {
                        if aside.insert(key.into_owned(), map.next_value()?).is_some() {
                            return Err(A::Error::custom("duplicate field"));
                        }
                        continue;
                    }
                    let kind = map.next_value::<Kind>()?;
                    if aside.is_empty() {
                        return Event::of_kind(kind, MapAccessDeserializer::new(map));
                    }
                    while let Some((key, value)) = map.next_entry::<String, serde_json::Value>()? {
                        if aside.insert(key, value).is_some() {
                            return Err(A::Error::custom("duplicate field"));
                        }
                    }
                    return Event::of_kind(kind, aside).map_err(A::Error::custom);
                }
                Err(A::Error::missing_field("type"))
            }
        }

        deserializer.deserialize_map(EventVisitor(std::marker::PhantomData))
    }
}
