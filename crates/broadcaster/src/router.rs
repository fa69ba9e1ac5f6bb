use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_SECURITY_POLICY, HeaderName, ORIGIN, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::upgrade::{Parts, Upgraded};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use runs::Store;
use tokio::net::TcpStream;

use crate::budget::Budget;
use crate::chunk::Framing;
use crate::fanout::Fanout;
use crate::metrics::Publishing;
use crate::origin::Doors;
use crate::problem::Problem;
use crate::publish::Publisher;
use crate::reader::Reader;
use crate::server::{Place, Stopping};
use crate::shard::Newcomer;
use crate::{Config, Cursor, Filter, Hub, access, history, sse, state, stream, websocket};

/// Whole, or as it comes.
pub(crate) type Body = Either<Full<Bytes>, BoxBody<Bytes, Infallible>>;

/// What every answer says to browsers, where it does not say otherwise: to take it for what it is, to load nothing
/// for it, to show it in no frame, to hand it to no other site, and not to tell others where they come from.
static HEADERS: [(HeaderName, HeaderValue); 4] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
];
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Answers requests: path and method to the part that knows.
pub(crate) struct Router {
    pub(crate) hub: Hub,
    pub(crate) config: Config,
    pub(crate) doors: Doors,
    pub(crate) stopping: Stopping,
    pub(crate) fanout: Fanout,
    pub(crate) publisher: Publisher,
    /// The history of training runs.
    pub(crate) runs: Arc<dyn Store>,
    /// What was made for one request each.
    pub(crate) answers: Arc<Budget>,
}

impl Router {
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        place: Place,
    ) -> Result<Response<Body>, Infallible> {
        let origin = request.headers().get(ORIGIN).cloned();
        let mut response = match self.doors.check(request.uri(), request.headers()) {
            Err(problem) => whole(problem.response()),
            Ok(()) => {
                let response = self.route(request, place).await;
                let mut response = response.unwrap_or_else(|problem| whole(problem.response()));
                // The origin was found to be the page's own or allowed.
                if let Some(origin) = origin {
                    let headers = response.headers_mut();
                    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
                    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                    headers.append(VARY, HeaderValue::from_static("origin"));
                }
                response
            }
        };
        let headers = response.headers_mut();
        for (name, value) in &HEADERS {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        Ok(response)
    }

    async fn route(
        self: &Arc<Self>,
        request: Request<Incoming>,
        place: Place,
    ) -> Result<Response<Body>, Problem> {
        match request.uri().path() {
            "/publish" | "/rpc/batch_update" => {
                only(request.method(), &Method::POST, "POST")?;
                let mut publishing = self.hub.metrics().publishing();
                let published = self.publish(request, &mut publishing).await;
                publishing.answered(published.as_ref().map_or_else(Problem::status, |_| StatusCode::OK));
                Ok(whole(state::json_response(published?)))
            }
            // Publishes are many, and their connections small.
            _ => Box::pin(self.show(request, place)).await,
        }
    }

    async fn publish(
        &self,
        request: Request<Incoming>,
        publishing: &mut Publishing<'_>,
    ) -> Result<Bytes, Problem> {
        if self.stopping.now() {
            return Err(Problem::Stopping);
        }
        self.config.access.borrow().may_publish(request.headers())?;
        match request.uri().path() {
            "/publish" => self.publisher.publish(request, self.config.max_body, publishing).await,
            _ => Box::pin(self.publisher.batch_update(request, &self.config, publishing)).await,
        }
    }

    async fn show(
        self: &Arc<Self>,
        request: Request<Incoming>,
        place: Place,
    ) -> Result<Response<Body>, Problem> {
        let path = request.uri().path().to_owned();
        let headers = request.headers();
        if request.method() != Method::HEAD {
            only(request.method(), &Method::GET, "GET, HEAD")?;
        }
        if let Some(answer) = self.at_the_door(&path, &request)? {
            return Ok(whole(answer));
        }
        match path.as_str() {
            "/ws" => self.websocket(request, place),
            "/events" => {
                let query = Query::parse(request.uri().query())?;
                // What a browser remembers is newer than the address it first came with.
                let cursor = sse::last_event_id(headers).or(query.since);
                let Config { heartbeat, .. } = self.config;
                let events =
                    sse::events(&self.hub, cursor.as_ref(), query.filter, heartbeat, self.stopping.clone());
                Ok(events.map(|body| Either::Right(body.boxed())))
            }
            "/state" => Ok(whole(state::state(&self.hub, Filter::ALL, headers, &self.answers)?)),
            "/metrics" => Ok(whole(state::metrics(&self.hub, request.uri().query(), &self.answers).await?)),
            "/healthz" => Ok(whole(state::health(&self.hub))),
            "/health" => Ok(whole(state::alive())),
            "/runs" => Ok(whole(history::runs(&*self.runs, &self.answers).await?)),
            "/stream" => {
                let (heartbeat, stopping) = (self.config.heartbeat, self.stopping.clone());
                let stream = stream::stream(&self.hub, &self.answers, heartbeat, stopping);
                Ok(stream.map(|body| Either::Right(body.boxed())))
            }
            path => {
                let (store, query) = (&*self.runs, request.uri().query());
                if let Some(run) = path.strip_prefix("/metrics/") {
                    return Ok(whole(history::metrics(store, &name(run), query, &self.answers).await?));
                }
                if let Some(run) = path.strip_prefix("/checkpoints/") {
                    return Ok(whole(history::checkpoints(store, &name(run), query, &self.answers).await?));
                }
                if let Some(kind) = path.strip_prefix("/state/") {
                    return Ok(whole(state::state_of(&self.hub, kind, headers, &self.answers)?));
                }
                if let Some(id) = path.strip_prefix("/snapshots/") {
                    return Ok(whole(state::snapshot(&self.hub, id, headers, self.is_open())?));
                }
                let page = (self.config.page)(request.method(), path, headers);
                page.map(whole).ok_or_else(|| Problem::NotFound(format!("nothing at {path}")))
            }
        }
    }

    /// Whether anybody may look.
    fn is_open(&self) -> bool {
        self.config.access.borrow().view.is_empty()
    }

    /// What is answered to somebody who may not look, or shows a token for the first time.
    fn at_the_door(
        &self,
        path: &str,
        request: &Request<Incoming>,
    ) -> Result<Option<Response<Bytes>>, Problem> {
        let access = self.config.access.borrow();
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let shown = form_urlencoded::parse(query).find(|(name, _)| path == "/" && name == "token");
        if let Some(entered) = shown.and_then(|(_, token)| access.enter(&token, request.headers())) {
            return Ok(Some(entered));
        }
        let Err(problem) = access.may_view(request.headers()) else { return Ok(None) };
        let wants = request.headers().get(ACCEPT).map(|wants| wants.as_bytes()).unwrap_or_default();
        match path {
            "/healthz" | "/health" => Ok(Some(state::alive())),
            "/" if wants.starts_with(b"text/html") => Ok(Some(access::closed_door())),
            _ => Err(problem),
        }
    }

    fn websocket(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        place: Place,
    ) -> Result<Response<Body>, Problem> {
        let query = Query::parse(request.uri().query())?;
        let response = websocket::accept(request.headers())?;
        let upgrade = hyper::upgrade::on(&mut request);
        let router = self.clone();
        tokio::spawn(async move {
            match upgrade.await {
                Ok(connection) => router.watch(connection, query, place).await,
                Err(error) => tracing::debug!("a WebSocket handshake broke off: {error}"),
            }
        });
        Ok(whole(response))
    }

    /// Serves a page whose handshake is done: among the others of a shard where it is a plain socket.
    async fn watch(self: Arc<Self>, connection: Upgraded, query: Query, place: Place) {
        let Query { since: cursor, filter, framing } = query;
        match connection.downcast::<TokioIo<TcpStream>>() {
            Ok(Parts { io, read_buf: early, .. }) => match io.into_inner().into_std() {
                Ok(socket) => {
                    self.fanout.take_in(Newcomer { socket, early, cursor, filter, framing, place }).await;
                }
                Err(error) => tracing::warn!("cannot take over a page's socket: {error}"),
            },
            Err(connection) => {
                let reader = Reader::join(&self.hub, cursor.as_ref(), filter);
                let (heartbeat, stopping) = (self.config.heartbeat, self.stopping.clone());
                websocket::run(TokioIo::new(connection), reader, framing, heartbeat, stopping).await;
                drop(place);
            }
        }
    }
}

/// How a page wants its stream.
struct Query {
    since: Option<Cursor>,
    filter: Filter,
    framing: Framing,
}

impl Query {
    fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let mut parsed = Self { since: None, filter: Filter::ALL, framing: Framing::Single };
        let wrong = |name: &str, expected: String| Problem::BadRequest(format!("query {name}: {expected}"));
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "since" => {
                    parsed.since =
                        Some(value.parse().map_err(|error| wrong(&name, format!("{error}, got {value:?}")))?);
                }
                "types" => {
                    let unknown = |unknown| wrong(&name, format!("no event type {unknown:?}"));
                    parsed.filter = Filter::parse(&value).map_err(unknown)?;
                }
                "batch" => match &*value {
                    "1" => parsed.framing = Framing::Batch,
                    "0" => {}
                    _ => return Err(wrong(&name, format!("expected 0 or 1, got {value:?}"))),
                },
                // What other parts of a system put behind an address is not ours to refuse.
                _ => {}
            }
        }
        Ok(parsed)
    }
}

/// A name in a path, as it was before it was put there.
fn name(encoded: &str) -> Cow<'_, str> {
    percent_decode_str(encoded).decode_utf8_lossy()
}

fn only(method: &Method, right: &Method, allowed: &'static str) -> Result<(), Problem> {
    if method == right {
        return Ok(());
    }
    Err(Problem::MethodNotAllowed { got: method.to_string(), allowed })
}

fn whole(response: Response<Bytes>) -> Response<Body> {
    response.map(|body| Either::Left(Full::new(body)))
}
