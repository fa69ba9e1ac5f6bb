use crate::{Event, Kind};

/// How much of a type is kept, and sent to whoever joins.
///
/// Events of a type fall into groups, and in a group each event has a place: an event with the same
/// place replaces the one before it and becomes the newest. What is over a cap goes, oldest first:
///
/// - over `per_group`, the group's oldest event. This depends on nothing but the events that are
///   there, so every reader that applies the same rule holds the same.
/// - over `groups` or `total`, the whole group that was quiet longest. This depends on what was
///   there before, so it is said: an `evicted` event names the group. So is a type that is
///   emptied by another ([`Kind::empties`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Fields that tell groups apart; none where all events are one group.
    pub group: &'static [&'static str],
    /// What tells events of a group apart.
    pub items: Items,
    /// Events in a group, at most; of a series, the buckets that it is drawn in.
    pub per_group: usize,
    /// Groups, at most.
    pub groups: usize,
    /// Events of this type, at most.
    pub total: usize,
}

/// What tells the events of a group apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Items {
    /// Every event is its own: the group is a ring.
    Each,
    /// These fields; with none, the newest event is the only one.
    Fields(&'static [&'static str]),
    /// Nothing: the points of a group's events are one set, of which is kept what is drawn of it (`runs::Pyramid`). It
    /// is one event, of the seq at which that changed last.
    Series,
}

impl Retention {
    const fn ring(size: usize) -> Self {
        Self { group: &[], items: Items::Each, per_group: size, groups: 1, total: size }
    }

    const fn last(fields: &'static [&'static str], size: usize) -> Self {
        Self { group: &[], items: Items::Fields(fields), per_group: size, groups: 1, total: size }
    }
}

/// Keys of a type that keeps the last event of each key.
const KEYS: usize = 100_000;

impl Kind {
    /// What is kept of this type. `None`: nothing, because it is folded into another.
    pub const fn retention(self) -> Option<Retention> {
        Some(match self {
            Self::Embedding => Retention::ring(5_000),
            Self::EmbeddingSnapshot | Self::Snapshot | Self::PhaseMix | Self::RunsMeta | Self::Tiles => {
                Retention::last(&[], 1)
            }
            Self::ModelMetric | Self::ModelPerf => Retention::last(&["model"], KEYS),
            Self::LiveDetection => Retention {
                group: &["host_id"],
                items: Items::Each,
                per_group: 60,
                groups: 256,
                total: 60 * 256,
            },
            Self::AttackProfile => Retention::last(&["name"], KEYS),
            Self::Prediction => Retention {
                group: &["episode_id"],
                items: Items::Fields(&["window_idx", "model"]),
                per_group: 20_000,
                groups: 20_000,
                total: 20_000,
            },
            Self::Phase => Retention::last(&["host_id"], KEYS),
            Self::Episode => return None,
            Self::Alert => Retention::last(&["dedup_key"], 200),
            Self::MetricPoints => Retention {
                group: &["run_id", "metric"],
                items: Items::Series,
                per_group: 128,
                groups: 5_000,
                total: 5_000,
            },
            Self::Loss => Retention::ring(1_024),
        })
    }

    /// The type that an event of this type empties.
    pub const fn empties(self) -> Option<Self> {
        match self {
            Self::EmbeddingSnapshot => Some(Self::Embedding),
            _ => None,
        }
    }
}

/// Where an event is kept: its group, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The values of [`Retention::group`].
    pub group: Key<'a>,
    /// The values of [`Items::Fields`]; `None` where every event has a place of its own.
    pub item: Option<Key<'a>>,
}

/// The values of the fields that tell things apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key<'a> {
    /// No field.
    Whole,
    /// One name.
    Name(&'a str),
    /// Two names.
    Names(&'a str, &'a str),
    /// A number and a name.
    Indexed(u64, &'a str),
}

impl Key<'_> {
    /// Appends a form of the key that no other key has.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Whole => {}
            Self::Name(name) => out.extend_from_slice(name.as_bytes()),
            Self::Names(first, second) => {
                out.extend_from_slice(&(first.len() as u32).to_le_bytes());
                out.extend_from_slice(first.as_bytes());
                out.extend_from_slice(second.as_bytes());
            }
            Self::Indexed(index, name) => {
                out.extend_from_slice(&index.to_le_bytes());
                out.extend_from_slice(name.as_bytes());
            }
        }
    }

    /// The values as strings.
    pub fn values(&self) -> Vec<String> {
        match *self {
            Self::Whole => vec![],
            Self::Name(name) => vec![name.to_owned()],
            Self::Names(first, second) => vec![first.to_owned(), second.to_owned()],
            Self::Indexed(index, name) => vec![index.to_string(), name.to_owned()],
        }
    }
}

impl Event<'_> {
    /// Where the event is kept, as [`Kind::retention`] says.
    pub fn place(&self) -> Place<'_> {
        let last = |item| Place { group: Key::Whole, item: Some(item) };
        let ring = |group| Place { group, item: None };
        match self {
            Self::Embedding(_) | Self::Loss(_) => ring(Key::Whole),
            Self::EmbeddingSnapshot(_)
            | Self::Snapshot(_)
            | Self::PhaseMix(_)
            | Self::RunsMeta(_)
            | Self::Tiles(_)
            | Self::Episode(_) => last(Key::Whole),
            Self::ModelMetric(event) => last(Key::Name(&event.model)),
            Self::ModelPerf(event) => last(Key::Name(&event.model)),
            Self::LiveDetection(event) => ring(Key::Name(&event.host_id)),
            Self::AttackProfile(event) => last(Key::Name(&event.name)),
            Self::Prediction(event) => Place {
                group: Key::Name(&event.episode_id),
                item: Some(Key::Indexed(event.window_idx, &event.model)),
            },
            Self::Phase(event) => last(Key::Name(&event.host_id)),
            Self::Alert(event) => last(Key::Name(&event.dedup_key)),
            Self::MetricPoints(event) => {
                Place { group: Key::Names(&event.run_id, &event.metric), item: Some(Key::Whole) }
            }
        }
    }
}
