use std::collections::BTreeMap;

use runs::Count;

/// How many rows of each run were taken in each slot of time.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    runs: BTreeMap<String, BTreeMap<i64, Taken>>,
}

/// The rows of a slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) rows: u64,
    /// Those of them that are no points.
    pub(crate) left_out: u64,
}

impl Tally {
    /// The slots in which there are not as many rows as were taken, the newest last.
    pub(crate) fn differing(&self, counts: &[Count]) -> Vec<Count> {
        let differs = |count: &&Count| {
            let taken = self.runs.get(&count.run_id).and_then(|slots| slots.get(&count.slot));
            taken.is_none_or(|taken| taken.rows != count.rows)
        };
        let mut differing: Vec<Count> = counts.iter().filter(differs).cloned().collect();
        differing.sort_unstable_by_key(|count| count.slot);
        differing
    }

    /// All rows of a slot were taken, so many as there were.
    pub(crate) fn take(&mut self, run_id: &str, slot: i64, taken: Taken) {
        match self.runs.get_mut(run_id) {
            Some(slots) => drop(slots.insert(slot, taken)),
            None => drop(self.runs.insert(run_id.to_owned(), BTreeMap::from([(slot, taken)]))),
        }
    }

    /// Moves what was taken in slots before one into those of another tally, of which each is `wide` of these.
    pub(crate) fn pass(&mut self, before: i64, wide: i64, to: &mut Self) {
        for (run_id, slots) in &mut self.runs {
            let rest = slots.split_off(&before);
            for (slot, taken) in std::mem::replace(slots, rest) {
                let of_run = to.runs.entry(run_id.clone()).or_default();
                let sum = of_run.entry(slot.div_euclid(wide)).or_default();
                *sum = Taken { rows: sum.rows + taken.rows, left_out: sum.left_out + taken.left_out };
            }
        }
        self.runs.retain(|_, slots| !slots.is_empty());
    }

    /// Rows that are no points.
    pub(crate) fn left_out(&self) -> u64 {
        self.runs.values().flat_map(BTreeMap::values).map(|taken| taken.left_out).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(slot: i64, rows: u64) -> Count {
        Count { run_id: "fox".into(), slot, rows, start_ms: 0, last_ms: 0, latest_step: 0 }
    }

    #[test]
    fn what_is_missing_is_what_was_not_taken_as_it_is_now() {
        let (mut recent, mut past) = (Tally::default(), Tally::default());
        let counts = [count(1_799, 3), count(1_200, 5), count(1_800, 1)];
        assert_eq!(
            recent.differing(&counts).iter().map(|count| count.slot).collect::<Vec<_>>(),
            [1_200, 1_799, 1_800]
        );
        for Count { run_id, slot, rows, .. } in &counts {
            recent.take(run_id, *slot, Taken { rows: *rows, left_out: 1 });
        }
        assert_eq!(recent.differing(&counts), []);
        // One came late, and the rest is of ten minutes now.
        recent.pass(1_800, 600, &mut past);
        assert_eq!(past.differing(&[count(2, 8)]), []);
        assert_eq!(past.differing(&[count(2, 9)]), [count(2, 9)]);
        assert_eq!(recent.differing(&[count(1_800, 1)]), []);
        assert_eq!((recent.left_out(), past.left_out()), (1, 2));
    }
}
