use clickhouse::query::RowCursor;
use clickhouse::sql::Identifier;
use clickhouse::{Client, Compression, Row};
use serde::Deserialize;

use super::{AT_ONCE, IN_TIME, TABLE, answered, failed};
use crate::{Address, StoreError};

/// The table as it is read by who finds out what others write into it: how many rows there are in which slots of time, and the rows of some.
#[derive(Debug)]
pub struct Table {
    address: Address,
    client: Client,
}

/// Times from `from_ms` to before `to_ms`, in milliseconds since 1970, cut into slots of `width_ms`: slot 0 begins with 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// Above 0.
    pub width_ms: i64,
    /// Included.
    pub from_ms: i64,
    /// Not included.
    pub to_ms: i64,
}

/// The rows of a run in a slot.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub struct Count {
    /// The run.
    pub run_id: String,
    /// The slot.
    pub slot: i64,
    /// Rows, at least 1.
    pub rows: u64,
    /// Milliseconds since 1970 of the first,
    pub start_ms: i64,
    /// and of the last.
    pub last_ms: i64,
    /// The highest step that is one.
    pub latest_step: u64,
}

/// A row.
#[derive(Debug, Clone, Copy, PartialEq, Row, Deserialize)]
pub struct Measured<'a> {
    /// The run.
    pub run_id: &'a str,
    /// The metric.
    pub metric: &'a str,
    /// The host that measured it; empty where none is said.
    pub host: &'a str,
    /// Its rank in the run.
    pub rank: u32,
    /// Its device; 65535 where none is said.
    pub device: u16,
    /// The unit; empty where none is said.
    pub unit: &'a str,
    /// Training step: any.
    pub step: u64,
    /// Milliseconds since 1970.
    pub time_ms: i64,
    /// Any, not a number as well.
    pub value: f64,
    /// The slot that it is in.
    pub slot: i64,
}

/// Rows as they come.
pub struct Rows<'t> {
    table: &'t Table,
    cursor: RowCursor<Measured<'static>>,
}

const COUNTS: &str = "SELECT run_id, SLOT AS slot, count(), toUnixTimestamp64Milli(min(event_time)), toUnixTimestamp64Milli(max(event_time)),
    maxIf(step, step < 9007199254740992) FROM ? WHERE WITHIN GROUP BY run_id, slot";

/// In the order of the table, which it need not sort.
const ROWS: &str = "SELECT run_id, toValidUTF8(metric), toValidUTF8(host), rank, device, toValidUTF8(unit), step, toUnixTimestamp64Milli(event_time), value, SLOT AS slot FROM ?
    WHERE WITHIN AND run_id IN (SELECT arrayJoin({runs:Array(String)}))
    AND (run_id, slot) IN (SELECT pair.1, pair.2 FROM (SELECT arrayJoin(arrayZip({runs:Array(String)}, {slots:Array(Int64)})) AS pair))
    ORDER BY run_id, metric, host, rank, device, step, event_time";

impl Table {
    /// Nothing is asked yet.
    pub fn new(address: Address) -> Self {
        let client = address.client().with_compression(Compression::None).with_validation(false);
        Self { address, client }
    }

    /// Which, and in which database.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The server's clock: milliseconds since 1970.
    ///
    /// # Errors
    /// The server does not answer, or does not let this one in.
    pub async fn now_ms(&self) -> Result<i64, StoreError> {
        let now = self.client.query("SELECT toUnixTimestamp64Milli(now64(3))").fetch_one::<i64>();
        answered(&self.address, AT_ONCE, now).await
    }

    /// How many rows there are of each run in each slot that has any.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn counts(&self, slots: Slots) -> Result<Vec<Count>, StoreError> {
        answered(&self.address, IN_TIME, self.within(COUNTS, slots).fetch_all::<Count>()).await
    }

    /// The rows of runs in slots, by run, metric, host, rank, device, step and time. There may be more of them than were counted.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn rows(&self, slots: Slots, of: &[(String, i64)]) -> Result<Rows<'_>, StoreError> {
        let (runs, numbers): (Vec<&str>, Vec<i64>) =
            of.iter().map(|(run, slot)| (run.as_str(), slot)).unzip();
        // Parts of other times are not looked at.
        let (first, last) = numbers
            .iter()
            .fold((i64::MAX, i64::MIN), |(first, last), slot| (first.min(*slot), last.max(*slot)));
        let slots = if first > 0 { slots.within(first, last) } else { slots };
        let query = self.within(ROWS, slots).param("runs", runs).param("slots", numbers);
        let cursor = query.fetch::<Measured<'_>>().map_err(|error| failed(&self.address, &error))?;
        Ok(Rows { table: self, cursor })
    }

    fn within(&self, sql: &str, slots: Slots) -> clickhouse::query::Query {
        let sql = sql.replace("SLOT", "intDiv(toUnixTimestamp64Milli(event_time), {width:Int64})").replace(
            "WITHIN",
            "event_time >= fromUnixTimestamp64Milli({from:Int64}) AND event_time < fromUnixTimestamp64Milli({to:Int64}) AND isValidUTF8(run_id)",
        );
        let query = self.client.query(&sql).bind(Identifier(TABLE));
        query.param("width", slots.width_ms).param("from", slots.from_ms).param("to", slots.to_ms)
    }
}

impl Slots {
    /// The times that a `DateTime64` can say, in seconds: 1900 to 2299.
    const TIMES: (i64, i64) = (-2_208_988_800, 10_413_792_000);

    /// All times from one on.
    pub fn from(width_ms: i64, from_ms: i64) -> Self {
        Self { width_ms, from_ms, to_ms: Self::TIMES.1 * 1_000 }
    }

    /// Those times only that are in slots from one to another, both included.
    fn within(self, first: i64, last: i64) -> Self {
        let (from_ms, to_ms) =
            (first.saturating_mul(self.width_ms), (last + 1).saturating_mul(self.width_ms));
        Self { from_ms: self.from_ms.max(from_ms), to_ms: self.to_ms.min(to_ms), ..self }
    }

    /// All times before one.
    pub fn before(width_ms: i64, to_ms: i64) -> Self {
        Self { width_ms, from_ms: Self::TIMES.0 * 1_000, to_ms }
    }
}

impl Rows<'_> {
    /// The next; `None` after the last.
    ///
    /// # Errors
    /// The server fails, or says nothing for long.
    pub async fn next(&mut self) -> Result<Option<Measured<'_>>, StoreError> {
        answered(&self.table.address, IN_TIME, self.cursor.next()).await
    }
}
