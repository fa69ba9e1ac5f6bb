//! AVX2: 16-bit multiply-and-add, for the 8-bit one saturates.
#![expect(
    clippy::needless_range_loop,
    reason = "registers are numbered, and adapters of iterators cannot inline closures with these instructions"
)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_cvtepu8_epi16, _mm_cvtsi32_si128, _mm_hadd_epi32, _mm_load_si128, _mm_storeu_si128,
    _mm256_add_epi32, _mm256_broadcastq_epi64, _mm256_castsi256_si128, _mm256_cvtepi8_epi16,
    _mm256_extracti128_si256, _mm256_madd_epi16, _mm256_setzero_si256,
};

use super::{Hit, Hits, Lanes, Line, PANEL, portable};

/// Registers of a panel: four rows in each, two sums a row.
const QUARTERS: usize = 4;

#[target_feature(enable = "avx2")]
pub(super) fn products<const QUERIES: usize, const PANELS: usize>(
    queries: &[[u32; QUERIES]],
    panels: [&[Line]; PANELS],
    start: &[Lanes; PANELS],
    least: &[i32; QUERIES],
    hits: &mut Hits,
) {
    // Two queries at a time: eight sums, four quarters of the panel and two words are as many
    // registers as there are.
    for (panel, (lines, start)) in panels.iter().zip(start).enumerate() {
        let mut first = 0;
        while first < QUERIES {
            let second = (first + 1).min(QUERIES - 1);
            let mut sums = [[_mm256_setzero_si256(); QUARTERS]; 2];
            for (words, line) in queries.iter().zip(*lines) {
                let pair = [widen(words[first]), widen(words[second])];
                for quarter in 0..QUARTERS {
                    let rows = load_quarter(line, quarter);
                    for query in 0..2 {
                        let products = _mm256_madd_epi16(rows, pair[query]);
                        sums[query][quarter] = _mm256_add_epi32(sums[query][quarter], products);
                    }
                }
            }
            for (query, sums) in (first..=second).zip(&sums) {
                let sums = total(start, sums);
                let rows = portable::reaching(&sums, least[query]);
                if rows != 0 {
                    hits.push(Hit { query: query as u8, panel: panel as u8, rows, sums });
                }
            }
            first += 2;
        }
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn deepen(
    query: &[[u32; 1]],
    panel: &[Line],
    starts: [&Lanes; 2],
    sums: &mut Lanes,
    least: i32,
) -> u16 {
    portable::restart(starts, sums);
    let mut quarters = [_mm256_setzero_si256(); QUARTERS];
    for ([word], line) in query.iter().zip(panel) {
        let word = widen(*word);
        for (quarter, sum) in quarters.iter_mut().enumerate() {
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(load_quarter(line, quarter), word));
        }
    }
    *sums = total(sums, &quarters);
    portable::reaching(sums, least)
}

#[target_feature(enable = "avx2")]
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    crate::distance::squared_distance(a, b)
}

#[target_feature(enable = "avx2")]
pub(super) fn squared_difference(a: &[i16], b: &[i16]) -> f32 {
    portable::squared_difference(a, b)
}

/// The four coordinates of a query as 16-bit numbers, four times.
#[inline]
#[target_feature(enable = "avx2")]
fn widen(word: u32) -> __m256i {
    _mm256_broadcastq_epi64(_mm_cvtepu8_epi16(_mm_cvtsi32_si128(word.cast_signed())))
}

/// Four rows of a line as 16-bit numbers.
#[inline]
#[target_feature(enable = "avx2")]
fn load_quarter(line: &Line, quarter: usize) -> __m256i {
    let bytes: &[i8; 16] = &line.0.as_chunks().0[quarter];
    // SAFETY: 16 readable bytes; a line begins at a multiple of 64, so each quarter at one of 16.
    let bytes: __m128i = unsafe { _mm_load_si128(bytes.as_ptr().cast()) };
    _mm256_cvtepi8_epi16(bytes)
}

/// The start and the two sums of every row, added.
#[inline]
#[target_feature(enable = "avx2")]
fn total(start: &Lanes, quarters: &[__m256i; QUARTERS]) -> Lanes {
    let mut lanes = Lanes([0; PANEL]);
    for (rows, &quarter) in lanes.0.as_chunks_mut::<4>().0.iter_mut().zip(quarters) {
        let sums = _mm_hadd_epi32(_mm256_castsi256_si128(quarter), _mm256_extracti128_si256::<1>(quarter));
        // SAFETY: 16 writable bytes.
        unsafe { _mm_storeu_si128(rows.as_mut_ptr().cast(), sums) };
    }
    for (sum, start) in lanes.0.iter_mut().zip(start.0) {
        *sum += start;
    }
    lanes
}
