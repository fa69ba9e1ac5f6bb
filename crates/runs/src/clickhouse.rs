//! Runs in a ClickHouse, in a table that trainers or others may write as well.
//!
//! ```text
//! append -> INSERT
//! history <- how far the steps of a series are apart -> Level: how many of their low bits a bucket spans
//!         <- points of short series, buckets of long ones -> Pyramid
//! ```

mod address;
mod level;
mod table;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clickhouse::error::Error;
use clickhouse::sql::Identifier;
use clickhouse::{Client, Compression, Row};
use events::MetricPoints;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::timeout;

pub use self::address::{Address, AddressError};
use self::level::Level;
pub use self::table::{Count, Measured, Rows, Slots, Table};
use crate::{History, Metrics, POINTS_PER_BUCKET, Point, Pyramid, Query, Span, Store, StoreError, View};

/// The table.
const TABLE: &str = "metric_points";
/// A server that has to say something short, or to write something down, does it within this time, or is away.
const AT_ONCE: Duration = Duration::from_secs(30);
/// What it has to look through a table for it says within this time.
const IN_TIME: Duration = Duration::from_secs(300);
/// What is known of all runs is asked again after so long.
const KNOWN: Duration = Duration::from_secs(5);

/// Runs in the table `metric_points` of a ClickHouse.
#[derive(Debug)]
pub struct ClickHouse {
    address: Address,
    client: Client,
    spans: Mutex<Option<(Instant, BTreeMap<String, Span>)>>,
    /// Points were written that are not among those.
    missed: AtomicBool,
}

/// A point as it is written.
#[derive(Row, Serialize)]
struct Written<'a> {
    /// Milliseconds since 1970.
    event_time: i64,
    run_id: &'a str,
    host: &'a str,
    rank: u32,
    device: u16,
    step: u64,
    metric: &'a str,
    value: f64,
    unit: &'a str,
}

/// The device of who says none.
pub const NO_DEVICE: u16 = u16::MAX;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS ? (
    event_time DateTime64(3) DEFAULT now64(3), run_id LowCardinality(String), host LowCardinality(String) DEFAULT '',
    rank UInt32 DEFAULT 0, device UInt16 DEFAULT 65535, step UInt64 DEFAULT 0, metric LowCardinality(String), value Float64,
    unit LowCardinality(String) DEFAULT '', tags_json String DEFAULT ''
) ENGINE = MergeTree PARTITION BY toYYYYMM(event_time) ORDER BY (run_id, metric, host, rank, device, step, event_time)";

const SPANS: &str = "SELECT run_id, toUnixTimestamp64Milli(min(event_time)), toUnixTimestamp64Milli(max(event_time)), max(step)
    FROM ? WHERE isFinite(value) AND step < 9007199254740992 GROUP BY run_id";

const UNITS: &str = "SELECT metric, argMax(toValidUTF8(unit), event_time) FROM ? WHERE run_id = {run:String} AND unit != '' GROUP BY metric";

/// The points that are asked for, as `step`, `time` and `v`: others may write what is no number, and steps that are none for a page.
const ASKED: &str = "SELECT metric, step, toUnixTimestamp64Milli(event_time) AS time, value + 0 AS v FROM ?
    WHERE run_id = {run:String} AND isFinite(value) AND step < 9007199254740992 AND step BETWEEN {first:UInt64} AND {last:UInt64}
    AND toUnixTimestamp64Milli(event_time) BETWEEN {from:Int64} AND {to:Int64}
    AND ({all:Bool} OR metric = {metric:String} OR ({beginning:Bool} AND startsWith(metric, {metric:String})))";

impl ClickHouse {
    /// Finds the table, or makes it, unless it is others who write there.
    ///
    /// # Errors
    /// The server does not answer, or does not let this one in, or has no such table and makes none.
    pub async fn open(address: Address) -> Result<Self, StoreError> {
        let client = address.client().with_compression(Compression::None).with_validation(false);
        let store = Self { address, client, spans: Mutex::default(), missed: AtomicBool::new(false) };
        answered(&store.address, AT_ONCE, store.find()).await?;
        Ok(store)
    }

    async fn find(&self) -> Result<(), Error> {
        let found =
            self.client.query("SELECT count() FROM ? WHERE 0").bind(Identifier(TABLE)).fetch_one::<u64>();
        match found.await {
            Err(error) if is_missing(&error) && !self.address.is_read_only() => {}
            found => return found.map(drop),
        }
        let database = Identifier(self.address.database());
        // Not in it: it may not be there yet.
        let anywhere = self.client.clone().with_database("");
        anywhere.query("CREATE DATABASE IF NOT EXISTS ?").bind(database).execute().await?;
        self.client.query(CREATE).bind(Identifier(TABLE)).execute().await
    }

    async fn put(&self, points: &[&MetricPoints<'_>]) -> Result<(), Error> {
        // Many producers write a few points each: the server writes them together, and answers when they are written.
        let insert = self.client.insert::<Written<'_>>(TABLE).await?;
        let mut insert = insert.with_setting("async_insert", "1").with_setting("wait_for_async_insert", "1");
        for of in points {
            let text =
                |name: &Option<events::Name<'_>>| name.as_ref().map(ToString::to_string).unwrap_or_default();
            let (host, unit) =
                (text(&of.host), of.unit.as_ref().map(ToString::to_string).unwrap_or_default());
            for point in of.points.iter().map(Point::from) {
                let row = Written {
                    event_time: point.time_ms,
                    run_id: of.run_id.as_str(),
                    host: &host,
                    rank: of.rank.unwrap_or_default(),
                    device: of.device.unwrap_or(NO_DEVICE),
                    step: point.step,
                    metric: of.metric.as_str(),
                    value: point.value,
                    unit: &unit,
                };
                insert.write(&row).await?;
            }
        }
        insert.end().await
    }

    async fn read(&self, query: &Query, levels: BTreeMap<String, Level>) -> Result<Option<History>, Error> {
        if levels.is_empty() {
            let known = self
                .client
                .query("SELECT count() > 0 FROM (SELECT 1 FROM ? WHERE run_id = {run:String} LIMIT 1)");
            let is_known: u8 = known.bind(Identifier(TABLE)).param("run", &query.run_id).fetch_one().await?;
            return Ok((is_known > 0).then(History::new));
        }
        let mut history = self.points(query, &levels).await?;
        let wide = levels.iter().filter_map(|(metric, level)| Some((metric.as_str(), level.bits()?)));
        self.buckets(query, &wide.collect(), &mut history).await?;
        Ok(Some(history))
    }

    /// How each series is drawn, and in how many points all are, at most.
    async fn levels(&self, query: &Query) -> Result<(BTreeMap<String, Level>, usize), Error> {
        // Of points in order, the highest bit in which the step differs from the one before.
        let sql = "SELECT metric, high, count() FROM (
            SELECT metric, toInt16(multiIf(first, 64, apart > 0, guess - (bitShiftLeft(toUInt64(1), guess) > apart), (time, v) != (before.2, before.3), -1, -2)) AS high
            FROM (
                SELECT metric, time, v, before, first, bitXor(step, before.1) AS apart, toUInt8(floor(log2(greatest(apart, 1)))) AS guess
                FROM (
                    SELECT metric, step, time, v, lagInFrame((step, time, v)) OVER series AS before, row_number() OVER series = 1 AS first
                    FROM (ASKED)
                    WINDOW series AS (PARTITION BY metric ORDER BY step, time, v ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
                )
            )
        ) GROUP BY metric, high";
        let mut apart: HashMap<String, Vec<(i16, u64)>> = HashMap::new();
        for (metric, high, count) in self.asked(sql, query).fetch_all::<(String, i16, u64)>().await? {
            apart.entry(metric).or_default().push((high, count));
        }
        let points = apart.values().map(|apart| level::points(apart).min(query.most as u64)).sum::<u64>();
        let of = |(metric, apart): (String, Vec<(i16, u64)>)| (metric, Level::of(&apart, query));
        Ok((apart.into_iter().map(of).collect(), points as usize))
    }

    /// The series that are drawn with all of their points, or thinned here.
    async fn points(&self, query: &Query, levels: &BTreeMap<String, Level>) -> Result<History, Error> {
        let whole =
            levels.iter().filter(|(_, level)| level.bits().is_none()).map(|(metric, _)| metric.as_str());
        let whole: Vec<&str> = whole.collect();
        let mut history = History::new();
        if whole.is_empty() {
            return Ok(history);
        }
        let sql = "SELECT DISTINCT metric, step, time, v FROM (ASKED) WHERE has({metrics:Array(String)}, metric) ORDER BY metric, step, time, v";
        let mut rows = self.asked(sql, query).param("metrics", whole).fetch::<Read<'_>>()?;
        while let Some(Read { metric, step, time_ms, value }) = rows.next().await? {
            let point = Point { step, value, time_ms };
            match history.get_mut(metric) {
                Some(series) => series.push(point),
                None => drop(history.insert(metric.to_owned(), vec![point])),
            }
        }
        if query.view == View::Triangles {
            history
                .values_mut()
                .for_each(|series| *series = query.view.of(std::mem::take(series), query.most));
        }
        Ok(history)
    }

    /// Adds the series that are drawn in buckets of so many low bits of the step.
    async fn buckets(
        &self,
        query: &Query,
        wide: &HashMap<&str, u8>,
        history: &mut History,
    ) -> Result<(), Error> {
        if wide.is_empty() {
            return Ok(());
        }
        let sql = "SELECT metric, bitShiftRight(step, transform(metric, {metrics:Array(String)}, {bits:Array(UInt8)}, toUInt8(0))) AS bucket,
            min((step, time, v)), max((step, time, v)), min((v, step, time)), min((-v, step, time))
            FROM (ASKED) WHERE has({metrics:Array(String)}, metric) GROUP BY metric, bucket";
        let (metrics, bits): (Vec<&str>, Vec<u8>) = wide.iter().unzip();
        let rows = self.asked(sql, query).param("metrics", metrics).param("bits", bits);
        let mut rows = rows.fetch::<Drawn<'_>>()?;
        let mut pyramids: HashMap<String, Pyramid> = HashMap::new();
        while let Some(Drawn { metric, first, last, min, max, .. }) = rows.next().await? {
            let ends = [first, last].map(|(step, time_ms, value)| Point { step, value, time_ms });
            let peaks = [min, (-max.0, max.1, max.2)].map(|(value, step, time_ms)| Point {
                step,
                value: value + 0.0,
                time_ms,
            });
            let pyramid = match pyramids.get_mut(metric) {
                Some(pyramid) => pyramid,
                None => {
                    pyramids.entry(metric.to_owned()).or_insert(Pyramid::new(query.most / POINTS_PER_BUCKET))
                }
            };
            pyramid.extend(ends.into_iter().chain(peaks));
        }
        history.extend(pyramids.into_iter().map(|(metric, pyramid)| (metric, pyramid.points().collect())));
        Ok(())
    }

    /// A query of what is asked for.
    fn asked(&self, sql: &str, query: &Query) -> clickhouse::query::Query {
        let (all, beginning, metric) = match &query.metrics {
            Metrics::All => (true, false, ""),
            Metrics::Named(metric) => (false, false, metric.as_str()),
            Metrics::Beginning(prefix) => (false, true, prefix.as_str()),
        };
        let sql = sql.replace("ASKED", ASKED);
        let asked = self.client.query(&sql).bind(Identifier(TABLE)).param("run", &query.run_id);
        let asked = asked.param("first", query.steps.start()).param("last", query.steps.end());
        let asked = asked.param("from", query.times_ms.start()).param("to", query.times_ms.end());
        asked.param("all", all).param("beginning", beginning).param("metric", metric)
    }

    /// What was written is known at once, or asked for: while somebody asks it is not waited for.
    fn note(&self, points: &[&MetricPoints<'_>]) {
        let Ok(mut known) = self.spans.try_lock() else { return self.missed.store(true, Ordering::Relaxed) };
        let Some((_, spans)) = &mut *known else { return };
        for of in points {
            for span in of.points.iter().map(|point| Span::of(&Point::from(point))) {
                spans.entry(of.run_id.to_string()).and_modify(|all| all.join(&span)).or_insert(span);
            }
        }
    }

    async fn spans(&self) -> Result<BTreeMap<String, Span>, Error> {
        let mut known = self.spans.lock().await;
        if self.missed.swap(false, Ordering::Relaxed) {
            *known = None;
        }
        if let Some((_, spans)) = known.as_ref().filter(|(asked, _)| asked.elapsed() < KNOWN) {
            return Ok(spans.clone());
        }
        let rows =
            self.client.query(SPANS).bind(Identifier(TABLE)).fetch_all::<(String, i64, i64, u64)>().await?;
        let span = |(run, start_ms, last_ms, latest_step)| (run, Span { start_ms, last_ms, latest_step });
        let spans: BTreeMap<String, Span> = rows.into_iter().map(span).collect();
        *known = Some((Instant::now(), spans.clone()));
        Ok(spans)
    }
}

/// A point as it is read.
#[derive(Row, Deserialize)]
struct Read<'a> {
    metric: &'a str,
    step: u64,
    time_ms: i64,
    value: f64,
}

/// What is drawn of a bucket. `max` has its value with the other sign: of equal values the first comes first.
#[derive(Row, Deserialize)]
struct Drawn<'a> {
    metric: &'a str,
    #[allow(dead_code)] // in the rows, and not needed
    bucket: u64,
    first: (u64, i64, f64),
    last: (u64, i64, f64),
    min: (f64, u64, i64),
    max: (f64, u64, i64),
}

impl Store for ClickHouse {
    fn append<'a>(&'a self, points: &'a [&'a MetricPoints<'a>]) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            if self.address.is_read_only() {
                // Who writes the table has them there, or will.
                return Ok(());
            }
            answered(&self.address, AT_ONCE, self.put(points)).await?;
            self.note(points);
            Ok(())
        }
        .boxed()
    }

    fn history(&self, query: Query) -> BoxFuture<'_, Result<Option<History>, StoreError>> {
        async move {
            let (levels, points) = answered(&self.address, IN_TIME, self.levels(&query)).await?;
            query.allow(points)?;
            answered(&self.address, IN_TIME, self.read(&query, levels)).await
        }
        .boxed()
    }

    fn runs(&self) -> BoxFuture<'_, Result<BTreeMap<String, Span>, StoreError>> {
        answered(&self.address, AT_ONCE, self.spans()).boxed()
    }

    fn units<'a>(&'a self, run_id: &'a str) -> BoxFuture<'a, Result<BTreeMap<String, String>, StoreError>> {
        let units = self.client.query(UNITS).bind(Identifier(TABLE)).param("run", run_id);
        let units = async { Ok(units.fetch_all::<(String, String)>().await?.into_iter().collect()) };
        answered(&self.address, IN_TIME, units).boxed()
    }
}

/// Whether there is no such table, or no such database.
fn is_missing(error: &Error) -> bool {
    matches!(error, Error::BadResponse(said) if said.contains("UNKNOWN_TABLE") || said.contains("UNKNOWN_DATABASE"))
}

/// What a server answers, if it does within a time.
async fn answered<T>(
    address: &Address,
    within: Duration,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    match timeout(within, answer).await {
        Ok(answer) => answer.map_err(|error| failed(address, &error)),
        Err(_) => {
            let reason = format!("no answer within {} s", within.as_secs());
            Err(StoreError::Server { address: address.to_string(), reason })
        }
    }
}

fn failed(address: &Address, error: &Error) -> StoreError {
    StoreError::Server { address: address.to_string(), reason: said(error) }
}

/// What the server says, without the version and the stack that come after it.
fn said(error: &Error) -> String {
    let mut reason = match error {
        Error::BadResponse(said) => said.clone(),
        error => error.to_string(),
    };
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        reason = error.to_string();
        source = error.source();
    }
    reason.lines().next().unwrap_or_default().to_owned()
}
