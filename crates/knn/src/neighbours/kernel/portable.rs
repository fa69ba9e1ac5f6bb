//! Plain loops over arrays of fixed length, which compilers turn into whatever registers there are.

use super::{Hit, Hits, Lanes, Line, PANEL, Part, STRETCH};

pub(super) fn tile<const QUERIES: usize, const PANELS: usize>(
    queries: &[[u32; QUERIES]],
    parts: &[Part<'_>],
    least: &[i32; QUERIES],
    hits: &mut Hits,
) {
    for (query, &least) in least.iter().enumerate() {
        for panel in 0..PANELS {
            let mut sums = Lanes([0; PANEL]);
            let mut queries = queries.iter().map(|words| words[query]);
            for part in parts {
                restart(part, panel, &mut sums);
                let lines = &part.lines[panel * part.groups..][..part.groups];
                add_groups(queries.by_ref().take(part.groups), lines, &mut sums);
            }
            let rows = reaching(&sums, least);
            if rows != 0 {
                hits.push(Hit { query: query as u8, panel: panel as u8, rows, sums });
            }
        }
    }
}

pub(super) fn deepen(query: &[u32], part: &Part<'_>, sums: &mut Lanes, least: i32) -> u16 {
    restart(part, 0, sums);
    add_groups(query.iter().copied(), part.lines, sums);
    reaching(sums, least)
}

#[inline(always)]
fn add_groups(words: impl Iterator<Item = u32>, lines: &[Line], sums: &mut Lanes) {
    // Two sums a row, one of each pair of coordinates: the shape of multiply-and-add instructions for
    // 16-bit numbers.
    let mut pairs = [0_i32; 2 * PANEL];
    for (word, line) in words.zip(lines) {
        let [a, b, c, d] = word.to_le_bytes().map(i16::from);
        let factors = [[a, b], [c, d]];
        for (pair, sum) in pairs.iter_mut().enumerate() {
            let factors = factors[pair % 2];
            let first = i32::from(i16::from(line.0[2 * pair])) * i32::from(factors[0]);
            let second = i32::from(i16::from(line.0[2 * pair + 1])) * i32::from(factors[1]);
            *sum += first + second;
        }
    }
    for (row, sum) in sums.0.iter_mut().enumerate() {
        *sum = sum.wrapping_add(pairs[2 * row] + pairs[2 * row + 1]);
    }
}

/// The sums of a row that does not exist are anything, and may wrap around.
#[inline(always)]
pub(super) fn restart(part: &Part<'_>, panel: usize, sums: &mut Lanes) {
    for (sum, start) in sums.0.iter_mut().zip(part.start[panel].0) {
        *sum = sum.wrapping_mul(part.ratio).wrapping_add(start);
    }
}

#[inline(always)]
pub(super) fn reaching(sums: &Lanes, least: i32) -> u16 {
    sums.0.iter().rev().fold(0, |rows, &sum| rows << 1 | u16::from(sum >= least))
}

#[inline(always)]
pub(super) fn products(factors: &[f64], matrix: &[[f32; STRETCH]], sums: &mut [[f64; STRETCH]]) {
    let width = sums.len();
    for stretch in 0..width {
        // In registers while all rows are added.
        let mut own = [0.0; STRETCH];
        for row in 0..factors.len() {
            let entries = &matrix[row * width + stretch];
            for lane in 0..STRETCH {
                own[lane] += factors[row] * f64::from(entries[lane]);
            }
        }
        sums[stretch] = own;
    }
}
