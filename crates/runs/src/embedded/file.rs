use std::fs::{self, File as Lock, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use redb::{Builder, Database, ReadableDatabase, TableDefinition, TableError};

use super::pack::{Column, Columns};
use crate::StoreError;

/// The file in the store's folder.
const FILE: &str = "runs.redb";
/// The same while it is made: a start that is cut short leaves nothing that the next takes for a store.
const NEW: &str = "runs.redb.new";
/// Who keeps runs in the folder holds a lock on this one.
const LOCK: &str = "runs.lock";
/// What the file says that it is. A version that writes another form says so with another name.
const FORMAT: &str = "vitrine runs 2";
/// The largest file that is made smaller when it is closed.
const SHRUNK: u64 = 1 << 30;
/// Bytes of pages that are held.
const CACHE: usize = 64 << 20;
/// Bytes of a slice: a page of the database, which are powers of two, less what it needs itself. A whole pack would leave more of
/// its page empty, and holes that the next does not fit into.
pub(super) const SLICE: usize = (16 << 10) - 128;

const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");
/// Series by number: run, metric, unit.
pub(super) const SERIES: TableDefinition<'_, u32, (&str, &str, &str)> = TableDefinition::new("series");
/// Points as they were appended, by the number of the write.
pub(super) const FRESH: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("fresh");
/// Packs in slices, by their numbers.
pub(super) const PACKS: TableDefinition<'_, Slice, &[u8]> = TableDefinition::new("packs");
/// Blocks by series, first step, and number.
pub(super) const BLOCKS: TableDefinition<'_, Key, Value> = TableDefinition::new("blocks");

pub(super) type Slice = (u64, u32);
pub(super) type Key = (u32, u64, u64);
/// Points, last step; first and last time; where they lie, and where their summary does.
pub(super) type Value = ((u32, u64), (i64, i64), Stored, Option<Stored>);
/// Pack; steps, times and values.
type Stored = (u64, [Column; 3]);

/// Points of a series that lie together, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) key: Key,
    pub(super) count: u32,
    pub(super) last_step: u64,
    pub(super) times_ms: (i64, i64),
    pub(super) place: Place,
    pub(super) summary: Option<Place>,
}

/// Where points lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) pack: u64,
    pub(super) columns: Columns,
}

/// What is changed together.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) series: Vec<(u32, [String; 3])>,
    pub(super) fresh: Option<(u64, Vec<u8>)>,
    pub(super) packs: Vec<(u64, Vec<u8>)>,
    pub(super) blocks: Vec<Block>,
    /// Blocks whose points are in others now,
    pub(super) gone: Vec<Block>,
    /// and packs that nothing is left of.
    pub(super) empty: Vec<u64>,
    /// Writes up to this one are in blocks.
    pub(super) flushed: Option<u64>,
}

/// The database of a folder.
#[derive(Debug)]
pub(super) struct File {
    /// Locked: whoever holds it is alone with the folder.
    _lock: Lock,
    path: PathBuf,
    /// `None` while it cannot be opened. Locked while it is opened anew, or made smaller.
    database: RwLock<Option<Database>>,
    /// After an error of the disk redb writes no more, nor reads what it does not hold: the file is opened anew.
    has_failed: AtomicBool,
}

impl File {
    /// Opens the file of a folder; both are made if need be.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        make(dir).map_err(|cause| StoreError::File { path: dir.to_owned(), cause: cause.into() })?;
        let path = dir.join(FILE);
        let lock = lock(&dir.join(LOCK), &path)?;
        match fs::symlink_metadata(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(&path)?,
            Err(cause) => return Err(StoreError::File { path, cause: cause.into() }),
        }
        let database = builder().open(&path).map_err(|error| wrong(&path, error))?;
        let (database, has_failed) = (RwLock::new(Some(database)), AtomicBool::new(false));
        let file = Self { _lock: lock, path, database, has_failed };
        file.check()?;
        Ok(file)
    }

    /// The error that it does not hold what it should.
    pub(super) fn foreign(&self, what: impl ToString) -> StoreError {
        StoreError::Foreign { path: self.path.clone(), what: what.to_string() }
    }

    pub(super) fn wrong(&self, error: impl Into<redb::Error>) -> StoreError {
        let error = error.into();
        if matches!(error, redb::Error::Io(_) | redb::Error::PreviousIo) {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        wrong(&self.path, error)
    }

    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        if self.has_failed.load(Ordering::Relaxed) {
            self.reopen()?;
        }
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        match &*database {
            Some(database) => work(database).map_err(|error| self.wrong(error)),
            None => {
                Err(self
                    .wrong(io::Error::other("it was closed after an error, and cannot be opened again yet")))
            }
        }
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if !self.has_failed.load(Ordering::Relaxed) {
            // Somebody else did.
            return Ok(());
        }
        // Before it is opened again, as nobody else may have it open.
        *database = None;
        *database = Some(builder().open(&self.path).map_err(|error| self.wrong(error))?);
        self.has_failed.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Gives back to the file system what the file does not need, where that takes a moment only. What stands in the way
    /// of that does no harm.
    pub(super) fn shrink(&self) {
        if !fs::metadata(&self.path).is_ok_and(|file| file.len() <= SHRUNK) {
            return;
        }
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(error)) = database.as_mut().map(Database::compact) {
            tracing::debug!("{}: {error}", self.path.display());
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        let format = |database: &Database| -> Result<Option<String>, redb::Error> {
            let table = match database.begin_read()?.open_table(ABOUT) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(None),
                table => table?,
            };
            Ok(table.get("format")?.map(|format| format.value().to_owned()))
        };
        match self.with(format)? {
            Some(found) if found == FORMAT => Ok(()),
            Some(found) => Err(self.foreign(format!("expected {FORMAT:?}, found {found:?}"))),
            None => Err(self.foreign(format!("expected {FORMAT:?}, found no such table"))),
        }
    }

    /// Makes a change: all of it, on disk when this returns, or nothing. After an error nobody knows which.
    pub(super) fn commit(&self, change: &Change) -> Result<(), StoreError> {
        self.with(|database| {
            let written = write(database, change);
            // Before anybody else finds it so.
            if written.is_err() {
                self.has_failed.store(true, Ordering::Relaxed);
            }
            written
        })
    }
}

impl Block {
    /// The packs in which something of it lies.
    pub(super) fn packs(&self) -> impl Iterator<Item = u64> + use<> {
        [Some(self.place), self.summary].into_iter().flatten().map(|place| place.pack)
    }

    fn value(&self) -> Value {
        let of = |Place { pack, columns: Columns { steps, times, values } }| (pack, [steps, times, values]);
        ((self.count, self.last_step), self.times_ms, of(self.place), self.summary.map(of))
    }

    pub(super) fn of(key: Key, ((count, last_step), times_ms, place, summary): Value) -> Self {
        let of = |(pack, [steps, times, values]): Stored| Place {
            pack,
            columns: Columns { steps, times, values },
        };
        Self { key, count, last_step, times_ms, place: of(place), summary: summary.map(of) }
    }
}

fn write(database: &Database, change: &Change) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    // After a crash the file is opened at once, instead of being read from end to end.
    transaction.set_quick_repair(true);
    {
        let mut table = transaction.open_table(SERIES)?;
        for (number, [run, metric, unit]) in &change.series {
            table.insert(number, (run.as_str(), metric.as_str(), unit.as_str()))?;
        }
        let mut table = transaction.open_table(FRESH)?;
        if let Some((number, points)) = &change.fresh {
            table.insert(number, &points[..])?;
        }
        if let Some(flushed) = change.flushed {
            table.retain_in(..=flushed, |_, _| false)?;
        }
        let mut table = transaction.open_table(PACKS)?;
        for pack in &change.empty {
            table.retain_in((*pack, 0)..=(*pack, u32::MAX), |_, _| false)?;
        }
        for (number, bytes) in &change.packs {
            for (slice, bytes) in (0..).zip(bytes.chunks(SLICE)) {
                table.insert((*number, slice), bytes)?;
            }
        }
        let mut table = transaction.open_table(BLOCKS)?;
        for block in &change.gone {
            table.remove(block.key)?;
        }
        for block in &change.blocks {
            table.insert(block.key, block.value())?;
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Makes a file that holds nothing.
fn create(path: &Path) -> Result<(), StoreError> {
    let new = path.with_file_name(NEW);
    let begin = || -> Result<(), redb::Error> {
        let database = builder().create(&new)?;
        let transaction = database.begin_write()?;
        transaction.open_table(ABOUT)?.insert("format", FORMAT)?;
        transaction.open_table(SERIES)?;
        transaction.open_table(FRESH)?;
        transaction.open_table(PACKS)?;
        transaction.open_table(BLOCKS)?;
        Ok(transaction.commit()?)
    };
    let made = match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => begin(),
    };
    made.map_err(|error| wrong(&new, error))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let settled = fs::rename(&new, path).and_then(|()| Lock::open(folder)?.sync_all());
    settled.map_err(|cause| StoreError::File { path: path.to_owned(), cause: cause.into() })
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
}

fn lock(path: &Path, file: &Path) -> Result<Lock, StoreError> {
    let lock = Lock::options().create(true).truncate(false).write(true).open(path);
    let lock = lock.map_err(|cause| StoreError::File { path: path.to_owned(), cause: cause.into() })?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: file.to_owned() }),
        Err(TryLockError::Error(cause)) => {
            Err(StoreError::File { path: path.to_owned(), cause: cause.into() })
        }
    }
}

/// A folder that is made is nobody else's business.
fn make(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)
}

fn wrong(path: &Path, error: impl Into<redb::Error>) -> StoreError {
    let path = path.to_owned();
    match error.into() {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => StoreError::InUse { path },
        redb::Error::Io(cause) if cause.kind() == io::ErrorKind::InvalidData => {
            StoreError::Foreign { path, what: format!("not the history of runs ({cause})") }
        }
        redb::Error::Io(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            StoreError::Foreign { path, what: format!("the file is cut short ({cause})") }
        }
        redb::Error::Io(cause) => StoreError::File { path, cause: cause.into() },
        redb::Error::Corrupted(what) => {
            StoreError::Foreign { path, what: format!("the file is damaged ({what})") }
        }
        redb::Error::UpgradeRequired(version) => {
            StoreError::Foreign { path, what: format!("written by another version (file format {version})") }
        }
        other => StoreError::File { path, cause: io::Error::other(other).into() },
    }
}
