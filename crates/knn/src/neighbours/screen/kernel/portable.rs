//! Plain loops over arrays of fixed length, which compilers turn into whatever registers there are.

use super::{Hit, Hits, Lanes, Line, PANEL, WIDTH};

pub(super) fn products<const QUERIES: usize, const PANELS: usize>(
    queries: &[[u32; QUERIES]],
    panels: [&[Line]; PANELS],
    start: &[Lanes; PANELS],
    least: &[i32; QUERIES],
    hits: &mut Hits,
) {
    for (query, &least) in least.iter().enumerate() {
        for (panel, (lines, start)) in panels.iter().zip(start).enumerate() {
            let mut sums = *start;
            add_products(queries.iter().map(|words| words[query]), lines, &mut sums);
            let rows = reaching(&sums, least);
            if rows != 0 {
                hits.push(Hit { query: query as u8, panel: panel as u8, rows, sums });
            }
        }
    }
}

pub(super) fn deepen(
    query: &[[u32; 1]],
    panel: &[Line],
    starts: [&Lanes; 2],
    sums: &mut Lanes,
    least: i32,
) -> u16 {
    restart(starts, sums);
    add_products(query.iter().map(|&[word]| word), panel, sums);
    reaching(sums, least)
}

#[inline(always)]
fn add_products(words: impl Iterator<Item = u32>, lines: &[Line], sums: &mut Lanes) {
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
        *sum += pairs[2 * row] + pairs[2 * row + 1];
    }
}

#[inline(always)]
pub(super) fn restart([before, after]: [&Lanes; 2], sums: &mut Lanes) {
    for (sum, (after, before)) in sums.0.iter_mut().zip(after.0.iter().zip(before.0)) {
        *sum += after - before;
    }
}

#[inline(always)]
pub(super) fn reaching(sums: &Lanes, least: i32) -> u16 {
    sums.0.iter().rev().fold(0, |rows, &sum| rows << 1 | u16::from(sum >= least))
}

#[inline(always)]
pub(super) fn squared_difference(a: &[i16], b: &[i16]) -> f32 {
    let mut sums = [0.0_f32; WIDTH];
    for (a, b) in a.as_chunks::<WIDTH>().0.iter().zip(b.as_chunks::<WIDTH>().0) {
        for lane in 0..WIDTH {
            let difference = (i32::from(a[lane]) - i32::from(b[lane])) as f32;
            sums[lane] += difference * difference;
        }
    }
    let [a, b, c, d] = std::array::from_fn(|i| (sums[i] + sums[i + 4]) + (sums[i + 8] + sums[i + 12]));
    (a + b) + (c + d)
}
