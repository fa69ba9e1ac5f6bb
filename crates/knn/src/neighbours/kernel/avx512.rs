//! AVX-512 with VNNI: one instruction multiplies and adds 64 pairs of bytes.
#![expect(
    clippy::needless_range_loop,
    reason = "registers are numbered, and adapters of iterators cannot inline closures with these instructions"
)]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_cmpge_epi32_mask, _mm512_dpbusd_epi32, _mm512_load_si512,
    _mm512_mullo_epi32, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_store_si512,
};

use super::{Hit, Hits, Lanes, Line, PANEL, Part, STRETCH};

#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn tile<const QUERIES: usize, const PANELS: usize>(
    queries: &[[u32; QUERIES]],
    parts: &[Part<'_>],
    least: &[i32; QUERIES],
    hits: &mut Hits,
) {
    let mut sums = [[_mm512_setzero_si512(); PANELS]; QUERIES];
    let mut queries = queries;
    for (number, part) in parts.iter().enumerate() {
        let (now, later) = queries.split_at(part.groups);
        queries = later;
        if number > 0 {
            let ratio = _mm512_set1_epi32(part.ratio);
            for query in 0..QUERIES {
                for panel in 0..PANELS {
                    sums[query][panel] = _mm512_mullo_epi32(sums[query][panel], ratio);
                }
            }
        }
        for panel in 0..PANELS {
            let start = load(&part.start[panel]);
            for query in 0..QUERIES {
                sums[query][panel] = _mm512_add_epi32(sums[query][panel], start);
            }
        }
        let mut panels = [&part.lines[..0]; PANELS];
        for panel in 0..PANELS {
            panels[panel] = &part.lines[panel * part.groups..][..part.groups];
            // Without a bound to check, the loop below keeps all sums in registers.
            assert!(panels[panel].len() == now.len());
        }
        for (group, words) in now.iter().enumerate() {
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
    }
    // All compared, then those kept that must be: what is indexed by a number that is not known when this
    // is compiled lies in memory, and so would the sums be all along.
    let mut rows = [[0; PANELS]; QUERIES];
    let mut lanes = [[Lanes([0; PANEL]); PANELS]; QUERIES];
    for query in 0..QUERIES {
        let least = _mm512_set1_epi32(least[query]);
        for panel in 0..PANELS {
            rows[query][panel] = _mm512_cmpge_epi32_mask(sums[query][panel], least);
            lanes[query][panel] = unload(sums[query][panel]);
        }
    }
    for query in 0..QUERIES {
        for panel in 0..PANELS {
            let rows = rows[query][panel];
            if rows != 0 {
                let sums = lanes[query][panel];
                hits.push(Hit { query: query as u8, panel: panel as u8, rows, sums });
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn deepen(query: &[u32], part: &Part<'_>, sums: &mut Lanes, least: i32) -> u16 {
    // Four chains, so that no product waits for the one before it.
    let mut chains = [_mm512_setzero_si512(); 4];
    let ((fours, words), (panel, lines)) = (query.as_chunks::<4>(), part.lines.as_chunks::<4>());
    for group in 0..fours.len().min(panel.len()) {
        for chain in 0..4 {
            let word = _mm512_set1_epi32(fours[group][chain].cast_signed());
            chains[chain] = _mm512_dpbusd_epi32(chains[chain], word, load(&panel[group][chain]));
        }
    }
    for group in 0..words.len().min(lines.len()) {
        let word = _mm512_set1_epi32(words[group].cast_signed());
        chains[0] = _mm512_dpbusd_epi32(chains[0], word, load(&lines[group]));
    }
    let [a, b, c, d] = chains;
    let products = _mm512_add_epi32(_mm512_add_epi32(a, b), _mm512_add_epi32(c, d));
    let before = _mm512_mullo_epi32(load(sums), _mm512_set1_epi32(part.ratio));
    let total = _mm512_add_epi32(_mm512_add_epi32(before, load(&part.start[0])), products);
    *sums = unload(total);
    _mm512_cmpge_epi32_mask(total, _mm512_set1_epi32(least))
}

#[target_feature(enable = "avx512f")]
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    crate::distance::squared_distance(a, b)
}

#[target_feature(enable = "avx512f")]
pub(super) fn products(factors: &[f64], matrix: &[[f32; STRETCH]], sums: &mut [[f64; STRETCH]]) {
    super::portable::products(factors, matrix, sums);
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
