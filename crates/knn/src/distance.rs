/// Lanes of [`squared_distance`]: feature `i` is added into lane `i % 16`.
const LANES: usize = 16;

/// The squared Euclidean distance between two rows, in float64.
///
/// This function *is* the distance of this crate: which row is nearer, and which two are exactly as
/// near, is decided by its result to the last bit. So the order of its roundings is fixed: every
/// difference is taken in float64 (exact for float32 inputs of similar size), squared and added into
/// one of sixteen lanes, multiplication and addition rounded one by one (no fused multiply-add), and
/// the upper half of the lanes is added to the lower until one is left. A faster kernel that ranks rows
/// by it must do the same; one that only screens may do as it likes.
///
/// The expansion `|a|^2 - 2ab + |b|^2` was rejected: it cancels for near-duplicates and misses
/// exact ones.
///
/// Both rows must have the same length; of unequal ones, only the common part counts.
#[inline(always)]
pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let (a_whole, a_rest) = a.as_chunks::<LANES>();
    let (b_whole, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_whole.iter().zip(b_whole) {
        for lane in 0..LANES {
            let difference = f64::from(a[lane]) - f64::from(b[lane]);
            lanes[lane] += difference * difference;
        }
    }
    for (lane, (&a, &b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        let difference = f64::from(a) - f64::from(b);
        *lane += difference * difference;
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_is_at_zero_and_a_near_duplicate_is_not() {
        let row: Vec<f32> = (0..37_u8).map(|i| 1000.0 + f32::from(i)).collect();
        let mut near = row.clone();
        assert_eq!(squared_distance(&row, &near), 0.0);
        near[36] += 1e-4;
        let step = f64::from(near[36]) - f64::from(row[36]);
        assert_eq!(squared_distance(&row, &near), step * step);
        assert!(step > 0.0);
    }
}
