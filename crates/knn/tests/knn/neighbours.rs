//! One contract for every search, with a sort as oracle.

use std::sync::OnceLock;

use knn::{
    Matrix, Stage, Stopped, Unwatched, Watch,
    neighbours::{Among, Exhaustive, Instructions, Neighbour, Screen, Search, Tree},
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

/// Every search that this CPU can run.
fn searches(rows: &Matrix) -> Vec<(String, Box<dyn Search + '_>)> {
    let screen = |instructions: Instructions| {
        (format!("screen, {instructions}"), Box::new(Screen::new(rows, instructions)) as Box<dyn Search>)
    };
    let available = Instructions::ALL.into_iter().filter(|instructions| instructions.available());
    let exhaustive: (String, Box<dyn Search>) = ("exhaustive".to_owned(), Box::new(Exhaustive::new(rows)));
    let tree: (String, Box<dyn Search>) = match rows.columns() {
        0..=4 => ("tree".to_owned(), Box::new(Tree::<4>::new(rows))),
        5..=20 => ("tree".to_owned(), Box::new(Tree::<20>::new(rows))),
        _ => return std::iter::once(exhaustive).chain(available.map(screen)).collect(),
    };
    [exhaustive, tree].into_iter().chain(available.map(screen)).collect()
}

/// All of them find what the oracle finds: together, and one query at a time.
fn check(rows: &Matrix, queries: &Matrix, k: usize) {
    let expected: Vec<Vec<Neighbour>> =
        (0..queries.rows()).map(|query| oracle(rows, queries.row(query), k)).collect();
    for (name, search) in searches(rows) {
        let found = search.nearest(queries, k, &Unwatched).unwrap();
        assert_eq!(found.iter().len(), queries.rows(), "{name}");
        for (query, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found, expected, "{name}, query {query}");
        }
        for (query, expected) in expected.iter().enumerate().take(5) {
            let found = search.nearest(&queries.select(&[query as u32]), k, &Unwatched).unwrap();
            assert_eq!(found.iter().next(), Some(&expected[..]), "{name}, query {query} alone");
        }
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
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_answer_is_the_smallest_by_distance_and_row((rows, queries) in matrix(600), k in 1_usize..15) {
        check(&rows, &queries, k);
    }

    /// Among some of the rows: what a search of only those finds.
    #[test]
    fn the_answer_has_only_rows_among_which_was_searched(
        (rows, queries) in matrix(600),
        k in 1_usize..15,
        rare in any::<bool>(),
        seed in any::<u64>(),
    ) {
        use rand::{Rng, SeedableRng, rngs::StdRng};
        let mut numbers = StdRng::seed_from_u64(seed);
        let mut marks: Vec<bool> = (0..rows.rows()).map(|_| numbers.gen_bool(if rare { 0.02 } else { 0.8 })).collect();
        marks[rows.rows() / 2] = true;
        let some: Vec<u32> = (0..rows.rows() as u32).filter(|&row| marks[row as usize]).collect();
        let of_some = rows.select(&some);
        for (name, search) in searches(&rows) {
            let found = search.nearest_among(Among::Marked(&marks), &queries, k, &Unwatched).unwrap();
            for (query, found) in found.iter().enumerate() {
                let expected: Vec<Neighbour> = oracle(&of_some, queries.row(query), k)
                    .into_iter()
                    .map(|found| Neighbour { row: some[found.row as usize], ..found })
                    .collect();
                prop_assert_eq!(found, &expected[..], "{}, query {}", name, query);
            }
        }
    }

    /// What the bound of the screen leaves to roundings is attacked: rows that are as far from the query
    /// as the k-th but for a few units in the last place, beside rows and columns of other magnitudes.
    #[test]
    fn rows_that_differ_in_the_last_place_are_told_apart(attack in attack()) {
        let (rows, queries) = attack;
        check(&rows, &queries, 7);
    }
}

/// Clouds around a center, each row of a cloud off it by some units in the last place of some columns.
fn attack() -> impl Strategy<Value = (Matrix, Matrix)> {
    let exponent = -12_i32..13;
    (5_usize..40, exponent.clone(), exponent, 0_u32..4, any::<u64>()).prop_map(
        |(columns, small, large, spread, seed)| {
            use rand::{Rng, SeedableRng, rngs::StdRng};
            let mut numbers = StdRng::seed_from_u64(seed);
            let scale: Vec<f32> = (0..columns)
                .map(|_| if numbers.gen_bool(0.2) { 10_f32.powi(large) } else { 10_f32.powi(small) })
                .collect();
            let centers: Vec<Vec<f32>> = (0..6)
                .map(|_| scale.iter().map(|scale| scale * numbers.gen_range(-1.0_f32..1.0)).collect())
                .collect();
            let mut row = || -> Vec<f32> {
                let center = &centers[numbers.gen_range(0..centers.len())];
                let mut near = |&value: &f32| {
                    let ulps = if numbers.gen_bool(0.3) { numbers.gen_range(0..=spread) } else { 0 };
                    f32::from_bits(value.to_bits() + ulps)
                };
                center.iter().map(&mut near).collect()
            };
            let mut matrix =
                |rows: usize| Matrix::new((0..rows).flat_map(|_| row()).collect(), columns).unwrap();
            (matrix(700), matrix(20))
        },
    )
}

/// 3,000 windows of five overlapping kinds, with heavy tails, counts, constants and duplicates.
fn windows() -> &'static (Matrix, Matrix) {
    static WINDOWS: OnceLock<(Matrix, Matrix)> = OnceLock::new();
    WINDOWS.get_or_init(|| {
        use rand::{Rng, SeedableRng, rngs::StdRng};
        let mut numbers = StdRng::seed_from_u64(11);
        let columns = 97;
        let loads: Vec<f32> = (0..12 * columns).map(|_| numbers.gen_range(-1.0..1.0)).collect();
        let mut rows: Vec<Vec<f32>> = Vec::new();
        for number in 0..3_200 {
            if number % 50 == 49 {
                rows.push(rows[number - 7].clone());
                continue;
            }
            let kind = number % 5;
            let factors: Vec<f32> =
                (0..12).map(|i| (kind * i % 5) as f32 / 2.0 + numbers.gen_range(-1.0_f32..1.0)).collect();
            let row = (0..columns).map(|column| {
                let value: f32 = (0..12).map(|i| factors[i] * loads[i * columns + column]).sum::<f32>()
                    + numbers.gen_range(-0.3_f32..0.3);
                match column % 10 {
                    0 => (2.0 * value).exp(),
                    1 => value.round(),
                    2 => 1.0,
                    _ => value,
                }
            });
            rows.push(row.collect());
        }
        let queries = rows.split_off(3_000);
        (Matrix::new(rows.concat(), columns).unwrap(), Matrix::new(queries.concat(), columns).unwrap())
    })
}

#[test]
fn windows_of_telemetry_find_their_nearest() {
    let (rows, queries) = windows();
    for k in [1, 10, 200] {
        check(rows, queries, k);
    }
}

#[test]
fn as_many_neighbours_as_there_are_rows_are_all_of_them() {
    let (rows, queries) = windows();
    let rows = rows.select(&(0..300).collect::<Vec<_>>());
    let queries = queries.select(&[0, 1, 2, 3, 4, 5, 6]);
    check(&rows, &queries, 300);
    check(&rows, &queries, 1_000);
}

/// Whole blocks of the screen, and whole boxes of the tree, are of one row repeated.
#[test]
fn of_rows_that_are_the_same_the_first_are_found() {
    for columns in [3, 12] {
        let row = |number: usize| (0..columns).map(move |column| ((number * number + column) % 3) as f32);
        let rows = Matrix::new((0..4_000).flat_map(row).collect(), columns).unwrap();
        let queries: Vec<f32> = (0..3).flat_map(row).chain((0..columns).map(|c| c as f32 / 2.0)).collect();
        let queries = Matrix::new(queries, columns).unwrap();
        check(&rows, &queries, 25);
        // More than a block holds.
        check(&rows, &queries, 700);
    }
}

#[test]
fn linfas_linear_search_finds_the_same_distances() {
    use linfa_nn::{LinearSearch, NearestNeighbour, distance::L2Dist};
    let (rows, queries) = windows();
    let linear = rows.view().unwrap().mapv(f64::from);
    let linear = LinearSearch::new().from_batch(&linear, L2Dist).unwrap();
    let found = Screen::new(rows, Instructions::fastest()).nearest(queries, 10, &Unwatched).unwrap();
    for (query, found) in found.iter().enumerate() {
        let query: ndarray::Array1<f64> = queries.row(query).iter().copied().map(f64::from).collect();
        let expected = linear.k_nearest(query.view(), 10).unwrap();
        for (found, (point, _)) in found.iter().zip(expected) {
            let distance: f64 = (&point - &query).mapv(|difference| difference * difference).sum();
            assert!((found.squared_distance - distance).abs() <= 1e-12 * distance);
        }
    }
}

#[test]
fn equally_near_rows_come_in_row_order_wherever_they_lie() {
    // 700 copies of the same row: more than a block, more than k.
    let rows = Matrix::new([1.0_f32, 2.0].repeat(700), 2).unwrap();
    let query = Matrix::new(vec![1.0, 2.0], 2).unwrap();
    for (name, search) in searches(&rows) {
        let found = search.nearest(&query, 3, &Unwatched).unwrap();
        let numbers: Vec<u32> = found.iter().flatten().map(|found| found.row).collect();
        assert_eq!(numbers, [0, 1, 2], "{name}");
    }
    check(&rows, &query, 10);
}

#[test]
fn with_fewer_rows_than_asked_for_all_are_found() {
    let rows = Matrix::new(vec![3.0, 1.0, 2.0], 1).unwrap();
    let query = Matrix::new(vec![0.0], 1).unwrap();
    for (name, search) in searches(&rows) {
        let found = search.nearest(&query, 10, &Unwatched).unwrap();
        let numbers: Vec<u32> = found.iter().flatten().map(|found| found.row).collect();
        assert_eq!(numbers, [1, 2, 0], "{name}");
    }
}

#[test]
fn any_number_of_threads_finds_the_same() {
    let (rows, queries) = windows();
    let few = |of: &Matrix| {
        Matrix::new((0..of.rows()).flat_map(|row| &of.row(row)[3..9]).copied().collect(), 6).unwrap()
    };
    for (rows, queries) in [(rows.clone(), queries.clone()), (few(rows), few(queries))] {
        let found = |threads| {
            let threads = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            threads.install(|| {
                let searches = searches(&rows);
                let found =
                    searches.iter().map(|(_, search)| search.nearest(&queries, 10, &Unwatched).unwrap());
                found.collect::<Vec<_>>()
            })
        };
        let one = found(1);
        assert!(one.iter().all(|found| *found == one[0]));
        for threads in [2, 3, 4, 7] {
            assert_eq!(found(threads), one);
        }
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
    for (name, search) in searches(&rows) {
        assert_eq!(search.nearest(&rows, 10, &Until(100.into())), Err(Stopped), "{name}");
    }
}
