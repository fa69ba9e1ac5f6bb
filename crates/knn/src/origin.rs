use std::collections::BTreeMap;

use crate::dictionary::Dictionary;

/// Where windows are from: one entry a window in each column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Episode of every window.
    pub episodes: Dictionary,
    /// Host of every window.
    pub hosts: Dictionary,
    /// Profile of every window.
    pub profiles: Dictionary,
}

impl Origin {
    /// Number of windows.
    pub fn rows(&self) -> usize {
        self.episodes.codes().len()
    }

    /// These windows only, in this order.
    pub fn select(&self, rows: &[u32]) -> Self {
        Self {
            episodes: self.episodes.select(rows),
            hosts: self.hosts.select(rows),
            profiles: self.profiles.select(rows),
        }
    }

    /// The first window of every episode, in episode order.
    pub(crate) fn first_windows(&self) -> Vec<usize> {
        let mut first = vec![None; self.episodes.names().len()];
        for (row, &episode) in self.episodes.codes().iter().enumerate() {
            first[episode as usize].get_or_insert(row);
        }
        // Every name of a dictionary has a row.
        first.into_iter().flatten().collect()
    }

    /// The host with the most episodes that `counts`, and how many; the first by name of equal ones.
    /// `None` if no episode counts. An episode is of the host of its first window.
    pub fn busiest_host(&self, counts: impl Fn(&str) -> bool) -> Option<(String, usize)> {
        let mut episodes_of: BTreeMap<&str, usize> = BTreeMap::new();
        for row in self.first_windows() {
            if counts(self.episodes.name(row)) {
                *episodes_of.entry(self.hosts.name(row)).or_default() += 1;
            }
        }
        let most = episodes_of.values().copied().max()?;
        episodes_of
            .into_iter()
            .find(|&(_, count)| count == most)
            .map(|(host, count)| (host.to_owned(), count))
    }
}
