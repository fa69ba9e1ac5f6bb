use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an observed host is going through, as episodes on disk say it.
///
/// Codes 0 to 4 are those of the wire; `failed` exists on disk only, for a load that did not run,
/// and is shown as `dormant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Phase {
    /// Ordinary activity.
    Clean,
    /// Something is in place and waits.
    Armed,
    /// It is taking hold.
    Infecting,
    /// It runs its load.
    InfectedRunning,
    /// It is there and rests.
    Dormant,
    /// It did not run.
    Failed,
}

impl Phase {
    /// All phases, in code order.
    pub const ALL: [Self; 6] =
        [Self::Clean, Self::Armed, Self::Infecting, Self::InfectedRunning, Self::Dormant, Self::Failed];

    /// The code in the window table, 0 to 5.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The phase of a code, if there is one.
    pub fn from_code(code: i64) -> Option<Self> {
        usize::try_from(code).ok().and_then(|code| Self::ALL.get(code)).copied()
    }

    /// The name in `labels.jsonl`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Armed => "armed",
            Self::Infecting => "infecting",
            Self::InfectedRunning => "infected_running",
            Self::Dormant => "dormant",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A phase name that is none.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no phase; expected clean, armed, infecting, infected_running, dormant or failed")]
pub struct UnknownPhase(String);

impl FromStr for Phase {
    type Err = UnknownPhase;

    fn from_str(name: &str) -> Result<Self, UnknownPhase> {
        let known = Self::ALL.into_iter().find(|phase| phase.name() == name);
        known.ok_or_else(|| UnknownPhase(name.to_owned()))
    }
}
