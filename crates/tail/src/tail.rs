use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::identity::{Identity, Likeness};
use crate::position::{Time, modified};
use crate::rotated::{self, Rotated};
use crate::segment::Segment;
use crate::{Line, Position, Said};

/// A file that others append to, rotate, truncate and remove, as one stream of lines of which each is handed over once.
///
/// A file that was renamed is drained before the one that took its place, once that has something in it and nobody
/// writes to the old one any more. Of one that was copied and truncated the rest is read from the copy. What cannot be found any
/// more is said.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    position: Position,
    /// How long a writer may go on writing to a file that was rotated.
    late: Duration,
    held: Option<Segment>,
    /// Since when it is not clear what became of the file, and how long it was then.
    doubt: Option<(Instant, u64)>,
    said: Said,
}

/// A file that is there and cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {error}")]
pub struct TailError {
    path: PathBuf,
    error: io::Error,
}

/// Where a file may be that was read before.
enum Found {
    /// As it was left, or copied.
    Whole(Segment),
    /// It begins like it, or is too short to say.
    Alike(Segment, Likeness),
    Nowhere,
}

/// What comes after a file that was read to its end.
enum Next {
    /// Nothing yet.
    Nothing,
    /// Another file.
    File(Box<Segment>),
    /// The same again, written anew under its name.
    Anew,
}

/// A file to which somebody writes all the time is given up waiting for after so many times a writer's lateness.
const PATIENCE: u32 = 10;

impl Tail {
    /// Goes on from a position, or begins at the start of the file. A file that was rotated is left when nobody has
    /// written to it for as long as a writer may be `late`.
    pub fn new(path: PathBuf, position: Position, late: Duration) -> Self {
        Self { path, position, late, held: None, doubt: None, said: Said::default() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Hands over lines that are whole by now, each with its place in the stream, and stops after reading about `most`
    /// bytes; whether there may be more.
    ///
    /// # Errors
    /// A file that is there cannot be read; what was handed over stays handed over. The next call tries again.
    pub fn read(&mut self, most: usize, mut take: impl FnMut(u64, Line<'_>)) -> Result<bool, TailError> {
        let mut read = 0;
        while read < most {
            // What is held is let go of where anything fails, and found again.
            let Some(mut held) = self.hold()? else { return Ok(false) };
            let mut filled = held.fill().map_err(at(&held.path))?;
            let mut next = Next::Nothing;
            if filled == 0 {
                next = self.successor(&held).map_err(at(&self.path))?;
                if !matches!(next, Next::Nothing) {
                    // Again: who writes to the next file wrote the last of this one before.
                    filled = held.fill().map_err(at(&held.path))?;
                }
            }
            read += filled;
            if filled > 0 && !held.is_what_was_read().map_err(at(&held.path))? {
                // What came may be of what it was overwritten with.
                continue;
            }
            held.hand_over(filled, &mut take);
            if let (Next::File(_), 0) = (&next, filled) {
                held.finish(&mut take);
            }
            // Until a line of this file was handed over, the end of the one before is what finds it again.
            if held.position.file.is_some() {
                self.position.clone_from(&held.position);
            }
            match next {
                Next::File(next) if filled == 0 => {
                    self.held = Some(next.at(self.position.next()).map_err(at(&self.path))?);
                }
                Next::Anew if filled == 0 => {}
                Next::Nothing if filled == 0 => {
                    self.held = Some(held);
                    return Ok(false);
                }
                _ => self.held = Some(held),
            }
        }
        Ok(true)
    }

    /// The file that the next lines are in, if there is one.
    fn hold(&mut self) -> Result<Option<Segment>, TailError> {
        if let Some(mut held) = self.held.take() {
            let is_good = match held.is_untouched() && held.path == self.path && self.position.file.is_some()
            {
                // Of a file that was empty when it was found, another may have been made by now.
                true => self.is_newest().map_err(at(&self.path))?,
                false => {
                    held.is_what_was_read().map_err(at(&held.path))?
                        && !self.is_another(&held).map_err(at(&self.path))?
                }
            };
            if is_good {
                return Ok(Some(held));
            }
        }
        let found = self.find().map_err(at(&self.path))?;
        if found.is_none() && !self.path.exists() {
            self.say("not there; waiting for it");
        }
        Ok(found)
    }

    /// Looks for the file that the position is in: under its name, or as a rotation left it. If it is nowhere, the
    /// next one is the oldest that came after it.
    fn find(&mut self) -> io::Result<Option<Segment>> {
        // While files are being renamed a listing may miss one.
        let found = match self.search()? {
            Found::Nowhere => self.search()?,
            found => found,
        };
        let offset = self.position.offset;
        if let Found::Alike(segment, likeness) = &found {
            let length = segment.length()?;
            let (since, first) = *self.doubt.get_or_insert((Instant::now(), length));
            let is_quiet = segment.is_quiet(self.late)?;
            if !is_quiet && since.elapsed() < PATIENCE * self.late {
                self.say(&format!(
                    "it was read up to byte {offset}, and was cut or written anew since; waiting until nobody writes to it"
                ));
                return Ok(None);
            }
            if *likeness == Likeness::Beginning {
                self.doubt = None;
                self.say(&format!("it was read up to byte {offset}, and was cut or written anew since: only what comes now is read"));
                let Found::Alike(segment, _) = found else { return Ok(None) };
                let segment =
                    segment.cut_at(if is_quiet { length } else { first.min(length) }, &self.position)?;
                self.position.clone_from(&segment.position);
                return Ok(Some(segment));
            }
        }
        self.doubt = None;
        match found {
            Found::Whole(segment) => segment.at(self.position.clone()).map(Some),
            Found::Alike(..) | Found::Nowhere => {
                let next = match self.position.file.clone() {
                    Some(file) => self.rotated_since(rotated::listed(&self.path)?, file.modified, None)?,
                    None => None,
                };
                let next = match next {
                    None => Segment::named(&self.path)?,
                    next => next,
                };
                if self.position.file.is_some() && next.is_some() {
                    self.say(&format!(
                        "the file that was read up to byte {offset} is not there any more, nor a copy of it; \
                         what was appended to it after that is lost"
                    ));
                }
                next.map(|next| next.at(self.position.next())).transpose()
            }
        }
    }

    fn search(&mut self) -> io::Result<Found> {
        let Position { offset, file: Some(file), .. } = self.position.clone() else {
            return Ok(Found::Nowhere);
        };
        let mut found = Found::Nowhere;
        for segment in self.candidates(&file)? {
            match (segment.likeness(&file, offset)?, &found) {
                (Likeness::Whole, _) => return Ok(Found::Whole(segment)),
                (Likeness::Beginning, Found::Nowhere | Found::Alike(_, Likeness::Short)) => {
                    found = Found::Alike(segment, Likeness::Beginning);
                }
                (Likeness::Short, Found::Nowhere) => found = Found::Alike(segment, Likeness::Short),
                _ => {}
            }
        }
        Ok(found)
    }

    /// Which files may be one that was read, the likeliest first.
    fn candidates(&mut self, file: &Identity) -> io::Result<Vec<Segment>> {
        // It is opened before the others are listed: if it is rotated in between it is one of them.
        let named = Segment::named(&self.path)?;
        let rotated = rotated::listed(&self.path)?;
        if file.is_short() {
            let is_newest = || rotated.iter().all(|one| modified(&one.metadata) <= file.modified);
            let first = match self.place(&rotated, file)? {
                _ if named.as_ref().is_some_and(|named| named.is_unchanged(file)) => named,
                Some(place) => self.open(&rotated[place])?,
                None => named.filter(|_| is_newest()),
            };
            return Ok(first.into_iter().collect());
        }
        let mut candidates: Vec<Segment> = named.into_iter().collect();
        for one in rotated.iter().rev() {
            if self.begins_like(one, file)? {
                candidates.extend(self.open(one)?);
            }
        }
        Ok(candidates)
    }

    /// What is read once this file is at its end: nothing while it is the newest, or nothing is in the
    /// next one yet, or somebody may still write to this one.
    fn successor(&mut self, held: &Segment) -> io::Result<Next> {
        match fs::metadata(&self.path) {
            Ok(named) if held.is(&named) => return Ok(Next::Nothing),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ if !held.is_quiet(self.late)? => return Ok(Next::Nothing),
            _ => {}
        }
        // It is opened before the others are listed: if it is rotated in between it is one of them.
        let named = Segment::named(&self.path)?;
        let rotated = rotated::listed(&self.path)?;
        let newer = match rotated.iter().position(|one| held.is(&one.metadata)) {
            Some(place) => self.first_unknown(&rotated[place + 1..], held.identity().as_ref())?,
            // It is gone, and others may have come and been rotated since.
            None => {
                let identity = held.identity();
                if let Some(short) = identity.as_ref().filter(|identity| identity.is_short())
                    && self.place(&rotated, short)?.is_some()
                {
                    // It, packed, or another that begins like it: that is read on.
                    return Ok(Next::Anew);
                }
                self.rotated_since(rotated, held.modified(), identity.as_ref())?
            }
        };
        if let Some(newer) = newer {
            return Ok(Next::File(Box::new(newer)));
        }
        let Some(named) = named else { return Ok(Next::Nothing) };
        if named.length()? == 0 {
            return Ok(Next::Nothing);
        }
        // A copy that took its name, or a backup.
        let likeness = match &self.position.file {
            Some(file) if !file.is_short() => named.likeness(file, self.position.offset)?,
            _ => Likeness::Other,
        };
        Ok(match likeness {
            Likeness::Whole | Likeness::Beginning => Next::Anew,
            Likeness::Short | Likeness::Other => Next::File(Box::new(named)),
        })
    }

    /// Whether nothing was rotated since the last line.
    fn is_newest(&mut self) -> io::Result<bool> {
        let Some(file) = self.position.file.clone() else { return Ok(true) };
        let rotated = rotated::listed(&self.path)?;
        Ok(self.rotated_since(rotated, file.modified, None)?.is_none())
    }

    /// Whether the file that is held was copied, and says since what it said before, where that was little.
    fn is_another(&mut self, held: &Segment) -> io::Result<bool> {
        if !held.position.file.as_ref().is_some_and(Identity::is_short) {
            return Ok(false);
        }
        Ok(matches!(self.search()?, Found::Whole(found) if !found.is_same(held)))
    }

    /// Where a file that was read, or its newest copy, is among rotated ones. What has only its first words in common with
    /// one of which no more was read is that if it is that and unchanged, or the first of those that were changed since.
    fn place(&mut self, rotated: &[Rotated], file: &Identity) -> io::Result<Option<usize>> {
        if !file.is_short() {
            for (place, one) in rotated.iter().enumerate().rev() {
                if self.begins_like(one, file)? {
                    return Ok(Some(place));
                }
            }
            return Ok(None);
        }
        let kept = rotated.iter().position(|one| file.is_unchanged(&one.metadata));
        if let Some(place) = kept
            && self.begins_like(&rotated[place], file)?
        {
            return Ok(kept);
        }
        let after = self.place_after_before(rotated)?;
        for (place, one) in rotated.iter().enumerate().skip(after) {
            let changed = modified(&one.metadata);
            if changed >= file.modified && self.begins_like(one, file)? {
                return Ok(Some(place));
            }
            if changed > file.modified {
                break;
            }
        }
        Ok(None)
    }

    /// Where those of these files begin that came after the file before the one that was read last.
    fn place_after_before(&mut self, rotated: &[Rotated]) -> io::Result<usize> {
        let Some(before) = self.position.before.clone() else { return Ok(0) };
        for (place, one) in rotated.iter().enumerate().rev() {
            if (before.is_unchanged(&one.metadata) || !before.is_short()) && self.begins_like(one, &before)? {
                return Ok(place + 1);
            }
        }
        Ok(0)
    }

    /// The oldest of these files that came after the one that was read last, or the one that is held: after their
    /// copies by name, and changed after a time.
    fn rotated_since(
        &mut self,
        mut newer: Vec<Rotated>,
        time: Time,
        held: Option<&Identity>,
    ) -> io::Result<Option<Segment>> {
        let mut known = 0;
        for file in self.known(held) {
            known = known.max(self.place(&newer, &file)?.map_or(0, |place| place + 1));
        }
        newer.drain(..known);
        newer.retain(|one| modified(&one.metadata) >= time);
        self.first_unknown(&newer, held)
    }

    /// The first of these files, which came after what was read, that is no copy of a part of that.
    fn first_unknown(&mut self, rotated: &[Rotated], held: Option<&Identity>) -> io::Result<Option<Segment>> {
        for one in rotated {
            let mut is_known = false;
            for file in self.known(held).iter().filter(|file| !file.is_short()) {
                is_known |= self.begins_like(one, file)?;
            }
            if !is_known && let Some(segment) = self.open(one)? {
                return Ok(Some(segment));
            }
        }
        Ok(None)
    }

    /// The file that was read last, the one before that, and the one that is held. Files of one tick of the clock have
    /// the same time: by that alone the one before could not be told from the next.
    fn known(&self, held: Option<&Identity>) -> Vec<Identity> {
        let Position { file, before, .. } = &self.position;
        let before = before.iter().filter(|before| !before.is_short());
        file.iter().chain(before).chain(held).cloned().collect()
    }

    fn begins_like(&mut self, rotated: &Rotated, file: &Identity) -> io::Result<bool> {
        let begins_like = rotated.begins_like(file);
        self.pass_over(rotated, begins_like, true)
    }

    fn open(&mut self, rotated: &Rotated) -> io::Result<Option<Segment>> {
        let opened = Segment::rotated(rotated);
        self.pass_over(rotated, opened, None)
    }

    /// A packed file that cannot be unpacked stays so, unless it is the system that fails: what it says is passed over.
    fn pass_over<T>(&mut self, rotated: &Rotated, read: io::Result<T>, instead: T) -> io::Result<T> {
        match read {
            Err(error) if rotated.is_packed() && error.raw_os_error().is_none() => {
                self.say(&format!(
                    "{} cannot be unpacked, and is passed over: {error}",
                    rotated.path.display()
                ));
                Ok(instead)
            }
            read => read,
        }
    }

    fn say(&mut self, what: &str) {
        self.said.warn(format_args!("{}: {what}", self.path.display()));
    }
}

/// Says of an error which file it was.
fn at(path: &Path) -> impl FnOnce(io::Error) -> TailError + use<> {
    let path = path.to_owned();
    |error| TailError { path, error }
}
