use serde::{Deserialize, Serialize};

/// What an observed host is going through. Codes 0 to 4 are the order below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// It is there and rests. A recorder's `failed` is shown as this.
    Dormant,
}

impl Phase {
    /// All phases, in code order.
    pub const ALL: [Self; 5] =
        [Self::Clean, Self::Armed, Self::Infecting, Self::InfectedRunning, Self::Dormant];

    /// The code, 0 to 4, used in packed columns.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The phase of a code, if there is one.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Armed => "armed",
            Self::Infecting => "infecting",
            Self::InfectedRunning => "infected_running",
            Self::Dormant => "dormant",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
