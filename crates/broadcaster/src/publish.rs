use std::io::Read;
use std::time::Instant;

use bytes::Bytes;
use events::{EmbeddingSnapshot, Event, Format, Item, Kind, Text};
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::Incoming;
use serde::Serialize;

use crate::columns::{self, Columns, ColumnsError};
use crate::config::{BODY_TIMEOUT, MAX_COLUMNS, MAX_EVENTS};
use crate::hub::Answer;
use crate::problem::Problem;
use crate::snapshots::Packed;
use crate::{Config, Hub, Receipt};

/// `POST /publish`: decodes a whole body, applies all of it or nothing.
pub(crate) async fn publish(
    request: Request<Incoming>,
    hub: &Hub,
    config: &Config,
) -> Result<Bytes, Problem> {
    let (head, body) = request.into_parts();
    authorize(&head.headers, config.publish_token.as_deref())?;
    let media = media(&head.headers)?;
    let key = idempotency_key(&head.headers)?;
    let limit = match media {
        Media::Events(_) => config.max_body,
        Media::Columns => MAX_COLUMNS,
    };
    let body = whole(body, limit).await?;
    let body = decoded(&head.headers, body, limit)?;

    match media {
        Media::Events(format) => events(hub, format, &body, key.as_deref()).await,
        Media::Columns => {
            // Checking, packing and compressing millions of points takes a moment. The Arrow reader
            // asserts where a stream's lengths contradict each other: such a body ends its task here,
            // before anything of it has reached the hub.
            let work = tokio::task::spawn_blocking(move || {
                let columns = columns::decode(&body)?;
                let packed = Packed::new(columns.packed.clone());
                Ok::<_, ColumnsError>((columns, packed))
            });
            let contradicts = |_| ColumnsError::Arrow("its lengths contradict each other".to_owned());
            let (columns, packed) = work.await.map_err(contradicts)??;
            publish_columns(hub, columns, packed, key.as_deref()).await
        }
    }
}

enum Media {
    Events(Format),
    Columns,
}

fn media(headers: &HeaderMap) -> Result<Media, Problem> {
    const EXPECTED: &str =
        "expected Content-Type application/json, application/x-ndjson or application/vnd.apache.arrow.stream";
    let given = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let given = given.ok_or_else(|| Problem::UnsupportedMediaType(format!("{EXPECTED}, got none")))?;
    match given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Ok(Media::Events(Format::Json)),
        "application/x-ndjson" => Ok(Media::Events(Format::Ndjson)),
        "application/vnd.apache.arrow.stream" => Ok(Media::Columns),
        _ => Err(Problem::UnsupportedMediaType(format!("{EXPECTED}, got {given:?}"))),
    }
}

fn authorize(headers: &HeaderMap, token: Option<&str>) -> Result<(), Problem> {
    let Some(token) = token else { return Ok(()) };
    let shown = headers.get(AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default();
    let shown = shown.strip_prefix(b"Bearer ").unwrap_or_default();
    // Every byte is compared whatever the first difference, so that time tells nothing.
    let differences = token.bytes().zip(shown).fold(0, |sum, (ours, theirs)| sum | (ours ^ theirs));
    if token.len() == shown.len() && differences == 0 { Ok(()) } else { Err(Problem::Unauthorized) }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=256).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => {
            Err(Problem::BadRequest("Idempotency-Key: expected 1 to 256 visible ASCII characters".to_owned()))
        }
    }
}

async fn whole(body: Incoming, limit: usize) -> Result<Bytes, Problem> {
    let body = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit).collect());
    let late = |_| Problem::Timeout { seconds: BODY_TIMEOUT.as_secs() };
    let body = body.await.map_err(late)?.map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() {
            Problem::TooLarge { limit }
        } else {
            Problem::BadRequest(format!("the body broke off: {error}"))
        }
    })?;
    Ok(body.to_bytes())
}

/// Undoes the content encoding, never past the limit.
fn decoded(headers: &HeaderMap, body: Bytes, limit: usize) -> Result<Bytes, Problem> {
    let Some(encoding) = headers.get(CONTENT_ENCODING) else { return Ok(body) };
    let broken = |error: std::io::Error| Problem::BadRequest(format!("Content-Encoding: {error}"));
    let mut decoder: Box<dyn Read + '_> = match encoding.as_bytes() {
        b"identity" => return Ok(body),
        b"gzip" => Box::new(flate2::read::MultiGzDecoder::new(&body[..])),
        b"zstd" => Box::new(zstd::stream::read::Decoder::with_buffer(&body[..]).map_err(broken)?),
        other => {
            let other = String::from_utf8_lossy(other);
            let sentence = format!("expected Content-Encoding gzip or zstd, got {other:?}");
            return Err(Problem::UnsupportedMediaType(sentence));
        }
    };
    let mut out = Vec::new();
    decoder.by_ref().take(limit as u64 + 1).read_to_end(&mut out).map_err(broken)?;
    if out.len() > limit { Err(Problem::TooLarge { limit }) } else { Ok(out.into()) }
}

async fn events(hub: &Hub, format: Format, body: &[u8], key: Option<&str>) -> Result<Bytes, Problem> {
    let batch = events::decode(format, body, MAX_EVENTS)?;
    if let Some(index) = batch.items.iter().position(|item| item.event.kind() == Kind::EmbeddingSnapshot) {
        return Err(Problem::NotAnEvent(events::Refusal::Invalid {
            index,
            pointer: "/type".to_owned(),
            expected: "the columns of an embedding_snapshot as application/vnd.apache.arrow.stream".into(),
            got: "the event, which the broadcaster makes of them".to_owned(),
        }));
    }
    Ok(accepted(hub, hub.publish(&batch, key, Instant::now()).await?))
}

async fn publish_columns(
    hub: &Hub,
    columns: Columns,
    packed: Packed,
    key: Option<&str>,
) -> Result<Bytes, Problem> {
    let event = Event::from(EmbeddingSnapshot {
        fit_id: columns.fit_id,
        rows: columns.rows,
        url: Text::new(packed.url()).map_err(|error| Problem::BadRequest(error.to_string()))?,
        projector: columns.projector,
        cycle: columns.cycle,
    });
    let json = serde_json::to_string(&event).map_err(|error| Problem::BadRequest(error.to_string()))?;
    let item = Item { event, json: json.into() };
    Ok(accepted(hub, hub.publish_columns(packed, item, key, Instant::now()).await?))
}

/// The body of a 200.
#[derive(Serialize)]
struct Accepted<'a> {
    epoch: &'a str,
    seq: u64,
    accepted: usize,
    clients: usize,
    /// Events up to here may have been lost in a crash.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_to: Option<u64>,
}

fn accepted(hub: &Hub, Answer { receipt, clients }: Answer) -> Bytes {
    let Receipt { seq, accepted } = receipt;
    let (epoch, lost_to) = (hub.epoch().as_str(), hub.lost_to());
    // Numbers and a string: it serializes.
    serde_json::to_vec(&Accepted { epoch, seq, accepted, clients, lost_to }).unwrap_or_default().into()
}
