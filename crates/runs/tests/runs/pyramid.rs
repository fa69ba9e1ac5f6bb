use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use runs::{Change, POINTS_PER_BUCKET, Point, Pyramid};

/// Steps that rise, that begin anew, and that lie far apart; few values, so that some are equal.
fn points() -> impl Strategy<Value = Vec<Point>> {
    let step = prop_oneof![0..200_u64, 0..5_000_u64, 1_000_000..1_000_400_u64, 0..1_u64 << 53];
    let point = (step, -3..3_i32, 0..3_i64);
    prop::collection::vec(
        point.prop_map(|(step, value, time_ms)| Point { step, value: value.into(), time_ms }),
        0..400,
    )
}

/// Of the set of points: at the least level at which there are few enough buckets, the four of each.
fn drawn(points: &[Point], most: usize) -> Vec<Point> {
    let mut sorted = points.to_vec();
    sorted.sort_unstable_by(Point::order);
    sorted.dedup();
    let occupied = |level: u32| sorted.iter().map(|point| point.step >> level).collect::<BTreeSet<_>>().len();
    let level = (0..=53).find(|level| occupied(*level) <= most).unwrap();
    let mut buckets: BTreeMap<u64, Vec<Point>> = BTreeMap::new();
    sorted.iter().for_each(|point| buckets.entry(point.step >> level).or_default().push(*point));
    let mut drawn = Vec::new();
    for bucket in buckets.values() {
        let first_with = |value: f64| *bucket.iter().find(|point| point.value == value).unwrap();
        let least = bucket.iter().map(|point| point.value).fold(f64::INFINITY, f64::min);
        let greatest = bucket.iter().map(|point| point.value).fold(f64::NEG_INFINITY, f64::max);
        let mut four = vec![bucket[0], first_with(least), first_with(greatest), bucket[bucket.len() - 1]];
        four.sort_unstable_by(Point::order);
        four.dedup();
        drawn.extend(four);
    }
    drawn
}

fn pyramid(points: &[Point], most: usize) -> Pyramid {
    let mut pyramid = Pyramid::new(most);
    pyramid.extend(points.iter().copied());
    pyramid
}

proptest! {
    #[test]
    fn it_follows_from_the_set_of_points(points in points(), most in 1..40_usize, again in any::<prop::sample::Index>()) {
        let of = pyramid(&points, most);
        prop_assert_eq!(of.points().collect::<Vec<_>>(), drawn(&points, most));
        prop_assert!(of.points().count() <= POINTS_PER_BUCKET * most);
        let mut other = points.clone();
        other.reverse();
        if !points.is_empty() {
            other.push(points[again.index(points.len())]);
        }
        prop_assert_eq!(pyramid(&other, most), of);
    }

    #[test]
    fn what_is_drawn_of_it_makes_it_again(points in points(), most in 1..40_usize) {
        let of = pyramid(&points, most);
        prop_assert_eq!(pyramid(&of.points().collect::<Vec<_>>(), most), of);
    }

    /// As a page does that was away, and is given what is drawn of the buckets that changed meanwhile.
    #[test]
    fn one_that_gets_the_buckets_that_changed_is_the_same_again(points in points(), most in 1..40_usize, left in any::<prop::sample::Index>()) {
        let left = if points.is_empty() { 0 } else { left.index(points.len()) };
        let mut page = pyramid(&points[..left], most);
        let mut hub = page.clone();
        let mut changed = BTreeSet::new();
        for point in &points[left..] {
            let level = hub.level();
            match hub.fold(*point) {
                Change::None => continue,
                Change::Bucket(_) => {}
                Change::Wider => changed = changed.iter().map(|number| number >> (hub.level() - level)).collect(),
            }
            changed.insert(point.step >> hub.level());
        }
        for (_, bucket) in hub.buckets().iter().filter(|(number, _)| changed.contains(number)) {
            page.extend(bucket.points());
        }
        prop_assert_eq!(page, hub);
    }

    #[test]
    fn buckets_of_a_finer_grid_are_joined_as_their_points_are(points in points(), more in points(), most in 1..40_usize) {
        let (mut of, finer) = (pyramid(&points, most), pyramid(&more, 4 * most));
        if finer.level() <= of.level() {
            finer.buckets().iter().for_each(|(number, bucket)| { of.join(finer.level(), *number, bucket); });
            let all: Vec<_> = points.iter().chain(&more).copied().collect();
            prop_assert_eq!(of, pyramid(&all, most));
        }
    }
}

/// The page draws the same: it is held to this file (dashboard/web/test/series.test.ts). `VITRINE_BLESS=1` writes it anew.
#[test]
fn what_is_drawn_is_what_the_page_is_held_to() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runs/golden/pyramids.ndjson");
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let row = |points: &[Point]| -> Vec<_> {
        points.iter().map(|point| (point.step, point.value, point.unix_s())).collect()
    };
    let lines = (0..60).map(|case| {
        let points = points().new_tree(&mut runner).unwrap().current();
        let most = 1 + case % 12;
        let drawn: Vec<Point> = pyramid(&points, most).points().collect();
        serde_json::json!({ "most": most, "points": row(&points), "drawn": row(&drawn) }).to_string() + "\n"
    });
    let lines: String = lines.collect();
    if std::env::var_os("VITRINE_BLESS").is_some() {
        std::fs::write(path, &lines).unwrap();
    }
    assert!(std::fs::read_to_string(path).unwrap() == lines, "{path} is not what is drawn");
}
