use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use episodes::{Grid, Label, LiveLine, Name, Phase, Window, Windower};
use tail::{Line, PassedOver, Position, Said, Tail, Wake};

/// Windows of what is being recorded now, of every host, as soon as each is complete.
///
/// ```text
/// live/<host_id>.jsonl -> Tail -> LiveLine -> Windower -> Recorded
/// ```
///
/// A new episode is a new file, or begins with a line that names it; a host's file that is removed ends with what
/// was written to it.
pub struct Follow {
    dir: PathBuf,
    grid: Grid,
    wake: Option<(Wake, Identity)>,
    hosts: BTreeMap<OsString, Host>,
    /// The files that may have changed.
    due: BTreeSet<OsString>,
    passed_over: PassedOver,
    /// Whether everything was read that was there at the beginning.
    has_caught_up: bool,
    /// Of the folder.
    said: Said,
}

/// A folder, wherever it is moved to.
type Identity = (u64, u64);

/// A window of a host, and when it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Whose it is.
    pub host: Name,
    /// Of which episode, if the recorder says it.
    pub episode: Option<Name>,
    /// The window; its phase means nothing where [`phase`](Self::phase) is not known.
    pub window: Window,
    /// The phase at its end, if the recorder says it.
    pub phase: Option<Phase>,
    /// When it ended, as far as its file tells: by when that was written to last.
    pub ended: SystemTime,
    /// Whether it was complete before the following began.
    pub is_past: bool,
}

struct Host {
    name: Name,
    tail: Tail,
    state: State,
    said: Said,
}

/// What was read of a host's episode.
struct State {
    episode: Option<Name>,
    windower: Windower,
    /// Where its grid begins.
    origin: Option<u64>,
    newest: u64,
    /// The recorder says the phases.
    knows_phases: bool,
}

/// Bytes of a file that are read at once.
const READ: usize = 64 << 10;
/// Until a folder that is not there is looked for again.
const RETRY: Duration = Duration::from_millis(200);

impl Follow {
    /// Of the live files in a folder, which need not be there yet.
    pub fn new(dir: PathBuf, grid: Grid) -> Self {
        Self {
            dir,
            grid,
            wake: None,
            hosts: BTreeMap::new(),
            due: BTreeSet::new(),
            passed_over: PassedOver::default(),
            has_caught_up: false,
            said: Said::default(),
        }
    }

    /// Waits until something may have been written. Cancel safe.
    pub async fn changed(&mut self) {
        while self.due.is_empty() {
            let identity = match identity(&self.dir) {
                Ok(identity) => identity,
                Err(error) => {
                    self.said.warn(format_args!("{}: {error}; waiting for it", self.dir.display()));
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
            };
            match &mut self.wake {
                Some((wake, watched)) if *watched == identity => {
                    let changes = wake.next().await;
                    if changes.is_all() {
                        self.look();
                    }
                    self.due.extend(changes.names().filter(|name| host(name).is_some()).map(OsStr::to_owned));
                }
                _ => {
                    self.wake = Some((Wake::of(&self.dir), identity));
                    self.look();
                }
            }
        }
    }

    /// Reads what was written, and hands over the windows that are complete by now; whether there may be more.
    pub fn read(&mut self, mut take: impl FnMut(Recorded)) -> bool {
        for name in std::mem::take(&mut self.due) {
            if self.read_host(&name, &mut take) {
                self.due.insert(name);
            }
        }
        self.has_caught_up |= self.due.is_empty();
        !self.due.is_empty()
    }

    fn read_host(&mut self, name: &OsStr, take: &mut impl FnMut(Recorded)) -> bool {
        let path = self.dir.join(name);
        let Some(id) = host(name) else { return false };
        // Before the read: who removes a file has written the last of it before.
        let is_there = path.exists();
        if !is_there && !self.hosts.contains_key(name) {
            return false;
        }
        let host = self.hosts.entry(name.to_owned()).or_insert_with(|| Host {
            name: id,
            // The same process writes an episode and the next one.
            tail: Tail::new(path.clone(), Position::default(), Duration::ZERO),
            state: State::new(self.grid),
            said: Said::default(),
        });
        let (grid, is_past, passed_over) = (self.grid, !self.has_caught_up, &mut self.passed_over);
        let mut complete = Vec::new();
        let read = host.tail.read(READ, |place, line| {
            let line = match line {
                Line::Whole(line) => LiveLine::parse(line),
                Line::TooLong(bytes) => Err(format!("a line of {bytes} bytes")),
            };
            match line {
                Ok(line) => host.state.take(line, grid, &mut complete),
                Err(what) => passed_over.add(&path, place, &what),
            }
        });
        if !complete.is_empty() {
            let written =
                fs::metadata(&path).and_then(|file| file.modified()).unwrap_or_else(|_| SystemTime::now());
            for Complete { episode, window, phase, end } in complete {
                let age = Duration::from_nanos(host.state.newest.saturating_sub(end));
                let ended = written.checked_sub(age).unwrap_or(written);
                take(Recorded { host: host.name.clone(), episode, window, phase, ended, is_past });
            }
        }
        match read {
            Ok(true) => return true,
            Ok(false) => drop(host.said.clear()),
            Err(error) => host.said.warn(format_args!("{error}; trying again")),
        }
        if !is_there {
            self.hosts.remove(name);
        }
        false
    }

    /// Looks for hosts.
    fn look(&mut self) {
        let names = fs::read_dir(&self.dir)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>());
        match names {
            Ok(names) => {
                self.due.extend(names.into_iter().filter(|name| host(name).is_some()));
                self.due.extend(self.hosts.keys().cloned());
                self.has_caught_up |= self.due.is_empty();
                self.said.clear();
            }
            Err(error) => self.said.warn(format_args!("{}: {error}; trying again", self.dir.display())),
        }
    }
}

/// A window that is complete.
struct Complete {
    episode: Option<Name>,
    window: Window,
    phase: Option<Phase>,
    /// On the clock of the telemetry.
    end: u64,
}

impl State {
    fn new(grid: Grid) -> Self {
        Self { episode: None, windower: Windower::new(grid), origin: None, newest: 0, knows_phases: false }
    }

    /// Takes a line, and appends the windows that it completes.
    fn take(&mut self, line: LiveLine, grid: Grid, complete: &mut Vec<Complete>) {
        let sample = match line {
            LiveLine::Phase(label, episode) => return self.label(label, episode, grid),
            LiveLine::Sample(sample) => sample,
        };
        let begin = sample.t_mono_ns;
        if begin < self.newest && !self.knows_phases {
            // Its recorder was started again.
            *self = Self::new(grid);
        }
        // Of a machine that nobody knows the phases of: its first telemetry begins the grid.
        let origin = *self.origin.get_or_insert_with(|| {
            self.windower.label(Label { t_mono_ns: begin, phase: Phase::Clean });
            begin
        });
        self.newest = begin;
        complete.extend(self.windower.sample(&sample).into_iter().map(|window| Complete {
            episode: self.episode.clone(),
            phase: self.knows_phases.then_some(window.phase),
            end: origin.saturating_add((window.t_s * 1e9) as u64),
            window,
        }));
    }

    fn label(&mut self, label: Label, episode: Option<Name>, grid: Grid) {
        // One that does not name its episodes begins each at an earlier time than the last one ended.
        if episode != self.episode || label.t_mono_ns < self.newest || !self.knows_phases {
            *self = Self { episode, knows_phases: true, ..Self::new(grid) };
        }
        self.origin.get_or_insert(label.t_mono_ns);
        self.windower.label(label);
    }
}

/// The host of a live file.
fn host(file: &OsStr) -> Option<Name> {
    file.to_str()?.strip_suffix(".jsonl")?.parse().ok()
}

fn identity(dir: &Path) -> io::Result<Identity> {
    let metadata = fs::metadata(dir)?;
    match metadata.is_dir() {
        true => Ok((metadata.dev(), metadata.ino())),
        false => Err(io::Error::other("expected a folder")),
    }
}
