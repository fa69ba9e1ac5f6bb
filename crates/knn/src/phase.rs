use std::fmt;

/// The phase of a window, as the window table codes it.
///
/// One more than what is shown: a recorder that failed is its own class here, so that a fit keeps
/// what was recorded, and is [shown](Self::shown) as dormant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum WindowPhase {
    /// Code 0.
    Clean,
    /// Code 1.
    Armed,
    /// Code 2.
    Infecting,
    /// Code 3.
    InfectedRunning,
    /// Code 4.
    Dormant,
    /// Code 5.
    Failed,
}

impl WindowPhase {
    /// All phases, in code order.
    pub const ALL: [Self; 6] =
        [Self::Clean, Self::Armed, Self::Infecting, Self::InfectedRunning, Self::Dormant, Self::Failed];

    /// The code, 0 to 5.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The phase of a code, if there is one.
    pub fn from_code(code: i64) -> Option<Self> {
        usize::try_from(code).ok().and_then(|code| Self::ALL.get(code)).copied()
    }

    /// What a page shows.
    pub const fn shown(self) -> events::Phase {
        match self {
            Self::Clean => events::Phase::Clean,
            Self::Armed => events::Phase::Armed,
            Self::Infecting => events::Phase::Infecting,
            Self::InfectedRunning => events::Phase::InfectedRunning,
            Self::Dormant | Self::Failed => events::Phase::Dormant,
        }
    }
}

impl fmt::Display for WindowPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Failed => "failed",
            shown => shown.shown().name(),
        })
    }
}
