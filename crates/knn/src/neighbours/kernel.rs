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

/// Products that are added up together: as many as registers hold.
pub(super) const STRETCH: usize = 64;

/// One group of one panel: four signed coordinates of sixteen rows, row after row.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [i8; PANEL * GROUP]);

/// A number for each row of a panel.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Lanes(pub(super) [i32; PANEL]);

/// A level of some panels next to each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    /// Groups of a panel.
    pub(super) groups: usize,
    /// What one of the sums before is in the sums of this level.
    pub(super) ratio: i32,
    /// What is added to the sums of each panel beside the products.
    pub(super) start: &'a [Lanes],
    /// Panel after panel, group after group.
    pub(super) lines: &'a [Line],
}

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

    #[inline]
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
pub(crate) struct Kernel(Instructions);

impl Kernel {
    /// The fastest where the CPU lacks these instructions.
    pub(crate) fn new(instructions: Instructions) -> Self {
        Self(if instructions.available() { instructions } else { Instructions::fastest() })
    }

    /// Adds up the products of some queries with some panels, and keeps as hits the panels of which a
    /// row reaches what the query needs `least`.
    ///
    /// `queries` holds a group of each query after the other, as many as all parts have together.
    #[inline]
    pub(super) fn tile<const QUERIES: usize, const PANELS: usize>(
        self,
        queries: &[[u32; QUERIES]],
        parts: &[Part<'_>],
        least: &[i32; QUERIES],
        hits: &mut Hits,
    ) {
        hits.clear();
        match self.0 {
            Instructions::Portable => portable::tile::<QUERIES, PANELS>(queries, parts, least, hits),
            // SAFETY: a kernel is only made where the CPU has its instructions.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2::tile::<QUERIES, PANELS>(queries, parts, least, hits) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512::tile::<QUERIES, PANELS>(queries, parts, least, hits) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => portable::tile::<QUERIES, PANELS>(queries, parts, least, hits),
        }
    }

    /// Takes the sums of one query with one panel on to the next level; answers which rows reach
    /// `least`.
    #[inline]
    pub(super) fn deepen(self, query: &[u32], part: &Part<'_>, sums: &mut Lanes, least: i32) -> u16 {
        match self.0 {
            Instructions::Portable => portable::deepen(query, part, sums, least),
            // SAFETY: a kernel is only made where the CPU has its instructions.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2::deepen(query, part, sums, least) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512::deepen(query, part, sums, least) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => portable::deepen(query, part, sums, least),
        }
    }

    /// [`squared_distance`](crate::squared_distance), to the last bit.
    #[inline]
    pub(crate) fn squared_distance(self, a: &[f32], b: &[f32]) -> f64 {
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

    /// The product of a row of factors with a matrix, given row after row, each as long as `products`.
    #[inline]
    pub(super) fn products(
        self,
        factors: &[f64],
        matrix: &[[f32; STRETCH]],
        products: &mut [[f64; STRETCH]],
    ) {
        match self.0 {
            Instructions::Portable => portable::products(factors, matrix, products),
            // SAFETY: a kernel is only made where the CPU has its instructions.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2::products(factors, matrix, products) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512::products(factors, matrix, products) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => portable::products(factors, matrix, products),
        }
    }
}
