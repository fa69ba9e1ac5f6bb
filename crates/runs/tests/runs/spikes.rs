//! No spike is hidden, however far a series is thinned.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use runs::{Embedded, Limits, Metrics, POINTS_PER_BUCKET, Point, Pyramid, Query, Store};

use crate::plain::event;

const RUNS: usize = 100;
const METRICS: usize = 100;
const START_MS: i64 = 1_772_000_000_000;

/// Noise, and somewhere in it one point that is far above or below.
fn series(random: &mut Xoshiro256PlusPlus) -> (Vec<Point>, Point) {
    let (count, stride) = (random.gen_range(2..700_u64), random.gen_range(1..2_000));
    let first = random.gen_range(0..1_000_000);
    let mut points: Vec<Point> = (0..count)
        .map(|number| Point {
            step: first + stride * number,
            value: random.gen_range(-1.0..1.0),
            time_ms: START_MS + 700 * number as i64,
        })
        .collect();
    let place = random.gen_range(0..points.len());
    points[place].value = if random.gen_bool(0.5) { 50.0 } else { -50.0 };
    let spike = points[place];
    (points, spike)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_thousand_series_every_spike_is_in_every_view() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), Limits::default()).unwrap();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(6);
    let mut spikes = Vec::new();
    for run in 0..RUNS {
        let run = format!("run-{run}");
        let of: Vec<_> =
            (0..METRICS).map(|metric| (format!("metric/{metric}"), series(&mut random))).collect();
        let events: Vec<_> = of.iter().map(|(metric, (points, _))| event(&run, metric, points)).collect();
        store.append(&events.iter().collect::<Vec<_>>()).await.unwrap();
        for (metric, (points, spike)) in of {
            // What the hub keeps of it, and a page that is very narrow.
            for most in [128, 3] {
                let mut pyramid = Pyramid::new(most);
                pyramid.extend(points.iter().copied());
                assert!(pyramid.points().any(|point| point == spike), "{metric} of {run} in {most} buckets");
            }
            spikes.push((run.clone(), metric, spike));
        }
    }
    for run in 0..RUNS {
        let run = format!("run-{run}");
        let most = random.gen_range(1..500) * POINTS_PER_BUCKET;
        let all = store.history(Query::all(&*run, most)).await.unwrap().unwrap();
        for (_, metric, spike) in spikes.iter().filter(|(of, ..)| *of == run) {
            assert!(all[metric].contains(spike), "{metric} of {run} in {most} points");
            // Come closer, by steps and by time.
            let (before, after) = (random.gen_range(0..100_000), random.gen_range(0..100_000));
            let steps = spike.step.saturating_sub(before)..=spike.step + after;
            let times_ms = spike.time_ms - before as i64..=spike.time_ms + after as i64;
            let metrics = Metrics::Named(metric.clone());
            let closer = Query { metrics, steps, times_ms, ..Query::all(&*run, most) };
            let seen = store.history(closer.clone()).await.unwrap().unwrap();
            assert!(seen[metric].contains(spike), "{closer:?}");
        }
    }
}
