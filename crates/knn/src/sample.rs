//! Which rows stand for all: evenly spaced ones, or ones drawn by a seed.

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

/// What a seed is used for. Every use has its own stream of numbers, so that a change of one does
/// not shift the others.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Use {
    Split = 1,
    ProjectionRows = 2,
    ClusterRows = 3,
    ClusterStarts = 4,
    Bootstrap = 5,
    Published = 6,
    Layout = 7,
    Validation = 8,
}

/// The random numbers of one use of a seed.
pub(crate) fn generator(seed: u64, what: Use) -> Xoshiro256PlusPlus {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    for _ in 0..what as u8 {
        generator.jump();
    }
    generator
}

/// `wanted` of `0..len`, evenly spaced from 0; all of them if there are no more. Rising.
pub(crate) fn evenly(len: usize, wanted: usize) -> Vec<u32> {
    let wanted = wanted.min(len);
    (0..wanted).map(|i| (i as u128 * len as u128 / wanted as u128) as u32).collect()
}

/// `wanted` of `rows`, drawn without replacement; all of them if there are no more. In the order of
/// `rows`.
///
/// Drawn and not evenly spaced, because windows are periodic: every episode begins clean, and a step
/// that fits the length of the episodes would pick one phase only.
pub(crate) fn drawn(rows: &[u32], wanted: usize, seed: u64, what: Use) -> Vec<u32> {
    if rows.len() <= wanted {
        return rows.to_vec();
    }
    let mut places = rand::seq::index::sample(&mut generator(seed, what), rows.len(), wanted).into_vec();
    places.sort_unstable();
    places.into_iter().map(|place| rows[place]).collect()
}

/// `wanted` row numbers of `classes` (one class a row), drawn so that each class has its share and
/// no class that is there is left out while `wanted` allows it. Rising.
///
/// Shares are proportional, rounded down, with at least one each; what rounding leaves over goes to
/// the classes with the largest remainder.
pub fn stratified(classes: &[u8], wanted: usize, seed: u64) -> Vec<u32> {
    let mut rows: Vec<Vec<u32>> = Vec::new();
    for (row, &class) in classes.iter().enumerate() {
        let class = usize::from(class);
        if rows.len() <= class {
            rows.resize_with(class + 1, Vec::new);
        }
        rows[class].push(row as u32);
    }
    rows.retain(|rows| !rows.is_empty());
    let quotas = quotas(&rows.iter().map(Vec::len).collect::<Vec<_>>(), wanted);
    let mut picked: Vec<u32> =
        rows.iter().zip(quotas).flat_map(|(rows, quota)| drawn(rows, quota, seed, Use::Published)).collect();
    picked.sort_unstable();
    picked
}

/// How many of each class: `min(wanted, all)` in sum, none above its size.
fn quotas(sizes: &[usize], wanted: usize) -> Vec<usize> {
    let all: usize = sizes.iter().sum();
    let wanted = wanted.min(all);
    let mut quotas: Vec<usize> = sizes.iter().map(|&size| share(size, wanted, all).max(1)).collect();
    let mut largest_remainder: Vec<usize> = (0..sizes.len()).collect();
    largest_remainder.sort_by_key(|&class| {
        std::cmp::Reverse((sizes[class] as u128 * wanted as u128) % all.max(1) as u128)
    });
    while quotas.iter().sum::<usize>() < wanted {
        for &class in &largest_remainder {
            if quotas.iter().sum::<usize>() < wanted && quotas[class] < sizes[class] {
                quotas[class] += 1;
            }
        }
    }
    // "At least one" may have asked for more than there is to give: the largest give it back.
    while quotas.iter().sum::<usize>() > wanted {
        if let Some(largest) = quotas.iter_mut().max() {
            *largest -= 1;
        }
    }
    quotas
}

fn share(size: usize, wanted: usize, all: usize) -> usize {
    (size as u128 * wanted as u128 / all.max(1) as u128) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quotas_add_up_and_leave_no_class_out(
            sizes in prop::collection::vec(1_usize..400, 1..6),
            wanted in 0_usize..900,
        ) {
            let quotas = quotas(&sizes, wanted);
            let all: usize = sizes.iter().sum();
            prop_assert_eq!(quotas.iter().sum::<usize>(), wanted.min(all));
            for (quota, size) in quotas.iter().zip(&sizes) {
                prop_assert!(quota <= size);
                prop_assert!(wanted < sizes.len() || *quota >= 1);
            }
        }

        #[test]
        fn evenly_spaced_rows_are_distinct_and_begin_at_the_first(len in 1_usize..500, wanted in 1_usize..500) {
            let rows = evenly(len, wanted);
            prop_assert_eq!(rows.len(), wanted.min(len));
            prop_assert_eq!(rows[0], 0);
            prop_assert!(rows.is_sorted_by(|a, b| a < b));
            prop_assert!((rows[rows.len() - 1] as usize) < len);
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_rows_and_another_use_draws_others() {
        let rows: Vec<u32> = (0..1000).collect();
        let once = drawn(&rows, 50, 7, Use::ClusterRows);
        assert_eq!(once, drawn(&rows, 50, 7, Use::ClusterRows));
        assert_ne!(once, drawn(&rows, 50, 7, Use::ProjectionRows));
        assert_ne!(once, drawn(&rows, 50, 8, Use::ClusterRows));
    }
}
