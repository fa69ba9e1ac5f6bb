use std::fmt::{self, Write};
use std::hash::Hash;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use bytes::Bytes;
use events::Kind;
use http::StatusCode;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::Hub;
use crate::ledger::{Ledger, Totals};

/// What is counted while it happens.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    publishes: Family<Publish, Counter>,
    /// By outcome and type.
    events: [Vec<Counter>; 3],
    publish: Histogram,
    write: Histogram,
}

/// A publish that is under way. It is counted when this is dropped, whether somebody waits for it then or not.
pub(crate) struct Publishing<'a> {
    metrics: &'a Metrics,
    whole: Option<Instant>,
    publish: Publish,
}

/// What a publish is answered whose client went before.
const GONE: u16 = 499;

/// What became of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// Its events are in the order.
    Applied,
    /// They were before: it was answered as then.
    Repeated,
    /// Nothing of it was taken, or it is not known to be on disk.
    Refused,
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(match self {
            Self::Applied => "applied",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Publish {
    outcome: Outcome,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Event {
    r#type: &'static str,
    outcome: Outcome,
}

const PREFIX: &str = "vitrine";

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The broadcaster that runs", version);

        let publishes = Family::<Publish, Counter>::default();
        registry.register(
            "publishes",
            "Publishes, by what became of them and how they were answered",
            publishes.clone(),
        );
        let family = Family::<Event, Counter>::default();
        let events = [Outcome::Applied, Outcome::Repeated, Outcome::Refused].map(|outcome| {
            let of = |kind: &Kind| family.get_or_create_owned(&Event { r#type: kind.name(), outcome });
            Kind::ALL.iter().map(of).collect()
        });
        registry.register("events", "Events of publishes that could be read, by what became of them", family);

        // From 50 us to 26 s, in doublings.
        let seconds = || Histogram::new(exponential_buckets(50e-6, 2.0, 20));
        let (publish, write) = (seconds(), seconds());
        let help = "From a publish that is whole to its answer";
        registry.register_with_unit("publish", help, Unit::Seconds, publish.clone());
        let help = "Writes of the state to disk, to the end of their fsync";
        registry.register_with_unit("write", help, Unit::Seconds, write.clone());
        Self { registry, publishes, events, publish, write }
    }
}

impl Metrics {
    /// A publish comes.
    pub(crate) fn publishing(&self) -> Publishing<'_> {
        Publishing {
            metrics: self,
            whole: None,
            publish: Publish { outcome: Outcome::Refused, status: GONE },
        }
    }

    /// Events came.
    pub(crate) fn events(&self, outcome: Outcome, kinds: impl Iterator<Item = Kind>) {
        let mut counts = [0; Kind::ALL.len()];
        kinds.for_each(|kind| counts[kind as usize] += 1);
        for (counter, count) in self.events[outcome as usize].iter().zip(counts) {
            if count > 0 {
                counter.inc_by(count);
            }
        }
    }

    /// The state was written.
    pub(crate) fn wrote(&self, took: Duration) {
        self.write.observe(took.as_secs_f64());
    }

    /// Everything, in the text that Prometheus reads; with a row for every client if asked for.
    pub(crate) fn text(&self, hub: &Hub, clients: bool) -> Bytes {
        let mut text = String::new();
        let encoded = [&self.registry, &held(hub), &sent(hub, clients)]
            .into_iter()
            .try_for_each(|registry| encode_registry(&mut text, registry))
            .and_then(|()| encode_eof(&mut text));
        debug_assert!(encoded.is_ok(), "a String takes everything");
        text.into()
    }
}

impl Publishing<'_> {
    /// It is whole: what is done for it begins.
    pub(crate) fn begins(&mut self) {
        self.whole = Some(Instant::now());
    }

    pub(crate) fn became(&mut self, outcome: Outcome) {
        self.publish.outcome = outcome;
    }

    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.publish.status = status.as_u16();
    }
}

impl Drop for Publishing<'_> {
    fn drop(&mut self) {
        self.metrics.publishes.get_or_create(&self.publish).inc();
        if let Some(whole) = self.whole {
            self.metrics.publish.observe(whole.elapsed().as_secs_f64());
        }
    }
}

/// What the hub holds.
fn held(hub: &Hub) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    let state = hub.state();
    let core = &state.core;
    let (log_events, log_bytes) = core.log_span();
    let sizes = Kind::ALL.iter().map(|kind| ([("type", kind.name())], core.size(*kind)));
    let (entries, bytes): (Vec<_>, Vec<_>) =
        sizes.map(|(of, size)| ((of, size.entries as u64), (of, size.bytes as u64))).unzip();
    let mut gauge = |name, help, value| registry.register(name, help, ConstGauge::new(value));
    gauge("seq", "The newest event", core.seq());
    gauge("log_events", "Events that the log holds", log_events as u64);
    gauge("log_bytes", "Their bytes", log_bytes as u64);
    gauge("packed_bytes", "Bytes of packed columns that are kept", state.snapshots.bytes() as u64);
    gauge("clients", "Pages that are connected", hub.clients() as u64);
    gauge("unwritten_events", "Events that are not on disk yet", hub.unwritten(core.seq()));
    gauge("refusing", "1 while no publishes are taken", hub.failure().is_some().into());
    drop(state);
    registry.register("sticky_entries", "What the state is made of", gauges(entries));
    registry.register("sticky_bytes", "Bytes of it", gauges(bytes));
    registry
}

/// What became of the events, for the readers.
fn sent(hub: &Hub, clients: bool) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    let (mut totals, ledgers) = hub.ledgers().read();
    // After the ledgers: none is ahead of it.
    let head = hub.head_seq();
    let (mut pending, mut unbalanced) = (0, 0);
    for (_, ledger) in &ledgers {
        totals.add(ledger);
        pending += ledger.pending(head);
        unbalanced += u64::from(!ledger.is_balanced());
    }
    let Totals { delivered, skipped, filtered } = totals;
    let mut counter = |name, help, value| registry.register(name, help, ConstCounter::new(value));
    counter("deliveries", "Events that were sent to clients that had the state before", delivered);
    counter(
        "skips",
        "Events that clients were too slow for: they were sent the latest state instead",
        skipped,
    );
    counter("filtered", "Events that clients did not ask for", filtered);
    let mut gauge = |name, help, value| registry.register(name, help, ConstGauge::new(value));
    gauge("pending", "Events that clients which have the state have not got yet", pending);
    gauge(
        "clients_unbalanced",
        "Clients of which published is not delivered + skipped + filtered + pending",
        unbalanced,
    );
    if clients {
        let mut column = |name, help, value: &dyn Fn(&Ledger) -> u64| {
            let rows = ledgers.iter().map(|(number, ledger)| ([("client", *number)], value(ledger)));
            registry.register(name, help, gauges(rows));
        };
        column("client_published", "Events since the client first had the state", &|of| of.published(head));
        column("client_delivered", "Of these, sent to it as they came", &|of| of.delivered);
        column("client_skipped", "Of these, replaced by the latest state", &|of| of.skipped);
        column("client_filtered", "Of these, not asked for", &|of| of.filtered);
        column("client_pending", "Of these, not sent to it yet", &|of| of.pending(head));
    }
    registry
}

fn gauges<L>(rows: impl IntoIterator<Item = (L, u64)>) -> Family<L, Gauge<u64, AtomicU64>>
where
    L: Clone + Eq + Hash,
{
    let family = Family::<L, Gauge<u64, AtomicU64>>::default();
    for (label, value) in rows {
        family.get_or_create(&label).set(value);
    }
    family
}
