use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use events::{Event, RunsMeta, Text};
use publisher::{Delivery, Memory, PublishError};
use runs::{Count, Slots, Span, StoreError, Table};
use tail::Said;
use tokio::time::{Instant, sleep, sleep_until};

use crate::points::Points;
use crate::tally::{Taken, Tally};

/// Training runs out of a table that others write.
///
/// Rows may come late, at any time, and a table says of none when it came. So what is compared is how many there are: every slot of time in which there are not
/// as many rows of a run as were published is published again, whole. To whom a series is a set that adds what is missing.
#[derive(Debug)]
pub struct TableFeed {
    /// The table.
    pub table: Table,
    /// How often what is recent is compared.
    pub poll_interval: Duration,
    /// How often everything is, and it is said which runs there are.
    pub runs_interval: Duration,
}

/// Slots of what is recent, in milliseconds: what is being written is read a second at a time.
const FINE_MS: i64 = 1_000;
/// Slots of the rest, in milliseconds.
const COARSE_MS: i64 = 3_600 * FINE_MS;
/// What is recent, in milliseconds.
const RECENT_MS: i64 = 300 * FINE_MS;
/// Rows that are asked for at once, where one slot has no more.
const ROWS: u64 = 200_000;
/// Bytes of slots and the names of their runs that are asked for at once: ClickHouse takes 128 KiB of a parameter.
const NAMES: usize = 48 << 10;
/// Bytes of a body, about.
const BODY: usize = 4 << 20;
/// The longest pause between two attempts, where looks are not further apart.
const LONGEST: Duration = Duration::from_secs(15);

/// One that runs.
struct Follower<'a> {
    feed: &'a TableFeed,
    delivery: &'a mut Delivery,
    /// What the broadcaster remembered that took everything so far; `None` before the first.
    memory: Option<Memory>,
    /// Whether it has forgotten something since.
    has_lost: bool,
    /// Where what is recent begins.
    cut_ms: i64,
    recent: Tally,
    past: Tally,
    /// Slots of the past that are to be read, the newest last.
    behind: Vec<Count>,
    spans: BTreeMap<String, Span>,
    now_ms: i64,
    /// Rows that are no points, and were said to be none.
    left_out: u64,
    /// One of those that were not.
    one_left_out: Option<String>,
    trouble: Said,
}

/// Why a look ended before its end.
enum Stopped {
    /// The table cannot be read.
    Table(StoreError),
    /// The broadcaster will not have what was read.
    Publish(PublishError),
}

impl TableFeed {
    /// Publishes what is there, the newest first, and what comes, for ever. A table that cannot be read is said to be so, in the log and on the page, and
    /// asked again.
    ///
    /// # Errors
    /// The broadcaster refuses what is published.
    pub async fn run(&self, delivery: &mut Delivery) -> Result<Infallible, PublishError> {
        let mut follower = Follower {
            feed: self,
            delivery,
            memory: None,
            has_lost: false,
            cut_ms: 0,
            recent: Tally::default(),
            past: Tally::default(),
            behind: vec![],
            spans: BTreeMap::new(),
            now_ms: 0,
            left_out: 0,
            one_left_out: None,
            trouble: Said::default(),
        };
        let mut pause = self.poll_interval;
        let mut survey_at = Instant::now();
        loop {
            let began = Instant::now();
            let survey = began >= survey_at;
            match follower.look(survey, began + self.poll_interval).await {
                Ok(()) => {
                    if follower.trouble.clear() {
                        tracing::info!("{} is read again", self.table.address());
                    }
                    pause = self.poll_interval;
                    if survey {
                        survey_at = began + self.runs_interval;
                    }
                    if follower.forgets() {
                        survey_at = began;
                        continue;
                    }
                }
                Err(Stopped::Table(error)) => {
                    follower.troubled(&error).await?;
                    // What is missing is not known by then.
                    survey_at = began;
                    pause = (pause * 2).min(LONGEST.max(self.poll_interval));
                    sleep(pause).await;
                }
                Err(Stopped::Publish(error)) => return Err(error),
            }
            sleep_until(began + self.poll_interval).await;
        }
    }
}

impl Follower<'_> {
    /// Publishes what is missing of the recent, and then of the past, for which there is time `until` then. What that is of the past a `survey` finds out.
    async fn look(&mut self, survey: bool, until: Instant) -> Result<(), Stopped> {
        let table = &self.feed.table;
        self.now_ms = table.now_ms().await?;
        if survey {
            // Never back: what was passed on is counted in the past.
            let cut = (self.now_ms - RECENT_MS).div_euclid(FINE_MS).max(self.cut_ms / FINE_MS);
            self.cut_ms = cut * FINE_MS;
            self.recent.pass(cut, COARSE_MS / FINE_MS, &mut self.past);
        }
        let slots = Slots::from(FINE_MS, self.cut_ms);
        let recent = table.counts(slots).await?;
        let mut missing = self.recent.differing(&recent);
        while !missing.is_empty() {
            self.read(slots, &newest(&mut missing)).await?;
        }
        let slots = Slots::before(COARSE_MS, self.cut_ms);
        if survey {
            let past = table.counts(slots).await?;
            self.behind = self.past.differing(&past);
            self.spans = spans(past.iter().chain(&recent));
            self.say_runs(None).await?;
            self.say_left_out();
        }
        // However long all that took: something of the past with every look.
        while !self.behind.is_empty() {
            let counts = newest(&mut self.behind);
            self.read(slots, &counts).await?;
            if Instant::now() >= until {
                break;
            }
        }
        // Nothing at all asks whether everything is still there.
        Ok(self.deliver(Bytes::new()).await?)
    }

    /// If the broadcaster has forgotten something everything is missing.
    fn forgets(&mut self) -> bool {
        let has_lost = std::mem::take(&mut self.has_lost);
        if has_lost {
            tracing::info!(
                "the broadcaster has lost something of what was published: it gets the runs again"
            );
            (self.recent, self.past) = (Tally::default(), Tally::default());
            self.left_out = 0;
        }
        has_lost
    }

    /// Publishes slots, and then counts them as taken.
    async fn read(&mut self, slots: Slots, counts: &[Count]) -> Result<(), Stopped> {
        if counts.is_empty() {
            return Ok(());
        }
        let of: Vec<(String, i64)> = counts.iter().map(|count| (count.run_id.clone(), count.slot)).collect();
        // Those that have no rows any more were taken as well.
        let mut taken: BTreeMap<&str, BTreeMap<i64, Taken>> = BTreeMap::new();
        for (run, slot) in &of {
            taken.entry(run).or_default().insert(*slot, Taken::default());
        }
        let mut points = Points::default();
        let feed = self.feed;
        let mut rows = feed.table.rows(slots, &of)?;
        while let Some(row) = rows.next().await? {
            let slots = taken.get_mut(row.run_id);
            // Others were not asked for.
            let Some(slot) = slots.and_then(|slots| slots.get_mut(&row.slot)) else { continue };
            slot.rows += 1;
            if let Err(reason) = points.push(&row) {
                slot.left_out += 1;
                let (run, metric, step) = (row.run_id, row.metric, row.step);
                let said = || format!("{metric:?} of run {run:?} at step {step}: {reason}");
                self.one_left_out.get_or_insert_with(said);
            }
            if points.bytes() >= BODY {
                self.deliver(points.take_body()).await?;
            }
        }
        self.deliver(points.take_body()).await?;
        let is_recent = slots.width_ms == FINE_MS;
        let tally = if is_recent { &mut self.recent } else { &mut self.past };
        for (run, slots) in taken {
            slots.into_iter().for_each(|(slot, taken)| tally.take(run, slot, taken));
        }
        Ok(())
    }

    /// Says which runs there are, and what keeps them from being read.
    async fn say_runs(&mut self, trouble: Option<&str>) -> Result<(), PublishError> {
        let runs = self.spans.iter().filter_map(|(run, span)| span.meta(run, self.now_ms));
        let trouble = trouble.and_then(|text| Text::new(text.to_owned()).ok());
        let event = Event::RunsMeta(RunsMeta { runs_meta: runs.collect(), trouble });
        // Names, times and numbers: they serialize.
        let json = serde_json::to_vec(&event).unwrap_or_default();
        self.deliver([json, b"\n".to_vec()].concat().into()).await
    }

    async fn troubled(&mut self, error: &StoreError) -> Result<(), PublishError> {
        // As much of it as fits.
        let error: String = error.to_string().chars().take(1_000).collect();
        self.trouble.warn(format_args!("{error}; trying again"));
        self.say_runs(Some(&error)).await
    }

    fn say_left_out(&mut self) {
        let left_out = self.recent.left_out() + self.past.left_out();
        if let Some(one) = self.one_left_out.take().filter(|_| left_out > self.left_out) {
            tracing::warn!("{left_out} rows are left out so far; {one}");
        }
        self.left_out = left_out;
    }

    async fn deliver(&mut self, lines: Bytes) -> Result<(), PublishError> {
        let memory = self.delivery.deliver(lines).await?;
        self.has_lost |= self.memory.is_some() && self.memory != memory;
        self.memory = memory;
        Ok(())
    }
}

/// Takes from the end as many as are asked for at once, at least one.
fn newest(missing: &mut Vec<Count>) -> Vec<Count> {
    let (mut rows, mut names) = (0, 0);
    let fits = |count: &&Count| {
        rows += count.rows;
        // With quotes, a comma, and a number.
        names += count.run_id.len() + 24;
        rows <= ROWS && names <= NAMES
    };
    let some = missing.iter().rev().take_while(fits).count().max(1);
    missing.split_off(missing.len().saturating_sub(some))
}

/// When each run was, and how far it came.
fn spans<'c>(counts: impl Iterator<Item = &'c Count>) -> BTreeMap<String, Span> {
    let mut spans: BTreeMap<String, Span> = BTreeMap::new();
    for Count { run_id, start_ms, last_ms, latest_step, .. } in counts {
        let span = Span { start_ms: *start_ms, last_ms: *last_ms, latest_step: *latest_step };
        match spans.get_mut(run_id) {
            Some(all) => all.join(&span),
            None => drop(spans.insert(run_id.clone(), span)),
        }
    }
    spans
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Table(error)
    }
}

impl From<PublishError> for Stopped {
    fn from(error: PublishError) -> Self {
        Self::Publish(error)
    }
}
