//! The store of its own: a folder, and nothing to set up.
//!
//! ```text
//! append -> Writer: one at a time, all that waits at once -> File: fresh points, as they came
//!               \-> Flush: when they are many, and at the end -> File: blocks, sorted and compressed, in packs; what is drawn of them
//!                                                            in packs of its own
//! history <- Index (fresh points, in memory) + File (blocks; of most of them their summaries do)
//! ```

mod file;
mod flush;
mod fresh;
mod history;
mod index;
mod pack;
mod reading;
mod writer;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use events::MetricPoints;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use self::file::{Block, File};
use self::index::Index;
use self::writer::{Append, Next, Writer};
use crate::{History, Point, Query, Span, Store, StoreError};

/// When points are moved, and into what.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Points that are kept as they came, in memory as well: from so many on they are moved into blocks. At least 1.
    pub fresh: usize,
    /// Points of a block, at most. At least 1.
    pub block: usize,
}

impl Default for Limits {
    /// 12 MB of memory, and blocks of 10 KB.
    fn default() -> Self {
        Self { fresh: 1 << 19, block: 1 << 12 }
    }
}

/// Appends that wait to be written.
const WAITING: usize = 256;

/// Runs in a folder of their own, in one file.
#[derive(Debug)]
pub struct Embedded {
    shared: Arc<Shared>,
    /// `None` when it is closed.
    appends: Option<mpsc::Sender<Append>>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    file: File,
    index: Mutex<Index>,
    limits: Limits,
}

impl Shared {
    fn index(&self) -> MutexGuard<'_, Index> {
        // What is in memory follows from what is in the file, which is written first: but names, which are written with what comes next.
        self.index.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Embedded {
    /// Opens the runs of a folder, which is made if need be.
    ///
    /// # Errors
    /// The folder cannot be made, the file cannot be opened or is another's, or another process has it open.
    pub fn open(dir: &Path, limits: Limits) -> Result<Self, StoreError> {
        let limits = Limits { fresh: limits.fresh.max(1), block: limits.block.max(1) };
        let file = File::open(dir)?;
        let (mut index, mut next, mut held) = (Index::default(), Next::default(), HashMap::new());
        read(&file, limits, &mut index, &mut next, &mut held)?;
        let shared = Arc::new(Shared { file, index: Mutex::new(index), limits });
        let (appends, waiting) = mpsc::channel(WAITING);
        let writer = Writer::new(shared.clone(), waiting, next, held);
        let writer = thread::Builder::new().name("runs".to_owned()).spawn(move || writer.run());
        let writer =
            writer.map_err(|cause| StoreError::File { path: dir.to_owned(), cause: Arc::new(cause) })?;
        Ok(Self { shared, appends: Some(appends), writer: Some(writer) })
    }

    async fn put(&self, points: &[&MetricPoints<'_>]) -> Result<(), StoreError> {
        let series = points.iter().map(|of| {
            let unit = of.unit.as_ref().map_or("", |unit| unit.as_str());
            let names = [of.run_id.as_str(), of.metric.as_str(), unit].map(str::to_owned);
            (names, of.points.iter().map(Point::from).collect())
        });
        let (done, written) = oneshot::channel();
        let append = Append { series: series.collect(), done };
        if let Some(appends) = &self.appends {
            let _ = appends.send(append).await;
        }
        written.await.unwrap_or(Err(StoreError::Closed))
    }
}

impl Store for Embedded {
    fn append<'a>(&'a self, points: &'a [&'a MetricPoints<'a>]) -> BoxFuture<'a, Result<(), StoreError>> {
        self.put(points).boxed()
    }

    fn history(&self, query: Query) -> BoxFuture<'_, Result<Option<History>, StoreError>> {
        let shared = self.shared.clone();
        // Where nobody else waits for it.
        let read = tokio::task::spawn_blocking(move || shared.history(&query));
        read.map(|read| read.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))).boxed()
    }

    fn runs(&self) -> BoxFuture<'_, Result<BTreeMap<String, Span>, StoreError>> {
        async { Ok(self.shared.index().spans()) }.boxed()
    }

    fn units<'a>(&'a self, run_id: &'a str) -> BoxFuture<'a, Result<BTreeMap<String, String>, StoreError>> {
        async { Ok(self.shared.index().units(run_id)) }.boxed()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.appends = None;
        if let Some(writer) = self.writer.take() {
            // It does not panic; if it did, what it acknowledged is on disk.
            let _ = writer.join();
        }
    }
}

/// Reads what is in memory while it is open.
fn read(
    file: &File,
    limits: Limits,
    index: &mut Index,
    next: &mut Next,
    held: &mut HashMap<u64, u32>,
) -> Result<(), StoreError> {
    let reading = file.reading()?;
    let mut named = 0;
    for (number, names) in reading.series()? {
        if index.number(&names) != (number, true) {
            return Err(file.foreign(format!("series {number} is missing, or there twice")));
        }
        named = number + 1;
    }
    let mut unknown = None;
    reading.all_blocks(|block: Block| {
        let (series, ..) = block.key;
        if series >= named {
            unknown = Some(series);
            return;
        }
        for pack in block.packs() {
            *held.entry(pack).or_default() += 1;
            next.pack = next.pack.max(pack + 1);
        }
        let (start_ms, last_ms) = block.times_ms;
        index.note(series, &Span { start_ms, last_ms, latest_step: block.last_step });
        if limits.is_loose(&block) {
            index.series_mut(series).loose.add(block.count as usize);
        }
    })?;
    reading.fresh(|write, bytes| {
        next.write = write + 1;
        let decoded = fresh::decode(bytes, |series, points| match series < named {
            true => index.append(series, &points),
            false => unknown = Some(series),
        });
        decoded.ok_or_else(|| file.foreign(format!("write {write} is cut short")))
    })?;
    match unknown {
        Some(series) => Err(file.foreign(format!("points of series {series}, which it does not name"))),
        None => Ok(()),
    }
}
