use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use events::{Batch, Event, Format, Item, Kind, RunMeta, RunsMeta, Text, decode};
use runs::{Span, Store, StoreError};

use crate::history::now_ms;
use crate::server::Stopping;
use crate::{Filter, Hub};

/// Between two looks at which runs there are.
const LOOK: Duration = Duration::from_secs(1);
/// How long the progress of runs that are known may stay unsaid.
const PROGRESS: Duration = Duration::from_secs(10);
/// What keeps runs from being read begins so where it is the store of this broadcaster.
const OWN: &str = "the runs store: ";

/// Says which runs there are, and which of them are active: whenever that changes, and how far they are from time to time; and what keeps them from
/// being read.
///
/// A producer may say it as well, of runs whose points it does not publish, or not yet: what it said stays, and what is known here is added.
pub(crate) async fn call(hub: Hub, store: Arc<dyn Store>, mut stopping: Stopping) {
    let mut said = Instant::now();
    let mut spans = BTreeMap::new();
    let mut runs = BTreeMap::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stopping.wait() => return,
        }
        let trouble = match store.runs().await {
            Ok(known) => {
                spans = known;
                None
            }
            Err(error) => text(&error),
        };
        let (_, newest) = hub.sticky(Filter::of([Kind::RunsMeta]));
        let json = newest.first().map(|json| published(json)).unwrap_or_default();
        let batch = decode(Format::Json, json.as_bytes(), 1).unwrap_or_default();
        let none = RunsMeta { runs_meta: vec![], trouble: None };
        let known = match batch.items.first() {
            Some(Item { event: Event::RunsMeta(known), .. }) => known,
            _ => &none,
        };
        let of_others = known.trouble.clone().filter(|trouble| !trouble.starts_with(OWN));
        let mut all = joined(&spans, &known.runs_meta);
        if known.trouble.is_some() {
            // Who cannot read runs does not know that they are gone.
            for (run, span) in std::mem::take(&mut runs) {
                all.entry(run).or_insert(span);
            }
        }
        runs = all;
        let now = now_ms();
        let runs_meta = runs.iter().filter_map(|(run, span)| span.meta(run, now)).collect();
        let next = RunsMeta { runs_meta, trouble: trouble.or(of_others) };
        let is_news = next.trouble != known.trouble || active(&next.runs_meta) != active(&known.runs_meta);
        if (is_news || said.elapsed() >= PROGRESS) && next != *known {
            let event = Event::RunsMeta(next);
            // Names, times and numbers: they serialize.
            let json = serde_json::to_string(&event).unwrap_or_default();
            let batch = Batch { items: vec![Item { event, json: json.into() }] };
            // If the state cannot be written, publishes say so.
            let _ = hub.publish(&batch, None, Instant::now()).await;
            said = Instant::now();
        }
    }
}

/// As much of an error as fits.
fn text(error: &StoreError) -> Option<Text<'static>> {
    Text::new(format!("{OWN}{error}").chars().take(1_000).collect::<String>()).ok()
}

/// An event as it was published, before it had a seq.
fn published(json: &[u8]) -> String {
    let json = String::from_utf8_lossy(json);
    json.split_once(',').map(|(_, fields)| format!("{{{fields}")).unwrap_or_default()
}

/// The runs of both, by name.
fn joined(spans: &BTreeMap<String, Span>, known: &[RunMeta<'_>]) -> BTreeMap<String, Span> {
    let mut runs = spans.clone();
    for run in known {
        let Some(span) = Span::said(run) else { continue };
        runs.entry(run.run_id.to_string()).and_modify(|own| own.join(&span)).or_insert(span);
    }
    runs
}

fn active<'a>(runs: &'a [RunMeta<'_>]) -> Vec<(&'a str, bool)> {
    runs.iter().map(|run| (run.run_id.as_str(), run.is_active)).collect()
}
