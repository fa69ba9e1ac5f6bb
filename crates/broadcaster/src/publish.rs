use std::io::Read;
use std::num::NonZero;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use events::{EmbeddingSnapshot, Event, Format, Item, Kind, MetricPoints, Text};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::Request;
use hyper::body::{Body as _, Frame, Incoming};
use runs::Store;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinError;
use tokio::time::{Instant, timeout_at};

use crate::columns::{self, Columns, ColumnsError};
use crate::config::{BODY_SILENCE, BODY_TIMEOUT, MAX_COLUMNS, MAX_EVENTS};
use crate::hub::Answer;
use crate::metrics::{Outcome, Publishing};
use crate::problem::Problem;
use crate::snapshots::Packed;
use crate::training::Training;
use crate::{Hub, Receipt};

/// Bytes of a body that is decoded where others would wait for it. A larger one, or one of which nobody knows how
/// large it will be, is decoded on a thread of its own.
const LARGE: usize = 256 << 10;

/// Bytes for which there is room at once because somebody says that they come.
const CLAIMED: usize = 1 << 20;

/// `POST /publish`: decodes a whole body, applies all of it or nothing.
pub(crate) struct Publisher {
    pub(crate) hub: Hub,
    runs: Arc<dyn Store>,
    /// Large bodies are decoded at once on as many threads as there are cores; the others wait.
    decoders: Arc<Semaphore>,
    /// One call of a trainer at a time.
    pub(crate) training: Mutex<Training>,
}

/// A body that is whole.
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) headers: HeaderMap,
    /// Bytes that it may have once its encoding is undone.
    pub(crate) limit: usize,
}

impl Publisher {
    pub(crate) fn new(hub: Hub, runs: Arc<dyn Store>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let training = Mutex::new(Training::of(&hub, Instant::now().into_std()));
        Self { hub, runs, decoders: Arc::new(Semaphore::new(cores)), training }
    }

    /// The body of a 200, when it may be given.
    pub(crate) async fn publish(
        &self,
        request: Request<Incoming>,
        max_body: usize,
        publishing: &mut Publishing<'_>,
    ) -> Result<Bytes, Problem> {
        let media = media(request.headers())?;
        let key = idempotency_key(request.headers())?;
        let limit = match media {
            Media::Events(_) => max_body,
            Media::Columns => MAX_COLUMNS,
        };
        let body = Body::whole(request, limit).await?;
        publishing.begins();
        let (answer, outcome) = match media {
            Media::Events(format) => self.take_events(format, body, key).await?,
            Media::Columns => self.take_columns(body, key).await?,
        };
        self.hub.acknowledged(answer.receipt.seq).await?;
        publishing.became(outcome);
        Ok(accepted(&self.hub, answer))
    }

    async fn take_events(
        &self,
        format: Format,
        body: Body,
        key: Option<String>,
    ) -> Result<(Answer, Outcome), Problem> {
        // What is kept by a store before it is published goes on when who sent it is gone.
        let is_kept = memchr::memmem::find(&body.bytes, b"\"metric_points\"").is_some();
        let is_large = body.bytes.len() > LARGE || body.headers.contains_key(CONTENT_ENCODING);
        let (hub, runs) = (self.hub.clone(), self.runs.clone());
        let work = async move { events(&hub, &*runs, format, &body.decoded()?, key.as_deref()).await };
        if !is_large {
            return match is_kept {
                true => tokio::spawn(work)
                    .await
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())),
                false => work.await,
            };
        }
        // What was decoded is applied there as well: it borrows from the body.
        let done = self.aside(|| Handle::current().block_on(work)).await;
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    async fn take_columns(&self, body: Body, key: Option<String>) -> Result<(Answer, Outcome), Problem> {
        // Undoing, checking, packing and compressing millions of points takes a moment. The Arrow reader
        // asserts where a stream's lengths contradict each other: such a body ends its task here,
        // before anything of it has reached the hub.
        let work = self.aside(move || {
            let columns = columns::decode(&body.decoded()?)?;
            let packed = Packed::new(columns.packed.clone());
            Ok::<_, Problem>((columns, packed))
        });
        let contradicts = |_| ColumnsError::Arrow("its lengths contradict each other".to_owned());
        let (columns, packed) = work.await.map_err(contradicts)??;
        publish_columns(&self.hub, columns, packed, key.as_deref()).await
    }

    /// Does what takes a while where nobody waits for it, when its turn comes.
    pub(crate) async fn aside<T>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError>
    where
        T: Send + 'static,
    {
        let turn = self.decoders.clone().acquire_owned().await;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        })
        .await
    }
}

pub(crate) enum Media {
    Events(Format),
    Columns,
}

pub(crate) fn media(headers: &HeaderMap) -> Result<Media, Problem> {
    const EXPECTED: &str =
        "expected Content-Type application/json, application/x-ndjson or application/vnd.apache.arrow.stream";
    const MEDIA: [(&str, Media); 3] = [
        ("application/json", Media::Events(Format::Json)),
        ("application/x-ndjson", Media::Events(Format::Ndjson)),
        ("application/vnd.apache.arrow.stream", Media::Columns),
    ];
    let given = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let given = given.ok_or_else(|| Problem::UnsupportedMediaType(format!("{EXPECTED}, got none")))?;
    let name = given.split(';').next().unwrap_or_default().trim();
    let known = MEDIA.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known
        .map(|(_, media)| media)
        .ok_or_else(|| Problem::UnsupportedMediaType(format!("{EXPECTED}, got {given:?}")))
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

impl Body {
    /// What a request brings, once it is whole.
    pub(crate) async fn whole(request: Request<Incoming>, limit: usize) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        let mut body = Limited::new(body, limit);
        let late = Instant::now() + BODY_TIMEOUT;
        // Nearly always it comes in one piece. Pieces are copied: each may be a little of what it holds.
        let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
        loop {
            let silent = Instant::now() + BODY_SILENCE;
            let part =
                timeout_at(silent.min(late), body.frame()).await.map_err(|_| match late <= silent {
                    true => Problem::Timeout("the body did not arrive", BODY_TIMEOUT),
                    false => Problem::Timeout("nothing of the body came", BODY_SILENCE),
                })?;
            match part.transpose().map(|part| part.map(Frame::into_data)) {
                Ok(None) if rest.is_empty() => {
                    return Ok(Self { bytes: first, headers: head.headers, limit });
                }
                Ok(None) => return Ok(Self { bytes: rest.freeze(), headers: head.headers, limit }),
                Ok(Some(Ok(data))) if first.is_empty() => first = data,
                Ok(Some(Ok(data))) => {
                    if rest.is_empty() {
                        let more = usize::try_from(body.size_hint().lower()).unwrap_or(CLAIMED);
                        rest.reserve(first.len() + data.len() + more.min(CLAIMED));
                        rest.extend_from_slice(&first);
                    }
                    rest.extend_from_slice(&data);
                }
                Ok(Some(Err(_trailers))) => {}
                Err(error) if error.is::<LengthLimitError>() => return Err(Problem::TooLarge { limit }),
                Err(error) => return Err(Problem::BadRequest(format!("the body broke off: {error}"))),
            }
        }
    }

    /// Undoes the content encoding, never past the limit.
    pub(crate) fn decoded(self) -> Result<Bytes, Problem> {
        let Self { bytes: body, headers, limit } = self;
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
        decoder.by_ref().take((limit as u64).saturating_add(1)).read_to_end(&mut out).map_err(broken)?;
        if out.len() > limit { Err(Problem::TooLarge { limit }) } else { Ok(out.into()) }
    }
}

async fn events(
    hub: &Hub,
    runs: &dyn Store,
    format: Format,
    body: &[u8],
    key: Option<&str>,
) -> Result<(Answer, Outcome), Problem> {
    let batch = events::decode(format, body, MAX_EVENTS)?;
    if let Some(index) = batch.items.iter().position(|item| item.event.kind() == Kind::EmbeddingSnapshot) {
        return Err(Problem::NotAnEvent(events::Refusal::Invalid {
            index,
            pointer: "/type".to_owned(),
            expected: "the columns of an embedding_snapshot as application/vnd.apache.arrow.stream".into(),
            got: "the event, which the broadcaster makes of them".to_owned(),
        }));
    }
    // First, as what pages were shown must be there when they ask for more. What is kept and then not published is
    // published again, and kept once.
    let points = batch.items.iter().filter_map(|item| match &item.event {
        Event::MetricPoints(points) => Some(points),
        _ => None,
    });
    let points: Vec<&MetricPoints<'_>> = points.collect();
    if !points.is_empty() {
        if let Some(failure) = hub.failure() {
            return Err(Problem::Unwritable(failure));
        }
        runs.append(&points).await?;
    }
    Ok(hub.publish(&batch, key, Instant::now().into_std()).await?)
}

async fn publish_columns(
    hub: &Hub,
    columns: Columns,
    packed: Packed,
    key: Option<&str>,
) -> Result<(Answer, Outcome), Problem> {
    let event = Event::from(EmbeddingSnapshot {
        fit_id: columns.fit_id,
        rows: columns.rows,
        url: Text::new(packed.url()).map_err(|error| Problem::BadRequest(error.to_string()))?,
        projector: columns.projector,
        cycle: columns.cycle,
    });
    let json = serde_json::to_string(&event).map_err(|error| Problem::BadRequest(error.to_string()))?;
    let item = Item { event, json: json.into() };
    Ok(hub.publish_columns(packed, item, key, Instant::now().into_std()).await?)
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
    let (epoch, lost_to) = (hub.epoch().as_str(), Some(hub.lost_to()).filter(|seq| *seq > 0));
    // Numbers and a string: it serializes.
    serde_json::to_vec(&Accepted { epoch, seq, accepted, clients, lost_to }).unwrap_or_default().into()
}
