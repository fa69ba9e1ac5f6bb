use std::cmp::Reverse;
use std::thread;

use events::{Kind, Name, Retention};
use futures_util::{StreamExt, TryStreamExt, stream};
use runs::{POINTS_PER_BUCKET, Query, Store, StoreError};

use crate::Hub;

/// Brings the series of kept runs into a hub that has just been opened, before anybody is served: the hub's own file holds none.
///
/// # Errors
/// The runs cannot be read.
pub async fn recall(hub: &Hub, store: &dyn Store) -> Result<(), StoreError> {
    let mut runs: Vec<_> = store.runs().await?.into_iter().collect();
    // The newest first, as long as there is room.
    runs.sort_by_key(|(_, span)| Reverse(span.last_ms));
    let Some(Retention { per_group: buckets, groups: most, .. }) = Kind::MetricPoints.retention() else {
        return Ok(());
    };
    let history = async |run_id: &str| {
        let history = store.history(Query::all(run_id, buckets * POINTS_PER_BUCKET)).await?;
        Ok((run_id.to_owned(), history.unwrap_or_default()))
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut histories = stream::iter(&runs).map(|(run_id, _)| history(run_id)).buffered(cores);
    let mut series = Vec::new();
    while series.len() < most
        && let Some((run_id, history)) = histories.try_next().await?
    {
        // What is kept was published: it has names.
        let named =
            |(metric, points)| Some((Name::new(run_id.clone()).ok()?, Name::new(metric).ok()?, points));
        series.extend(history.into_iter().filter_map(named).take(most - series.len()));
    }
    // Those that were quiet longest come first: they are the first to go.
    series.reverse();
    hub.recall(&series);
    Ok(())
}
