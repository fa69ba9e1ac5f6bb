//! AVX-512 with VNNI: one instruction multiplies and adds 64 pairs of bytes.
#![expect(
    clippy::needless_range_loop,
    reason = "registers are numbered, and adapters of iterators cannot inline closures with these instructions"
)]

use std::arch::x86_64::{
    __m512i, _mm256_loadu_si256, _mm512_add_epi32, _mm512_add_ps, _mm512_cmpge_epi32_mask,
    _mm512_cvtepi16_epi32, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_load_si512,
    _mm512_reduce_add_ps, _mm512_set1_epi32, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_store_si512,
    _mm512_sub_epi32,
};

use super::{Hit, Hits, Lanes, Line, PANEL, WIDTH};

#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn products<const QUERIES: usize, const PANELS: usize>(
    queries: &[[u32; QUERIES]],
    panels: [&[Line]; PANELS],
    start: &[Lanes; PANELS],
    least: &[i32; QUERIES],
    hits: &mut Hits,
) {
    let mut sums = [[_mm512_setzero_si512(); PANELS]; QUERIES];
    for query in 0..QUERIES {
        for panel in 0..PANELS {
            sums[query][panel] = load(&start[panel]);
        }
    }
    for panel in panels {
        assert!(panel.len() >= queries.len(), "a panel has every group that is asked for");
    }
    for (group, words) in queries.iter().enumerate() {
        let mut lines = [_mm512_setzero_si512(); PANELS];
        for panel in 0..PANELS {
            lines[panel] = load(&panels[panel][group]);
        }
        for query in 0..QUERIES {
            let word = _mm512_set1_epi32(words[query].cast_signed());
            for panel in 0..PANELS {
                sums[query][panel] = _mm512_dpbusd_epi32(sums[query][panel], word, lines[panel]);
            }
        }
    }
    for query in 0..QUERIES {
        let least = _mm512_set1_epi32(least[query]);
        for panel in 0..PANELS {
            let rows = _mm512_cmpge_epi32_mask(sums[query][panel], least);
            if rows != 0 {
                let sums = unload(sums[query][panel]);
                hits.push(Hit { query: query as u8, panel: panel as u8, rows, sums });
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn deepen(
    query: &[[u32; 1]],
    panel: &[Line],
    [before, after]: [&Lanes; 2],
    sums: &mut Lanes,
    least: i32,
) -> u16 {
    // Four chains, so that no product waits for the one before it.
    let zero = _mm512_setzero_si512();
    let restart = _mm512_sub_epi32(load(after), load(before));
    let mut chains = [load(sums), restart, zero, zero];
    let ((fours, words), (panel, lines)) = (query.as_chunks::<4>(), panel.as_chunks::<4>());
    for group in 0..fours.len().min(panel.len()) {
        for chain in 0..4 {
            let word = _mm512_set1_epi32(fours[group][chain][0].cast_signed());
            chains[chain] = _mm512_dpbusd_epi32(chains[chain], word, load(&panel[group][chain]));
        }
    }
    for group in 0..words.len().min(lines.len()) {
        let word = _mm512_set1_epi32(words[group][0].cast_signed());
        chains[0] = _mm512_dpbusd_epi32(chains[0], word, load(&lines[group]));
    }
    let [a, b, c, d] = chains;
    let total = _mm512_add_epi32(_mm512_add_epi32(a, b), _mm512_add_epi32(c, d));
    *sums = unload(total);
    _mm512_cmpge_epi32_mask(total, _mm512_set1_epi32(least))
}

#[target_feature(enable = "avx512f")]
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    crate::distance::squared_distance(a, b)
}

#[target_feature(enable = "avx512f")]
pub(super) fn squared_difference(a: &[i16], b: &[i16]) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 2];
    let ((pairs, last), (b_pairs, b_last)) = (chunks(a), chunks(b));
    for pair in 0..pairs.len().min(b_pairs.len()) {
        for i in 0..2 {
            let (a, b) = (widen(&pairs[pair][i]), widen(&b_pairs[pair][i]));
            let difference = _mm512_cvtepi32_ps(_mm512_sub_epi32(a, b));
            sums[i] = _mm512_fmadd_ps(difference, difference, sums[i]);
        }
    }
    if let (Some(a), Some(b)) = (last.first(), b_last.first()) {
        let difference = _mm512_cvtepi32_ps(_mm512_sub_epi32(widen(a), widen(b)));
        sums[0] = _mm512_fmadd_ps(difference, difference, sums[0]);
    }
    _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1]))
}

/// Two and two registers of a point, and one that may be left.
#[inline]
fn chunks(point: &[i16]) -> (&[[[i16; WIDTH]; 2]], &[[i16; WIDTH]]) {
    point.as_chunks::<WIDTH>().0.as_chunks::<2>()
}

/// Sixteen 16-bit numbers as 32-bit ones.
#[inline]
#[target_feature(enable = "avx512f")]
fn widen(numbers: &[i16; WIDTH]) -> __m512i {
    // SAFETY: 32 readable bytes.
    _mm512_cvtepi16_epi32(unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) })
}

/// 64 bytes at a multiple of 64.
trait Aligned {}
impl Aligned for Line {}
impl Aligned for Lanes {}

#[inline]
#[target_feature(enable = "avx512f")]
fn load<T: Aligned>(aligned: &T) -> __m512i {
    // SAFETY: both types are 64 readable bytes at a multiple of 64.
    unsafe { _mm512_load_si512(std::ptr::from_ref(aligned).cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn unload(register: __m512i) -> Lanes {
    let mut lanes = Lanes([0; PANEL]);
    // SAFETY: 64 writable bytes at a multiple of 64.
    unsafe { _mm512_store_si512(lanes.0.as_mut_ptr().cast(), register) };
    lanes
}
