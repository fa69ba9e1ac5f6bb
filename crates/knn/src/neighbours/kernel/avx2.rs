//! AVX2: 16-bit multiply-and-add, for the 8-bit one saturates.
#![expect(
    clippy::needless_range_loop,
    reason = "registers are numbered, and adapters of iterators cannot inline closures with these instructions"
)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_add_epi32, _mm_cvtepu8_epi16, _mm_cvtsi32_si128, _mm_hadd_epi32, _mm_load_si128,
    _mm_loadu_si128, _mm_storeu_si128, _mm256_add_epi32, _mm256_broadcastq_epi64, _mm256_castsi256_si128,
    _mm256_cvtepi8_epi16, _mm256_extracti128_si256, _mm256_madd_epi16, _mm256_setzero_si256,
};

use super::{Hit, Hits, Lanes, Line, PANEL, Part, STRETCH, portable};

/// Registers of a panel: four rows in each, two sums a row.
const QUARTERS: usize = 4;

#[target_feature(enable = "avx2")]
pub(super) fn tile<const QUERIES: usize, const PANELS: usize>(
    queries: &[[u32; QUERIES]],
    parts: &[Part<'_>],
    least: &[i32; QUERIES],
    hits: &mut Hits,
) {
    // Two queries at a time: eight sums, four quarters of the panel and two words are as many
    // registers as there are.
    for panel in 0..PANELS {
        let mut first = 0;
        while first < QUERIES {
            let pair = [first, (first + 1).min(QUERIES - 1)];
            let mut sums = [Lanes([0; PANEL]); 2];
            let mut queries = queries;
            for part in parts {
                let (now, later) = queries.split_at(part.groups);
                queries = later;
                let mut quarters = [[_mm256_setzero_si256(); QUARTERS]; 2];
                for (words, line) in now.iter().zip(&part.lines[panel * part.groups..]) {
                    let words = [widen(words[pair[0]]), widen(words[pair[1]])];
                    for quarter in 0..QUARTERS {
                        let rows = load_quarter(line, quarter);
                        for query in 0..2 {
                            let products = _mm256_madd_epi16(rows, words[query]);
                            quarters[query][quarter] = _mm256_add_epi32(quarters[query][quarter], products);
                        }
                    }
                }
                for query in 0..2 {
                    portable::restart(part, panel, &mut sums[query]);
                    add(&mut sums[query], &quarters[query]);
                }
            }
            for (query, sums) in (first..QUERIES).zip(sums) {
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
pub(super) fn deepen(query: &[u32], part: &Part<'_>, sums: &mut Lanes, least: i32) -> u16 {
    portable::restart(part, 0, sums);
    let mut quarters = [_mm256_setzero_si256(); QUARTERS];
    for (&word, line) in query.iter().zip(part.lines) {
        let word = widen(word);
        for (quarter, sum) in quarters.iter_mut().enumerate() {
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(load_quarter(line, quarter), word));
        }
    }
    add(sums, &quarters);
    portable::reaching(sums, least)
}

#[target_feature(enable = "avx2")]
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    crate::distance::squared_distance(a, b)
}

#[target_feature(enable = "avx2")]
pub(super) fn products(factors: &[f64], matrix: &[[f32; STRETCH]], sums: &mut [[f64; STRETCH]]) {
    super::portable::products(factors, matrix, sums);
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

/// Adds the two sums of every row.
#[inline]
#[target_feature(enable = "avx2")]
fn add(lanes: &mut Lanes, quarters: &[__m256i; QUARTERS]) {
    for (rows, &quarter) in lanes.0.as_chunks_mut::<4>().0.iter_mut().zip(quarters) {
        let sums = _mm_hadd_epi32(_mm256_castsi256_si128(quarter), _mm256_extracti128_si256::<1>(quarter));
        // SAFETY: 16 readable and writable bytes.
        unsafe {
            let before = _mm_loadu_si128(rows.as_ptr().cast());
            _mm_storeu_si128(rows.as_mut_ptr().cast(), _mm_add_epi32(before, sums));
        }
    }
}
