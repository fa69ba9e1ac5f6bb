use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use crate::hub::Answer;
use crate::idempotency::Answered;
use crate::saved::{Changes, Saved};
use crate::snapshots::Packed;
use crate::{Epoch, Receipt};

/// The file in the state folder.
const FILE: &str = "state.redb";
/// The same file until there is something in it: a start that is cut short leaves no empty state behind.
const NEW: &str = "state.redb.new";
/// Who keeps a state in the folder holds a lock on this one.
const LOCK: &str = "state.lock";
/// What the file says that it is. A version that writes another form says so with another name.
const FORMAT: &str = "vitrine state 1";
/// Bytes of pages that are held. Values are read at the start only.
const CACHE: usize = 8 << 20;

const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
/// Entries of the state by their seqs, as they are sent.
const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
/// Answers by Idempotency-Key: when (milliseconds since 1970), seq, accepted, clients.
const ANSWERS: TableDefinition<'_, &str, (u64, u64, u64, u64)> = TableDefinition::new("answers");
/// Packed columns by their ids, and whether they are gzipped.
const PACKED: TableDefinition<'_, &str, (bool, &[u8])> = TableDefinition::new("packed");

/// The state on disk: one redb file, written a transaction at a time.
#[derive(Debug)]
pub(crate) struct Store {
    /// Locked: whoever holds it is alone with the folder.
    _lock: File,
    path: PathBuf,
    /// `None` after an error: redb writes no more, and the file is opened anew.
    database: Option<Database>,
    /// Ids of the packed columns in it, the newest first.
    packed: Vec<String>,
}

/// Why the state cannot be kept in a folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be made, or the file cannot be opened or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says, or the store.
        cause: io::Error,
    },
    /// Another process has it open.
    #[error("{}: another broadcaster keeps its state here; give this one a --state-dir of its own", path.display())]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// It is damaged, or not what this version writes.
    #[error("{}: {what}; move the file away to start with nothing, or choose another --state-dir", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

impl StoreError {
    /// What went wrong, without the name of the file.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::File { cause, .. } => cause.to_string(),
            Self::InUse { .. } => "another process has the file open".to_owned(),
            Self::Foreign { what, .. } => what.clone(),
        }
    }
}

/// Everything that a file holds.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) saved: Saved,
    pub(crate) answers: Vec<Answered>,
    /// The newest first.
    pub(crate) packed: Vec<Packed>,
}

/// The order whose state is written.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) epoch: &'a Epoch,
    /// No event is given a seq above this one before the next write.
    pub(crate) reserved: u64,
    /// Ranges of seqs, first and last, whose events are missing.
    pub(crate) lost: &'a [(u64, u64)],
}

/// What changed since the last write.
#[derive(Debug, Default)]
pub(crate) struct Unsaved {
    pub(crate) changes: Changes,
    pub(crate) answers: Vec<Answered>,
    pub(crate) forgotten: Vec<Box<str>>,
    /// All that are kept, the newest first, if that changed.
    pub(crate) packed: Option<Vec<Arc<Packed>>>,
}

impl Unsaved {
    /// Adds what changed after these.
    pub(crate) fn then(&mut self, later: Self) {
        let Self { changes, answers, forgotten, packed } = later;
        self.changes.then(changes);
        self.answers.extend(answers);
        self.forgotten.extend(forgotten);
        self.packed = packed.or(self.packed.take());
    }
}

/// What a file says of itself and of the order.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    format: String,
    epoch: String,
    seq: u64,
    reserved: u64,
    lost: Vec<(u64, u64)>,
    floor: u64,
    /// Ids, the newest first.
    packed: Vec<String>,
}

impl Store {
    /// Opens the state in a folder, which is made if need be; `None` if there is none yet.
    pub(crate) fn open(dir: &Path) -> Result<(Self, Option<Held>), StoreError> {
        make(dir).map_err(|cause| StoreError::File { path: dir.to_owned(), cause })?;
        let lock = lock(&dir.join(LOCK))?;
        let path = dir.join(FILE);
        match fs::symlink_metadata(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let store = Self { _lock: lock, path: dir.join(NEW), database: None, packed: vec![] };
                return Ok((store, None));
            }
            Err(cause) => return Err(StoreError::File { path, cause }),
        }
        let database = builder().open(&path).map_err(|error| wrong(&path, error))?;
        let held = read(&database).map_err(|error| match error {
            ReadError::Store(error) => wrong(&path, error),
            ReadError::Foreign(what) => StoreError::Foreign { path: path.clone(), what },
        })?;
        let packed = held.packed.iter().map(|packed| packed.id.clone()).collect();
        Ok((Self { _lock: lock, path, database: Some(database), packed }, Some(held)))
    }

    /// Writes what changed: all of it, on disk when this returns, or nothing. After an error nobody knows which.
    pub(crate) fn write(&mut self, head: &Head<'_>, unsaved: &Unsaved) -> Result<(), StoreError> {
        let database = match self.database.take() {
            Some(database) => database,
            None if self.is_new() => self.create()?,
            None => builder().open(&self.path).map_err(|error| wrong(&self.path, error))?,
        };
        let ids = |packed: &Vec<Arc<Packed>>| packed.iter().map(|packed| packed.id.clone()).collect();
        let packed = unsaved.packed.as_ref().map_or_else(|| self.packed.clone(), ids);
        write(&database, head, unsaved, &packed).map_err(|error| wrong(&self.path, error))?;
        if self.is_new() {
            self.settle()?;
        }
        self.packed = packed;
        self.database = Some(database);
        Ok(())
    }

    /// Closes the file.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        let Some(database) = self.database else { return Ok(()) };
        database.close().map_err(|error| wrong(&self.path, error))
    }

    /// The error that what was read is not the state.
    pub(crate) fn foreign(&self, what: impl ToString) -> StoreError {
        StoreError::Foreign { path: self.path.clone(), what: what.to_string() }
    }

    fn is_new(&self) -> bool {
        self.path.ends_with(NEW)
    }

    fn create(&self) -> Result<Database, StoreError> {
        match builder().create(&self.path) {
            Ok(database) => Ok(database),
            Err(_) => {
                // What a start left behind that was cut short.
                let _ = fs::remove_file(&self.path);
                builder().create(&self.path).map_err(|error| wrong(&self.path, error))
            }
        }
    }

    /// Gives the file its name, now that there is something in it.
    fn settle(&mut self) -> Result<(), StoreError> {
        let path = self.path.with_file_name(FILE);
        let settled = fs::rename(&self.path, &path)
            .and_then(|()| File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all());
        settled.map_err(|cause| StoreError::File { path: path.clone(), cause })?;
        self.path = path;
        Ok(())
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    // Every page's checksum is looked at: what is not as it was written is not taken for the state.
    builder.set_check_integrity_on_open(true).set_cache_size(CACHE);
    builder
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let file = File::options().create(true).truncate(false).write(true).open(path);
    let file = file.map_err(|cause| StoreError::File { path: path.to_owned(), cause })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.with_file_name(FILE) }),
        Err(TryLockError::Error(cause)) => Err(StoreError::File { path: path.to_owned(), cause }),
    }
}

/// A folder that is made is nobody else's business: events name hosts.
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
            StoreError::Foreign { path, what: format!("not the state of a broadcaster ({cause})") }
        }
        redb::Error::Io(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            StoreError::Foreign { path, what: format!("the file is cut short ({cause})") }
        }
        redb::Error::Io(cause) => StoreError::File { path, cause },
        redb::Error::Corrupted(what) => {
            StoreError::Foreign { path, what: format!("the file is damaged ({what})") }
        }
        redb::Error::UpgradeRequired(version) => {
            StoreError::Foreign { path, what: format!("written by another version (file format {version})") }
        }
        other => StoreError::File { path, cause: io::Error::other(other) },
    }
}

enum ReadError {
    Store(redb::Error),
    Foreign(String),
}

impl<E: Into<redb::Error>> From<E> for ReadError {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

fn read(database: &Database) -> Result<Held, ReadError> {
    let foreign = |what: &str| ReadError::Foreign(what.to_owned());
    let transaction = database.begin_read()?;
    let about = match transaction.open_table(ABOUT) {
        Ok(table) => table.get("about")?.map(|about| about.value().to_vec()),
        Err(redb::TableError::Storage(error)) => return Err(error.into()),
        Err(_) => None,
    };
    let about = about.ok_or_else(|| foreign("not the state of a broadcaster"))?;
    let format = serde_json::from_slice(&about).map(|Format { format }| format);
    if format.as_deref().ok() != Some(FORMAT) {
        let found = format.unwrap_or_else(|_| "nothing".to_owned());
        return Err(ReadError::Foreign(format!("expected {FORMAT:?}, found {found:?}")));
    }
    let about: About =
        serde_json::from_slice(&about).map_err(|error| ReadError::Foreign(error.to_string()))?;
    let About { epoch, seq, reserved, lost, floor, packed, .. } = about;
    let epoch = Epoch::new(&epoch).ok_or_else(|| foreign("the epoch is not one"))?;
    let mut entries = Vec::new();
    for entry in transaction.open_table(ENTRIES)?.iter()? {
        let (seq, json) = entry?;
        entries.push((seq.value(), Bytes::copy_from_slice(json.value())));
    }
    let mut answers = Vec::new();
    for answer in transaction.open_table(ANSWERS)?.iter()? {
        let (key, answer) = answer?;
        let (at, seq, accepted, clients) = answer.value();
        let answer =
            Answer { receipt: Receipt { seq, accepted: accepted as usize }, clients: clients as usize };
        answers.push(Answered { key: key.value().into(), at, answer });
    }
    answers.sort_by_key(|kept| kept.at);
    let table = transaction.open_table(PACKED)?;
    let packed = packed.iter().map(|id| {
        let held = table.get(id.as_str())?.ok_or_else(|| foreign("a snapshot is missing"))?;
        let (gzipped, bytes) = held.value();
        let held = if gzipped { gunzip(bytes) } else { Ok((bytes.to_vec(), None)) };
        let (bytes, gzip) = held.map_err(|error| ReadError::Foreign(format!("snapshot {id}: {error}")))?;
        Packed::again(id, bytes.into(), gzip).ok_or_else(|| foreign("a snapshot is not what its id says"))
    });
    let packed = packed.collect::<Result<_, _>>()?;
    Ok(Held { saved: Saved { epoch, seq, reserved, lost, floor, entries }, answers, packed })
}

/// Which form it has, whatever else it says.
#[derive(Deserialize)]
struct Format {
    format: String,
}

fn gunzip(gzip: &[u8]) -> io::Result<(Vec<u8>, Option<Bytes>)> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(gzip).read_to_end(&mut bytes)?;
    Ok((bytes, Some(Bytes::copy_from_slice(gzip))))
}

fn write(
    database: &Database,
    &Head { epoch, reserved, lost }: &Head<'_>,
    unsaved: &Unsaved,
    packed: &[String],
) -> Result<(), redb::Error> {
    let Unsaved { changes: Changes { seq, floor, put, gone }, answers, forgotten, packed: kept } = unsaved;
    let mut transaction = database.begin_write()?;
    // So that a damaged write is told from one that was cut short, which is as if it had not been begun.
    transaction.set_two_phase_commit(true);
    {
        let mut table = transaction.open_table(ENTRIES)?;
        for seq in gone {
            table.remove(seq)?;
        }
        for (seq, json) in put {
            table.insert(seq, &json[..])?;
        }
        let mut table = transaction.open_table(ANSWERS)?;
        for key in forgotten {
            table.remove(&**key)?;
        }
        for Answered { key, at, answer: Answer { receipt, clients } } in answers {
            table.insert(&**key, (*at, receipt.seq, receipt.accepted as u64, *clients as u64))?;
        }
        // Made with the first write, if there is nothing to put in.
        let mut table = transaction.open_table(PACKED)?;
        if let Some(kept) = kept {
            table.retain(|id, _| packed.iter().any(|kept| kept == id))?;
            for new in kept {
                if table.get(&*new.id)?.is_none() {
                    let gzip = new.gzip.as_ref();
                    table.insert(&*new.id, (gzip.is_some(), &gzip.unwrap_or(&new.bytes)[..]))?;
                }
            }
        }
        let about = About {
            format: FORMAT.to_owned(),
            epoch: epoch.as_str().to_owned(),
            seq: *seq,
            reserved,
            lost: lost.to_vec(),
            floor: *floor,
            packed: packed.to_vec(),
        };
        // Numbers and strings: it serializes.
        let about = serde_json::to_vec(&about).unwrap_or_default();
        transaction.open_table(ABOUT)?.insert("about", &about[..])?;
    }
    transaction.commit()?;
    Ok(())
}
