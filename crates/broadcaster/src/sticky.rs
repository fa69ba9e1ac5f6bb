use events::{Key, Kind, Place, Retention};
use foldhash::{HashMap, HashMapExt};
use slab::Slab;

use crate::Frame;
use crate::order::Order;

/// How many evictions are remembered for readers that come back.
const MARKERS: usize = 4_096;

/// Entries that are looked at together.
const SETTLED: u64 = 256;

/// What is kept of the events, each entry with the seq that last changed it.
///
/// Invariant: an entry's seq is unique, and entries are only ever put with a higher seq than all
/// before; so the state at any moment is in the order in which it came to be.
///
/// Cost: constant time an event, whatever is kept; what changed since a seq in the time of what it is.
#[derive(Debug)]
pub(crate) struct Sticky {
    retention: fn(Kind) -> Option<Retention>,
    entries: Slab<Entry>,
    order: Order,
    kinds: Vec<Groups>,
    /// Evictions, by what was evicted: the newest of each.
    markers: HashMap<(Kind, Box<[u8]>), u32>,
    by_eviction: Order,
    /// Evictions up to here are forgotten: a reader behind it cannot be told what went.
    floor: u64,
    /// Frames of entries up to here share no memory with others.
    settled: u64,
    /// What is saved elsewhere, if anything is.
    saved: Option<Since>,
    /// Holds an encoded key while it is looked up.
    key: Vec<u8>,
}

/// The entries that are saved: those up to a seq, but for those that went since.
#[derive(Debug)]
struct Since {
    upto: u64,
    gone: Vec<u64>,
}

#[derive(Debug)]
struct Entry {
    seq: u64,
    kind: Kind,
    of: Of,
    content: Content,
}

/// What an entry is of.
#[derive(Debug)]
enum Of {
    /// The event with this key in its group; without one it is in nobody's place.
    Event(Option<Box<[u8]>>),
    /// The eviction of the group of this key.
    Eviction(Box<[u8]>),
}

/// What is kept in an entry.
#[derive(Debug)]
pub(crate) enum Content {
    /// An event as it came.
    Frame(Frame),
    /// What events of its type are folded into: that of this number. It is rendered when somebody asks.
    Folded(u32),
}

/// The groups of one type.
#[derive(Debug, Default)]
struct Groups {
    by_key: HashMap<Box<[u8]>, u32>,
    groups: Slab<Group>,
    /// The groups by their newest event.
    by_newest: Order,
    /// Of all of them.
    size: Size,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Events.
    pub entries: usize,
    /// Bytes of their frames.
    pub bytes: usize,
}

#[derive(Debug, Default)]
struct Group {
    key: Box<[u8]>,
    values: Vec<String>,
    newest: u64,
    items: HashMap<Box<[u8]>, u32>,
    order: Order,
}

/// A group that retention dropped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Evicted {
    pub(crate) of: Kind,
    pub(crate) group: Vec<String>,
    key: Box<[u8]>,
}

impl Evicted {
    /// As it was saved.
    pub(crate) fn again(of: Kind, group: Vec<String>) -> Self {
        let mut key = Vec::new();
        // Groups go by their type, or by one name or two.
        match &group[..] {
            [] => Key::Whole,
            [name] => Key::Name(name),
            [first, second, ..] => Key::Names(first, second),
        }
        .encode(&mut key);
        Self { of, group, key: key.into() }
    }
}

impl Sticky {
    /// Entries up to `settled` are put with frames that share no memory with others.
    pub(crate) fn new(retention: fn(Kind) -> Option<Retention>, settled: u64) -> Self {
        Self {
            retention,
            entries: Slab::new(),
            order: Order::default(),
            kinds: Kind::ALL.iter().map(|_| Groups::default()).collect(),
            markers: HashMap::new(),
            by_eviction: Order::default(),
            floor: 0,
            settled,
            saved: None,
            key: Vec::new(),
        }
    }

    /// Keeps an event in its place.
    ///
    /// Groups over the caps stay until [`evict`](Self::evict): in the middle of a batch a group
    /// might be dropped that a later event of the batch writes to.
    pub(crate) fn put(&mut self, seq: u64, kind: Kind, place: Place<'_>, content: Content) {
        let Some(Retention { per_group, .. }) = (self.retention)(kind) else { return };
        let Self { entries, order, kinds, saved, key, .. } = self;
        let groups = &mut kinds[kind as usize];
        key.clear();
        place.group.encode(key);
        let (group, size) = groups.touched(key, &place.group, seq);
        size.bytes += content.bytes();
        let item = place.item.map(|item| {
            key.clear();
            item.encode(key);
            &key[..]
        });

        let number = match item.and_then(|item| group.items.get(item)) {
            Some(&number) => {
                // It is put anew: its old places in the orders are holes from here on.
                order.leave();
                group.order.leave();
                let entry = &mut entries[number as usize];
                gone(saved, entry.seq);
                size.bytes -= entry.content.bytes();
                (entry.seq, entry.content) = (seq, content);
                number
            }
            None => {
                let item: Option<Box<[u8]>> = item.map(Into::into);
                let number = entries.insert(Entry { seq, kind, of: Of::Event(item.clone()), content }) as u32;
                group.items.extend(item.map(|item| (item, number)));
                size.entries += 1;
                number
            }
        };
        let is_current = |seq, number| is_current(entries, seq, number);
        order.push(seq, number, is_current);
        group.order.push(seq, number, is_current);
        if group.order.len() > per_group
            && let Some(oldest) = group.order.pop(is_current)
        {
            order.leave();
            let oldest = entries.remove(oldest as usize);
            size.entries -= 1;
            size.bytes -= oldest.content.bytes();
            gone(saved, oldest.seq);
            if let Of::Event(Some(item)) = oldest.of {
                group.items.remove(&item);
            }
        }
    }

    /// Drops all events of a type.
    pub(crate) fn empty(&mut self, kind: Kind) -> Vec<Evicted> {
        std::iter::from_fn(|| self.drop_quietest(kind)).collect()
    }

    /// Drops the groups of a type that are over its caps, those first that were quiet longest.
    pub(crate) fn evict(&mut self, kind: Kind) -> Vec<Evicted> {
        let mut evicted = Vec::new();
        let Some(Retention { groups, total, .. }) = (self.retention)(kind) else { return evicted };
        loop {
            let now = &self.kinds[kind as usize];
            if now.by_key.len() <= groups && now.size.entries <= total {
                return evicted;
            }
            evicted.extend(self.drop_quietest(kind));
        }
    }

    fn drop_quietest(&mut self, kind: Kind) -> Option<Evicted> {
        let Groups { by_key, groups, by_newest, size } = &mut self.kinds[kind as usize];
        let quietest =
            by_newest.pop(|seq, number| groups.get(number as usize).is_some_and(|of| of.newest == seq))?;
        let group = groups.remove(quietest as usize);
        by_key.remove(&group.key);
        size.entries -= group.order.len();
        for (seq, number) in group.order.after(0) {
            if is_current(&self.entries, seq, number) {
                let entry = self.entries.remove(number as usize);
                size.bytes -= entry.content.bytes();
                self.order.leave();
                gone(&mut self.saved, seq);
            }
        }
        Some(Evicted { of: kind, group: group.values, key: group.key })
    }

    /// Remembers an eviction, so that a reader from before it can be told.
    pub(crate) fn mark(&mut self, seq: u64, evicted: Evicted, frame: Frame) {
        let Evicted { of: kind, key, .. } = evicted;
        let Self { entries, order, markers, by_eviction, saved, .. } = self;
        let number = match markers.get(&(kind, key.clone())) {
            Some(&number) => {
                order.leave();
                by_eviction.leave();
                let entry = &mut entries[number as usize];
                gone(saved, entry.seq);
                (entry.seq, entry.content) = (seq, Content::Frame(frame));
                number
            }
            None => {
                let of = Of::Eviction(key.clone());
                let content = Content::Frame(frame);
                let number = entries.insert(Entry { seq, kind, of, content }) as u32;
                markers.insert((kind, key), number);
                number
            }
        };
        let is_current = |seq, number| is_current(entries, seq, number);
        order.push(seq, number, is_current);
        by_eviction.push(seq, number, is_current);
        if by_eviction.len() > MARKERS
            && let Some(oldest) = by_eviction.pop(is_current)
        {
            order.leave();
            let oldest = entries.remove(oldest as usize);
            gone(saved, oldest.seq);
            self.floor = oldest.seq;
            if let Of::Eviction(key) = oldest.of {
                markers.remove(&(oldest.kind, key));
            }
        }
    }

    /// The log holds no frames up to `seq` any more: the memory that they share with others is given up.
    ///
    /// Nearly always an entry has changed by then, and nothing has to be copied.
    pub(crate) fn settle(&mut self, seq: u64) {
        if seq < self.settled + SETTLED {
            return;
        }
        for (at, number) in self.order.after(self.settled).take_while(|(at, _)| *at <= seq) {
            let entry = self.entries.get_mut(number as usize).filter(|entry| entry.seq == at);
            if let Some(Entry { content: Content::Frame(frame), .. }) = entry {
                *frame = frame.alone();
            }
        }
        self.settled = seq;
    }

    /// Whether a reader that knows of everything that was dropped up to `seq` can be told the rest.
    pub(crate) fn remembers(&self, seq: u64) -> bool {
        seq >= self.floor
    }

    /// What a reader at `seq` is missing, in order, with the seq and the type of each: each place once, at its latest.
    pub(crate) fn changed_since(&self, seq: u64) -> impl Iterator<Item = (u64, Kind, &Content)> {
        let entries = self
            .order
            .after(seq)
            .filter_map(|(at, number)| self.entries.get(number as usize).filter(|entry| entry.seq == at));
        entries.map(|entry| (entry.seq, entry.kind, &entry.content))
    }

    /// Evictions up to here are forgotten.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    /// Everything up to `seq` is saved: from here on it is noted what goes of it.
    pub(crate) fn note_changes(&mut self, seq: u64, floor: u64) {
        self.floor = floor;
        self.saved = Some(Since { upto: seq, gone: vec![] });
    }

    /// Takes what is to be saved, so that everything up to `seq` is: what changed since the seq that is
    /// returned, less the entries of these seqs.
    pub(crate) fn changes(&mut self, seq: u64) -> (u64, Vec<u64>) {
        let before = self.saved.replace(Since { upto: seq, gone: vec![] });
        before.map_or_else(Default::default, |Since { upto, gone }| (upto, gone))
    }

    /// What is kept of a type.
    pub(crate) fn size(&self, kind: Kind) -> Size {
        self.kinds[kind as usize].size
    }
}

impl Groups {
    /// The group of this key, which is a new one if need be, with its newest event now at `seq`.
    fn touched(&mut self, key: &[u8], values: &Key<'_>, seq: u64) -> (&mut Group, &mut Size) {
        let number = match self.by_key.get(key) {
            Some(&number) => {
                self.by_newest.leave();
                number
            }
            None => {
                let group = Group { key: key.into(), values: values.values(), ..Group::default() };
                let number = self.groups.insert(group) as u32;
                self.by_key.insert(key.into(), number);
                number
            }
        };
        self.groups[number as usize].newest = seq;
        let groups = &self.groups;
        let is_current = |seq, number: u32| groups.get(number as usize).is_some_and(|of| of.newest == seq);
        self.by_newest.push(seq, number, is_current);
        (&mut self.groups[number as usize], &mut self.size)
    }
}

/// Notes that the entry of this seq is no more.
fn gone(saved: &mut Option<Since>, seq: u64) {
    if let Some(saved) = saved
        && seq <= saved.upto
    {
        saved.gone.push(seq);
    }
}

impl Content {
    fn bytes(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.websocket().len(),
            Self::Folded(_) => 0,
        }
    }
}

fn is_current(entries: &Slab<Entry>, seq: u64, number: u32) -> bool {
    entries.get(number as usize).is_some_and(|entry| entry.seq == seq)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;

    #[test]
    fn what_stays_holds_no_memory_of_what_the_log_dropped() {
        let (mut sticky, mut block) = (Sticky::new(Kind::retention, 0), BytesMut::with_capacity(1 << 16));
        for seq in 1..=2 * SETTLED {
            let name = if seq == 1 { "stays" } else { "changes" };
            let place = Place { group: Key::Name(name), item: Some(Key::Whole) };
            let frame = Frame::event_in(&mut block, seq, Kind::Alert, br#"{"type":"alert"}"#);
            sticky.put(seq, Kind::Alert, place, Content::Frame(frame));
        }
        let is_alone = |sticky: &Sticky| {
            let mut kept = sticky.changed_since(0);
            kept.any(|(seq, _, content)| {
                matches!(content, Content::Frame(frame) if seq == 1 && frame.websocket().is_unique())
            })
        };
        assert!(!is_alone(&sticky), "it is in a block with the others");
        sticky.settle(2 * SETTLED - 1);
        assert!(is_alone(&sticky));
    }
}
