use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::{POINTS_PER_BUCKET, Point, Pyramid, StoreError, triangles};

/// What is asked of a run's series.
#[derive(Debug, Clone)]
pub struct Query {
    /// The run.
    pub run_id: String,
    /// Which of its metrics.
    pub metrics: Metrics,
    /// Steps, first and last.
    pub steps: RangeInclusive<u64>,
    /// Milliseconds since 1970, first and last.
    pub times_ms: RangeInclusive<i64>,
    /// Points of a series, at most; of a longer one the [`View`] says which.
    pub most: usize,
    /// How a longer one is thinned.
    pub view: View,
    /// Points of all series together, at most: where there are more the answer is that.
    pub total: usize,
}

/// Metrics by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metrics {
    /// All that a run has.
    All,
    /// One.
    Named(String),
    /// Those whose names begin so.
    Beginning(String),
}

/// How a series is drawn with fewer points than it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// What a [`Pyramid`](crate::Pyramid) draws with a quarter as many buckets: every peak is in it.
    #[default]
    Peaks,
    /// Largest triangle three buckets: the shape as an eye sees it. A peak may be missing.
    Triangles,
}

impl View {
    /// What is drawn of sorted points, in so many at most.
    pub fn of(self, points: Vec<Point>, most: usize) -> Vec<Point> {
        if points.len() <= most {
            return points;
        }
        match self {
            Self::Triangles => triangles(&points, most),
            Self::Peaks => {
                let mut pyramid = Pyramid::new(most / POINTS_PER_BUCKET);
                pyramid.extend(points);
                pyramid.points().collect()
            }
        }
    }
}

/// Series by metric, each in the order of its points, each point once.
pub type History = BTreeMap<String, Vec<Point>>;

impl Query {
    /// Everything of a run, each series in so many points at most.
    pub fn all(run_id: impl Into<String>, most: usize) -> Self {
        Self {
            run_id: run_id.into(),
            metrics: Metrics::All,
            steps: 0..=u64::MAX,
            times_ms: i64::MIN..=i64::MAX,
            most,
            view: View::default(),
            total: usize::MAX,
        }
    }

    /// Whether so many points are not too many.
    ///
    /// # Errors
    /// They are.
    pub fn allow(&self, points: usize) -> Result<(), StoreError> {
        let most = self.total;
        if points > most { Err(StoreError::TooMany { most }) } else { Ok(()) }
    }

    /// Whether a point is asked for.
    pub fn takes(&self, point: &Point) -> bool {
        self.steps.contains(&point.step) && self.times_ms.contains(&point.time_ms)
    }
}

impl Metrics {
    /// Whether a metric is asked for.
    pub fn take(&self, metric: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(name) => metric == name,
            Self::Beginning(prefix) => metric.starts_with(prefix.as_str()),
        }
    }
}
