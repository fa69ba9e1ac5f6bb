use serde::{Deserialize, Serialize};

use crate::{Name, Positive, Unit};

/// How good an observed model is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelMetric<'a> {
    /// The model's name.
    #[serde(borrow)]
    pub model: Name<'a>,
    /// Macro F1, whatever the field is called.
    pub accuracy: Unit,
    /// Lower end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Unit>,
    /// Upper end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<Unit>,
}

/// What an observed model costs, beside how good it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelPerf<'a> {
    /// The model's name.
    #[serde(borrow)]
    pub model: Name<'a>,
    /// Time to classify one window, in microseconds.
    pub latency_us: Positive,
    /// Macro F1.
    pub accuracy: Unit,
}
