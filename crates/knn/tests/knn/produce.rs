use std::sync::atomic::{AtomicU32, Ordering};

use episodes::Phase;
use knn::{
    Busiest, ParamGuard, Points, ProduceError, ProduceParams, Produced, Projector, Recipe, Stage, Unwatched,
    Watch, WindowTable,
};

use crate::fixture::windows;

fn produce(params: ProduceParams, table: WindowTable) -> Result<Produced, ProduceError> {
    params.check().unwrap().produce(table, &Unwatched)
}

#[test]
fn equal_input_and_seed_give_equal_bytes_on_any_number_of_threads() {
    // More windows than a block of every stage.
    let table = windows(300, 40, 9);
    let bytes = |projector, threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let params = ProduceParams::default().projector(projector).seed(seed);
        let made = pool.install(|| produce(params, table.clone())).unwrap();
        (made.points.encode().unwrap(), made.fit.encode().unwrap())
    };
    for projector in [Projector::Pca, Projector::Lda, Projector::Umap] {
        let one = bytes(projector, 1, 0);
        assert!(bytes(projector, 2, 0) == one);
        assert!(bytes(projector, 5, 0) == one);
        assert!(bytes(projector, 2, 1) != one);
    }
}

#[test]
fn training_windows_keep_their_phase_and_the_others_are_told() {
    let made = produce(ProduceParams::default(), windows(40, 40, 2)).unwrap();
    let Produced { points, report, fit } = made;
    assert_eq!(points.rows(), 640);
    for row in 0..points.rows() {
        assert_eq!(points.is_train[row], points.origin.hosts.name(row) == "host-0");
        assert!(!points.is_train[row] || points.predicted[row] == points.phases[row]);
    }
    assert_eq!((report.train_rows, report.test_rows), (320, 320));
    assert_eq!(
        (report.train_hosts, report.test_hosts),
        (vec!["host-0".to_owned()], vec!["host-1".to_owned()])
    );
    assert_eq!(report.picked, Some(Busiest { host: "host-0".to_owned(), episodes: 20, accepted: false }));
    assert_eq!((report.kept, report.dropped), (38, vec!["feature.1".to_owned(), "feature.3".to_owned()]));
    assert!(report.held_out.macro_f1 > 0.6, "{:?}", report.held_out);
    assert_eq!((report.held_out.rows, report.held_out.episodes), (320, 20));
    assert_eq!(report.within.unwrap().episodes, 2);
    assert_eq!((fit.training.rows(), fit.training.columns()), (320, 38));
    assert_eq!(fit.clusters.centroids.rows(), 8);
    assert!(points.clusters.iter().all(|cluster| (0..8).contains(cluster)));
}

#[test]
fn the_fit_rows_span_the_unit_cube_and_the_others_are_clipped_into_it() {
    for projector in [Projector::Pca, Projector::Lda, Projector::Umap] {
        let made = produce(ProduceParams::default().projector(projector), windows(40, 40, 2)).unwrap();
        for axis in 0..3 {
            let trained = made.points.places.iter().zip(&made.points.is_train).filter(|(_, train)| **train);
            let along: Vec<f32> = trained.map(|(place, _)| place[axis]).collect();
            assert_eq!(along.iter().copied().fold(f32::MAX, f32::min), 0.0);
            assert_eq!(along.iter().copied().fold(f32::MIN, f32::max), 1.0);
            assert!(made.points.places.iter().all(|place| (0.0..=1.0).contains(&place[axis])));
        }
    }
}

#[test]
fn axes_are_positive_where_they_are_largest() {
    for projector in [Projector::Pca, Projector::Lda] {
        let made = produce(ProduceParams::default().projector(projector), windows(40, 40, 2)).unwrap();
        for axis in &made.fit.projection.axes().unwrap().axes {
            let largest = axis.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap();
            assert!(largest > 0.0);
        }
    }
}

#[test]
fn lda_has_one_axis_less_than_phases_and_the_missing_ones_are_zero() {
    let mut table = windows(40, 40, 2);
    for phase in &mut table.phases {
        *phase = if *phase == Phase::Clean { Phase::Clean } else { Phase::Failed };
    }
    let made = produce(ProduceParams::default(), table).unwrap();
    assert_eq!(made.fit.projection.axes().unwrap().axes.len(), 1);
    assert!(made.points.places.iter().all(|place| place[1] == 0.0 && place[2] == 0.0));
    assert!(made.points.places.iter().any(|place| place[0] > 0.0));
}

#[test]
fn umap_parts_phases_and_puts_a_window_where_its_twin_is() {
    let mut table = windows(40, 40, 2);
    let first_test =
        (0..table.rows()).find(|&row| table.origin.hosts.name(row) != table.origin.hosts.name(0)).unwrap();
    let twin = table.features.row(0).to_vec();
    table.features.row_mut(first_test).copy_from_slice(&twin);
    let made = produce(ProduceParams::default().projector(Projector::Umap), table).unwrap();
    let Points { places, phases, .. } = &made.points;
    assert_eq!(places[first_test], places[0]);
    let apart =
        |a: usize, b: usize| -> f32 { (0..3).map(|axis| (places[a][axis] - places[b][axis]).powi(2)).sum() };
    let nearest_alike = (0..places.len()).filter(|&row| {
        let others = (0..places.len()).filter(|&other| other != row);
        let nearest = others.min_by(|&a, &b| apart(row, a).total_cmp(&apart(row, b))).unwrap();
        phases[nearest] == phases[row]
    });
    assert!(nearest_alike.count() * 10 >= 9 * places.len());
}

#[test]
fn umap_lays_out_windows_that_are_all_the_same() {
    let mut table = windows(40, 40, 2);
    for row in 0..table.rows() {
        // One window is enough for a column to vary.
        let value = if row == 0 { 1.0 } else { 0.0 };
        table.features.row_mut(row).fill(value);
    }
    let made = produce(ProduceParams::default().projector(Projector::Umap), table).unwrap();
    assert!(made.points.places.as_flattened().iter().all(|place| (0.0..=1.0).contains(place)));
}

#[test]
fn a_window_far_from_all_others_has_a_place() {
    for projector in [Projector::Pca, Projector::Lda, Projector::Umap] {
        for far in [1e9, 1e22, f32::MAX] {
            let mut table = windows(40, 40, 2);
            let first_test = (0..table.rows())
                .find(|&row| table.origin.hosts.name(row) != table.origin.hosts.name(0))
                .unwrap();
            table.features.row_mut(first_test)[0] = far;
            let made = produce(ProduceParams::default().projector(projector), table).unwrap();
            assert!(made.points.places.as_flattened().iter().all(|place| (0.0..=1.0).contains(place)));
        }
    }
}

#[test]
fn lda_survives_columns_that_never_vary_within_a_phase() {
    let mut table = windows(40, 40, 2);
    for row in 0..table.rows() {
        let phase = table.phases[row];
        table.features.row_mut(row)[1] = f32::from(phase.code());
    }
    let made = produce(ProduceParams::default(), table).unwrap();
    assert!(made.points.places.iter().flatten().all(|coordinate| coordinate.is_finite()));
}

#[test]
fn a_copy_of_a_training_window_gets_its_phase_whatever_its_other_neighbours_say() {
    let mut table = windows(40, 40, 2);
    let test: Vec<usize> =
        (0..table.rows()).filter(|&row| table.origin.hosts.name(row) == "host-1").collect();
    let copied = (0..table.rows()).find(|&row| table.origin.hosts.name(row) == "host-0").unwrap();
    let copy = table.features.row(copied).to_vec();
    table.features.row_mut(test[0]).copy_from_slice(&copy);
    let told = table.phases[copied];
    let made = produce(ProduceParams::default(), table).unwrap();
    assert_eq!(made.points.predicted[test[0]], told);
}

#[test]
fn tables_that_teach_nothing_say_why() {
    let mut one = windows(8, 8, 0);
    one.phases.fill(Phase::Armed);
    let refusal = |params, table| produce(params, table).unwrap_err().to_string();
    assert_eq!(
        refusal(ProduceParams::default(), one),
        "all 64 training windows are `armed`: expected windows of at least two phases"
    );
    assert_eq!(
        refusal(ProduceParams::default().neighbours(65), windows(8, 8, 0)),
        "65 neighbours need at least as many training windows; there are 64"
    );
    assert_eq!(
        refusal(ProduceParams::default().clusters(65), windows(8, 8, 0)),
        "65 clusters need at least as many training windows; there are 64"
    );
    let mut constant = windows(8, 8, 0);
    constant.features.values_mut().fill(1.0);
    assert!(refusal(ProduceParams::default(), constant).starts_with("none of the 8 feature columns varies"));
}

#[test]
fn parameters_out_of_bounds_are_refused_by_flag() {
    let refusal = |params: ProduceParams| params.check().unwrap_err().to_string();
    assert_eq!(refusal(ProduceParams::default().clusters(0)), "--k-clusters 0: expected 1 to 256");
    assert_eq!(refusal(ProduceParams::default().clusters(257)), "--k-clusters 257: expected 1 to 256");
    assert_eq!(refusal(ProduceParams::default().neighbours(0)), "--k-neighbors 0: expected 1 to 1000");
    assert_eq!(
        refusal(ProduceParams::default().recipe(Recipe::Time).train_hosts(vec!["a".to_owned()])),
        "--train-hosts goes with --split-recipe host, not with time"
    );
    assert_eq!(
        "tsne".parse::<Projector>().unwrap_err().to_string(),
        "unknown projector `tsne`: expected pca, lda or umap"
    );
}

/// Asks for an end at the nth question.
struct Question(AtomicU32);

impl Watch for Question {
    fn begin(&self, _: Stage, _: u64) {}

    fn advance(&self, _: u64) {}

    fn stop_requested(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(1)))
            == Ok(0)
    }
}

#[test]
fn it_ends_at_whatever_moment_its_watch_asks_for_it() {
    let table = windows(20, 12, 3);
    let params = ProduceParams::default().check().unwrap();
    let mut asked = 0;
    loop {
        match params.produce(table.clone(), &Question(asked.into())) {
            Ok(_) => break,
            Err(error) => assert!(error.is_stop(), "{error}"),
        }
        asked += 1;
    }
    assert!(asked > 20, "asked {asked} times");
}
