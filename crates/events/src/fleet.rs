use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::{Name, Phase, Real, Text, Timestamp};

/// How many episodes a [`Snapshot`] names.
pub const RECENT_EPISODES: usize = 200;

/// An episode was received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Episode<'a> {
    /// Its id.
    #[serde(borrow)]
    pub episode_id: Name<'a>,
    /// The host that it was recorded on.
    #[serde(borrow)]
    pub host_id: Name<'a>,
    /// Checksum of its file.
    #[serde(borrow)]
    pub sha256: Name<'a>,
    /// Size of its file.
    pub size_bytes: u64,
    /// When it was received.
    #[serde(borrow)]
    pub received_at: Timestamp<'a>,
    /// Byte offset of its line in `index.jsonl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// Something is wrong with a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Alert<'a> {
    /// The host.
    #[serde(borrow)]
    pub host: Name<'a>,
    /// What is wrong.
    #[serde(borrow)]
    pub symptom: Text<'a>,
    /// What was seen.
    #[serde(borrow)]
    pub detail: Text<'a>,
    /// What to do.
    #[serde(borrow)]
    pub suggested_fix: Text<'a>,
    /// When it was seen.
    #[serde(borrow)]
    pub detected_at: Timestamp<'a>,
    /// Alerts with the same key are one alert.
    #[serde(borrow)]
    pub dedup_key: Name<'a>,
}

/// What a receiver holds: the totals and the newest episodes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Snapshot<'a> {
    /// Episodes received.
    pub total_episodes: u64,
    /// Alerts raised.
    pub total_alerts: u64,
    /// Bytes of episodes.
    pub total_bytes: u64,
    /// Episodes by host.
    #[serde(borrow)]
    pub host_counts: BTreeMap<Name<'a>, u64>,
    /// The newest episodes, newest first, at most [`RECENT_EPISODES`].
    #[serde(borrow)]
    #[cfg_attr(feature = "schema", schemars(length(max = 200)))]
    pub recent_episodes: VecDeque<RecentEpisode<'a>>,
    /// How far `index.jsonl` was read, in bytes: episodes below this offset are counted here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_offset: Option<u64>,
}

/// An episode in a [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RecentEpisode<'a> {
    /// Its id.
    #[serde(borrow)]
    pub episode_id: Name<'a>,
    /// The host that it was recorded on.
    #[serde(borrow)]
    pub host_id: Name<'a>,
    /// Checksum of its file.
    #[serde(borrow)]
    pub sha256: Name<'a>,
    /// Size of its file.
    pub size_bytes: u64,
    /// When it was received.
    #[serde(borrow)]
    pub received_at: Timestamp<'a>,
}

/// How much of the recorded time each phase takes, estimated from a sample of episodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PhaseMix {
    /// Labels by phase.
    pub counts: BTreeMap<Phase, u64>,
    /// Seconds by phase, scaled from the sample to the population.
    pub weighted_seconds: BTreeMap<Phase, Real>,
    /// Episodes that were read.
    pub sampled_episodes: u64,
    /// Episodes that there are.
    pub population_episodes: u64,
    /// Labels that were read.
    pub total_labels: u64,
}

impl Snapshot<'static> {
    /// Counts an episode in. One that `index_offset` says is counted already changes nothing, so that it may come again;
    /// returns whether anything changed.
    pub fn fold(&mut self, episode: &Episode<'_>) -> bool {
        if episode.offset.zip(self.index_offset).is_some_and(|(line, read)| line < read) {
            return false;
        }
        self.count(episode);
        let of_host = self.host_counts.entry(episode.host_id.clone().into_owned()).or_default();
        *of_host = of_host.saturating_add(1);
        self.recent_episodes.push_front(RecentEpisode::of(episode));
        self.recent_episodes.truncate(RECENT_EPISODES);
        true
    }

    /// What episodes add up to, oldest first: as if each was folded into nothing, and faster.
    pub fn of<'e>(episodes: impl Iterator<Item = Episode<'e>>) -> Self {
        let (mut all, mut recent) = (Self::default(), VecDeque::with_capacity(RECENT_EPISODES));
        let mut host_counts: HashMap<Name<'static>, u64> = HashMap::new();
        for episode in episodes {
            all.count(&episode);
            match host_counts.get_mut(episode.host_id.as_str()) {
                Some(of_host) => *of_host = of_host.saturating_add(1),
                None => drop(host_counts.insert(episode.host_id.clone().into_owned(), 1)),
            }
            if recent.len() == RECENT_EPISODES {
                recent.pop_back();
            }
            recent.push_front(episode);
        }
        all.host_counts = host_counts.into_iter().collect();
        all.recent_episodes = recent.iter().map(RecentEpisode::of).collect();
        all
    }

    /// Counts in what the episodes after these add up to.
    pub fn merge(&mut self, mut later: Self) {
        self.total_episodes = self.total_episodes.saturating_add(later.total_episodes);
        self.total_alerts = self.total_alerts.saturating_add(later.total_alerts);
        self.total_bytes = self.total_bytes.saturating_add(later.total_bytes);
        for (host, more) in later.host_counts {
            let of_host = self.host_counts.entry(host).or_default();
            *of_host = of_host.saturating_add(more);
        }
        later.recent_episodes.append(&mut self.recent_episodes);
        later.recent_episodes.truncate(RECENT_EPISODES);
        self.recent_episodes = later.recent_episodes;
        self.index_offset = later.index_offset.or(self.index_offset);
    }

    fn count(&mut self, episode: &Episode<'_>) {
        // Its line is longer than a byte: the next one begins after this.
        self.index_offset = episode.offset.map(|line| line.saturating_add(1)).or(self.index_offset);
        self.total_episodes = self.total_episodes.saturating_add(1);
        self.total_bytes = self.total_bytes.saturating_add(episode.size_bytes);
    }
}

impl Snapshot<'_> {
    /// The same snapshot, borrowing nothing.
    pub fn into_owned(self) -> Snapshot<'static> {
        Snapshot {
            total_episodes: self.total_episodes,
            total_alerts: self.total_alerts,
            total_bytes: self.total_bytes,
            host_counts: self
                .host_counts
                .into_iter()
                .map(|(host, count)| (host.into_owned(), count))
                .collect(),
            recent_episodes: self.recent_episodes.into_iter().map(RecentEpisode::into_owned).collect(),
            index_offset: self.index_offset,
        }
    }
}

impl RecentEpisode<'static> {
    fn of(episode: &Episode<'_>) -> Self {
        Self {
            episode_id: episode.episode_id.clone().into_owned(),
            host_id: episode.host_id.clone().into_owned(),
            sha256: episode.sha256.clone().into_owned(),
            size_bytes: episode.size_bytes,
            received_at: episode.received_at.clone().into_owned(),
        }
    }
}

impl RecentEpisode<'_> {
    fn into_owned(self) -> RecentEpisode<'static> {
        RecentEpisode {
            episode_id: self.episode_id.into_owned(),
            host_id: self.host_id.into_owned(),
            sha256: self.sha256.into_owned(),
            size_bytes: self.size_bytes,
            received_at: self.received_at.into_owned(),
        }
    }
}
