use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use episodes::{DataRoot, Episode, Name, read_episode};
use rayon::prelude::*;

use crate::validation::{Accepted, accepted};
use crate::{Curve, Envelope, measured};

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

/// Makes the envelope of every profile from at most `most` of its episodes, evenly spread over them: those that the
/// validation table accepts, or all without one. Episodes that cannot be read, and profiles that have nothing of a
/// section, are passed over. Reads tarballs on all threads of the rayon pool; the result does not depend on how many.
///
/// # Errors
/// There is no episode, or the table of those to use cannot be read.
pub fn produce(data_root: &Path, validation: Option<&Path>, most: usize) -> Result<Produced, ProduceError> {
    let root = DataRoot::new(data_root);
    let mut produced = Produced::default();
    let curves = match validation {
        Some(validation) => {
            let chosen = evenly(accepted(validation)?, most);
            let paths: Vec<PathBuf> = chosen.iter().filter_map(|accepted| tarball(&root, accepted)).collect();
            read(&paths, &mut produced.missing)
        }
        None => read(&root.tarballs()?, &mut produced.missing),
    };
    for (profile, curves) in curves {
        let curves: Vec<Curve> = spread(curves.len(), most).map(|place| curves[place].clone()).collect();
        match Envelope::of(&profile, measured(&profile).channel, &curves) {
            Ok(envelope) => produced.envelopes.push(envelope),
            Err(section) => {
                produced
                    .missing
                    .push(format!("profile {profile}: none of its episodes has a phase {}", section.name()));
            }
        }
    }
    if produced.envelopes.is_empty() && produced.missing.is_empty() {
        return Err(ProduceError::Nothing(data_root.to_owned()));
    }
    Ok(produced)
}

/// At most so many of each profile.
fn evenly(accepted: Vec<Accepted>, most: usize) -> Vec<Accepted> {
    let mut profiles: BTreeMap<String, Vec<Accepted>> = BTreeMap::new();
    for accepted in accepted {
        profiles.entry(accepted.profile.clone()).or_default().push(accepted);
    }
    let few = profiles.into_values().flat_map(|mut all| {
        all.sort_by(|one, other| (&one.host, &one.episode).cmp(&(&other.host, &other.episode)));
        spread(all.len(), most).map(|place| all[place].clone()).collect::<Vec<_>>()
    });
    few.collect()
}

/// At most so many places of a number of things, from the first to the last.
fn spread(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let chosen = count.min(most);
    (0..chosen).map(move |number| number * (count - 1) / chosen.saturating_sub(1).max(1))
}

/// Where an episode lies. A name that would leave the tree names none.
fn tarball(root: &DataRoot, accepted: &Accepted) -> Option<PathBuf> {
    let name = |text: &str| text.parse::<Name>().ok();
    Some(root.tarball(&name(&accepted.host)?, &name(&accepted.episode)?))
}

/// The curves of these tarballs, by profile, in their order.
fn read(paths: &[PathBuf], missing: &mut Vec<String>) -> BTreeMap<String, Vec<Curve>> {
    let read: Vec<Result<(String, Curve), String>> = paths
        .par_iter()
        .map(|path| {
            let episode = read_episode(path).map_err(|error| error.to_string())?;
            let curve =
                curve(&episode).ok_or_else(|| format!("{}: its channel is not known", path.display()))?;
            Ok((episode.meta.profile, curve))
        })
        .collect();
    let mut curves: BTreeMap<String, Vec<Curve>> = BTreeMap::new();
    for read in read {
        match read {
            Ok((profile, curve)) => curves.entry(profile).or_default().push(curve),
            Err(why) => missing.push(why),
        }
    }
    curves
}

fn curve(episode: &Episode) -> Option<Curve> {
    Curve::of(episode, measured(&episode.meta.profile).channel)
}
