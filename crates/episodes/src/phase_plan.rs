use std::time::Duration;

use rand::Rng;

use crate::Phase;

/// When an episode enters which phase.
///
/// The order is that of an infection that comes and goes: clean, armed, infecting,
/// infected_running, dormant, and clean again. Each span's share of the episode varies by seed, by
/// up to a fourth either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PhasePlan(Vec<(Duration, Phase)>);

/// Shares before variation.
const SPANS: [(Phase, f64); 6] = [
    (Phase::Clean, 0.18),
    (Phase::Armed, 0.14),
    (Phase::Infecting, 0.15),
    (Phase::InfectedRunning, 0.24),
    (Phase::Dormant, 0.16),
    (Phase::Clean, 0.13),
];

impl PhasePlan {
    /// Draws a plan for an episode of this length.
    pub(crate) fn draw(duration: Duration, random: &mut impl Rng) -> Self {
        let spans = SPANS.map(|(phase, share)| (phase, share * random.gen_range(0.75..1.25)));
        let total: f64 = spans.iter().map(|(_, share)| share).sum();
        let mut begin = 0.0;
        let entries = spans.map(|(phase, share)| {
            let entry = (duration.mul_f64(begin / total), phase);
            begin += share;
            entry
        });
        Self(entries.into())
    }

    /// The phase at a moment of the episode.
    pub(crate) fn at(&self, elapsed: Duration) -> Phase {
        let current = self.0.iter().rev().find(|(begin, _)| *begin <= elapsed);
        current.map_or(Phase::Clean, |(_, phase)| *phase)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    fn plan(seed: u64) -> PhasePlan {
        PhasePlan::draw(Duration::from_secs(20), &mut Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    #[test]
    fn an_episode_goes_through_all_phases_in_order_and_ends_clean() {
        for seed in 0..100 {
            let mut phases: Vec<Phase> =
                (0..200).map(|tick| plan(seed).at(Duration::from_millis(tick * 100))).collect();
            phases.dedup();
            assert_eq!(phases, SPANS.map(|(phase, _)| phase));
        }
    }

    #[test]
    fn a_seed_decides_the_plan() {
        assert_eq!(plan(1), plan(1));
        assert_ne!(plan(1), plan(2));
    }
}
