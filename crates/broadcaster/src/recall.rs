use std::time::Instant;

use events::{Batch, Event, Item, Kind, MetricPoints, Name, Real};
use runs::{POINTS_PER_BUCKET, Point, Query, Store, StoreError};

use crate::Hub;

/// Brings the series of kept runs into a hub that has just been opened, before anybody is served: the hub's own file holds none.
///
/// # Errors
/// The runs cannot be read.
pub async fn recall(hub: &Hub, store: &dyn Store) -> Result<(), StoreError> {
    let runs = store.runs().await?;
    // What a page holds of before may be of a series that is among the rest.
    hub.forget_series();
    let buckets = Kind::MetricPoints.retention().map_or(0, |retention| retention.per_group);
    let mut by_age: Vec<_> = runs.into_iter().collect();
    // Those that were quiet longest first: they are what is dropped of too many.
    by_age.sort_by_key(|(_, span)| span.last_ms);
    for (run_id, _) in by_age {
        let history = store.history(Query::all(&*run_id, buckets * POINTS_PER_BUCKET)).await?;
        let history = history.unwrap_or_default();
        let items = history.iter().filter_map(|(metric, points)| item(&run_id, metric, points));
        let batch = Batch { items: items.collect() };
        // If the state cannot be written, publishes say so; what is in memory is whole.
        let _ = hub.publish(&batch, None, Instant::now()).await;
    }
    Ok(())
}

/// An event of points that were events before.
fn item<'a>(run_id: &'a str, metric: &'a str, points: &[Point]) -> Option<Item<'a>> {
    let point = |point: &Point| {
        Some(events::Point(point.step, Real::new(point.value).ok()?, Real::new(point.unix_s()).ok()?))
    };
    let event = Event::MetricPoints(MetricPoints {
        run_id: Name::new(run_id).ok()?,
        metric: Name::new(metric).ok()?,
        points: points.iter().map(point).collect::<Option<_>>()?,
        host: None,
        rank: None,
        device: None,
        unit: None,
    });
    let json = serde_json::to_string(&event).ok()?;
    Some(Item { event, json: json.into() })
}
