use std::collections::{BTreeMap, BTreeSet, HashMap};

use events::{Kind, Place, Retention};

use crate::Frame;

/// How many evictions are remembered for readers that come back.
const MARKERS: usize = 4_096;

/// What is kept of the events, each entry with the seq that last changed it.
///
/// Invariant: an entry's seq is unique, and entries are only ever put with a higher seq than all
/// before; so the state at any moment is in the order in which it came to be.
#[derive(Debug)]
pub(crate) struct Sticky {
    retention: fn(Kind) -> Option<Retention>,
    entries: BTreeMap<u64, Entry>,
    kinds: HashMap<Kind, Groups>,
    /// Evictions, by what was evicted: the newest of each.
    markers: HashMap<(Kind, Box<[u8]>), u64>,
    marker_seqs: BTreeSet<u64>,
    /// Evictions up to here are forgotten: a reader behind it cannot be told what went.
    floor: u64,
}

#[derive(Debug)]
struct Entry {
    kind: Kind,
    group: Box<[u8]>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// `None`: the frame is rendered when somebody asks (see [`Kept`]).
    Event {
        item: Option<Box<[u8]>>,
        frame: Option<Frame>,
    },
    Marker {
        frame: Frame,
    },
}

/// A sticky entry, as it is handed out.
pub(crate) enum Kept<'a> {
    /// An event as it came.
    Frame(&'a Frame),
    /// The state that events of this type are folded into, last changed by `seq`.
    Folded { kind: Kind, seq: u64 },
}

/// The groups of one type.
#[derive(Debug, Default)]
struct Groups {
    by_key: HashMap<Box<[u8]>, Group>,
    /// The groups by their newest event.
    by_newest: BTreeMap<u64, Box<[u8]>>,
    /// Entries in all of them.
    entries: usize,
}

#[derive(Debug, Default)]
struct Group {
    values: Vec<String>,
    items: HashMap<Box<[u8]>, u64>,
    seqs: BTreeSet<u64>,
}

/// A group that retention dropped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Evicted {
    pub(crate) of: Kind,
    pub(crate) group: Vec<String>,
    key: Box<[u8]>,
}

impl Sticky {
    pub(crate) fn new(retention: fn(Kind) -> Option<Retention>) -> Self {
        Self {
            retention,
            entries: BTreeMap::new(),
            kinds: HashMap::new(),
            markers: HashMap::new(),
            marker_seqs: BTreeSet::new(),
            floor: 0,
        }
    }

    /// Keeps an event in its place. `frame` is `None` for a type whose state is folded.
    ///
    /// Groups over the caps stay until [`evict`](Self::evict): in the middle of a batch a group
    /// might be dropped that a later event of the batch writes to.
    pub(crate) fn put(&mut self, seq: u64, kind: Kind, place: Place<'_>, frame: Option<Frame>) {
        let Some(Retention { per_group, .. }) = (self.retention)(kind) else { return };
        let key = encode(|out| place.group.encode(out));
        let item = place.item.map(|item| encode(|out| item.encode(out)));

        let groups = self.kinds.entry(kind).or_default();
        let group = groups
            .by_key
            .entry(key.clone())
            .or_insert_with(|| Group { values: place.group.values(), ..Group::default() });
        if let Some(newest) = group.seqs.last() {
            groups.by_newest.remove(newest);
        }
        groups.by_newest.insert(seq, key.clone());
        group.seqs.insert(seq);
        groups.entries += 1;
        if let Some(before) = item.as_ref().and_then(|item| group.items.insert(item.clone(), seq)) {
            group.seqs.remove(&before);
            self.entries.remove(&before);
            groups.entries -= 1;
        }
        self.entries.insert(seq, Entry { kind, group: key, content: Content::Event { item, frame } });
        while group.seqs.len() > per_group {
            let Some(oldest) = group.seqs.pop_first() else { break };
            groups.entries -= 1;
            if let Some(Content::Event { item: Some(item), .. }) =
                self.entries.remove(&oldest).map(|entry| entry.content)
            {
                group.items.remove(&item);
            }
        }
    }

    /// Drops all events of a type.
    pub(crate) fn empty(&mut self, kind: Kind) -> Vec<Evicted> {
        let mut evicted = Vec::new();
        while let Some(group) = self.drop_quietest(kind) {
            evicted.push(group);
        }
        evicted
    }

    /// Drops the groups of a type that are over its caps, those first that were quiet longest.
    pub(crate) fn evict(&mut self, kind: Kind) -> Vec<Evicted> {
        let mut evicted = Vec::new();
        let Some(Retention { groups, total, .. }) = (self.retention)(kind) else { return evicted };
        while self.kinds.get(&kind).is_some_and(|now| now.by_key.len() > groups || now.entries > total) {
            evicted.extend(self.drop_quietest(kind));
        }
        evicted
    }

    fn drop_quietest(&mut self, kind: Kind) -> Option<Evicted> {
        let groups = self.kinds.get_mut(&kind)?;
        let (_, key) = groups.by_newest.pop_first()?;
        let group = groups.by_key.remove(&key)?;
        groups.entries -= group.seqs.len();
        for seq in &group.seqs {
            self.entries.remove(seq);
        }
        Some(Evicted { of: kind, group: group.values, key })
    }

    /// Remembers an eviction, so that a reader from before it can be told.
    pub(crate) fn mark(&mut self, seq: u64, evicted: Evicted, frame: Frame) {
        let kind = evicted.of;
        if let Some(before) = self.markers.insert((kind, evicted.key.clone()), seq) {
            self.marker_seqs.remove(&before);
            self.entries.remove(&before);
        }
        self.marker_seqs.insert(seq);
        self.entries.insert(seq, Entry { kind, group: evicted.key, content: Content::Marker { frame } });
        if self.marker_seqs.len() > MARKERS
            && let Some(oldest) = self.marker_seqs.pop_first()
        {
            self.floor = oldest;
            if let Some(entry) = self.entries.remove(&oldest) {
                self.markers.remove(&(entry.kind, entry.group));
            }
        }
    }

    /// Whether a reader at `seq` can be brought forward by [`changed_since`](Self::changed_since).
    /// A reader with nothing always can.
    pub(crate) fn reaches(&self, seq: u64) -> bool {
        seq == 0 || seq >= self.floor
    }

    /// What a reader at `seq` is missing, in order: each place once, at its latest. A reader at 0
    /// has nothing, so it is not told what went.
    pub(crate) fn changed_since(&self, seq: u64) -> impl Iterator<Item = Kept<'_>> {
        self.entries.range(seq + 1..).filter_map(move |(at, entry)| match &entry.content {
            Content::Event { frame: Some(frame), .. } => Some(Kept::Frame(frame)),
            Content::Event { frame: None, .. } => Some(Kept::Folded { kind: entry.kind, seq: *at }),
            Content::Marker { frame } => (seq > 0).then_some(Kept::Frame(frame)),
        })
    }

    /// Entries of a type.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.kinds.get(&kind).map_or(0, |groups| groups.entries)
    }
}

fn encode(write: impl FnOnce(&mut Vec<u8>)) -> Box<[u8]> {
    let mut out = Vec::new();
    write(&mut out);
    out.into_boxed_slice()
}
