use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// The type of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[repr(u8)]
        pub enum Kind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)*
        }

        impl Kind {
            /// Every type there is.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The name on the wire.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// The type of this name, if there is one.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$kind),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// [`Embedding`](crate::Embedding)
    Embedding = "embedding",
    /// [`EmbeddingSnapshot`](crate::EmbeddingSnapshot)
    EmbeddingSnapshot = "embedding_snapshot",
    /// [`ModelMetric`](crate::ModelMetric)
    ModelMetric = "model_metric",
    /// [`ModelPerf`](crate::ModelPerf)
    ModelPerf = "model_perf",
    /// [`LiveDetection`](crate::LiveDetection)
    LiveDetection = "live_detection",
    /// [`AttackProfile`](crate::AttackProfile)
    AttackProfile = "attack_profile",
    /// [`Prediction`](crate::Prediction)
    Prediction = "prediction",
    /// [`PhaseChange`](crate::PhaseChange)
    Phase = "phase",
    /// [`Episode`](crate::Episode)
    Episode = "episode",
    /// [`Alert`](crate::Alert)
    Alert = "alert",
    /// [`Snapshot`](crate::Snapshot)
    Snapshot = "snapshot",
    /// [`PhaseMix`](crate::PhaseMix)
    PhaseMix = "phase_mix",
    /// [`MetricPoints`](crate::MetricPoints)
    MetricPoints = "metric_points",
    /// [`RunsMeta`](crate::RunsMeta)
    RunsMeta = "runs_meta",
    /// [`Tiles`](crate::Tiles)
    Tiles = "tiles",
    /// [`Loss`](crate::Loss)
    Loss = "loss",
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
