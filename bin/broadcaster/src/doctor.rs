use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, bail, ensure};
use command::{Failure, Stop};
use futures_util::TryStreamExt;
use reqwest::header::{
    CONNECTION, CONTENT_TYPE, DATE, HeaderMap, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, SERVER, UPGRADE, VIA,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;
use tokio_util::io::StreamReader;

use crate::args::DoctorArgs;

/// What is answered at once has to come within this time.
const AT_ONCE: Duration = Duration::from_secs(3);
/// Bytes of it, at most.
const SHORT: u64 = 64 << 10;
/// Clocks that are farther apart make the ages on the page wrong.
const APART: Duration = Duration::from_secs(5);

/// Looks for what stands between a page and a broadcaster, and prints what it finds, a line each.
pub(crate) async fn doctor(args: DoctorArgs, stop: Stop) -> Result<(), Failure> {
    let failed = tokio::select! {
        failed = examine(args) => failed?,
        () = stop.wait() => return Err(Failure::Interrupted),
    };
    match failed {
        0 => Ok(()),
        failed => Err(Failure::failed(format!("{failed} of the checks failed"))),
    }
}

/// How many checks failed. Where no broadcaster is, there is nothing else to look for.
async fn examine(args: DoctorArgs) -> Result<usize> {
    let visit = Visit::new(args.url, args.view_token)?;
    let mut report = Report { failed: 0 };
    if report.say("broadcaster", visit.broadcaster().await)?.is_none() {
        return Ok(report.failed);
    }
    report.say("clock", visit.clock().await)?;
    report.say("page", visit.page().await)?;
    let socket = report.say("WebSocket", visit.websocket().await)?;
    let events = report.say("server-sent events", visit.events().await)?;
    let (socket, events) = tokio::join!(stay(socket, args.wait), stay(events, args.wait));
    for (name, stayed) in [("WebSocket, idle", socket), ("server-sent events, idle", events)] {
        if let Some(stayed) = stayed {
            report.say(name, stayed.map(|said| (said, ())))?;
        }
    }
    Ok(report.failed)
}

struct Report {
    failed: usize,
}

impl Report {
    /// Prints a check's line; what the check brought, if it is good.
    fn say<T>(&mut self, name: &str, check: Result<(String, T)>) -> Result<Option<T>> {
        let (mark, text, good) = match check {
            Ok((text, good)) => ("ok  ", text, Some(good)),
            Err(error) => ("FAIL", format!("{error:#}"), None),
        };
        self.failed += usize::from(good.is_none());
        writeln!(io::stdout(), "{mark}  {name:<26}{text}")?;
        Ok(good)
    }
}

/// What the page would ask, asked by hand.
struct Visit {
    client: Client,
    url: Url,
    token: Option<String>,
}

/// What `/healthz` tells everybody, and whoever may look.
#[derive(Deserialize)]
struct Health {
    status: String,
    version: Option<String>,
    epoch: Option<String>,
    seq: Option<u64>,
    clients: Option<usize>,
}

/// A stream that is open.
type Open = Box<dyn AsyncRead + Unpin + Send>;

impl Visit {
    fn new(url: Url, token: Option<String>) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // As pages do it, and no other way.
        let client = Client::builder().http1_only().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client, url, token })
    }

    fn get(&self, path: &str) -> Result<RequestBuilder> {
        // Under a path, where a proxy has put it there.
        let base = self.url.path().trim_end_matches('/');
        let mut url = self.url.clone();
        url.set_path(&format!("{base}{path}"));
        let request = self.client.get(url);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    /// The head of the answer.
    async fn ask(&self, request: RequestBuilder) -> Result<Response> {
        let answer = tokio::time::timeout(AT_ONCE, request.send()).await;
        let answer = answer.map_err(|_| anyhow!("no answer within {AT_ONCE:?}"))?;
        answer.map_err(reqwest::Error::without_url).context("no answer")
    }

    async fn broadcaster(&self) -> Result<(String, ())> {
        let start = Instant::now();
        let answer = self.ask(self.get("/healthz")?).await?;
        let (took, by) = (start.elapsed(), way(answer.headers()));
        ensure!(answer.status() == StatusCode::OK, "{} from {by}", refusal(answer).await);
        let health = json::<Health>(answer).await;
        let health = health.with_context(|| format!("{by} answers, and it is not a broadcaster"))?;
        let Health { status, version, epoch, seq, clients } = health;
        let (Some(version), Some(epoch), Some(seq), Some(clients)) = (version, epoch, seq, clients) else {
            bail!("it asks for a view token: --view-token, or VITRINE_VIEW_TOKEN");
        };
        ensure!(status == "ok", "{status}");
        Ok((
            format!("version {version}, epoch {epoch}, seq {seq}, {clients} pages; {took:.1?} through {by}"),
            (),
        ))
    }

    async fn clock(&self) -> Result<(String, ())> {
        let answer = self.ask(self.get("/healthz")?).await?;
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        let there = date.and_then(|date| httpdate::parse_http_date(date).ok());
        let there = there.context("the answer says no time")?;
        // Sent without fractions: half a second later, on the average.
        let there = there + Duration::from_millis(500);
        let apart = SystemTime::now().duration_since(there).unwrap_or_else(|error| error.duration());
        ensure!(apart < APART, "{apart:.0?} apart: what the page says of ages is wrong by as much");
        Ok(("within a second or so".to_owned(), ()))
    }

    async fn page(&self) -> Result<(String, ())> {
        let answer = self.ask(self.get("/")?.header("accept", "text/html")).await?;
        ensure!(answer.status() == StatusCode::OK, "{}", refusal(answer).await);
        let media = answer.headers().get(CONTENT_TYPE).map(|media| media.as_bytes()).unwrap_or_default();
        ensure!(media.starts_with(b"text/html"), "it is not a page: {}", String::from_utf8_lossy(media));
        Ok(("there".to_owned(), ()))
    }

    async fn websocket(&self) -> Result<(String, Open)> {
        let start = Instant::now();
        let request = self
            .get("/ws")?
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
        let answer = self.ask(request).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            let (by, refused) = (way(answer.headers()), refusal(answer).await);
            bail!("{by} does not upgrade ({refused}): let it pass Upgrade and Connection on");
        }
        let mut socket: Open = Box::new(answer.upgrade().await.context("the upgrade broke off")?);
        first(&mut socket).await?;
        Ok((format!("open, and the first message after {:.1?}", start.elapsed()), socket))
    }

    async fn events(&self) -> Result<(String, Open)> {
        let start = Instant::now();
        let answer = self.ask(self.get("/events")?).await?;
        ensure!(answer.status() == StatusCode::OK, "{}", refusal(answer).await);
        let body = answer.bytes_stream().map_err(io::Error::other);
        let mut events: Open = Box::new(StreamReader::new(body));
        first(&mut events).await?;
        Ok((format!("open, and the first line after {:.1?}", start.elapsed()), events))
    }
}

/// Waits for what is sent at once.
async fn first(stream: &mut Open) -> Result<()> {
    match tokio::time::timeout(AT_ONCE, stream.read_u8()).await {
        Ok(byte) => byte.map(drop).context("it was closed at once"),
        Err(_) => bail!(
            "nothing came within {AT_ONCE:?}: something on the way holds the stream back; turn its buffering off"
        ),
    }
}

/// Reads a stream on which nothing happens but signs of life.
async fn stay(stream: Option<Open>, wait: Duration) -> Option<Result<String>> {
    let mut stream = stream?;
    let (start, mut heard) = (Instant::now(), None);
    let mut bytes = [0; 16 << 10];
    while let Ok(read) = tokio::time::timeout_at(start + wait, stream.read(&mut bytes)).await {
        match read {
            Ok(1..) => heard = Some(start.elapsed()),
            Ok(0) | Err(_) => {
                let after = start.elapsed();
                return Some(Err(anyhow!(
                    "closed after {after:.0?}: let nothing on the way end a connection that is quiet for 15 s"
                )));
            }
        }
    }
    Some(match heard {
        // The broadcaster lets 15 s pass in silence, no more.
        None if wait > Duration::from_secs(20) => {
            Err(anyhow!("open, and nothing heard for {wait:.0?}: something on the way holds it back"))
        }
        _ => Ok(format!("still open after {wait:.0?}")),
    })
}

/// Who answered, as far as it says so.
fn way(headers: &HeaderMap) -> String {
    let named =
        [VIA, SERVER].into_iter().find_map(|name| headers.get(name)?.to_str().ok().map(str::to_owned));
    named.unwrap_or_else(|| "no proxy that says so".to_owned())
}

/// A short answer, if it is of this kind. Whoever answers may not be who it should be: it has neither for ever nor
/// all memory.
async fn json<T: DeserializeOwned>(answer: Response) -> Option<T> {
    let mut body = StreamReader::new(answer.bytes_stream().map_err(io::Error::other)).take(SHORT);
    let mut bytes = Vec::new();
    tokio::time::timeout(AT_ONCE, body.read_to_end(&mut bytes)).await.ok()?.ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The status, and what the broadcaster says of it.
async fn refusal(answer: Response) -> String {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    let status = answer.status();
    match json::<Problem>(answer).await {
        Some(Problem { detail }) => format!("{status}: {detail}"),
        None => status.to_string(),
    }
}
