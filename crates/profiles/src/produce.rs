use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use episodes::{BadGrid, DataRoot, Grid, Name, Status, judge, read_episode};
use rayon::prelude::*;

use crate::validation::{Accepted, accepted};
use crate::{Curve, Envelope, channel};

/// Why there are no profiles.
#[derive(Debug, thiserror::Error)]
pub enum ProduceError {
    /// The episodes cannot be listed.
    #[error(transparent)]
    List(#[from] io::Error),
    /// The validation table is no such table.
    #[error("{}: {what}", path.display())]
    Validation {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Episodes cannot be judged.
    #[error(transparent)]
    Grid(#[from] BadGrid),
    /// There is nothing to make them of.
    #[error("{}: no episode to make a profile of", .0.display())]
    Nothing(PathBuf),
}

/// The envelopes that there are, by the profiles' names, and what is missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Produced {
    /// One a profile.
    pub envelopes: Vec<Envelope>,
    /// What was passed over, a sentence each.
    pub missing: Vec<String>,
}

/// An episode that is not shorter than this may be accepted.
const SHORTEST: Duration = Duration::from_secs(5);

/// Makes the envelope of every profile from at most `most` of its accepted episodes, evenly spread over them: those that the
/// validation table accepts, or, without one, those that are accepted by its rules. Where one of them cannot be read, another
/// takes its place; a profile that has nothing of a section is passed over. Reads tarballs on all threads of the rayon
/// pool; the result does not depend on how many.
///
/// # Errors
/// There is no episode, or the table of those to use cannot be read.
pub fn produce(data_root: &Path, validation: Option<&Path>, most: usize) -> Result<Produced, ProduceError> {
    let root = DataRoot::new(data_root);
    let mut produced = Produced::default();
    let curves = match validation {
        Some(validation) => of_accepted(&root, accepted(validation)?, most, &mut produced.missing),
        None => of_all(&root, most, &mut produced.missing)?,
    };
    for (profile, curves) in curves {
        match Envelope::of(&profile, channel(&profile), &curves) {
            Ok(envelope) => produced.envelopes.push(envelope),
            Err(section) => {
                let what = format!("profile {profile}: none of its episodes has a phase {}", section.name());
                produced.missing.push(what);
            }
        }
    }
    if produced.envelopes.is_empty() && produced.missing.is_empty() {
        return Err(ProduceError::Nothing(data_root.to_owned()));
    }
    Ok(produced)
}

/// Curves of each profile, in the order of their tarballs.
type Curves = BTreeMap<String, Vec<Curve>>;

/// Of the episodes that a table accepts: no more are read than it takes.
fn of_accepted(root: &DataRoot, accepted: Vec<Accepted>, most: usize, missing: &mut Vec<String>) -> Curves {
    let mut profiles: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for Accepted { host, episode, profile } in accepted {
        // A name that would leave the tree names none.
        match (host.parse::<Name>(), episode.parse::<Name>()) {
            (Ok(host), Ok(episode)) => {
                profiles.entry(profile).or_default().push(root.tarball(&host, &episode));
            }
            _ => missing.push(format!("episode {episode:?} of host {host:?}: no such names")),
        }
    }
    let curves = profiles.into_iter().map(|(profile, mut paths)| {
        paths.sort_unstable();
        let mut left: Vec<usize> = spread(paths.len(), most).collect();
        let spare: Vec<usize> = (0..paths.len()).filter(|place| !left.contains(place)).collect();
        left.extend(spare);
        let mut curves: BTreeMap<usize, Curve> = BTreeMap::new();
        while curves.len() < most && !left.is_empty() {
            let places: Vec<usize> = left.drain(..left.len().min(most - curves.len())).collect();
            let read = places.par_iter().map(|place| (*place, read(&paths[*place], &profile)));
            for (place, curve) in read.collect::<Vec<_>>() {
                match curve {
                    Ok(curve) => drop(curves.insert(place, curve)),
                    Err(why) => missing.push(why),
                }
            }
        }
        (profile, curves.into_values().collect())
    });
    curves.collect()
}

fn read(path: &Path, profile: &str) -> Result<Curve, String> {
    let episode = read_episode(path).map_err(|error| error.to_string())?;
    if episode.meta.profile != profile {
        return Err(format!(
            "{}: profile {:?}; the table says {profile:?}",
            path.display(),
            episode.meta.profile
        ));
    }
    Curve::of(&episode, channel(profile))
        .ok_or_else(|| format!("{}: its channel is not known", path.display()))
}

/// Of all episodes: of which profile one is, and whether it is accepted, is known when it is read.
fn of_all(root: &DataRoot, most: usize, missing: &mut Vec<String>) -> Result<Curves, ProduceError> {
    let grid = Grid::new(SHORTEST, SHORTEST)?;
    let read = |path: &PathBuf| {
        let wrong = |what: &str| format!("{}: {what}", path.display());
        let episode = read_episode(path).map_err(|error| error.to_string())?;
        let (status, reasons) = judge(&episode, grid);
        if status != Status::Accepted {
            return Err(wrong(&format!("{status}: {}", reasons.join(", "))));
        }
        let profile = episode.meta.profile.clone();
        let curve =
            Curve::of(&episode, channel(&profile)).ok_or_else(|| wrong("its channel is not known"))?;
        Ok((profile, curve))
    };
    let mut curves = Curves::new();
    for read in root.tarballs()?.par_iter().map(read).collect::<Vec<_>>() {
        match read {
            Ok((profile, curve)) => curves.entry(profile).or_default().push(curve),
            Err(why) => missing.push(why),
        }
    }
    for curves in curves.values_mut() {
        *curves = spread(curves.len(), most).map(|place| curves[place].clone()).collect();
    }
    Ok(curves)
}

/// At most so many places of a number of things, from the first to the last.
fn spread(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let chosen = count.min(most);
    (0..chosen).map(move |number| number * (count - 1) / chosen.saturating_sub(1).max(1))
}
