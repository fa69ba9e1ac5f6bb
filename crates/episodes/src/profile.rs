use std::fmt;
use std::str::FromStr;

/// The kind of load that an episode carries: what it does while `infected_running`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Computes without a pause.
    CpuSaturate,
    /// Walks a file tree: lists, stats, opens and reads.
    IoWalk,
    /// A little work at long, even intervals.
    LowAndSlow,
    /// Full load and silence in turn.
    Bursty,
    /// Fills fresh memory page by page, and again.
    MemWalk,
    /// Is in place and does next to nothing.
    Idle,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 6] =
        [Self::CpuSaturate, Self::IoWalk, Self::LowAndSlow, Self::Bursty, Self::MemWalk, Self::Idle];

    /// The name on the command line and in `meta.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CpuSaturate => "cpu-saturate",
            Self::IoWalk => "io-walk",
            Self::LowAndSlow => "low-and-slow",
            Self::Bursty => "bursty",
            Self::MemWalk => "mem-walk",
            Self::Idle => "idle",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A profile name that is none.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no profile; expected cpu-saturate, io-walk, low-and-slow, bursty, mem-walk or idle")]
pub struct UnknownProfile(String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        let known = Self::ALL.into_iter().find(|profile| profile.name() == name);
        known.ok_or_else(|| UnknownProfile(name.to_owned()))
    }
}
