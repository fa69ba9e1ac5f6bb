use episodes::Phase;

use crate::{
    matrix::Matrix,
    neighbours::{self, Among, Neighbour, Neighbours, Search},
    watch::{Stopped, Watch},
};

/// Neighbours of windows that are looked for together, at most: 128 MiB of them.
const FOUND: usize = 1 << 23;

/// Tells the phase of a window by its nearest training windows.
pub struct Classifier<'a> {
    search: Box<dyn Search + 'a>,
    phases: &'a [Phase],
    neighbours: usize,
}

impl<'a> Classifier<'a> {
    /// Over standardized training windows and the phase of each. `neighbours` vote; fewer if there
    /// are fewer training windows.
    pub fn new(training: &'a Matrix, phases: &'a [Phase], neighbours: usize) -> Self {
        Self { search: neighbours::index(training), phases, neighbours }
    }

    /// The phase of every standardized window of `z`.
    pub fn classify(&self, z: &Matrix, watch: &dyn Watch) -> Result<Vec<Vote>, Stopped> {
        self.classify_among(Among::All, z, watch)
    }

    /// The phase of every standardized window of `z`, told by some of the training windows.
    pub fn classify_among(
        &self,
        among: Among<'_>,
        z: &Matrix,
        watch: &dyn Watch,
    ) -> Result<Vec<Vote>, Stopped> {
        let most = (FOUND / self.neighbours.max(1)).max(1);
        let mut votes = Vec::with_capacity(z.rows());
        for first in (0..z.rows()).step_by(most) {
            let windows = first as u32..z.rows().min(first + most) as u32;
            let part = (windows.len() < z.rows()).then(|| z.select(&windows.collect::<Vec<u32>>()));
            let found =
                self.search.nearest_among(among, part.as_ref().unwrap_or(z), self.neighbours, watch)?;
            votes.extend(self.vote(&found));
        }
        Ok(votes)
    }

    /// The training windows that vote on every standardized window of `z`.
    pub fn nearest(&self, z: &Matrix, watch: &dyn Watch) -> Result<Neighbours, Stopped> {
        self.search.nearest(z, self.neighbours, watch)
    }

    /// What they say.
    pub fn vote(&self, found: &Neighbours) -> Vec<Vote> {
        found.iter().map(|neighbours| vote(neighbours, self.phases)).collect()
    }
}

/// What the neighbours of a window say it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vote {
    /// The phase of most weight; the lowest code of equal ones.
    pub phase: Phase,
    /// Its share of the weight, above 0 and at most 1.
    pub confidence: f64,
}

/// Lets `neighbours` vote, each with weight 1 / distance; `phases` are those of all searched rows.
///
/// A distance of 0 takes all the weight: exact duplicates then vote alone, with one vote each. As
/// scikit-learn's `KNeighborsClassifier(weights="distance")`. There must be a neighbour.
pub fn vote(neighbours: &[Neighbour], phases: &[Phase]) -> Vote {
    let code = |row: u32| usize::from(phases[row as usize].code());
    let (code, confidence) = heaviest(neighbours, Phase::ALL.len(), code);
    Vote { phase: Phase::ALL[code], confidence }
}

/// The class of most weight, the lowest of equal ones, and its share of the weight.
pub(crate) fn heaviest(
    neighbours: &[Neighbour],
    classes: usize,
    class_of: impl Fn(u32) -> usize,
) -> (usize, f64) {
    let duplicates = neighbours.iter().any(|neighbour| neighbour.squared_distance == 0.0);
    let mut weights = vec![0.0_f64; classes];
    for neighbour in neighbours {
        weights[class_of(neighbour.row)] += match neighbour.squared_distance {
            0.0 => 1.0,
            _ if duplicates => 0.0,
            squared => squared.sqrt().recip(),
        };
    }
    let mut best = 0;
    for class in 1..classes {
        if weights[class] > weights[best] {
            best = class;
        }
    }
    (best, weights[best] / weights.iter().sum::<f64>())
}

#[cfg(test)]
mod tests {
    use Phase::{Armed, Clean, Failed};

    use super::*;

    fn at(distances: &[f64]) -> Vec<Neighbour> {
        (0..).zip(distances).map(|(row, d)| Neighbour { squared_distance: d * d, row }).collect()
    }

    #[test]
    fn nearer_neighbours_weigh_more() {
        let vote = vote(&at(&[1.0, 4.0, 4.0]), &[Armed, Clean, Clean]);
        assert_eq!(vote, Vote { phase: Armed, confidence: 1.0 / 1.5 });
    }

    #[test]
    fn a_distance_of_zero_takes_all_the_weight() {
        let vote = vote(&at(&[0.0, 0.0, 1e-9]), &[Clean, Failed, Failed]);
        assert_eq!(vote, Vote { phase: Clean, confidence: 0.5 });
    }

    #[test]
    fn of_equal_weights_the_lowest_code_wins() {
        assert_eq!(vote(&at(&[2.0, 2.0]), &[Failed, Armed]).phase, Armed);
    }

    #[test]
    fn distances_too_small_to_square_still_vote() {
        let near = Neighbour { squared_distance: f64::MIN_POSITIVE, row: 0 };
        assert_eq!(vote(&[near], &[Armed]), Vote { phase: Armed, confidence: 1.0 });
    }
}
