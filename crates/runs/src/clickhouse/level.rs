use crate::{POINTS_PER_BUCKET, Query, View};

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// With all of its points.
    Points,
    /// In buckets of steps that differ in so many low bits only.
    Buckets(u8),
}

/// The points of a series that are not the first: with the highest bit in which their steps differ from the one before, -1 where
/// another time or value only is, and -2 where nothing is.
type Apart = [(i16, u64)];

/// How many there are of a series, each once.
pub(crate) fn points(apart: &Apart) -> u64 {
    apart.iter().filter(|(high, _)| *high > -2).map(|(_, count)| count).sum()
}

/// Bits of a step.
const BITS: u8 = 53;

impl Level {
    /// The least at which there are few enough: as [`Pyramid`](crate::Pyramid) draws it.
    pub(crate) fn of(apart: &Apart, query: &Query) -> Self {
        if points(apart) <= query.most as u64 || query.view == View::Triangles {
            return Self::Points;
        }
        let most = (query.most / POINTS_PER_BUCKET).max(1) as u64;
        let occupied = |bits: u8| -> u64 {
            apart.iter().filter(|(high, _)| *high >= i16::from(bits)).map(|(_, count)| count).sum()
        };
        Self::Buckets((0..BITS).find(|bits| occupied(*bits) <= most).unwrap_or(BITS))
    }

    pub(crate) fn bits(self) -> Option<u8> {
        match self {
            Self::Points => None,
            Self::Buckets(bits) => Some(bits),
        }
    }
}
