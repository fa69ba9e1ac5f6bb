use std::cmp::Reverse;
use std::thread;

use events::{Kind, Name, Retention};
use futures_util::{StreamExt, TryStreamExt, stream};
use runs::{POINTS_PER_BUCKET, Query, Store, StoreError};

use crate::Hub;
use crate::series::Series;

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
    let run = async |run_id: &str| {
        let history = store.history(Query::all(run_id, buckets * POINTS_PER_BUCKET)).await?;
        let mut units = store.units(run_id).await?;
        // What is kept was published: it has a name.
        let (Some(history), Ok(run_id)) = (history, Name::new(run_id.to_owned())) else { return Ok(vec![]) };
        let drawn = tokio::task::spawn_blocking(move || {
            let of = |(metric, points): (String, Vec<_>)| {
                let unit = units.remove(&metric).and_then(|unit| Name::new(unit).ok());
                Some(Series::of([run_id.clone(), Name::new(metric).ok()?], unit, &points, buckets))
            };
            history.into_iter().filter_map(of).collect()
        });
        Ok(drawn.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())))
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut drawn = stream::iter(&runs).map(|(run_id, _)| run(run_id)).buffered(cores);
    let mut series = Vec::new();
    while series.len() < most
        && let Some(of_run) = drawn.try_next().await?
    {
        series.extend(of_run.into_iter().take(most - series.len()));
    }
    // Those that were quiet longest come first: they are the first to go.
    series.reverse();
    hub.recall(series);
    Ok(())
}
