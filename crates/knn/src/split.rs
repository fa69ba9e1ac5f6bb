use std::{collections::BTreeMap, fmt, str::FromStr};

use rand::Rng;

use crate::{
    dictionary::Dictionary,
    origin::Origin,
    sample::{self, Use},
};

/// Of what is held out by `random`, `sample` and `time`: one in this many.
const HELD_OUT: usize = 5;
/// Of the training episodes, one in this many is for validation.
const VALIDATION: usize = 10;

/// How windows are parted into those that train and those that test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Recipe {
    /// Episodes of the training hosts train; all other hosts are the test. The honest question:
    /// does it work on a machine that it never saw?
    #[default]
    Host,
    /// A fifth of the windows, drawn by the seed, is the test. Windows overlap their neighbours of
    /// the same episode, so this flatters.
    Random,
    /// A fifth of the samples, drawn by the seed, is the test, with all their episodes: does it work on
    /// a load that it never saw, on whichever host?
    Sample,
    /// Of every host and profile, the last fifth of its episodes is the test; a single episode
    /// trains. The table tells no date: the episodes of a host and profile are taken to follow each
    /// other in it as they were recorded (their ids end in a date, and the table is sorted by id).
    Time,
}

impl Recipe {
    /// The names that [`FromStr`] reads.
    pub const NAMES: [&'static str; 4] = ["host", "random", "sample", "time"];
}

/// Not the name of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown split recipe `{0}`: expected host, random, sample or time")]
pub struct UnknownRecipe(String);

impl FromStr for Recipe {
    type Err = UnknownRecipe;

    fn from_str(name: &str) -> Result<Self, UnknownRecipe> {
        match name {
            "host" => Ok(Self::Host),
            "random" => Ok(Self::Random),
            "sample" => Ok(Self::Sample),
            "time" => Ok(Self::Time),
            _ => Err(UnknownRecipe(name.to_owned())),
        }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Host => "host",
            Self::Random => "random",
            Self::Sample => "sample",
            Self::Time => "time",
        })
    }
}

/// Which rows are for what. Every row is in exactly one of the three; each list rises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Learned from.
    pub train: Vec<u32>,
    /// A tenth of the training episodes (of the windows for [`Recipe::Random`], of the samples for
    /// [`Recipe::Sample`]), by seed. A final fit learns from them too.
    pub validation: Vec<u32>,
    /// Never learned from.
    pub test: Vec<u32>,
}

/// Why rows could not be parted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// A training host that the table does not have.
    #[error("no window is of training host `{host}`; the hosts are {}", known.join(", "))]
    UnknownHost {
        /// As asked.
        host: String,
        /// The hosts there are.
        known: Vec<String>,
    },
    /// Nothing is left for the test.
    #[error(
        "every window is of a training host ({}), so no host is left to test on: name fewer with \
         --train-hosts, or choose --split-recipe sample, time or random",
        hosts.join(", ")
    )]
    NoTestHost {
        /// The training hosts.
        hosts: Vec<String>,
    },
    /// Nobody says which sample an episode is of.
    #[error("--split-recipe sample needs --validation: the sample_name of every episode is in that table")]
    NoSamples,
    /// One sample cannot be both.
    #[error("--split-recipe sample parts whole samples and needs at least two; there is one")]
    OneSample,
    /// There is no later episode.
    #[error("--split-recipe time tests on the later episodes of a host and profile; none of them has two")]
    NothingLater,
    /// One window cannot be both.
    #[error("--split-recipe random needs at least two windows; there is one")]
    OneWindow,
}

impl Split {
    /// Parts the windows of a table by a recipe. `train_hosts` matters to [`Recipe::Host`] only, and
    /// `samples` to [`Recipe::Sample`], which cannot do without.
    pub fn new(
        recipe: Recipe,
        train_hosts: &[String],
        origin: &Origin,
        samples: Option<&Dictionary>,
        seed: u64,
    ) -> Result<Self, SplitError> {
        let Origin { episodes, hosts, .. } = origin;
        let rows = origin.rows();
        let mut numbers = sample::generator(seed, Use::Split);
        // What is whole in one part: windows of one unit are alike.
        let units: Vec<u32> = match recipe {
            Recipe::Host | Recipe::Time => episodes.codes().to_vec(),
            Recipe::Random => (0..rows as u32).collect(),
            Recipe::Sample => samples.ok_or(SplitError::NoSamples)?.codes().to_vec(),
        };
        let in_test: Vec<bool> = match recipe {
            Recipe::Host => {
                let train = known(train_hosts, hosts)?;
                let in_test: Vec<bool> = hosts.codes().iter().map(|host| !train.contains(host)).collect();
                if !in_test.contains(&true) {
                    return Err(SplitError::NoTestHost { hosts: train_hosts.to_vec() });
                }
                in_test
            }
            Recipe::Random => drawn(&units, HELD_OUT, &mut numbers).ok_or(SplitError::OneWindow)?,
            Recipe::Sample => drawn(&units, HELD_OUT, &mut numbers).ok_or(SplitError::OneSample)?,
            Recipe::Time => later(origin)?,
        };
        let (test, learned): (Vec<u32>, Vec<u32>) = (0..rows as u32).partition(|&row| in_test[row as usize]);
        let of_learned: Vec<u32> = learned.iter().map(|&row| units[row as usize]).collect();
        // None validates if that would leave nothing to train on.
        let validates = drawn(&of_learned, VALIDATION, &mut numbers).unwrap_or(vec![false; learned.len()]);
        let part = |validation: bool| {
            let rows = learned.iter().zip(&validates).filter(|(_, validates)| **validates == validation);
            rows.map(|(&row, _)| row).collect()
        };
        Ok(Self { train: part(false), validation: part(true), test })
    }

    /// Rows that a final fit learns from: training and validation. Rising.
    pub fn learned(&self) -> Vec<u32> {
        let mut rows = [self.train.as_slice(), &self.validation].concat();
        rows.sort_unstable();
        rows
    }
}

/// One in `part` of so many, at least one.
fn share(items: usize, part: usize) -> usize {
    (items / part).max(1)
}

/// Draws one in `part` of the distinct units; tells of every item whether its unit was drawn. `None`
/// where there are not two units to part.
fn drawn(units: &[u32], part: usize, numbers: &mut impl Rng) -> Option<Vec<bool>> {
    let mut distinct = units.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 2 {
        return None;
    }
    let places = rand::seq::index::sample(numbers, distinct.len(), share(distinct.len(), part));
    let mut drawn: Vec<u32> = places.into_iter().map(|place| distinct[place]).collect();
    drawn.sort_unstable();
    Some(units.iter().map(|unit| drawn.binary_search(unit).is_ok()).collect())
}

/// Which windows are of an episode among the last fifth of its host and profile.
fn later(origin: &Origin) -> Result<Vec<bool>, SplitError> {
    let mut alike: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for (episode, row) in origin.episodes.first_rows().into_iter().enumerate() {
        let of = (origin.hosts.codes()[row], origin.profiles.codes()[row]);
        alike.entry(of).or_default().push(episode);
    }
    let mut later = vec![false; origin.episodes.names().len()];
    for episodes in alike.into_values().filter(|episodes| episodes.len() > 1) {
        for &episode in &episodes[episodes.len() - share(episodes.len(), HELD_OUT)..] {
            later[episode] = true;
        }
    }
    if !later.contains(&true) {
        return Err(SplitError::NothingLater);
    }
    Ok(origin.episodes.codes().iter().map(|&episode| later[episode as usize]).collect())
}

fn known(train_hosts: &[String], hosts: &Dictionary) -> Result<Vec<u32>, SplitError> {
    train_hosts
        .iter()
        .map(|host| {
            hosts.names().iter().position(|known| known == host).map(|code| code as u32).ok_or_else(|| {
                let mut known = hosts.names().to_vec();
                known.sort_unstable();
                SplitError::UnknownHost { host: host.clone(), known }
            })
        })
        .collect()
}
