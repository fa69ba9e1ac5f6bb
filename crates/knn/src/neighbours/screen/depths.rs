use super::{
    kernel::{GROUP, PANEL},
    rotation::Rotated,
};

/// How deep, in groups, the screen looks before it decides whether to look deeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Depths {
    /// Rising; the last is as deep as 8-bit points are kept.
    pub(super) all: Vec<usize>,
    /// The position in `all` that a batch begins at.
    pub(super) batch: usize,
    /// The position in `all` that a single query begins at.
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

/// About nanoseconds, set so that on two tables of 120,000 x 230 the depths chosen were the fastest of
/// the dozen that were tried, on one machine with AVX-512. What counts is how they compare.
struct Costs {
    /// A group of a panel for one query.
    group: f64,
    /// A panel for one query, whatever its groups.
    panel: f64,
    /// A panel that keeps a row: its sums are written down and taken up again.
    hit: f64,
    /// One more group of such a panel.
    deeper: f64,
    /// A row that is left: its 16-bit point is fetched and compared.
    row: f64,
}

/// Queries of a batch share what is read.
const BATCH: Costs = Costs { group: 0.2, panel: 1.0, hit: 40.0, deeper: 0.8, row: 30.0 };
/// A single query waits for memory.
const SINGLE: Costs = Costs { group: 1.5, panel: 3.0, hit: 60.0, deeper: 2.5, row: 60.0 };

/// Depths that are considered, as shares of all groups.
const SHARES: [f64; 9] = [0.08, 0.14, 0.2, 0.28, 0.4, 0.55, 0.7, 0.85, 1.0];

/// Depths that are considered for so many groups.
pub(super) fn candidates(groups: usize) -> Vec<usize> {
    let mut depths: Vec<usize> = SHARES.iter().map(|share| (groups as f64 * share).ceil() as usize).collect();
    depths.dedup();
    depths
}

impl Depths {
    /// The cheapest one, two or three of the candidates for a batch, and for a single query.
    pub(super) fn cheapest(survivors: &[Survivors]) -> Self {
        let batch = BATCH.cheapest(survivors);
        let single = SINGLE.cheapest(survivors);
        let mut all: Vec<usize> = batch.iter().chain(&single).copied().collect();
        all.sort_unstable();
        all.dedup();
        let place = |depth: Option<&usize>| all.iter().position(|known| Some(known) == depth).unwrap_or(0);
        Self { batch: place(batch.first()), single: place(single.first()), all }
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
/// A candidate is its groups and how far the errors of both sides reach there. `rows` are panel after
/// panel; each query comes with its radius.
pub(super) fn survivors(
    candidates: &[(usize, f64)],
    rows: &Rotated,
    queries: &Rotated,
    radii: &[f64],
) -> Vec<Survivors> {
    let rows: Vec<&[f64]> = rows.iter().map(|(row, _)| row).collect();
    let mut counts = vec![(0_usize, 0_usize); candidates.len()];
    for ((query, _), radius) in queries.iter().zip(radii) {
        for panel in rows.chunks(PANEL) {
            let mut kept = vec![0_usize; candidates.len()];
            for row in panel {
                let mut square = 0.0;
                let mut from = 0;
                for (&(groups, errors), kept) in candidates.iter().zip(&mut kept) {
                    let to = (groups * GROUP).min(row.len());
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
    }
    let pairs = (radii.len() * (rows.len() / PANEL)).max(1) as f64;
    let share = |(&(groups, _), (panels, rows)): (&(usize, f64), (usize, usize))| Survivors {
        groups,
        panels: panels as f64 / pairs,
        rows: rows as f64 / (pairs * PANEL as f64),
    };
    candidates.iter().zip(counts).map(share).collect()
}
