use rayon::prelude::*;

use super::super::kernel::{GROUP, Kernel, PANEL};
use super::rotation::{Rotated, Rotation};
use crate::{
    matrix::Matrix,
    neighbours::{Exhaustive, Neighbours, Search},
    sample::evenly,
    watch::Unwatched,
};

/// Queries and panels that choose the depths, and the neighbours that those queries look for.
const QUERY_SAMPLE: usize = 16;
const PANEL_SAMPLE: usize = 256;
const TYPICAL_K: usize = 10;

/// How deep, in groups, the screen looks before it decides whether to look deeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Depths {
    /// Rising; the last is as deep as 8-bit points are kept.
    pub(super) all: Vec<usize>,
    /// How many of `all` a batch begins with.
    pub(super) batch: usize,
    /// How many of `all` a single query begins with.
    pub(super) single: usize,
}

/// What a sample of queries and rows tells of a depth.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Survivors {
    pub(super) groups: usize,
    /// Share of the panels that keep a row.
    pub(super) panels: f64,
    /// Share of the rows.
    pub(super) rows: f64,
}

/// About nanoseconds of one machine with AVX-512, where on three tables of 120,000 x 230 the depths that
/// follow were the fastest of those tried or within a tenth of them. What counts is how they compare.
struct Costs {
    /// A group of a panel for one query.
    group: f64,
    /// A panel for one query, whatever its groups.
    panel: f64,
    /// A panel that keeps a row: its sums are written down and taken up again.
    hit: f64,
    /// One more group of such a panel.
    deeper: f64,
    /// A row that is left: it is fetched from memory and ranked.
    row: f64,
}

/// Queries of a batch share what is read.
const BATCH: Costs = Costs { group: 0.17, panel: 2.0, hit: 60.0, deeper: 0.5, row: 200.0 };
/// A single query waits for memory.
const SINGLE: Costs = Costs { group: 1.5, panel: 3.0, hit: 60.0, deeper: 2.0, row: 200.0 };

/// Depths that are considered, at most.
const CANDIDATES: usize = 24;
/// How far coordinates of a block reach, in their standard deviations.
const REACH: f64 = 4.0;

/// Depths that are considered for so many groups.
fn candidates(groups: usize) -> Vec<usize> {
    let mut depths: Vec<usize> = (1..=CANDIDATES)
        .map(|i| (groups as f64).powf(i as f64 / CANDIDATES as f64).round() as usize)
        .collect();
    depths.dedup();
    depths
}

impl Depths {
    /// The cheapest for rows like these, by a sample of them that is looked for among all, in a sample of
    /// the panels that this order makes.
    pub(super) fn of(rows: &Matrix, kernel: Kernel, plain: &Rotation, order: &[u32]) -> Self {
        let numbers = evenly(order.len(), QUERY_SAMPLE);
        let sample = rows.select(&numbers);
        // Each of them finds itself.
        let found = Exhaustive::with(rows, kernel).nearest(&sample, TYPICAL_K + 1, &Unwatched);
        let radii: Vec<f64> = found
            .iter()
            .flat_map(Neighbours::iter)
            .map(|found| found.last().map_or(0.0, |last| last.squared_distance.sqrt()))
            .collect();
        let rotated =
            |numbers: &[u32]| plain.rotate(kernel, numbers.iter().map(|&number| rows.row(number as usize)));
        let panels = evenly(order.len().div_ceil(PANEL), PANEL_SAMPLE);
        let members = panels
            .into_iter()
            .flat_map(|panel| &order[panel as usize * PANEL..order.len().min((panel as usize + 1) * PANEL)]);
        let panels = rotated(&members.copied().collect::<Vec<u32>>());
        Self::cheapest(&survivors(&panels, &rotated(&numbers), &radii))
    }

    /// The cheapest one, two or three of the candidates for a batch, and for a single query.
    fn cheapest(survivors: &[Survivors]) -> Self {
        let batch = BATCH.cheapest(survivors);
        let single = SINGLE.cheapest(survivors);
        let mut all: Vec<usize> = batch.iter().chain(&single).copied().collect();
        all.sort_unstable();
        all.dedup();
        let count = |depths: &[usize]| all.iter().filter(|&depth| Some(depth) <= depths.first()).count();
        Self { batch: count(&batch), single: count(&single), all }
    }
}

impl Costs {
    fn cheapest(&self, survivors: &[Survivors]) -> Vec<usize> {
        let mut best = (f64::INFINITY, vec![]);
        let mut consider = |depths: &[Survivors]| {
            let cost = self.of(depths);
            if cost < best.0 {
                best = (cost, depths.iter().map(|depth| depth.groups).collect());
            }
        };
        for (i, &a) in survivors.iter().enumerate() {
            consider(&[a]);
            for (j, &b) in survivors.iter().enumerate().skip(i + 1) {
                consider(&[a, b]);
                for &c in &survivors[j + 1..] {
                    consider(&[a, b, c]);
                }
            }
        }
        best.1
    }

    /// The time that one query spends on one panel, on average.
    fn of(&self, depths: &[Survivors]) -> f64 {
        let Some((first, last)) = depths.first().zip(depths.last()) else { return f64::INFINITY };
        let deeper: f64 = depths
            .windows(2)
            .map(|pair| pair[0].panels * self.deeper * (pair[1].groups - pair[0].groups) as f64)
            .sum();
        let levels: f64 = depths.iter().map(|depth| depth.panels * self.hit).sum();
        self.panel + self.group * first.groups as f64 + levels + deeper + last.rows * PANEL as f64 * self.row
    }
}

/// Counts which panels and rows survive at each candidate depth.
///
/// `rows` are panel after panel, in principal coordinates; each query comes with its radius.
fn survivors(rows: &Rotated, queries: &Rotated, radii: &[f64]) -> Vec<Survivors> {
    let rows: Vec<&[f64]> = rows.iter().map(|row| row.coordinates).collect();
    let columns = rows.first().map_or(0, |row| row.len());
    let mut square = vec![0.0; columns];
    for row in &rows {
        for (square, value) in square.iter_mut().zip(*row) {
            *square += value * value / rows.len() as f64;
        }
    }
    // Both sides are off by the rounding to a lattice that reaches far enough for most.
    let candidates: Vec<(usize, f64)> = candidates(columns.div_ceil(GROUP))
        .into_iter()
        .map(|groups| {
            let to = (groups * GROUP).min(columns);
            let step = REACH * (square[..to].iter().sum::<f64>() / to as f64).sqrt() / 127.0;
            (to, 2.0 * step * (to as f64 / 12.0).sqrt())
        })
        .collect();
    let queries: Vec<(&[f64], f64)> =
        queries.iter().map(|query| query.coordinates).zip(radii.iter().copied()).collect();
    let of_query = |&(query, radius): &(&[f64], f64)| {
        let mut counts = vec![(0_usize, 0_usize); candidates.len()];
        for panel in rows.chunks(PANEL) {
            let mut kept = vec![0_usize; candidates.len()];
            for row in panel {
                let mut square = 0.0;
                let mut from = 0;
                for (&(to, errors), kept) in candidates.iter().zip(&mut kept) {
                    let differences = row[from..to].iter().zip(&query[from..to]);
                    square += differences.map(|(a, b)| (a - b).powi(2)).sum::<f64>();
                    from = to;
                    *kept += usize::from(square.sqrt() <= radius + errors);
                }
            }
            for ((panels, rows), kept) in counts.iter_mut().zip(kept) {
                *panels += usize::from(kept > 0);
                *rows += kept;
            }
        }
        counts
    };
    let counts = queries.par_iter().map(of_query).reduce(
        || vec![(0, 0); candidates.len()],
        |a, b| a.iter().zip(b).map(|(a, b)| (a.0 + b.0, a.1 + b.1)).collect(),
    );
    let pairs = (radii.len() * rows.len().div_ceil(PANEL)).max(1) as f64;
    let share = |(&(to, _), (panels, rows)): (&(usize, f64), (usize, usize))| Survivors {
        groups: to.div_ceil(GROUP),
        panels: panels as f64 / pairs,
        rows: rows as f64 / (pairs * PANEL as f64),
    };
    candidates.iter().zip(counts).map(share).collect()
}
