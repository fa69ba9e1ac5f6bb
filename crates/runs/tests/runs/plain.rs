use std::collections::BTreeMap;

use events::{MetricPoints, Name, Real};
use runs::{History, POINTS_PER_BUCKET, Point, Pyramid, Query, Span};

/// The plainest store: every point in a list.
#[derive(Default)]
pub(crate) struct Plain {
    pub(crate) runs: BTreeMap<String, BTreeMap<String, Vec<Point>>>,
    /// By run and metric.
    units: BTreeMap<[String; 2], String>,
}

impl Plain {
    pub(crate) fn append(&mut self, points: &[MetricPoints<'_>]) {
        for of in points {
            let run = self.runs.entry(of.run_id.to_string()).or_default();
            run.entry(of.metric.to_string()).or_default().extend(of.points.iter().map(Point::from));
            let names = || [of.run_id.to_string(), of.metric.to_string()];
            self.units.extend(of.unit.iter().map(|unit| (names(), unit.to_string())));
        }
    }

    pub(crate) fn history(&self, query: &Query) -> Option<History> {
        let asked = self.runs.get(&query.run_id)?.iter().filter(|(metric, _)| query.metrics.take(metric));
        let series = asked.map(|(metric, points)| {
            let mut points: Vec<Point> = points.iter().filter(|point| query.takes(point)).copied().collect();
            points.sort_unstable_by(Point::order);
            points.dedup();
            if points.len() > query.most {
                let mut pyramid = Pyramid::new(query.most / POINTS_PER_BUCKET);
                pyramid.extend(points.iter().copied());
                points = pyramid.points().collect();
            }
            (metric.clone(), points)
        });
        Some(series.filter(|(_, points)| !points.is_empty()).collect())
    }

    pub(crate) fn runs(&self) -> BTreeMap<String, Span> {
        let span = |series: &BTreeMap<String, Vec<Point>>| {
            let points = series.values().flatten().map(Span::of);
            points.reduce(|mut all, of| {
                all.join(&of);
                all
            })
        };
        self.runs.iter().filter_map(|(run, series)| Some((run.clone(), span(series)?))).collect()
    }

    pub(crate) fn units(&self, run: &str) -> BTreeMap<String, String> {
        let of_run = self.units.iter().filter(|([of, _], _)| of == run);
        of_run.map(|([_, metric], unit)| (metric.clone(), unit.clone())).collect()
    }
}

/// Points of a series as an event.
pub(crate) fn event<'a>(run: &'a str, metric: &'a str, points: &[Point]) -> MetricPoints<'a> {
    let real = |number| Real::new(number).unwrap();
    let point = |point: &Point| events::Point(point.step, real(point.value), real(point.unix_s()));
    MetricPoints {
        run_id: Name::new(run).unwrap(),
        metric: Name::new(metric).unwrap(),
        points: points.iter().map(point).collect(),
        host: None,
        rank: None,
        device: None,
        unit: None,
    }
}
