use std::{collections::BTreeMap, fmt, str::FromStr};

use rand::seq::SliceRandom;

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
    /// A fifth of the episodes, drawn by the seed, is the test.
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
    /// A tenth of the training episodes (of the rows for [`Recipe::Random`]), by seed. A final fit
    /// learns from them too.
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
        "split recipe host: every window is of a training host ({}), so no host is left to test on; \
         name fewer training hosts, or split by sample, time or random",
        hosts.join(", ")
    )]
    NoTestHost {
        /// The training hosts.
        hosts: Vec<String>,
    },
    /// One episode cannot be both.
    #[error("split recipe sample parts whole episodes and needs at least two; there is one")]
    OneEpisode,
    /// There is no later episode.
    #[error("split recipe time tests on the later episodes of a host and profile; none of them has two")]
    NothingLater,
    /// One window cannot be both.
    #[error("split recipe random needs at least two windows; there is one")]
    OneWindow,
}

impl Split {
    /// Parts the windows of a table by a recipe. `train_hosts` matters to [`Recipe::Host`] only.
    pub fn new(
        recipe: Recipe,
        train_hosts: &[String],
        origin: &Origin,
        seed: u64,
    ) -> Result<Self, SplitError> {
        let Origin { episodes, hosts, .. } = origin;
        let rows = origin.rows();
        let mut numbers = sample::generator(seed, Use::Split);
        let of_episodes = |test: &[bool]| -> Vec<bool> {
            episodes.codes().iter().map(|&episode| test[episode as usize]).collect()
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
            Recipe::Random if rows < 2 => return Err(SplitError::OneWindow),
            Recipe::Random => chosen(rows, held_out(rows), &mut numbers),
            Recipe::Sample => match episodes.names().len() {
                0 | 1 => return Err(SplitError::OneEpisode),
                all => of_episodes(&chosen(all, held_out(all), &mut numbers)),
            },
            Recipe::Time => of_episodes(&later(origin)?),
        };
        let (test, learned): (Vec<u32>, Vec<u32>) = (0..rows as u32).partition(|&row| in_test[row as usize]);
        let validates = validation(recipe, &learned, episodes, &mut numbers);
        let (validation, train) = learned.into_iter().partition(|&row| validates[row as usize]);
        Ok(Self { train, validation, test })
    }

    /// Rows that a final fit learns from: training and validation. Rising.
    pub fn learned(&self) -> Vec<u32> {
        let mut rows = [self.train.as_slice(), &self.validation].concat();
        rows.sort_unstable();
        rows
    }
}

/// How many of so many are held out.
fn held_out(items: usize) -> usize {
    (items / HELD_OUT).max(1)
}

/// Which episodes are among the last fifth of their host and profile.
fn later(origin: &Origin) -> Result<Vec<bool>, SplitError> {
    let mut alike: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for (episode, row) in origin.first_windows().into_iter().enumerate() {
        let of = (origin.hosts.codes()[row], origin.profiles.codes()[row]);
        alike.entry(of).or_default().push(episode);
    }
    let mut later = vec![false; origin.episodes.names().len()];
    for episodes in alike.into_values().filter(|episodes| episodes.len() > 1) {
        for &episode in &episodes[episodes.len() - held_out(episodes.len())..] {
            later[episode] = true;
        }
    }
    if later.contains(&true) { Ok(later) } else { Err(SplitError::NothingLater) }
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

/// `wanted` of `0..all` as flags.
fn chosen(all: usize, wanted: usize, numbers: &mut impl rand::Rng) -> Vec<bool> {
    let mut flags = vec![false; all];
    for place in rand::seq::index::sample(numbers, all, wanted.min(all)) {
        flags[place] = true;
    }
    flags
}

/// Which of all rows validate. None of them if that would leave nothing to train on.
fn validation(
    recipe: Recipe,
    learned: &[u32],
    episodes: &Dictionary,
    numbers: &mut impl rand::Rng,
) -> Vec<bool> {
    let rows = episodes.codes().len();
    let mut units: Vec<u32> = match recipe {
        Recipe::Random => learned.to_vec(),
        _ => learned.iter().map(|&row| episodes.codes()[row as usize]).collect(),
    };
    units.sort_unstable();
    units.dedup();
    if units.len() < 2 {
        return vec![false; rows];
    }
    units.shuffle(numbers);
    units.truncate((units.len() / VALIDATION).max(1));
    units.sort_unstable();
    let mut flags = vec![false; rows];
    for &row in learned {
        let unit = if recipe == Recipe::Random { row } else { episodes.codes()[row as usize] };
        flags[row as usize] = units.binary_search(&unit).is_ok();
    }
    flags
}
