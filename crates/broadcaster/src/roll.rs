use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use events::{Batch, Event, Format, Item, Kind, RunMeta, RunsMeta, decode};
use runs::{Span, Store, is_active_now};

use crate::history::now_ms;
use crate::server::Stopping;
use crate::{Filter, Hub};

/// Between two looks at which runs there are.
const LOOK: Duration = Duration::from_secs(1);
/// How long the progress of runs that are known may stay unsaid.
const PROGRESS: Duration = Duration::from_secs(10);

/// Says which runs there are, and which of them are active: whenever that changes, and how far they are from time to time.
///
/// A producer may say it as well, of runs whose points it does not publish: what it said stays, and what is known here is added.
pub(crate) async fn call(hub: Hub, store: Arc<dyn Store>, mut stopping: Stopping) {
    let mut said = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stopping.wait() => return,
        }
        // What cannot be read is read at the next look; publishes say what is wrong.
        let Ok(spans) = store.runs().await else { continue };
        if spans.is_empty() {
            continue;
        }
        let (_, newest) = hub.sticky(Filter::of([Kind::RunsMeta]));
        let json = newest.first().map(|json| published(json)).unwrap_or_default();
        let batch = decode(Format::Json, json.as_bytes(), 1).unwrap_or_default();
        let known = match batch.items.first() {
            Some(Item { event: Event::RunsMeta(known), .. }) => &known.runs_meta[..],
            _ => &[],
        };
        let runs = merged(&spans, known, now_ms());
        let is_news = active(&runs) != active(known);
        if (is_news || said.elapsed() >= PROGRESS) && runs != known {
            let event = Event::RunsMeta(RunsMeta { runs_meta: runs });
            // Names, times and numbers: they serialize.
            let json = serde_json::to_string(&event).unwrap_or_default();
            let batch = Batch { items: vec![Item { event, json: json.into() }] };
            // If the state cannot be written, publishes say so.
            let _ = hub.publish(&batch, None, Instant::now()).await;
            said = Instant::now();
        }
    }
}

/// An event as it was published, before it had a seq.
fn published(json: &[u8]) -> String {
    let json = String::from_utf8_lossy(json);
    json.split_once(',').map(|(_, fields)| format!("{{{fields}")).unwrap_or_default()
}

/// The runs of both, by name.
fn merged<'a>(spans: &'a BTreeMap<String, Span>, known: &[RunMeta<'a>], now_ms: i64) -> Vec<RunMeta<'a>> {
    let own = spans.iter().filter_map(|(run, span)| span.meta(run, now_ms));
    let others = known.iter().filter(|run| !spans.contains_key(run.run_id.as_str()));
    let others = others.map(|run| RunMeta { is_active: is_active_now(run, now_ms), ..run.clone() });
    let runs: BTreeMap<String, RunMeta<'a>> =
        own.chain(others).map(|run| (run.run_id.to_string(), run)).collect();
    runs.into_values().collect()
}

fn active<'a>(runs: &'a [RunMeta<'_>]) -> Vec<(&'a str, bool)> {
    runs.iter().map(|run| (run.run_id.as_str(), run.is_active)).collect()
}
