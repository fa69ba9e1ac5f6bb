use bytes::{BufMut, Bytes, BytesMut};
use events::Kind;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::json;

use crate::budget::Budget;
use crate::problem::Problem;
use crate::{Filter, Hub};

/// `GET /state`: the sticky events as JSON, in seq order, for curl and scripts.
pub(crate) fn state(
    hub: &Hub,
    filter: Filter,
    headers: &HeaderMap,
    answers: &Budget,
) -> Result<Response<Bytes>, Problem> {
    let etag = |seq| format!("\"{}-{seq}\"", hub.epoch().as_str());
    let newest = etag(hub.head_seq());
    if is_current(headers, &newest) {
        return Ok(not_modified(&newest));
    }
    let (cursor, events) = hub.sticky(filter);
    let mut body = BytesMut::with_capacity(events.iter().map(|event| event.len() + 1).sum::<usize>() + 64);
    body.put_slice(
        format!("{{\"epoch\":\"{}\",\"seq\":{},\"events\":[", cursor.epoch.as_str(), cursor.seq).as_bytes(),
    );
    for (n, event) in events.iter().enumerate() {
        body.put_slice(if n == 0 { b"\n" } else { b",\n" });
        body.put_slice(event);
    }
    body.put_slice(b"]}\n");
    let mut response = json_response(answers.hold(body.freeze())?);
    insert(&mut response, ETAG, &etag(cursor.seq));
    Ok(response)
}

/// `GET /state/{type}`.
pub(crate) fn state_of(
    hub: &Hub,
    name: &str,
    headers: &HeaderMap,
    answers: &Budget,
) -> Result<Response<Bytes>, Problem> {
    let kind = Kind::from_name(name).ok_or_else(|| Problem::NotFound(format!("no event type {name:?}")))?;
    state(hub, Filter::of([kind]), headers, answers)
}

/// `GET /healthz`: that it lives, and what it holds.
pub(crate) fn health(hub: &Hub) -> Response<Bytes> {
    let clients = hub.clients();
    let state = hub.state();
    let core = &state.core;
    let fleet = core.fleet();
    let entries: serde_json::Map<_, _> =
        Kind::ALL.iter().map(|kind| (kind.name().to_owned(), core.size(*kind).entries.into())).collect();
    let (log_events, log_bytes) = core.log_span();
    let failure = hub.failure();
    let health = json!({
        "status": failure.as_deref().unwrap_or("ok"),
        "version": env!("CARGO_PKG_VERSION"),
        "epoch": core.epoch().as_str(),
        "seq": core.seq(),
        "clients": clients,
        "log": { "events": log_events, "bytes": log_bytes },
        "sticky": {
            "host_counts": fleet.host_counts.len(),
            "phase_mix": core.size(Kind::PhaseMix).entries,
            "recent_episodes": fleet.recent_episodes.len(),
            "total_alerts": fleet.total_alerts,
            "total_bytes": fleet.total_bytes,
            "total_episodes": fleet.total_episodes,
        },
        "entries": entries,
    });
    drop(state);
    json_response(format!("{health}\n").into())
}

/// `GET /healthz` of somebody who may not look: that it lives.
pub(crate) fn alive() -> Response<Bytes> {
    json_response(Bytes::from_static(b"{\"status\":\"ok\"}\n"))
}

/// `GET /metrics`: what was counted, for Prometheus; with `?clients=1` a row for every client.
pub(crate) async fn metrics(
    hub: &Hub,
    query: Option<&str>,
    answers: &Budget,
) -> Result<Response<Bytes>, Problem> {
    let clients = match query {
        None | Some("") => false,
        Some("clients=1") => true,
        Some(other) => return Err(Problem::BadRequest(format!("expected ?clients=1, got {other:?}"))),
    };
    // Rows of all clients take a moment.
    let hub = hub.clone();
    let text = tokio::task::spawn_blocking(move || hub.metrics().text(&hub, clients)).await;
    let text = text.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    let mut response = Response::new(answers.hold(text)?);
    insert(&mut response, CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    insert(&mut response, CACHE_CONTROL, "no-cache");
    Ok(response)
}

/// `GET /snapshots/{id}`: packed embedding columns. The id is their checksum, so they never change.
/// Where anybody may look, caches may share them.
pub(crate) fn snapshot(
    hub: &Hub,
    id: &str,
    headers: &HeaderMap,
    is_open: bool,
) -> Result<Response<Bytes>, Problem> {
    let packed =
        hub.snapshot(id).ok_or_else(|| Problem::NotFound("no such snapshot: it was replaced".to_owned()))?;
    let etag = format!("\"{id}\"");
    if is_current(headers, &etag) {
        return Ok(not_modified(&etag));
    }
    let takes_gzip = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().eq_ignore_ascii_case("gzip"));
    let mut response = match &packed.gzip {
        Some(gzip) if takes_gzip => {
            let mut response = Response::new(gzip.clone());
            insert(&mut response, CONTENT_ENCODING, "gzip");
            response
        }
        _ => Response::new(packed.bytes.clone()),
    };
    insert(&mut response, CONTENT_TYPE, "application/octet-stream");
    let whose = if is_open { "public" } else { "private" };
    insert(&mut response, CACHE_CONTROL, &format!("{whose}, max-age=31536000, immutable"));
    insert(&mut response, VARY, "Accept-Encoding");
    insert(&mut response, ETAG, &etag);
    Ok(response)
}

pub(crate) fn json_response(body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    insert(&mut response, CONTENT_TYPE, "application/json");
    insert(&mut response, CACHE_CONTROL, "no-cache");
    response
}

fn is_current(headers: &HeaderMap, etag: &str) -> bool {
    let held = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    held.split(',').any(|held| held.trim().trim_start_matches("W/") == etag)
}

fn not_modified(etag: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    insert(&mut response, ETAG, etag);
    response
}

fn insert(response: &mut Response<Bytes>, name: http::HeaderName, value: &str) {
    // All values here are visible ASCII.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
