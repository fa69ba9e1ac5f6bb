use std::collections::BTreeMap;

use crate::{dictionary::Dictionary, validation::Validation};

/// Where windows are from: one entry a window in each column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Episode of every window.
    pub episodes: Dictionary,
    /// Host of every window.
    pub hosts: Dictionary,
    /// Profile of every window.
    pub profiles: Dictionary,
    /// Place of every window in its episode, from 0, where the file says it.
    pub window_idx: Option<Vec<u32>>,
}

/// A host and why it is the busiest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busiest {
    /// The host with the most episodes that count; the first by name of equal ones.
    pub host: String,
    /// How many it has.
    pub episodes: usize,
    /// Whether only accepted ones count. All do where none is accepted, or nobody said so.
    pub accepted: bool,
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
            window_idx: self
                .window_idx
                .as_ref()
                .map(|all| rows.iter().map(|&row| all[row as usize]).collect()),
        }
    }

    /// The host with the most accepted episodes; if there is none, with the most that are used. An
    /// episode is of the host of its first window. `None` if no episode is used.
    pub fn busiest_host(&self, validation: Option<&Validation>) -> Option<Busiest> {
        let most = |accepted: bool, counts: &dyn Fn(&str) -> bool| {
            let mut episodes_of: BTreeMap<&str, usize> = BTreeMap::new();
            for row in self.episodes.first_rows() {
                if counts(self.episodes.name(row)) {
                    *episodes_of.entry(self.hosts.name(row)).or_default() += 1;
                }
            }
            let most = episodes_of.values().copied().max()?;
            let (host, episodes) = episodes_of.into_iter().find(|&(_, episodes)| episodes == most)?;
            Some(Busiest { host: host.to_owned(), episodes, accepted })
        };
        match validation {
            None => most(false, &|_| true),
            Some(validation) => most(true, &|episode| validation.accepts(episode))
                .or_else(|| most(false, &|episode| validation.uses(episode))),
        }
    }
}
