use std::time::{Duration, Instant};

use events::{BatchUpdate, Event, Kind, Loss, TILES, Tile, Tiles};
use serde::Deserialize;
use serde_json::Value;

use crate::{Filter, Hub};

/// A training of which nothing was taken for so long is over: the next may begin with an iteration before its last.
const QUIET: Duration = Duration::from_secs(60);

/// How far a trainer came that shows its mini-batches.
#[derive(Debug, Default)]
pub(crate) struct Training {
    /// The newest iteration, and when it came.
    newest: Option<(u64, Instant)>,
    /// The seq of what was published of it.
    seq: u64,
    /// The newest tile set, whole or being gathered.
    tiles: Vec<Tile<'static>>,
}

impl Training {
    /// Where the one is that a hub shows.
    pub(crate) fn of(hub: &Hub, now: Instant) -> Self {
        let mut training = Self::default();
        // In the order in which they came: the last are of the newest training.
        for event in hub.sticky(Filter::of([Kind::Tiles, Kind::Loss])).1 {
            // The hub checked it when it took it.
            let Ok(mut event) = serde_json::from_slice::<Value>(&event) else { continue };
            let iteration = event["iteration"].as_u64();
            if iteration < training.newest.map(|(newest, _)| newest) {
                training.tiles.clear();
            }
            training.newest = iteration.map(|newest| (newest, now));
            training.seq = event["seq"].as_u64().unwrap_or_default();
            if let Ok(tiles) = Vec::<Tile<'static>>::deserialize(event["tiles"].take()) {
                training.tiles = tiles;
            }
        }
        training
    }

    /// Whether an iteration came before, or is older than the newest.
    pub(crate) fn has_passed(&self, iteration: u64, now: Instant) -> bool {
        self.newest.is_some_and(|(newest, came)| {
            iteration == newest || (iteration < newest && now.duration_since(came) < QUIET)
        })
    }

    /// The seq of what was published of the newest iteration.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// Whether its tile set is whole.
    pub(crate) fn is_ready(&self) -> bool {
        self.tiles.len() == TILES
    }

    /// The tile set after an update, and what is published of it. A set that lacks some takes as many as it lacks,
    /// from the whole mini-batch; a mini-batch of a whole set begins a new one, and so does the next training.
    pub(crate) fn after(&self, update: BatchUpdate<'static>) -> (Vec<Tile<'static>>, Vec<Event<'static>>) {
        let BatchUpdate { iteration, loss, batch_size, delay_ms, samples } = update;
        let mut events = vec![Event::Loss(Loss { iteration, loss, batch_size, delay_ms })];
        let is_next = self.newest.is_some_and(|(newest, _)| iteration < newest);
        let begins_anew = self.is_ready() || samples.len() >= TILES;
        let mut tiles =
            if is_next || begins_anew && !samples.is_empty() { vec![] } else { self.tiles.clone() };
        if !samples.is_empty() {
            tiles.extend(thinned(samples, TILES - tiles.len()));
            let (filled, ready) = (tiles.len() as u8, tiles.len() == TILES);
            events.push(Event::Tiles(Tiles { iteration, tiles: tiles.clone(), filled, ready }));
        }
        (tiles, events)
    }

    /// An update was published.
    pub(crate) fn came(&mut self, iteration: u64, tiles: Vec<Tile<'static>>, seq: u64, now: Instant) {
        *self = Self { newest: Some((iteration, now)), seq, tiles };
    }
}

/// So many of them at most, evenly spread.
fn thinned<T>(all: Vec<T>, most: usize) -> impl Iterator<Item = T> {
    let (count, kept) = (all.len(), all.len().min(most));
    // The n-th that is kept is the first with n / kept of all before it.
    all.into_iter().enumerate().filter(move |(place, _)| (place * kept) % count < kept).map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use events::{Batch, Item};
    use proptest::prelude::*;

    use super::*;
    use crate::{Epoch, LogLimits};

    fn update(iteration: u64, samples: usize) -> BatchUpdate<'static> {
        let sample = r#"{"sample_id":1,"prediction":2,"ground_truth":2,"confidence":1,"image_b64":""}"#;
        let samples = vec![sample; samples].join(",");
        let body = format!(r#"{{"iteration":{iteration},"loss":1,"batch_size":9,"samples":[{samples}]}}"#);
        BatchUpdate::decode(body.as_bytes()).unwrap().into_owned()
    }

    #[test]
    fn the_next_training_may_begin_where_the_last_one_did() {
        let start = Instant::now();
        let mut first = Training::default();
        first.came(5_000, vec![], 1, start);
        first.came(5_001, vec![], 2, start + QUIET / 2);
        assert!(first.has_passed(0, start + QUIET));
        assert!(!first.has_passed(0, start + QUIET / 2 + QUIET));
        // What nobody answered may be sent again much later.
        assert!(first.has_passed(5_001, start + 100 * QUIET));
    }

    #[test]
    fn a_tile_set_is_of_one_training() {
        let mut training = Training::default();
        let (tiles, _) = training.after(update(100, 10));
        training.came(100, tiles, 1, Instant::now());
        assert_eq!(training.after(update(101, 5)).0.len(), 15);
        assert_eq!(training.after(update(1, 5)).0.len(), 5);
        // Also where the next shows pictures only now and then.
        let (tiles, _) = training.after(update(0, 0));
        training.came(0, tiles, 2, Instant::now());
        assert!(!training.is_ready());
        assert_eq!(training.after(update(1, 6)).0.len(), 6);
    }

    #[tokio::test]
    async fn a_tile_set_is_of_one_training_after_a_restart_as_well() {
        let hub = Hub::new(Epoch::random(), LogLimits::default());
        let mut training = Training::default();
        for (iteration, samples, tiles) in [(5_000, 10, 10), (5_001, 0, 10), (0, 0, 0), (1, 6, 6)] {
            let (after, events) = training.after(update(iteration, samples));
            let item = |event: Event<'static>| {
                let json = serde_json::to_string(&event).unwrap().into();
                Item { event, json }
            };
            let batch = Batch { items: events.into_iter().map(item).collect() };
            hub.publish(&batch, None, Instant::now()).await.unwrap();
            training.came(iteration, after, hub.head_seq(), Instant::now());
            assert_eq!(training.tiles.len(), tiles, "{iteration}");
            assert_eq!(Training::of(&hub, Instant::now()).tiles.len(), tiles, "{iteration}, after a restart");
        }
    }

    proptest! {
        #[test]
        fn what_is_thinned_is_spread_evenly(count in 1..200_usize, most in 1..20_usize) {
            let kept: Vec<usize> = thinned((0..count).collect(), most).collect();
            prop_assert_eq!(kept.len(), count.min(most));
            prop_assert_eq!(kept[0], 0);
            let gaps: Vec<usize> = kept.windows(2).map(|pair| pair[1] - pair[0]).chain([count - kept[kept.len() - 1]]).collect();
            prop_assert!(gaps.iter().max().unwrap() - gaps.iter().min().unwrap() <= 1, "{kept:?}");
        }
    }
}
