//! What every store does, held to the plainest one.

use events::{MetricPoints, Name};
use proptest::prelude::*;
use runs::{Metrics, Point, Query, Store, StoreError, View};

use crate::plain::{Plain, event};

pub(crate) const RUNS: [&str; 2] = ["fox", "hare"];
pub(crate) const METRICS: [&str; 3] = ["loss", "loss/validation", "checkpoint_bytes"];
const UNITS: [&str; 3] = ["nat", "nat'", "B"];

/// Points of one series, as a producer sends them.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) run: usize,
    pub(crate) metric: usize,
    /// Whether the event says what unit it is in.
    pub(crate) with_unit: bool,
    pub(crate) points: Vec<Point>,
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) run: usize,
    pub(crate) metric: usize,
    pub(crate) steps: (u64, u64),
    pub(crate) times_ms: (i64, i64),
    pub(crate) most: usize,
}

/// Steps that rise, and some that come again or late.
pub(crate) fn sent() -> impl Strategy<Value = Sent> {
    let points =
        (0..5_000_u64, 1..400_u64, 1..9_u64, any::<u32>()).prop_map(|(first, count, stride, seed)| {
            let value = |number: u64| f64::from((number as u32).wrapping_mul(seed) >> 20) / 8.0 - 100.0;
            let point = |number| {
                let step = first + stride * number;
                Point { step, value: value(number), time_ms: 1_772_000_000_000 + 250 * step as i64 }
            };
            (0..count).map(point).collect()
        });
    (0..RUNS.len(), 0..METRICS.len(), any::<bool>(), points)
        .prop_map(|(run, metric, with_unit, points)| Sent { run, metric, with_unit, points })
}

pub(crate) fn asked() -> impl Strategy<Value = Asked> {
    let steps = prop_oneof![
        Just((0, u64::MAX)),
        (0..9_000_u64, 0..9_000_u64).prop_map(|(one, other)| (one.min(other), one.max(other)))
    ];
    let time = |step: u64| 1_772_000_000_000 + 250 * step as i64;
    let times = prop_oneof![
        3 => Just((i64::MIN, i64::MAX)),
        1 => (0..9_000_u64, 0..9_000_u64).prop_map(move |(one, other)| (time(one.min(other)), time(one.max(other))))
    ];
    let most = prop_oneof![4..60_usize, Just(2_000)];
    (0..RUNS.len() + 1, 0..METRICS.len() + 2, steps, times, most)
        .prop_map(|(run, metric, steps, times_ms, most)| Asked { run, metric, steps, times_ms, most })
}

impl Asked {
    pub(crate) fn query(&self) -> Query {
        let metrics = match METRICS.get(self.metric) {
            Some(metric) => Metrics::Named((*metric).to_owned()),
            None if self.metric == METRICS.len() => Metrics::All,
            None => Metrics::Beginning("loss".to_owned()),
        };
        Query {
            run_id: (*RUNS.get(self.run).unwrap_or(&"nobody")).to_owned(),
            metrics,
            steps: self.steps.0..=self.steps.1,
            times_ms: self.times_ms.0..=self.times_ms.1,
            most: self.most,
            view: View::Peaks,
            total: usize::MAX,
        }
    }
}

pub(crate) async fn appends(store: &dyn Store, plain: &mut Plain, sent: &[Sent]) {
    let event = |Sent { run, metric, with_unit, points }: &Sent| {
        let unit = with_unit.then(|| Name::new(UNITS[*metric]).unwrap());
        MetricPoints { unit, ..event(RUNS[*run], METRICS[*metric], points) }
    };
    let points: Vec<_> = sent.iter().map(event).collect();
    store.append(&points.iter().collect::<Vec<_>>()).await.unwrap();
    plain.append(&points);
}

pub(crate) async fn answers_as(store: &dyn Store, plain: &Plain, all: &[Asked]) {
    assert_eq!(store.runs().await.unwrap(), plain.runs());
    for run in ["fox", "hare", "nobody"] {
        assert_eq!(store.units(run).await.unwrap(), plain.units(run), "{run}");
    }
    for asked in all {
        let query = asked.query();
        let history = plain.history(&query);
        assert_eq!(store.history(query.clone()).await.unwrap(), history, "{query:?}");
        let total = history.iter().flat_map(|history| history.values()).map(Vec::len).sum::<usize>();
        // Once of those that are asked.
        if asked == &all[0]
            && let Some(total) = total.checked_sub(1)
        {
            let refused = store.history(Query { total, ..query }).await.unwrap_err();
            assert!(matches!(refused, StoreError::TooMany { most } if most == total), "{refused}");
        }
    }
}
