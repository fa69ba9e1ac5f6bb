use super::Neighbour;

/// The best so far of one query, nearest first, at most `k`.
#[derive(Debug, Clone)]
pub(super) struct Nearest {
    found: Vec<Neighbour>,
    k: usize,
}

impl Nearest {
    pub(super) fn new(k: usize) -> Self {
        Self { found: Vec::with_capacity(k + 1), k }
    }

    /// Keeps the candidate if it is among the best; whether it was. A row that is offered twice counts
    /// once.
    pub(super) fn offer(&mut self, candidate: Neighbour) -> bool {
        if !self.would_keep(&candidate) {
            return false;
        }
        let place = self.found.partition_point(|found| found.is_nearer_than(&candidate));
        if self.found.get(place) == Some(&candidate) {
            return false;
        }
        self.found.insert(place, candidate);
        self.found.truncate(self.k);
        true
    }

    /// Whether a candidate that was not offered before would be kept.
    pub(super) fn would_keep(&self, candidate: &Neighbour) -> bool {
        match self.found.last() {
            Some(worst) if self.found.len() == self.k => candidate.is_nearer_than(worst),
            _ => true,
        }
    }

    /// The squared distance that a further row must not exceed; infinite until there are `k`.
    pub(super) fn squared_radius(&self) -> f64 {
        match self.found.last() {
            Some(worst) if self.found.len() == self.k => worst.squared_distance,
            _ => f64::INFINITY,
        }
    }

    /// Offers what another search for the same query found.
    pub(super) fn take(&mut self, other: Self) {
        for candidate in other.found {
            self.offer(candidate);
        }
    }

    pub(super) fn found(&self) -> &[Neighbour] {
        &self.found
    }
}
