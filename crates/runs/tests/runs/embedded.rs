use events::{MetricPoints, Name};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use runs::{Embedded, Limits, Point, Store};
use tokio::runtime::Runtime;

use crate::contract::{Asked, METRICS, Sent, answers_as, appends, asked, sent};
use crate::plain::{Plain, event};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_embedded_store_answers_as_the_plainest_one(
        sent in prop::collection::vec((prop::collection::vec(sent(), 1..4), any::<bool>()), 1..8),
        asked in prop::collection::vec(asked(), 1..6),
        fresh in 50..2_000_usize,
        block in 1..700_usize,
    ) {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let open = || Embedded::open(folder.path(), Limits { fresh, block }).unwrap();
        let mut store = open();
        let mut plain = Plain::default();
        // On a thread of the runtime, as a broadcaster asks.
        for (sent, again) in sent {
            if again {
                drop(store);
                store = open();
            }
            runtime.block_on(async {
                appends(&store, &mut plain, &sent).await;
                answers_as(&store, &plain, &asked).await;
            });
        }
    }
}

/// Values of which no two are alike: blocks of 32 KB, each of which lies across what the file keeps in one piece.
#[test]
fn long_series_come_back_as_they_were() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let open = || Embedded::open(folder.path(), Limits { fresh: 1 << 14, ..Limits::default() }).unwrap();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(8);
    let (mut store, mut plain) = (open(), Plain::default());
    for part in 0..20 {
        let sent = [0, 1, 2].map(|metric| {
            let point = |step| Point { step, value: random.r#gen(), time_ms: 1_000 * step as i64 };
            Sent {
                run: 0,
                metric,
                with_unit: false,
                points: (2_000 * part..2_000 * (part + 1)).map(point).collect(),
            }
        });
        runtime.block_on(appends(&store, &mut plain, &sent));
    }
    for is_opened_again in [false, true] {
        if is_opened_again {
            drop(store);
            store = open();
        }
        let all = [40_000, 2_000, 400].map(|most| {
            let (steps, times_ms) = ((0, u64::MAX), (i64::MIN, i64::MAX));
            Asked { run: 0, metric: METRICS.len(), steps, times_ms, most }
        });
        let part = Asked { steps: (7_777, 22_222), ..all[0].clone() };
        runtime.block_on(answers_as(&store, &plain, &[&all[..], &[part]].concat()));
    }
}

#[tokio::test]
async fn the_newest_unit_of_a_series_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Embedded::open(folder.path(), Limits::default()).unwrap();
    let mut store = open();
    for (step, unit, newest) in
        [(1, None, None), (2, Some("s"), Some("s")), (3, Some("ms"), Some("ms")), (4, None, Some("ms"))]
    {
        let point = Point { step, value: 0.5, time_ms: 1_772_000_000_000 };
        let unit = unit.map(|unit| Name::new(unit).unwrap());
        store.append(&[&MetricPoints { unit, ..event("fox", "step time", &[point]) }]).await.unwrap();
        for is_opened_again in [false, true] {
            if is_opened_again {
                drop(store);
                store = open();
            }
            assert_eq!(
                store.units("fox").await.unwrap().get("step time").map(String::as_str),
                newest,
                "{step}"
            );
        }
    }
}

#[test]
fn what_a_start_that_was_cut_short_left_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("runs.redb.new"), b"half a file").unwrap();
    drop(Embedded::open(folder.path(), Limits::default()).unwrap());
    assert!(!folder.path().join("runs.redb.new").exists());
    drop(Embedded::open(folder.path(), Limits::default()).unwrap());
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("runs.redb"), b"").unwrap();
    let refused = Embedded::open(other.path(), Limits::default()).unwrap_err().to_string();
    assert!(refused.contains("runs.redb: ") && refused.contains("move the file away"), "{refused}");
}
