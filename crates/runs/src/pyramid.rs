use crate::{Bucket, Point};

/// Points of one point in a bucket.
pub const POINTS_PER_BUCKET: usize = 4;

/// A series in so many buckets at most, all as wide: as narrow as they can be, by powers of two.
///
/// Buckets begin at multiples of their width, so that those of all series lie on one grid, and two of them are exactly
/// one of twice the width. What it holds follows from the set of points alone: not from their order, and not from how often one
/// came. So points that are drawn of it, folded into another, make the same; and one that has the points of some moment and
/// is given those of the buckets that changed since is the same from then on.
///
/// A point costs constant time where steps rise; where they do not, that of the buckets behind it. There are at most 53
/// widths, each of which is gone over once.
#[derive(Debug, Clone, PartialEq)]
pub struct Pyramid {
    most: usize,
    level: u32,
    /// With their numbers, which rise: a bucket of number n holds the steps from n << level on.
    buckets: Vec<(u64, Bucket)>,
}

impl Extend<Point> for Pyramid {
    fn extend<T: IntoIterator<Item = Point>>(&mut self, points: T) {
        for point in points {
            self.fold(point);
        }
    }
}

/// What folding something in did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was known.
    None,
    /// The bucket of this index changed, or is new.
    Bucket(usize),
    /// Buckets are wider than before.
    Wider,
}

impl Pyramid {
    /// Of no points, in at least one bucket at most.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), level: 0, buckets: Vec::new() }
    }

    /// The same, where it is known that buckets are as wide as this level says, or wider.
    pub fn at_least(most: usize, level: u32) -> Self {
        Self { level, ..Self::new(most) }
    }

    /// Buckets are 2^level steps wide.
    pub fn level(&self) -> u32 {
        self.level
    }

    /// The buckets, with their numbers.
    pub fn buckets(&self) -> &[(u64, Bucket)] {
        &self.buckets
    }

    /// How many buckets its points are in at a level: of a finer one than its own, that there are more than it could hold.
    pub(crate) fn occupied(&self, level: u32) -> usize {
        let Some(wider) = level.checked_sub(self.level) else { return self.most + 1 };
        let mut before = None;
        self.buckets
            .iter()
            .filter(|(number, _)| before.replace(number >> wider) != Some(number >> wider))
            .count()
    }

    /// What is drawn of it, in order.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        self.buckets.iter().flat_map(|(_, bucket)| bucket.points())
    }

    /// Adds a point.
    pub fn fold(&mut self, point: Point) -> Change {
        self.put(point.step >> self.level, &Bucket::of(point))
    }

    /// Adds a bucket of a grid that is as fine as this one, or finer.
    pub fn join(&mut self, level: u32, number: u64, bucket: &Bucket) -> Change {
        debug_assert!(level <= self.level, "it would have to be taken apart");
        self.put(number >> (self.level - level), bucket)
    }

    fn put(&mut self, number: u64, bucket: &Bucket) -> Change {
        let index = match self.buckets.last_mut() {
            Some((last, _)) if *last == number => self.buckets.len() - 1,
            Some((last, _)) if *last < number => self.buckets.len(),
            _ => self.buckets.partition_point(|(other, _)| *other < number),
        };
        match self.buckets.get_mut(index) {
            Some((other, held)) if *other == number => {
                return if held.join(bucket) { Change::Bucket(index) } else { Change::None };
            }
            _ => self.buckets.insert(index, (number, *bucket)),
        }
        if self.buckets.len() <= self.most {
            return Change::Bucket(index);
        }
        while self.buckets.len() > self.most {
            self.widen();
        }
        Change::Wider
    }

    fn widen(&mut self) {
        self.level += 1;
        self.buckets.iter_mut().for_each(|(number, _)| *number >>= 1);
        self.buckets.dedup_by(|(later, bucket), (number, before)| {
            let is_same = later == number;
            if is_same {
                before.join(bucket);
            }
            is_same
        });
    }
}
