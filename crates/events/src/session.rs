use serde::Serialize;

use crate::Kind;

/// The protocol's version, said in [`Session::Hello`].
pub const PROTOCOL: u32 = 1;

/// What the broadcaster says of a connection, between the events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Session<'a> {
    /// The first message.
    Hello {
        /// The life of the broadcaster's order: seqs of different epochs do not compare.
        epoch: &'a str,
        /// The newest event.
        seq: u64,
        /// Events up to here may have been lost in a crash of the broadcaster: part of the cursor of a reader
        /// that is not `ready`.
        #[serde(skip_serializing_if = "is_zero")]
        #[cfg_attr(feature = "schema", schemars(default))]
        lost_to: u64,
        /// Whether what follows continues the reader's cursor. If not, the reader drops what it had.
        resumed: bool,
        /// [`PROTOCOL`].
        protocol: u32,
    },
    /// The state is complete up to here; what follows is live.
    Ready {
        /// The newest event that the state holds.
        seq: u64,
    },
    /// The reader was too slow for the log: the state changed since its cursor follows, not every event.
    Skipped {
        /// The reader's cursor.
        from: u64,
        /// Where it goes on.
        to: u64,
        /// Whether the whole state follows. If so, the reader drops what it had.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        #[cfg_attr(feature = "schema", schemars(default))]
        reset: bool,
    },
    /// Retention dropped a whole group (see [`Retention`](crate::Retention)).
    Evicted {
        /// Its place in the order, among the events.
        seq: u64,
        /// The events' type.
        of: Kind,
        /// The values of the fields that the group has in common.
        group: &'a [String],
    },
}

// serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
