use std::fs::{self, File as Lock, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use redb::{
    Builder, Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition,
    TableError,
};

use super::pack::{self, Column, Columns};
use crate::{Point, Pyramid, StoreError};

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
const SLICE: usize = (16 << 10) - 128;

const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");
/// Series by number: run, metric, unit.
const SERIES: TableDefinition<'_, u32, (&str, &str, &str)> = TableDefinition::new("series");
/// Points as they were appended, by the number of the write.
const FRESH: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("fresh");
/// Packs in slices, by their numbers.
const PACKS: TableDefinition<'_, Slice, &[u8]> = TableDefinition::new("packs");
/// Blocks by series, first step, and number.
const BLOCKS: TableDefinition<'_, Key, Value> = TableDefinition::new("blocks");

type Slice = (u64, u32);
type Key = (u32, u64, u64);
/// Points, last step; first and last time; where they lie, and where their summary does.
type Value = ((u32, u64), (i64, i64), Stored, Option<Stored>);
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
    /// After an error redb writes no more: the file is opened anew.
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
        wrong(&self.path, error)
    }

    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
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
        // Before it is opened again, as nobody else may have it open.
        *database = None;
        *database = Some(builder().open(&self.path).map_err(|error| self.wrong(error))?);
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
        if self.has_failed.load(Ordering::Relaxed) {
            self.reopen()?;
        }
        let written = self.with(|database| write(database, change));
        self.has_failed.store(written.is_err(), Ordering::Relaxed);
        written
    }

    /// Everything as it is now, for as long as it is held.
    pub(super) fn reading(&self) -> Result<Reading<'_>, StoreError> {
        let (blocks, packs, transaction) = self.with(|database| {
            let transaction = database.begin_read()?;
            Ok((transaction.open_table(BLOCKS)?, transaction.open_table(PACKS)?, transaction))
        })?;
        Ok(Reading { file: self, blocks, packs, transaction })
    }
}

/// What the file holds at one moment.
pub(super) struct Reading<'a> {
    file: &'a File,
    blocks: ReadOnlyTable<Key, Value>,
    packs: ReadOnlyTable<Slice, &'static [u8]>,
    transaction: ReadTransaction,
}

impl Reading<'_> {
    /// All series.
    pub(super) fn series(&self) -> Result<Vec<(u32, [String; 3])>, StoreError> {
        let read = || -> Result<_, redb::Error> {
            let table = self.transaction.open_table(SERIES)?;
            let mut series = Vec::new();
            for entry in table.iter()? {
                let (number, names) = entry?;
                let (run, metric, unit) = names.value();
                series.push((number.value(), [run, metric, unit].map(str::to_owned)));
            }
            Ok(series)
        };
        read().map_err(|error| self.file.wrong(error))
    }

    /// Hands over the points that are in no block, by the number of their write.
    pub(super) fn fresh(
        &self,
        mut take: impl FnMut(u64, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let wrong = |error: redb::Error| self.file.wrong(error);
        let table = self.transaction.open_table(FRESH).map_err(|error| wrong(error.into()))?;
        for entry in table.iter().map_err(|error| wrong(error.into()))? {
            let (number, points) = entry.map_err(|error| wrong(error.into()))?;
            take(number.value(), points.value())?;
        }
        Ok(())
    }

    /// Hands over all blocks.
    pub(super) fn all_blocks(&self, mut take: impl FnMut(Block)) -> Result<(), StoreError> {
        let mut read = || -> Result<(), redb::Error> {
            for entry in self.blocks.iter()? {
                let (key, value) = entry?;
                take(Block::of(key.value(), value.value()));
            }
            Ok(())
        };
        read().map_err(|error| self.file.wrong(error))
    }

    /// The blocks of a series that begin at a step up to this one.
    pub(super) fn blocks(&self, series: u32, to_step: u64) -> Result<Vec<Block>, StoreError> {
        let read = || -> Result<Vec<Block>, redb::Error> {
            let mut blocks = Vec::new();
            for entry in self.blocks.range((series, 0, 0)..=(series, to_step, u64::MAX))? {
                let (key, value) = entry?;
                blocks.push(Block::of(key.value(), value.value()));
            }
            Ok(blocks)
        };
        read().map_err(|error| self.file.wrong(error))
    }

    /// The points of a block.
    pub(super) fn points(&self, block: &Block) -> Result<Vec<Point>, StoreError> {
        self.at(&block.place)
    }

    /// What is drawn of a block, if it is long enough.
    pub(super) fn summary(&self, block: &Block) -> Result<Option<Pyramid>, StoreError> {
        let Some(place) = &block.summary else { return Ok(None) };
        Ok(Some(pack::pyramid(self.at(place)?)))
    }

    fn at(&self, Place { pack: number, columns }: &Place) -> Result<Vec<Point>, StoreError> {
        let [steps, times, values] = [columns.steps, columns.times, columns.values];
        let columns =
            [self.column(*number, steps)?, self.column(*number, times)?, self.column(*number, values)?];
        pack::points(columns.each_ref().map(|column| &column[..]))
            .map_err(|error| self.file.foreign(format!("pack {number}: {error}")))
    }

    /// The bytes of a column.
    fn column(&self, pack: u64, (offset, length): Column) -> Result<Vec<u8>, StoreError> {
        let (offset, length) = (offset as usize, length as usize);
        let (first, last) = (offset / SLICE, (offset + length).saturating_sub(1) / SLICE);
        let read = || -> Result<Vec<u8>, redb::Error> {
            let mut bytes = Vec::new();
            for (number, entry) in
                (first as u32..).zip(self.packs.range((pack, first as u32)..=(pack, last as u32))?)
            {
                let (key, slice) = entry?;
                if key.value() != (pack, number) {
                    break;
                }
                bytes.extend_from_slice(slice.value());
            }
            Ok(bytes)
        };
        let mut bytes = read().map_err(|error| self.file.wrong(error))?;
        let start = offset % SLICE;
        if bytes.len() < start + length {
            return Err(self.file.foreign(format!("pack {pack} ends too early, or a part of it is missing")));
        }
        bytes.truncate(start + length);
        bytes.drain(..start);
        Ok(bytes)
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

    fn of(key: Key, ((count, last_step), times_ms, place, summary): Value) -> Self {
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
