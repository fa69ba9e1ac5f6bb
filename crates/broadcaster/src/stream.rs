use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use events::Kind;
use http::Response;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::budget::Budget;
use crate::reader::{Portion, Reader};
use crate::server::Stopping;
use crate::sse::{self, Chunks};
use crate::{Filter, Frame, Hub};

/// `GET /stream`: training runs as the dashboard before Vitrine reads them. A `snapshot` of everything, then a `delta` of the points
/// that came, and `runs_meta` whenever it changes. `version` is the seq of the newest event in it.
pub(crate) fn stream(
    hub: &Hub,
    answers: &Arc<Budget>,
    heartbeat: Duration,
    stopping: Stopping,
) -> Response<Chunks> {
    let (sender, response) = sse::response();
    tokio::spawn(run(hub.clone(), answers.clone(), sender, heartbeat, stopping));
    response
}

/// What is read of an event.
#[derive(Deserialize)]
struct Points<'a> {
    #[serde(borrow)]
    run_id: Cow<'a, str>,
    #[serde(borrow)]
    metric: Cow<'a, str>,
    #[serde(borrow)]
    points: &'a RawValue,
}

#[derive(Deserialize)]
struct Runs<'a> {
    #[serde(borrow)]
    runs_meta: &'a RawValue,
}

/// Events that are sent together.
#[derive(Default)]
struct Gathered {
    /// Lists of points, by run and metric.
    series: BTreeMap<String, BTreeMap<String, Vec<Bytes>>>,
    runs_meta: Option<Bytes>,
    version: u64,
}

/// Ends when the client is gone or the broadcaster stops. A slow client holds this task up, and nothing else: one that falls
/// off the log is sent a snapshot again.
async fn run(
    hub: Hub,
    answers: Arc<Budget>,
    sender: mpsc::Sender<Bytes>,
    heartbeat: Duration,
    mut stopping: Stopping,
) {
    if sender.send(sse::opening()).await.is_err() {
        return;
    }
    let filter = Filter::of([Kind::MetricPoints, Kind::RunsMeta]);
    loop {
        let mut reader = Reader::join(&hub, None, filter);
        let (mut gathered, mut is_live) = (Gathered::default(), false);
        loop {
            let portion = tokio::select! {
                portion = reader.next() => portion,
                () = tokio::time::sleep(heartbeat) => {
                    if sender.send(Bytes::from_static(b":\n\n")).await.is_err() {
                        return;
                    }
                    continue;
                }
                () = sender.closed() => return,
                () = stopping.wait() => return,
            };
            let Portion { frames, .. } = portion;
            let skips = frames.iter().any(|frame| says(frame, "skipped"));
            if skips {
                break;
            }
            let is_ready = frames.iter().any(|frame| says(frame, "ready"));
            frames.iter().for_each(|frame| gathered.add(frame));
            if !is_live && !is_ready {
                tokio::task::yield_now().await;
                continue;
            }
            let text = std::mem::take(&mut gathered).text(!is_live);
            is_live = true;
            if text.is_empty() {
                continue;
            }
            // While others have not taken theirs, this one comes back.
            let Ok(text) = answers.hold(text) else { return };
            tokio::select! {
                sent = sender.send(text) => if sent.is_err() { return },
                () = stopping.wait() => return,
            }
        }
    }
}

/// Whether it is a message about the connection, of this type.
fn says(frame: &Frame, name: &str) -> bool {
    frame.kind().is_none() && frame.json().starts_with(format!("{{\"type\":\"{name}\"").as_bytes())
}

impl Gathered {
    fn add(&mut self, frame: &Frame) {
        self.version = frame.seq().unwrap_or(self.version).max(self.version);
        let shared = |raw: &RawValue| frame.websocket().slice_ref(raw.get().as_bytes());
        match frame.kind() {
            // What the hub drops, a page of this kind keeps: it has no word for it.
            Some(Kind::MetricPoints) if !frame.evicts() => {
                let Ok(Points { run_id, metric, points }) = serde_json::from_slice(frame.json()) else {
                    return;
                };
                let run = self.series.entry(run_id.into_owned()).or_default();
                run.entry(metric.into_owned()).or_default().push(shared(points));
            }
            Some(Kind::RunsMeta) => {
                let Ok(Runs { runs_meta }) = serde_json::from_slice(frame.json()) else { return };
                self.runs_meta = Some(shared(runs_meta));
            }
            _ => {}
        }
    }

    fn text(self, is_snapshot: bool) -> Bytes {
        let Self { series, runs_meta, version } = self;
        let size: usize = series.values().flat_map(BTreeMap::values).flatten().map(Bytes::len).sum();
        let mut out = BytesMut::with_capacity(size + size / 8 + 256);
        if is_snapshot || !series.is_empty() {
            out.put_slice(if is_snapshot { b"event: snapshot\n" } else { b"event: delta\n" });
            out.put_slice(format!("data: {{\"version\":{version},\"runs\":{{").as_bytes());
            separated(&mut out, series, |out, run| {
                out.put_u8(b'{');
                separated(out, run, |out, lists| {
                    out.put_u8(b'[');
                    for (number, list) in lists.iter().enumerate() {
                        out.put_slice(if number > 0 { b"," } else { b"" });
                        // Without its brackets.
                        out.put_slice(&list[1..list.len() - 1]);
                    }
                    out.put_u8(b']');
                });
                out.put_u8(b'}');
            });
            out.put_u8(b'}');
            if is_snapshot {
                out.put_slice(b",\"runs_meta\":");
                out.put_slice(runs_meta.as_deref().unwrap_or(b"[]"));
            }
            out.put_slice(b"}\n\n");
        }
        if let Some(runs_meta) = runs_meta.filter(|_| !is_snapshot) {
            out.put_slice(b"event: runs_meta\ndata: {\"runs_meta\":");
            out.put_slice(&runs_meta);
            out.put_slice(b"}\n\n");
        }
        out.freeze()
    }
}

/// The members of an object.
fn separated<T>(out: &mut BytesMut, members: BTreeMap<String, T>, mut put: impl FnMut(&mut BytesMut, T)) {
    for (number, (name, value)) in members.into_iter().enumerate() {
        out.put_slice(if number > 0 { b"," } else { b"" });
        // A string: it serializes.
        out.put_slice(serde_json::to_string(&name).unwrap_or_default().as_bytes());
        out.put_u8(b':');
        put(out, value);
    }
}
