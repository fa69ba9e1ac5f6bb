use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Name, Real, Text};

/// Points of an attack profile's envelope.
pub const PROFILE_POINTS: usize = 80;

/// The envelope of one kind of load: how its channel runs through the phases, over many episodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AttackProfile<'a> {
    /// The profile.
    #[serde(borrow)]
    pub name: Name<'a>,
    /// The telemetry channel.
    #[serde(borrow)]
    pub channel: Name<'a>,
    /// The channel's unit.
    #[serde(borrow)]
    pub unit: Text<'a>,
    /// Median over episodes, [`PROFILE_POINTS`] values.
    #[cfg_attr(feature = "schema", schemars(length(equal = 80)))]
    pub median: Vec<Real>,
    /// First quartile, likewise.
    #[cfg_attr(feature = "schema", schemars(length(equal = 80)))]
    pub p25: Vec<Real>,
    /// Third quartile, likewise.
    #[cfg_attr(feature = "schema", schemars(length(equal = 80)))]
    pub p75: Vec<Real>,
    /// Episodes that it is made of.
    pub episodes: u64,
    /// Points by section of the envelope; they add up to [`PROFILE_POINTS`].
    #[serde(borrow)]
    pub phase_budget: BTreeMap<Name<'a>, u32>,
}
