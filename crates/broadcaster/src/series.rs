use std::collections::BTreeMap;

use events::{Event, Kind, MetricPoints, Name, Retention};
use foldhash::{HashMap, HashMapExt};
use runs::{Bucket, Change, History, Point, Pyramid, Query, Span};
use slab::Slab;

use crate::Frame;

/// The series of training runs, each as what is drawn of it.
#[derive(Debug)]
pub(crate) struct AllSeries {
    retention: fn(Kind) -> Option<Retention>,
    /// By run and metric.
    numbers: HashMap<(Box<str>, Box<str>), u32>,
    series: Slab<Series>,
}

/// A metric of a run.
#[derive(Debug)]
pub(crate) struct Series {
    run_id: Name<'static>,
    metric: Name<'static>,
    unit: Option<Name<'static>>,
    /// `None` before its first point.
    span: Option<Span>,
    pyramid: Pyramid,
    /// Of every bucket, in their order.
    marks: Vec<Mark>,
    /// The whole series as it was when somebody asked for it last.
    frame: Option<Frame>,
}

/// When a bucket changed.
#[derive(Debug)]
struct Mark {
    number: u64,
    seq: u64,
    /// Where in that frame its points are, if it has not changed since.
    place: Option<(usize, usize)>,
}

impl AllSeries {
    pub(crate) fn new(retention: fn(Kind) -> Option<Retention>) -> Self {
        Self { retention, numbers: HashMap::new(), series: Slab::new() }
    }

    /// Folds an event in that came at `seq`. The number of its series if anything changed.
    pub(crate) fn fold(&mut self, seq: u64, event: &MetricPoints<'_>) -> Option<u32> {
        let MetricPoints { run_id, metric, unit, points, .. } = event;
        let key = (run_id.as_str().into(), metric.as_str().into());
        let number = *self.numbers.entry(key).or_insert_with(|| {
            let buckets = (self.retention)(Kind::MetricPoints).map_or(0, |retention| retention.per_group);
            let names = [run_id, metric].map(|name| name.clone().into_owned());
            self.series.insert(Series::new(names, buckets)) as u32
        });
        let series = &mut self.series[number as usize];
        let mut changed = unit.is_some() && series.unit != *unit;
        if changed {
            series.unit = unit.clone().map(Name::into_owned);
            // Whoever is told of it is sent points.
            series.marks.last_mut().into_iter().for_each(|mark| mark.seq = seq);
        }
        for point in points {
            changed |= series.fold(seq, point.into());
        }
        changed.then_some(number)
    }

    /// Takes in a whole series that was not there, which changed at `seq`; returns its number.
    pub(crate) fn put(&mut self, seq: u64, mut series: Series) -> u32 {
        series.marks.iter_mut().for_each(|mark| mark.seq = seq);
        let key = (series.run_id.as_str().into(), series.metric.as_str().into());
        let number = self.series.insert(series) as u32;
        self.numbers.insert(key, number);
        number
    }

    /// Drops what is kept of a group.
    pub(crate) fn remove(&mut self, group: &[String]) {
        let [run, metric] = group else { return };
        let key = (run.as_str().into(), metric.as_str().into());
        if let Some(number) = self.numbers.remove(&key) {
            self.series.remove(number as usize);
        }
    }

    /// What is drawn of the series of a run.
    pub(crate) fn history(&self, query: &Query) -> Option<History> {
        let mut of_run = self.series.iter().filter(|(_, series)| *series.run_id == *query.run_id).peekable();
        of_run.peek()?;
        let asked = of_run.filter(|(_, series)| query.metrics.take(&series.metric));
        let drawn = asked.map(|(_, series)| {
            let points = series.pyramid.points().filter(|point| query.takes(point)).collect();
            (series.metric.to_string(), query.view.of(points, query.most))
        });
        Some(drawn.filter(|(_, points)| !points.is_empty()).collect())
    }

    /// When runs were.
    pub(crate) fn spans(&self) -> BTreeMap<String, Span> {
        let mut spans: BTreeMap<String, Span> = BTreeMap::new();
        for (_, Series { run_id, span, .. }) in &self.series {
            let Some(span) = span else { continue };
            spans.entry(run_id.to_string()).and_modify(|known| known.join(span)).or_insert(*span);
        }
        spans
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        self.numbers.clear();
        self.series.clear();
    }

    /// Bytes that points take, as they are held and as they were sent.
    pub(crate) fn bytes(&self) -> usize {
        let bytes = |series: &Series| {
            let sent = series.frame.as_ref().map_or(0, |frame| frame.websocket().len());
            size_of_val(series.pyramid.buckets()) + sent
        };
        self.series.iter().map(|(_, series)| bytes(series)).sum()
    }

    /// What changed of a series after `since`, as an event of `seq`.
    pub(crate) fn frame(&mut self, number: u32, seq: u64, since: u64) -> Frame {
        self.series[number as usize].frame(seq, since)
    }
}

impl Series {
    fn new([run_id, metric]: [Name<'static>; 2], buckets: usize) -> Self {
        let pyramid = Pyramid::new(buckets);
        Self { run_id, metric, unit: None, span: None, pyramid, marks: Vec::new(), frame: None }
    }

    /// Run and metric.
    pub(crate) fn names(&self) -> [&Name<'static>; 2] {
        [&self.run_id, &self.metric]
    }

    /// Of these points, in so many buckets at most, with what pages are sent of them: a hub that takes it in has only to copy that.
    pub(crate) fn of(
        names: [Name<'static>; 2],
        unit: Option<Name<'static>>,
        points: &[Point],
        buckets: usize,
    ) -> Self {
        let mut series = Self { unit, ..Self::new(names, buckets) };
        for point in points {
            series.fold(0, *point);
        }
        // No event has this seq: the frame is copied from, and never sent.
        series.frame(0, 0);
        series
    }

    /// Returns whether anything changed.
    fn fold(&mut self, seq: u64, point: Point) -> bool {
        let before = self.pyramid.level();
        let span = Span::of(&point);
        self.span.get_or_insert(span).join(&span);
        match self.pyramid.fold(point) {
            Change::None => return false,
            Change::Bucket(_) => {}
            Change::Wider => self.widen(self.pyramid.level() - before),
        }
        let number = point.step >> self.pyramid.level();
        let mark = || Mark { number, seq, place: None };
        match self.marks.last() {
            Some(last) if last.number < number => self.marks.push(mark()),
            None => self.marks.push(mark()),
            Some(_) => match self.marks.binary_search_by_key(&number, |mark| mark.number) {
                Ok(index) => self.marks[index] = mark(),
                Err(index) => self.marks.insert(index, mark()),
            },
        }
        true
    }

    fn widen(&mut self, levels: u32) {
        self.marks.iter_mut().for_each(|mark| (mark.number, mark.place) = (mark.number >> levels, None));
        self.marks.dedup_by(|later, before| {
            let is_same = later.number == before.number;
            if is_same {
                before.seq = before.seq.max(later.seq);
            }
            is_same
        });
    }

    /// What is drawn of the buckets that changed after `since`. One of the whole is made once: a change has a seq of its own.
    fn frame(&mut self, seq: u64, since: u64) -> Frame {
        if since > 0 {
            return Frame::event(seq, Kind::MetricPoints, &self.json(since).0);
        }
        if let Some(frame) = self.frame.as_ref().filter(|frame| frame.seq() == Some(seq)) {
            return frame.clone();
        }
        let (json, places) = self.json(since);
        let frame = Frame::event(seq, Kind::MetricPoints, &json);
        // The seq is put before it.
        let before = frame.websocket().len() - json.len();
        for (mark, (start, end)) in self.marks.iter_mut().zip(places) {
            mark.place = Some((before + start, before + end));
        }
        self.frame.insert(frame).clone()
    }

    /// The same as an event, and where in it the points of each of those buckets are.
    fn json(&self, since: u64) -> (Vec<u8>, Vec<(usize, usize)>) {
        let (run_id, metric, unit) = (self.run_id.clone(), self.metric.clone(), self.unit.clone());
        let none =
            MetricPoints { run_id, metric, points: vec![], host: None, rank: None, device: None, unit };
        // Names and an empty list: it serializes, and the list stands in it once, as names are escaped.
        let json = serde_json::to_string(&Event::MetricPoints(none)).unwrap_or_default();
        let (head, tail) = json.split_once("\"points\":[").unwrap_or_default();
        let before = self.frame.as_ref().map_or(0, |frame| frame.websocket().len());
        let mut text = Vec::with_capacity(json.len().max(before) + 1_024);
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(b"\"points\":[");
        let (empty, mut places) = (text.len(), Vec::with_capacity(self.marks.len()));
        let buckets = self.marks.iter().zip(self.pyramid.buckets());
        for (mark, (_, bucket)) in buckets.filter(|(mark, _)| mark.seq > since || since == 0) {
            if text.len() > empty {
                text.push(b',');
            }
            let start = text.len();
            match (&self.frame, mark.place) {
                (Some(frame), Some((from, to))) => text.extend_from_slice(&frame.websocket()[from..to]),
                _ => put_points(&mut text, bucket),
            }
            places.push((start, text.len()));
        }
        text.extend_from_slice(tail.as_bytes());
        (text, places)
    }
}

/// Appends its points, without brackets around them.
fn put_points(text: &mut Vec<u8>, bucket: &Bucket) {
    for (number, point) in bucket.points().enumerate() {
        if number > 0 {
            text.push(b',');
        }
        // Numbers: they serialize.
        let _ = serde_json::to_writer(&mut *text, &(point.step, point.value, point.unix_s()));
    }
}
