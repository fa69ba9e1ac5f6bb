//! The inner loops of the screen, one file an instruction set.
//!
//! All kernels compute the same integers, so that what one of them finds all of them find; a new one
//! (Arm's `sdot`, say) is one more file and one more [`Instructions`].

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use std::{fmt, str::FromStr};

/// Rows of a panel: the lanes of the widest registers.
pub(super) const PANEL: usize = 16;
/// Dimensions of a group, multiplied and added by one instruction.
pub(super) const GROUP: usize = 4;
/// Queries and panels of a tile: 24 accumulators, 3 panel and 1 query registers of 32.
pub(super) const TILE_QUERIES: usize = 8;
pub(super) const TILE_PANELS: usize = 3;
/// Panels that one query looks at together: enough sums in flight to hide the latency of each.
pub(super) const STRIP_PANELS: usize = 6;

/// Numbers of a 16-bit point come in multiples of this many.
pub(super) const WIDTH: usize = 16;

/// One group of one panel: four signed coordinates of sixteen rows, row after row.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [i8; PANEL * GROUP]);

/// A number for each row of a panel.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Lanes(pub(super) [i32; PANEL]);

/// Rows of a panel that one query cannot rule out, and their sums so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) query: u8,
    pub(super) panel: u8,
    /// Bit `i` for row `i` of the panel.
    pub(super) rows: u16,
    pub(super) sums: Lanes,
}

/// The hits of one tile or strip.
pub(super) struct Hits {
    hits: [Hit; TILE_QUERIES * TILE_PANELS],
    len: usize,
}

impl Hits {
    pub(super) fn new() -> Self {
        let none = Hit { query: 0, panel: 0, rows: 0, sums: Lanes([0; PANEL]) };
        Self { hits: [none; TILE_QUERIES * TILE_PANELS], len: 0 }
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    fn push(&mut self, hit: Hit) {
        self.hits[self.len] = hit;
        self.len += 1;
    }

    pub(super) fn as_slice(&self) -> &[Hit] {
        &self.hits[..self.len]
    }
}

/// Sets of instructions that a kernel is written for, slowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instructions {
    /// What every CPU has that Rust compiles for.
    Portable,
    /// x86-64 with AVX2.
    Avx2,
    /// x86-64 with AVX-512 F and VNNI.
    Avx512,
}

impl Instructions {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The fastest that this CPU has.
    pub fn fastest() -> Self {
        let available = Self::ALL.into_iter().rev().find(|instructions| instructions.available());
        available.unwrap_or(Self::Portable)
    }

    /// Those that the environment variable `VITRINE_KNN_INSTRUCTIONS` names, if it is set.
    pub fn forced() -> Result<Option<Self>, UnknownInstructions> {
        std::env::var("VITRINE_KNN_INSTRUCTIONS").ok().map(|name| name.parse()).transpose()
    }

    /// Whether this CPU has them.
    pub fn available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        })
    }
}

/// Not the name of a set of instructions, or one that this CPU lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("VITRINE_KNN_INSTRUCTIONS `{0}`: expected portable, avx2 or avx512, of those that this CPU has")]
pub struct UnknownInstructions(String);

impl FromStr for Instructions {
    type Err = UnknownInstructions;

    fn from_str(name: &str) -> Result<Self, UnknownInstructions> {
        let known = Self::ALL.into_iter().find(|known| known.to_string() == name && known.available());
        known.ok_or_else(|| UnknownInstructions(name.to_owned()))
    }
}

/// The inner loops for a set of instructions that this CPU has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel(Instructions);

impl Kernel {
    /// The fastest where the CPU lacks these instructions.
    pub(super) fn new(instructions: Instructions) -> Self {
        Self(if instructions.available() { instructions } else { Instructions::fastest() })
    }

    /// Adds the products of 8 queries with 3 panels to `start`, and keeps as hits the panels of which
    /// a row reaches what the query needs `least`.
    ///
    /// `queries` holds a group of each query after the other, `panels` as many groups of each panel.
    #[inline]
    pub(super) fn tile(
        self,
        queries: &[[u32; TILE_QUERIES]],
        panels: [&[Line]; TILE_PANELS],
        start: &[Lanes; TILE_PANELS],
        least: &[i32; TILE_QUERIES],
        hits: &mut Hits,
    ) {
        hits.clear();
        match self.0 {
            Instructions::Portable => portable::products(queries, panels, start, least, hits),
            // SAFETY: a kernel is only made where the CPU has its instructions.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2::products(queries, panels, start, least, hits) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512::products(queries, panels, start, least, hits) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => portable::products(queries, panels, start, least, hits),
        }
    }

    /// [`tile`](Self::tile) of one query with 6 panels.
    #[inline]
    pub(super) fn strip(
        self,
        query: &[[u32; 1]],
        panels: [&[Line]; STRIP_PANELS],
        start: &[Lanes; STRIP_PANELS],
        least: i32,
        hits: &mut Hits,
    ) {
        hits.clear();
        match self.0 {
            Instructions::Portable => portable::products(query, panels, start, &[least], hits),
            // SAFETY: a kernel is only made where the CPU has its instructions.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2::products(query, panels, start, &[least], hits) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512::products(query, panels, start, &[least], hits) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => portable::products(query, panels, start, &[least], hits),
        }
    }

    /// Adds the products of further groups of one query with one panel to its sums, which start at
    /// `after` instead of `before`; answers which rows reach `least`.
    #[inline]
    pub(super) fn deepen(
        self,
        query: &[[u32; 1]],
        panel: &[Line],
        [before, after]: [&Lanes; 2],
        sums: &mut Lanes,
        least: i32,
    ) -> u16 {
        match self.0 {
            Instructions::Portable => portable::deepen(query, panel, [before, after], sums, least),
            // SAFETY: a kernel is only made where the CPU has its instructions.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2::deepen(query, panel, [before, after], sums, least) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512::deepen(query, panel, [before, after], sums, least) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => portable::deepen(query, panel, [before, after], sums, least),
        }
    }

    /// [`squared_distance`](crate::squared_distance), to the last bit.
    #[inline]
    pub(super) fn squared_distance(self, a: &[f32], b: &[f32]) -> f64 {
        match self.0 {
            Instructions::Portable => crate::distance::squared_distance(a, b),
            // SAFETY: a kernel is only made where the CPU has its instructions.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2::squared_distance(a, b) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512::squared_distance(a, b) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => crate::distance::squared_distance(a, b),
        }
    }

    /// The sum of the squared differences of two 16-bit points, in float32.
    ///
    /// Both are as long, a multiple of [`WIDTH`].
    #[inline]
    pub(super) fn squared_difference(self, a: &[i16], b: &[i16]) -> f32 {
        match self.0 {
            Instructions::Portable => portable::squared_difference(a, b),
            // SAFETY: a kernel is only made where the CPU has its instructions.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2::squared_difference(a, b) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512::squared_difference(a, b) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => portable::squared_difference(a, b),
        }
    }
}
