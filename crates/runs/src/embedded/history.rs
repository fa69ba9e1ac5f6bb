use std::collections::HashMap;

use super::Shared;
use super::file::Block;
use super::reading::Reading;
use crate::{History, POINTS_PER_BUCKET, Point, Pyramid, Query, StoreError, View};

impl Shared {
    pub(super) fn history(&self, query: &Query) -> Result<Option<History>, StoreError> {
        let mut asked = Vec::new();
        {
            let index = self.index();
            let Some(series) = index.of_run(&query.run_id) else { return Ok(None) };
            for (metric, number) in series.iter().filter(|(metric, _)| query.metrics.take(metric)) {
                let fresh = &index.series(*number).fresh;
                let fresh: Vec<Point> = fresh.iter().filter(|point| query.takes(point)).copied().collect();
                asked.push((metric.clone(), *number, fresh));
            }
        }
        // After the index: what was moved into blocks in between is found in both, and is one.
        let reading = self.file.reading()?;
        let (mut history, mut total) = (History::new(), 0);
        for (metric, number, fresh) in asked {
            let points = reading.series_of(query, number, fresh)?;
            total += points.len();
            query.allow(total)?;
            if !points.is_empty() {
                history.insert(metric, points);
            }
        }
        Ok(Some(history))
    }
}

impl Reading<'_> {
    fn series_of(&self, query: &Query, series: u32, fresh: Vec<Point>) -> Result<Vec<Point>, StoreError> {
        let blocks = self.blocks(series, *query.steps.end())?.into_iter().filter(|block| block.meets(query));
        let blocks: Vec<Block> = blocks.collect();
        let mut points = fresh;
        points.sort_unstable_by(Point::order);
        points.dedup();
        let within = apart(blocks.iter().filter(|block| block.is_within(query)));
        let distinct = within.map(|block| block.count as usize).sum::<usize>().max(points.len());
        if query.view == View::Peaks && distinct > query.most {
            return self.peaks(query, &blocks, &points);
        }
        for block in &blocks {
            points.extend(self.points(block)?.into_iter().filter(|point| query.takes(point)));
        }
        points.sort_unstable_by(Point::order);
        points.dedup();
        Ok(query.view.of(points, query.most))
    }

    /// What is drawn of many points: of most blocks the summary does, as its buckets are no wider than those of the whole.
    fn peaks(&self, query: &Query, blocks: &[Block], fresh: &[Point]) -> Result<Vec<Point>, StoreError> {
        let summary = |block: &Block| if block.is_within(query) { self.summary(block) } else { Ok(None) };
        let summaries = blocks.iter().map(summary).collect::<Result<Vec<_>, _>>()?;
        let most = query.most / POINTS_PER_BUCKET;
        let mut pyramid = Pyramid::at_least(most, least_level(most, blocks, &summaries));
        pyramid.extend(fresh.iter().copied());
        for (block, summary) in blocks.iter().zip(&summaries) {
            match summary.as_ref().filter(|summary| summary.level() <= pyramid.level()) {
                Some(summary) => {
                    for (number, bucket) in summary.buckets() {
                        pyramid.join(summary.level(), *number, bucket);
                    }
                }
                None => {
                    let points = self.points(block)?;
                    let asked = points.into_iter().filter(|point| query.takes(point));
                    pyramid.extend(asked);
                }
            }
        }
        Ok(pyramid.points().collect())
    }
}

/// A level that the pyramid of the whole has at least, as at the one below its blocks alone are in more buckets.
fn least_level(most: usize, blocks: &[Block], summaries: &[Option<Pyramid>]) -> u32 {
    let with_summaries =
        blocks.iter().zip(summaries).filter_map(|(block, summary)| Some((block, summary.as_ref()?)));
    let summaries: HashMap<_, _> = with_summaries.map(|(block, summary)| (block.key, summary)).collect();
    let apart: Vec<_> = apart(blocks.iter().filter(|block| summaries.contains_key(&block.key))).collect();
    // Two that follow each other may share a bucket.
    let occupied = |level| {
        let of: usize = apart.iter().map(|block| summaries[&block.key].occupied(level)).sum();
        of.saturating_sub(apart.len().saturating_sub(1))
    };
    (0..).find(|level| occupied(*level) <= most).unwrap_or_default()
}

/// Those of blocks, which are in order, that share no step with those before them.
fn apart<'a>(blocks: impl Iterator<Item = &'a Block>) -> impl Iterator<Item = &'a Block> {
    let mut end = None;
    blocks.filter(move |block| {
        let (_, first_step, _) = block.key;
        let is_apart = end < Some(first_step);
        if is_apart {
            end = Some(block.last_step);
        }
        is_apart
    })
}

impl Block {
    /// Whether there may be points in it that are asked for.
    fn meets(&self, query: &Query) -> bool {
        let (_, first_step, _) = self.key;
        let (first_ms, last_ms) = self.times_ms;
        first_step <= *query.steps.end()
            && self.last_step >= *query.steps.start()
            && first_ms <= *query.times_ms.end()
            && last_ms >= *query.times_ms.start()
    }

    /// Whether all its points are asked for.
    fn is_within(&self, query: &Query) -> bool {
        let (_, first_step, _) = self.key;
        let (first_ms, last_ms) = self.times_ms;
        [first_step, self.last_step].iter().all(|step| query.steps.contains(step))
            && [first_ms, last_ms].iter().all(|time| query.times_ms.contains(time))
    }
}
