use events::Kind;

use crate::Frame;

/// Which event types a reader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Filter(u64);

impl Filter {
    /// Everything.
    pub const ALL: Self = Self(u64::MAX);

    /// These types.
    pub fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | 1 << kind as u8))
    }

    /// Reads `a,b`; the error is the name that is no type.
    pub fn parse(names: &str) -> Result<Self, String> {
        let kinds: Result<Vec<_>, _> =
            names.split(',').map(|name| Kind::from_name(name).ok_or_else(|| name.to_owned())).collect();
        Ok(Self::of(kinds?))
    }

    /// Whether a reader with this filter gets the frame. A reader of snapshots also gets the
    /// episodes that are folded into them.
    pub fn passes(self, frame: &Frame) -> bool {
        frame.kind().is_none_or(|kind| self.wants(kind))
    }

    /// Whether a reader with this filter gets events of a type.
    pub(crate) fn wants(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0 || (kind == Kind::Episode && self.wants(Kind::Snapshot))
    }
}
