//! One contract for every search, with a sort as oracle.

use knn::{
    Matrix, Stage, Stopped, Unwatched, Watch,
    neighbours::{Neighbour, index},
    squared_distance,
};
use proptest::prelude::*;

/// Every distance, sorted.
fn oracle(rows: &Matrix, query: &[f32], k: usize) -> Vec<Neighbour> {
    let mut all: Vec<Neighbour> = (0..rows.rows() as u32)
        .map(|row| Neighbour { squared_distance: squared_distance(query, rows.row(row as usize)), row })
        .collect();
    all.sort_by(|a, b| a.squared_distance.total_cmp(&b.squared_distance).then(a.row.cmp(&b.row)));
    all.truncate(k);
    all
}

fn check(rows: &Matrix, queries: &Matrix, k: usize) {
    let found = index(rows).nearest(queries, k, &Unwatched).unwrap();
    assert_eq!(found.iter().len(), queries.rows());
    for (query, found) in found.iter().enumerate() {
        assert_eq!(found, oracle(rows, queries.row(query), k));
    }
}

/// Coordinates that collide, nearly collide, and are far apart.
fn coordinate() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => (-3_i8..3).prop_map(f32::from),
        2 => -1.0_f32..1.0,
        1 => (0_u8..4).prop_map(|ulps| f32::from_bits(1.0_f32.to_bits() + u32::from(ulps))),
        1 => -1e15_f32..1e15,
        1 => Just(-0.0),
    ]
}

fn matrix(most_rows: usize) -> impl Strategy<Value = (Matrix, Matrix)> {
    (1_usize..20).prop_flat_map(move |columns| {
        let rows = |most| {
            prop::collection::vec(prop::collection::vec(coordinate(), columns), 1..most)
                .prop_map(move |rows| Matrix::new(rows.concat(), columns).unwrap())
        };
        (rows(most_rows), rows(40))
    })
}

proptest! {
    #[test]
    fn the_answer_is_the_smallest_by_distance_and_row((rows, queries) in matrix(600), k in 1_usize..15) {
        check(&rows, &queries, k);
    }
}

#[test]
fn equally_near_rows_come_in_row_order_wherever_they_lie() {
    // 700 copies of the same row: more than a block, more than k.
    let rows = Matrix::new([1.0_f32, 2.0].repeat(700), 2).unwrap();
    let query = Matrix::new(vec![1.0, 2.0], 2).unwrap();
    let found = index(&rows).nearest(&query, 3, &Unwatched).unwrap();
    let numbers: Vec<u32> = found.iter().flatten().map(|found| found.row).collect();
    assert_eq!(numbers, [0, 1, 2]);
    check(&rows, &query, 10);
}

#[test]
fn with_fewer_rows_than_asked_for_all_are_found() {
    let rows = Matrix::new(vec![3.0, 1.0, 2.0], 1).unwrap();
    let query = Matrix::new(vec![0.0], 1).unwrap();
    let found = index(&rows).nearest(&query, 10, &Unwatched).unwrap();
    assert_eq!(found.iter().next().unwrap().iter().map(|found| found.row).collect::<Vec<_>>(), [1, 2, 0]);
}

#[test]
fn any_number_of_threads_finds_the_same() {
    let table = crate::fixture::windows(60, 37, 5);
    let mut rows = table.features;
    for value in rows.values_mut().iter_mut().filter(|value| value.is_nan()) {
        *value = 0.0;
    }
    let found = |threads| {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        threads.install(|| index(&rows).nearest(&rows, 10, &Unwatched).unwrap())
    };
    let one = found(1);
    for threads in [2, 3, 7] {
        assert_eq!(found(threads), one);
    }
}

/// Asks for an end as soon as it has been told of that many queries.
struct Until(std::sync::atomic::AtomicU64);

impl Watch for Until {
    fn begin(&self, _: Stage, _: u64) {}

    fn advance(&self, steps: u64) {
        let left = |left: u64| Some(left.saturating_sub(steps));
        let order = std::sync::atomic::Ordering::Relaxed;
        self.0.fetch_update(order, order, left).unwrap();
    }

    fn stop_requested(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Relaxed) == 0
    }
}

#[test]
fn a_search_ends_when_its_watch_asks_for_it() {
    let rows = Matrix::zeros(5000, 8);
    assert_eq!(index(&rows).nearest(&rows, 10, &Until(100.into())), Err(Stopped));
}
