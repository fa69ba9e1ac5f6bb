//! Publishing a fit: the cloud of points, whole or point by point, and how good the model is.

use std::time::Duration;

use events::{Embedding, ModelMetric, ModelPerf, Name, Positive, Unit};
use publisher::{Columns, PublishError, Publisher};
use tokio::time::Instant;

use crate::{
    phase::shown,
    points::{FitId, Points},
    sample,
    score::Score,
};

/// The name under which the fit is one of the observed models.
pub(crate) const MODEL: &str = "knn";
/// The projector of points whose writer did not say.
const UNKNOWN: &str = "unknown";

/// The points of a fit that are published.
#[derive(Debug, Clone)]
pub struct Cloud {
    fit_id: Name<'static>,
    projector: Name<'static>,
    points: Points,
}

/// Why points are not published.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// An id or a name that the wire contract has no room for.
    #[error("{column} `{value}`: {reason}")]
    Name {
        /// Which.
        column: &'static str,
        /// Its value.
        value: String,
        /// What is expected.
        reason: String,
    },
    /// A point outside the unit cube.
    #[error("point {row}: coordinate: {reason}")]
    Place {
        /// From 0.
        row: usize,
        /// What is expected.
        reason: String,
    },
    /// A score that is no share.
    #[error("macro F1: {reason}")]
    Score {
        /// What is expected.
        reason: String,
    },
    /// A confidence that is no share, or a coordinate outside the unit cube.
    #[error("a window: {reason}")]
    Share {
        /// What is expected.
        reason: String,
    },
    /// A window that ended at a time that cannot be written.
    #[error("a window's end: {reason}")]
    Time {
        /// What is expected.
        reason: String,
    },
    /// A page holds the cluster of a point in one byte.
    #[error("point {row}: cluster {cluster}: expected 0 to 255")]
    Cluster {
        /// From 0.
        row: usize,
        /// Its cluster.
        cluster: i32,
    },
    /// The broadcaster does not have them.
    #[error(transparent)]
    Publish(Box<PublishError>),
}

impl From<PublishError> for StreamError {
    fn from(error: PublishError) -> Self {
        Self::Publish(Box::new(error))
    }
}

impl Cloud {
    /// At most `most` points (0: all), drawn by `seed` so that every phase has its share and none is
    /// left out. Everything that could keep one of them from being published is found here.
    pub fn new(points: &Points, id: &FitId, most: usize, seed: u64) -> Result<Self, StreamError> {
        let points = if most == 0 || most >= points.rows() {
            points.clone()
        } else {
            let phases: Vec<u8> = points.phases.iter().map(|phase| phase.code()).collect();
            points.select(&sample::stratified(&phases, most, seed))
        };
        let fit_id = name("fit id", &id.0)?.into_owned();
        let projector = name("projector", points.projector.as_deref().unwrap_or(UNKNOWN))?.into_owned();
        let cloud = Self { fit_id, projector, points };
        for row in 0..cloud.rows() {
            cloud.embedding(row)?;
        }
        Ok(cloud)
    }

    /// Number of points.
    pub fn rows(&self) -> usize {
        self.points.rows()
    }

    /// Publishes all points as one snapshot that replaces the one before. `cycle` counts how often.
    pub async fn publish(&self, publisher: &Publisher, cycle: Option<u64>) -> Result<(), StreamError> {
        let axis = |axis: usize| self.points.places.iter().map(|place| place[axis]).collect();
        let columns = Columns {
            fit_id: self.fit_id.clone(),
            projector: self.projector.clone(),
            cycle,
            x: axis(0),
            y: axis(1),
            z: axis(2),
            phase: self.points.phases.iter().copied().map(shown).collect(),
            predicted: self.points.predicted.iter().copied().map(shown).collect(),
            cluster: self.points.clusters.clone(),
        };
        Ok(publisher.send_columns(&columns).await?)
    }

    /// Publishes one event a point, in bursts.
    pub async fn publish_each(&self, publisher: &Publisher, pace: Pace) -> Result<(), StreamError> {
        let start = Instant::now();
        for row in 0..self.rows() {
            if row.is_multiple_of(pace.burst) {
                tokio::time::sleep_until(start + pace.due(row)).await;
            }
            publisher.send(self.embedding(row)?).await?;
        }
        Ok(())
    }

    fn embedding(&self, row: usize) -> Result<Embedding<'_>, StreamError> {
        let points = &self.points;
        let unit = |axis: usize| {
            let coordinate = points.places[row][axis].into();
            Unit::new(coordinate).map_err(|error| StreamError::Place { row, reason: error.to_string() })
        };
        let cluster = points.clusters[row];
        Ok(Embedding {
            x: unit(0)?,
            y: unit(1)?,
            z: unit(2)?,
            phase: shown(points.phases[row]),
            predicted: shown(points.predicted[row]),
            cluster: u8::try_from(cluster).map_err(|_| StreamError::Cluster { row, cluster })?.into(),
            episode_id: Some(name("episode_id", points.origin.episodes.name(row))?),
            window_idx: points.origin.window_idx.as_ref().map(|all| all[row].into()),
            host_id: Some(name("host_id", points.origin.hosts.name(row))?),
            profile: Some(name("profile", points.origin.profiles.name(row))?),
        })
    }
}

pub(crate) fn name<'a>(column: &'static str, value: &'a str) -> Result<Name<'a>, StreamError> {
    Name::new(value).map_err(|error| StreamError::Name {
        column,
        value: value.to_owned(),
        reason: error.to_string(),
    })
}

/// How fast single points are published: bursts of a size, so many points a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    burst: usize,
    per_second: f64,
}

/// The lowest rate. As many points as memory can hold are due within the range of a clock at it.
const SLOWEST: f64 = 0.001;

/// A pace that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PaceError {
    /// A burst is at least a point.
    #[error("--burst-size 0: expected at least 1")]
    Burst,
    /// A point every quarter of an hour is the slowest.
    #[error("--rate-hz {0:?}: expected 0 for no limit, or at least {SLOWEST}")]
    Rate(f64),
}

impl Pace {
    /// Bursts of `burst` points, `per_second` points a second on average: at least 0.001, or 0 for no
    /// limit.
    pub fn new(burst: usize, per_second: f64) -> Result<Self, PaceError> {
        if burst == 0 {
            Err(PaceError::Burst)
        } else if per_second == 0.0 || (SLOWEST..=f64::MAX).contains(&per_second) {
            Ok(Self { burst, per_second })
        } else {
            Err(PaceError::Rate(per_second))
        }
    }

    /// When the point of this number is due, after the first one.
    fn due(self, point: usize) -> Duration {
        if self.per_second == 0.0 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64(point as f64 / self.per_second)
    }
}

/// What is said of the model beside its points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Performance {
    /// Macro F1.
    pub macro_f1: Unit,
    /// Interval of the macro F1, where it is known.
    pub interval: Option<(Unit, Unit)>,
    /// Time to classify one window, in microseconds, where it is known.
    pub latency_us: Option<Positive>,
}

impl Performance {
    /// How good the score says it is, and how fast it was measured to be.
    pub fn of(score: &Score, latency: Option<Duration>) -> Result<Self, StreamError> {
        let unit = |share| Unit::new(share).map_err(|error| StreamError::Score { reason: error.to_string() });
        let interval = score.interval.map(|(low, high)| Ok::<_, StreamError>((unit(low)?, unit(high)?)));
        // A clock too coarse to tell any time has measured nothing.
        let latency_us = latency.and_then(|latency| Positive::new(latency.as_secs_f64() * 1e6).ok());
        Ok(Self { macro_f1: unit(score.macro_f1)?, interval: interval.transpose()?, latency_us })
    }

    /// Publishes a `model_metric` and, with a latency, a `model_perf` of model `knn`.
    pub fn publish(&self, publisher: &Publisher) -> Result<(), StreamError> {
        let model = name("model", MODEL)?;
        let (low, high) = self.interval.unzip();
        publisher.replace(ModelMetric { model: model.clone(), accuracy: self.macro_f1, low, high })?;
        if let Some(latency_us) = self.latency_us {
            publisher.replace(ModelPerf { model, latency_us, accuracy: self.macro_f1 })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_due_when_the_rate_says_so() {
        let pace = Pace::new(50, 2000.0).unwrap();
        assert_eq!(pace.due(0), Duration::ZERO);
        assert_eq!(pace.due(50), Duration::from_millis(25));
        assert_eq!(Pace::new(50, 0.0).unwrap().due(1_000_000), Duration::ZERO);
        assert_eq!(Pace::new(0, 1.0), Err(PaceError::Burst));
        assert_eq!(Pace::new(1, f64::INFINITY), Err(PaceError::Rate(f64::INFINITY)));
        assert_eq!(Pace::new(1, 1e-300), Err(PaceError::Rate(1e-300)));
    }

    #[test]
    fn at_the_slowest_pace_the_last_point_that_memory_can_hold_is_due_within_the_range_of_a_clock() {
        // Of 12 bytes and more each: 2^44 of them are past 47 bits of addresses.
        let last = 1 << 44;
        assert!(Instant::now().checked_add(Pace::new(1, SLOWEST).unwrap().due(last)).is_some());
    }
}
