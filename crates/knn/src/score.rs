use rand::Rng;

use episodes::Phase;

use crate::{
    origin::Origin,
    sample::{self, Use},
};

const CLASSES: usize = Phase::ALL.len();
/// Resamples of the bootstrap.
const RESAMPLES: usize = 1000;

/// How often each phase was taken for which: rows are the truth, columns the prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion([[u64; CLASSES]; CLASSES]);

impl Confusion {
    /// Counts one prediction.
    pub fn add(&mut self, truth: Phase, predicted: Phase) {
        self.0[usize::from(truth.code())][usize::from(predicted.code())] += 1;
    }

    /// How often windows of one phase were taken for another.
    pub fn count(&self, truth: Phase, predicted: Phase) -> u64 {
        self.0[usize::from(truth.code())][usize::from(predicted.code())]
    }

    /// Predictions counted.
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// The mean over the phases of `2 tp / (2 tp + fp + fn)`; phases that are neither true nor
    /// predicted anywhere are left out. As scikit-learn's `f1_score(average="macro")`. 0 of nothing.
    pub fn macro_f1(&self) -> f64 {
        let scores: Vec<f64> = (0..CLASSES)
            .filter_map(|class| {
                let true_positives = self.0[class][class];
                let truth: u64 = self.0[class].iter().sum();
                let predicted: u64 = self.0.iter().map(|row| row[class]).sum();
                (truth + predicted > 0).then(|| 2.0 * true_positives as f64 / (truth + predicted) as f64)
            })
            .collect();
        if scores.is_empty() { 0.0 } else { scores.iter().sum::<f64>() / scores.len() as f64 }
    }

    fn merge(&mut self, other: &Self) {
        for (row, other) in self.0.iter_mut().zip(&other.0) {
            for (count, other) in row.iter_mut().zip(other) {
                *count += other;
            }
        }
    }
}

/// A macro F1 and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Macro F1 over all rows, from 0 to 1.
    pub macro_f1: f64,
    /// The 95 % interval: 2.5th and 97.5th percentile over 1,000 resamples of whole episodes.
    /// Windows of an episode are alike, so resampling windows would pretend to more certainty.
    /// `None` of a single episode.
    pub interval: Option<(f64, f64)>,
    /// Rows that were predicted.
    pub rows: u64,
    /// Episodes that those rows are of.
    pub episodes: usize,
    /// Which phase was taken for which.
    pub confusion: Confusion,
}

impl Score {
    /// The score of what was told of some rows of a table, whose phases these are.
    pub(crate) fn told(origin: &Origin, phases: &[Phase], rows: &[u32], told: &[Phase], seed: u64) -> Self {
        let mut by_episode = vec![Confusion::default(); origin.episodes.names().len()];
        for (&row, &told) in rows.iter().zip(told) {
            let row = row as usize;
            by_episode[origin.episodes.codes()[row] as usize].add(phases[row], told);
        }
        by_episode.retain(|episode| episode.total() > 0);
        Self::of(&by_episode, seed)
    }

    /// The score of all episodes, each given as its own confusion. `seed` draws the resamples.
    pub fn of(episodes: &[Confusion], seed: u64) -> Self {
        let mut all = Confusion::default();
        for episode in episodes {
            all.merge(episode);
        }
        let interval = (episodes.len() > 1).then(|| {
            let mut numbers = sample::generator(seed, Use::Bootstrap);
            let mut scores: Vec<f64> = (0..RESAMPLES)
                .map(|_| {
                    let mut resample = Confusion::default();
                    for _ in 0..episodes.len() {
                        resample.merge(&episodes[numbers.gen_range(0..episodes.len())]);
                    }
                    resample.macro_f1()
                })
                .collect();
            scores.sort_unstable_by(f64::total_cmp);
            (scores[RESAMPLES / 40], scores[RESAMPLES - 1 - RESAMPLES / 40])
        });
        Self {
            macro_f1: all.macro_f1(),
            interval,
            rows: all.total(),
            episodes: episodes.len(),
            confusion: all,
        }
    }
}

#[cfg(test)]
mod tests {
    use Phase::{Armed, Clean, Infecting};

    use super::*;

    #[test]
    fn macro_f1_is_the_mean_over_the_phases_that_occur() {
        let mut confusion = Confusion::default();
        for (truth, predicted) in [(Clean, Clean), (Clean, Armed), (Armed, Armed), (Armed, Infecting)] {
            confusion.add(truth, predicted);
        }
        // clean 2/3, armed 2/4, infecting 0: predicted but never true.
        assert!((confusion.macro_f1() - (2.0 / 3.0 + 0.5) / 3.0).abs() < 1e-15);
    }

    #[test]
    fn the_interval_holds_the_score_and_one_episode_has_none() {
        let mut right = Confusion::default();
        right.add(Clean, Clean);
        let mut wrong = Confusion::default();
        wrong.add(Armed, Clean);
        let score = Score::of(&[right, wrong, right, right], 3);
        let (low, high) = score.interval.unwrap();
        assert!(low <= score.macro_f1 && score.macro_f1 <= high && low < high);
        assert_eq!(Score::of(&[right], 3).interval, None);
    }
}
