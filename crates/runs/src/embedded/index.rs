use std::collections::BTreeMap;

use crate::{Point, Span};

/// What is known of all runs without reading them: their series, and the points that are in no block yet.
#[derive(Debug, Default)]
pub(super) struct Index {
    runs: BTreeMap<String, Run>,
    series: Vec<Series>,
    /// Points that are in no block.
    fresh: usize,
}

#[derive(Debug, Default)]
struct Run {
    /// `None` until it has points.
    span: Option<Span>,
    /// Numbers of series by metric.
    series: BTreeMap<String, u32>,
}

/// A metric of a run.
#[derive(Debug)]
pub(super) struct Series {
    /// Run, metric, and the newest unit, which may be empty.
    pub(super) names: [String; 3],
    /// In the order in which they came.
    pub(super) fresh: Vec<Point>,
    pub(super) loose: Loose,
}

/// Blocks of a series that are not full.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Loose {
    pub(super) blocks: usize,
    pub(super) points: usize,
}

impl Loose {
    pub(super) fn add(&mut self, points: usize) {
        self.blocks += 1;
        self.points += points;
    }
}

impl Index {
    /// The number of a series, which is a new one if need be, and whether it is, or is given another unit.
    pub(super) fn number(&mut self, names: &[String; 3]) -> (u32, bool) {
        let [run, metric, unit] = names;
        if let Some(number) = self.runs.get(run).and_then(|run| run.series.get(metric)) {
            let [.., known] = &mut self.series[*number as usize].names;
            let is_news = !unit.is_empty() && known != unit;
            if is_news {
                unit.clone_into(known);
            }
            return (*number, is_news);
        }
        let number = self.series.len() as u32;
        self.runs.entry(run.clone()).or_default().series.insert(metric.clone(), number);
        self.series.push(Series { names: names.clone(), fresh: Vec::new(), loose: Loose::default() });
        (number, true)
    }

    /// Adds points to a series.
    pub(super) fn append(&mut self, series: u32, points: &[Point]) {
        self.fresh += points.len();
        self.series[series as usize].fresh.extend_from_slice(points);
        let spans = points.iter().map(Span::of).reduce(|mut all, of| {
            all.join(&of);
            all
        });
        spans.iter().for_each(|span| self.note(series, span));
    }

    /// Notes that the run of a series was then.
    pub(super) fn note(&mut self, series: u32, span: &Span) {
        let [run, ..] = &self.series[series as usize].names;
        match self.runs.get_mut(run).map(|run| &mut run.span) {
            Some(Some(known)) => known.join(span),
            Some(unknown) => *unknown = Some(*span),
            None => {}
        }
    }

    /// The first so many points of a series are in blocks, and these are the blocks that are not full.
    pub(super) fn moved(&mut self, series: u32, points: usize, loose: Loose) {
        let of = &mut self.series[series as usize];
        of.fresh.drain(..points);
        // What a burst needed is not held for ever.
        of.fresh.shrink_to(points);
        of.loose = loose;
        self.fresh -= points;
    }

    /// Points that are in no block.
    pub(super) fn fresh(&self) -> usize {
        self.fresh
    }

    pub(super) fn series(&self, number: u32) -> &Series {
        &self.series[number as usize]
    }

    pub(super) fn series_mut(&mut self, number: u32) -> &mut Series {
        &mut self.series[number as usize]
    }

    /// Numbers of all series, those of a run together.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.runs.values().flat_map(|run| run.series.values().copied())
    }

    /// The series of a run, by metric; `None` if there is no such run.
    pub(super) fn of_run(&self, run: &str) -> Option<&BTreeMap<String, u32>> {
        self.runs.get(run).filter(|run| run.span.is_some()).map(|run| &run.series)
    }

    /// The units of a run's series that have one, by metric.
    pub(super) fn units(&self, run: &str) -> BTreeMap<String, String> {
        let series = self.of_run(run).into_iter().flatten();
        let units = series.map(|(metric, number)| (metric, &self.series(*number).names[2]));
        units
            .filter(|(_, unit)| !unit.is_empty())
            .map(|(metric, unit)| (metric.clone(), unit.clone()))
            .collect()
    }

    /// All runs.
    pub(super) fn spans(&self) -> BTreeMap<String, Span> {
        self.runs.iter().filter_map(|(run, of)| Some((run.clone(), of.span?))).collect()
    }
}
