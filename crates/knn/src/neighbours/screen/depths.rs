use rayon::prelude::*;

use super::super::kernel::{GROUP, Kernel, PANEL};
use super::{
    rotation::{Rotated, Rotation},
    sweep::DENSE,
};
use crate::{
    matrix::Matrix,
    neighbours::{Exhaustive, Neighbours, Search},
    sample::evenly,
    watch::Unwatched,
};

/// Queries that choose the depths, and the neighbours that they look for.
const QUERY_SAMPLE: usize = 16;
const TYPICAL_K: usize = 10;
/// Panels next to each other that they look at, and how often.
const RUN: usize = 8;
const RUN_SAMPLE: usize = 32;

/// What a sample of queries and of runs of panels tells of a depth.
#[derive(Debug, Clone, Default, PartialEq)]
struct Survivors {
    groups: usize,
    /// Share of the panels that keep a row, for every query and run.
    panels: Vec<f64>,
    /// Share of all rows.
    rows: f64,
}

/// What a query spends, about, in nanoseconds of one machine with AVX-512. What counts is how they compare.
mod cost {
    /// A panel, whatever its groups.
    pub(super) const PANEL: f64 = 2.0;
    /// A group of a panel that is looked at with others.
    pub(super) const GROUP: f64 = 0.17;
    /// A panel that keeps a row: its sums are written down and taken up again.
    pub(super) const HIT: f64 = 60.0;
    /// One more group of such a panel.
    pub(super) const DEEPER: f64 = 2.0;
    /// A row that is left: it is fetched from memory and ranked.
    pub(super) const ROW: f64 = 200.0;
}

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

/// How deep, in groups, the levels of a screen over rows like these end: two of them, or one.
///
/// More than two were slower on all tables that were tried, by a sixth with much noise: every level has a step of
/// its own, and what goes from one to the next is multiplied and started anew. What fits a batch was
/// within a tenth of the best for a single query too.
///
/// It is the cheapest for a sample of the rows that is looked for among all, in a sample of the panels that this
/// order makes.
pub(super) fn depths(rows: &Matrix, kernel: Kernel, plain: &Rotation, order: &[u32]) -> Vec<usize> {
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
    let all: Vec<&[u32]> = order.chunks(RUN * PANEL).collect();
    let runs: Vec<Rotated> =
        evenly(all.len(), RUN_SAMPLE).into_par_iter().map(|run| rotated(all[run as usize])).collect();
    cheapest(&survivors(&runs, &rotated(&numbers), &radii))
}

fn cheapest(survivors: &[Survivors]) -> Vec<usize> {
    let pairs = survivors.iter().enumerate().flat_map(|(i, deep)| {
        let two = survivors[..i].iter().map(move |shallow| vec![shallow, deep]);
        two.chain([vec![deep]])
    });
    let cheapest = pairs.min_by(|a, b| cost_of(a).total_cmp(&cost_of(b)));
    cheapest.unwrap_or_default().into_iter().map(|depth| depth.groups).collect()
}

/// The time that one query spends on one panel, on average.
fn cost_of(depths: &[&Survivors]) -> f64 {
    let Some((first, last)) = depths.first().zip(depths.last()) else { return f64::INFINITY };
    let of_run = |run: usize| {
        // As a sweep does it: where most panels keep a row, it goes deeper with all of them.
        let dense = depths.iter().take_while(|depth| depth.panels[run] > f64::from(DENSE)).count();
        let depths = &depths[dense.min(depths.len() - 1)..];
        let hits: f64 = depths.iter().map(|depth| depth.panels[run] * cost::HIT).sum();
        let deeper: f64 = depths
            .windows(2)
            .map(|pair| pair[0].panels[run] * cost::DEEPER * (pair[1].groups - pair[0].groups) as f64)
            .sum();
        cost::PANEL + cost::GROUP * depths[0].groups as f64 + hits + deeper
    };
    let runs = first.panels.len();
    (0..runs).map(of_run).sum::<f64>() / runs as f64 + last.rows * PANEL as f64 * cost::ROW
}

/// Counts which panels and rows survive at each candidate depth.
///
/// Each run is rows of panel after panel, in principal coordinates; each query comes with its radius.
fn survivors(runs: &[Rotated], queries: &Rotated, radii: &[f64]) -> Vec<Survivors> {
    let runs: Vec<Vec<&[f64]>> =
        runs.iter().map(|run| run.iter().map(|row| row.coordinates).collect()).collect();
    let rows: usize = runs.iter().map(Vec::len).sum();
    let columns = runs.first().and_then(|run| run.first()).map_or(0, |row| row.len());
    let mut square = vec![0.0; columns];
    for row in runs.iter().flatten() {
        for (square, value) in square.iter_mut().zip(*row) {
            *square += value * value / rows as f64;
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
    // Of every candidate: the panels that keep a row, and the rows.
    let of_run = |(query, radius): (&[f64], f64), run: &[&[f64]]| {
        let mut counts = vec![(0_usize, 0_usize); candidates.len()];
        for panel in run.chunks(PANEL) {
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
        let panels = run.len().div_ceil(PANEL) as f64;
        counts.into_iter().map(|(kept, rows)| (kept as f64 / panels, rows)).collect::<Vec<_>>()
    };
    let counts: Vec<Vec<(f64, usize)>> =
        queries.par_iter().flat_map_iter(|&query| runs.iter().map(move |run| of_run(query, run))).collect();
    let of_candidate = |(number, &(to, _)): (usize, &(usize, f64))| Survivors {
        groups: to.div_ceil(GROUP),
        panels: counts.iter().map(|run| run[number].0).collect(),
        rows: counts.iter().map(|run| run[number].1).sum::<usize>() as f64
            / (rows * queries.len()).max(1) as f64,
    };
    candidates.iter().enumerate().map(of_candidate).collect()
}
