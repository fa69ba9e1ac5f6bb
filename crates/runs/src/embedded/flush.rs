use std::collections::{HashMap, VecDeque};

use super::file::{Block, Change, Place};
use super::index::{Index, Loose};
use super::pack::{self, Pack};
use super::{Limits, Shared};
use crate::{Point, StoreError};

/// Points that are moved together, about.
const TOGETHER: usize = 1 << 18;

/// What a series costs beside its points, in points.
const COST_OF_SERIES: usize = 64;
/// Blocks of a series that are not full: so many are made into one.
const LOOSE: usize = 16;

/// Points on their way into blocks: those of all series, a share at a time.
#[derive(Debug)]
pub(super) struct Flush {
    /// Those that are left.
    series: VecDeque<u32>,
    /// Writes before this one are in blocks when it is done.
    before: u64,
}

/// How many points of a series a change moves, and how many are in blocks then that are not full.
#[derive(Debug)]
pub(super) struct Moved {
    pub(super) series: u32,
    pub(super) points: usize,
    pub(super) loose: Loose,
}

impl Flush {
    pub(super) fn new(series: impl Iterator<Item = u32>, before: u64) -> Self {
        Self { series: series.collect(), before }
    }

    /// Whether points that are in no block would take less room in some, and be read sooner.
    pub(super) fn is_worth_it(index: &Index) -> bool {
        let series = index.numbers().filter(|number| !index.series(*number).fresh.is_empty()).count();
        index.fresh() > COST_OF_SERIES * series
    }

    /// Adds to a change what moves a share of the points into packs from this number on. `held` is how many blocks each pack
    /// holds.
    pub(super) fn share(
        &mut self,
        shared: &Shared,
        pack: u64,
        held: &HashMap<u64, u32>,
        change: &mut Change,
    ) -> Result<Vec<Moved>, StoreError> {
        let (mut moved, mut points) = (Vec::new(), 0);
        let mut packer = Packer { shared, change, next: pack, full: None, loose: None, summaries: None };
        while points < TOGETHER {
            let Some(number) = self.series.pop_front() else {
                packer.change.flushed = self.before.checked_sub(1);
                break;
            };
            let (mut of, mut loose) = {
                let index = shared.index();
                let series = index.series(number);
                (series.fresh.clone(), series.loose)
            };
            let fresh = of.len();
            if fresh == 0 {
                continue;
            }
            if loose.blocks >= LOOSE || loose.points > 0 && loose.points + fresh >= shared.limits.block {
                match shared.loose(number) {
                    Ok((blocks, points)) => {
                        packer.change.gone.extend(blocks);
                        of.extend(points);
                        loose = Loose::default();
                    }
                    // They stay as they are; what came since is not theirs.
                    Err(error) => tracing::error!("{error}"),
                }
            }
            points += of.len() + COST_OF_SERIES;
            of.sort_unstable_by(Point::order);
            of.dedup();
            for points in of.chunks(shared.limits.block) {
                if points.len() < shared.limits.block {
                    loose.add(points.len());
                }
                packer.add(number, points)?;
            }
            moved.push(Moved { series: number, points: fresh, loose });
        }
        packer.finish();
        let mut gone: HashMap<u64, u32> = HashMap::new();
        change.gone.iter().flat_map(Block::packs).for_each(|pack| *gone.entry(pack).or_default() += 1);
        change.empty =
            gone.iter().filter(|(pack, gone)| held.get(pack) == Some(gone)).map(|(pack, _)| *pack).collect();
        Ok(moved)
    }
}

impl Shared {
    /// The blocks of a series that are not full, and their points.
    fn loose(&self, series: u32) -> Result<(Vec<Block>, Vec<Point>), StoreError> {
        let reading = self.file.reading()?;
        let mut blocks = reading.blocks(series, u64::MAX)?;
        blocks.retain(|block| self.limits.is_loose(block));
        let points = blocks.iter().map(|block| reading.points(block)).collect::<Result<Vec<_>, _>>()?;
        Ok((blocks, points.concat()))
    }
}

impl Limits {
    /// Whether a block is to be made into one with others.
    pub(super) fn is_loose(&self, block: &Block) -> bool {
        (block.count as usize) < self.block
    }
}

/// Puts blocks into packs.
struct Packer<'a> {
    shared: &'a Shared,
    change: &'a mut Change,
    /// Number of the next pack.
    next: u64,
    /// Blocks that stay.
    full: Open,
    /// Blocks that are made into others soon: a pack goes when nothing is left in it.
    loose: Open,
    /// All that a page is shown of most series lies together.
    summaries: Open,
}

/// A pack that is not full, if there is one, and its number.
type Open = Option<(u64, Pack)>;

impl Packer<'_> {
    /// Adds a block of sorted points.
    fn add(&mut self, series: u32, points: &[Point]) -> Result<(), StoreError> {
        let ([first, ..], [.., last]) = (points, points) else { return Ok(()) };
        let (place, summary) = if points.len() == self.shared.limits.block {
            let place = self.put(|packer| &mut packer.full, points)?;
            let drawn = pack::summary(points);
            (place, drawn.map(|drawn| self.put(|packer| &mut packer.summaries, &drawn)).transpose()?)
        } else {
            // Few of a series are in such, and they are read themselves.
            (self.put(|packer| &mut packer.loose, points)?, None)
        };
        let times = || points.iter().map(|point| point.time_ms);
        self.change.blocks.push(Block {
            // No two blocks have one number: a block is in one pack, at one place.
            key: (series, first.step, place.pack << 32 | u64::from(place.columns.values.0)),
            count: points.len() as u32,
            last_step: last.step,
            times_ms: (times().min().unwrap_or_default(), times().max().unwrap_or_default()),
            place,
            summary,
        });
        Ok(())
    }

    fn put(&mut self, open: fn(&mut Self) -> &mut Open, points: &[Point]) -> Result<Place, StoreError> {
        if let Some(full) = open(self).take_if(|(_, pack)| pack.is_full()) {
            self.close(full);
        }
        let next = self.next;
        let (number, pack) = open(self).get_or_insert_with(|| (next, Pack::default()));
        let (pack, added) = (*number, pack.add(points));
        self.next = self.next.max(pack + 1);
        let columns = added.map_err(|error| self.shared.file.foreign(error))?;
        Ok(Place { pack, columns })
    }

    fn close(&mut self, (number, pack): (u64, Pack)) {
        self.change.packs.push((number, pack.into_bytes()));
    }

    fn finish(mut self) {
        let open = [self.full.take(), self.loose.take(), self.summaries.take()];
        open.into_iter().flatten().for_each(|open| self.close(open));
    }
}
