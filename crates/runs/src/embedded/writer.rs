use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use super::file::{Block, Change};
use super::flush::Flush;
use super::{Shared, fresh};
use crate::{Point, StoreError};

/// Points that are written together, about.
const TOGETHER: usize = 1 << 17;

/// How long moving points may hold up the end.
const SETTLING: Duration = Duration::from_secs(2);

/// Points that somebody waits for.
#[derive(Debug)]
pub(super) struct Append {
    /// By run, metric and unit.
    pub(super) series: Vec<([String; 3], Vec<Point>)>,
    pub(super) done: oneshot::Sender<Result<(), StoreError>>,
}

/// Writes what is appended: all that waits at once, and with it a share of what is to be moved into blocks.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    appends: mpsc::Receiver<Append>,
    next: Next,
    /// How many blocks each pack holds.
    held: HashMap<u64, u32>,
    flush: Option<Flush>,
    /// Series that the file does not name, or with another unit.
    unnamed: BTreeSet<u32>,
}

/// Numbers of what comes next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Next {
    pub(super) write: u64,
    pub(super) pack: u64,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        appends: mpsc::Receiver<Append>,
        next: Next,
        held: HashMap<u64, u32>,
    ) -> Self {
        Self { shared, appends, next, held, flush: None, unnamed: BTreeSet::new() }
    }

    /// Writes until nobody can append any more, and leaves the file as small as a moment allows.
    pub(super) fn run(mut self) {
        while let Some(appends) = self.wait() {
            let written = self.write(&appends);
            for append in appends {
                // Who asked may be gone.
                let _ = append.done.send(written.clone());
            }
        }
        match self.settle(Instant::now() + SETTLING) {
            Ok(true) => self.shared.file.shrink(),
            Ok(false) => {}
            Err(error) => tracing::warn!("{error}; nothing is lost, points are where they were"),
        }
    }

    /// Moves points into blocks, if they are many. Whether that was done by then.
    fn settle(&mut self, end: Instant) -> Result<bool, StoreError> {
        // Points that came while others were moved may be in blocks already: moving all says of their writes that they are.
        let mut moves = self.flush.is_some() || Flush::is_worth_it(&self.shared.index());
        while self.flush.is_some() || moves {
            if Instant::now() > end {
                return Ok(false);
            }
            if self.flush.is_none() {
                self.flush = Some(Flush::new(self.shared.index().numbers(), self.next.write));
                moves = false;
            }
            self.write(&[])?;
        }
        Ok(true)
    }

    /// What waits to be appended; nothing, if there is other work. `None` if nobody can append any more.
    fn wait(&mut self) -> Option<Vec<Append>> {
        let mut appends = Vec::new();
        if self.flush.is_none() {
            appends.push(self.appends.blocking_recv()?);
        }
        let size = |append: &Append| append.series.iter().map(|(_, points)| points.len()).sum::<usize>();
        let mut points: usize = appends.iter().map(size).sum();
        while points < TOGETHER {
            match self.appends.try_recv() {
                Ok(append) => {
                    points += size(&append);
                    appends.push(append);
                }
                Err(TryRecvError::Disconnected) if appends.is_empty() => return None,
                Err(_) => break,
            }
        }
        Some(appends)
    }

    fn write(&mut self, appends: &[Append]) -> Result<(), StoreError> {
        let (mut change, mut appended, mut bytes) = (Change::default(), Vec::new(), Vec::new());
        {
            let mut index = self.shared.index();
            for (names, points) in appends.iter().flat_map(|append| &append.series) {
                let (series, is_news) = index.number(names);
                if is_news {
                    self.unnamed.insert(series);
                }
                fresh::encode(&mut bytes, series, points);
                appended.push((series, points));
            }
            let named = self.unnamed.iter().map(|number| (*number, index.series(*number).names.clone()));
            change.series = named.collect();
        }
        change.fresh = (!bytes.is_empty()).then_some((self.next.write, bytes));
        let share = self
            .flush
            .as_mut()
            .map(|flush| flush.share(&self.shared, self.next.pack, &self.held, &mut change));
        let done = share.unwrap_or(Ok(vec![])).and_then(|moved| {
            self.shared.file.commit(&change)?;
            Ok(moved)
        });
        // It may be there even if that failed: its numbers are not given again.
        self.next.write += u64::from(change.fresh.is_some());
        self.next.pack += change.packs.len() as u64;
        // What could not be moved is where it was: moving is begun anew.
        let moved = done.inspect_err(|_| self.flush = None)?;

        self.unnamed.clear();
        change.blocks.iter().flat_map(Block::packs).for_each(|pack| *self.held.entry(pack).or_default() += 1);
        for pack in change.gone.iter().flat_map(Block::packs) {
            self.held.entry(pack).and_modify(|held| *held -= 1);
        }
        for pack in &change.empty {
            self.held.remove(pack);
        }

        let mut index = self.shared.index();
        moved.iter().for_each(|moved| index.moved(moved.series, moved.points, moved.loose));
        appended.into_iter().for_each(|(series, points)| index.append(series, points));
        if change.flushed.is_some() {
            self.flush = None;
        }
        if self.flush.is_none() && index.fresh() >= self.shared.limits.fresh {
            self.flush = Some(Flush::new(index.numbers(), self.next.write));
        }
        Ok(())
    }
}
