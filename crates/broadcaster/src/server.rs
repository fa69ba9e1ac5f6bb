use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::budget::Budget;
use crate::config::{BODY_TIMEOUT, HEAD_TIMEOUT, MAX_ANSWERS, MAX_HEAD};
use crate::drawn::Drawn;
use crate::fanout::Fanout;
use crate::origin::Doors;
use crate::publish::Publisher;
use crate::router::Router;
use crate::streams::Streams;
use crate::visitors::{Visit, Visitors};
use crate::{Config, Hub, Tls, roll};

/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 100;
/// Bytes that the kernel holds of what is not even on its way: a client that does not read costs no more, and
/// one that reads from afar can have as much on its way as its network takes.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 16 << 10;

/// Serves a hub on a bound listener until `shutdown` completes.
///
/// Then: no new connections, publishes are answered 503, pages are told to come back, and
/// connections have [`Config::grace`] to end before they are dropped.
pub async fn serve(
    listener: TcpListener,
    hub: Hub,
    config: Config,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let doors = Doors::new(listener.local_addr()?, &config.allow_hosts, &config.allow_origins);
    let (stop, stopping) = watch::channel(false);
    let stopping = Stopping(stopping);
    let max_connections = config.max_connections;
    let places = Arc::new(Semaphore::new(max_connections as usize));
    let visitors = Visitors::new(config.max_connections_per_address);
    let grace = config.grace;
    let fanout = Fanout::start(&hub, config.heartbeat, &stopping)?;
    let runs = config.runs.clone().unwrap_or_else(|| Arc::new(Drawn(hub.clone())));
    let (publisher, answers) =
        (Publisher::new(hub.clone(), runs.clone()), Arc::new(Budget::new(MAX_ANSWERS)));
    tokio::spawn(roll::call(hub.clone(), runs.clone(), stopping.clone()));
    let router = Router { hub, config, doors, stopping: stopping.clone(), fanout, publisher, runs, answers };
    let router = Arc::new(router);

    tokio::pin!(shutdown);
    loop {
        // A place first: what is over the limit waits in the kernel's queue, not in this process.
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place.map_err(io::Error::other)?,
            () = &mut shutdown => break,
        };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, from)) => match visitors.admit(from.ip()) {
                    Some(visit) => {
                        let place = Place(Arc::new((place, visit)));
                        tokio::spawn(connection(socket, place, router.clone(), stopping.clone()));
                    }
                    None => tracing::debug!("a connection too many from {}", from.ip()),
                },
                // Out of file descriptors, or a client that left the queue: the next may do.
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            () = &mut shutdown => break,
        }
    }

    drop(listener);
    stop.send_replace(true);
    // Every connection is over when every place is free.
    let _ = tokio::time::timeout(grace, places.acquire_many(max_connections)).await;
    Ok(())
}

/// A connection's place among [`Config::max_connections`], held by whatever serves it.
#[derive(Debug, Clone)]
pub(crate) struct Place(#[allow(dead_code)] Arc<(OwnedSemaphorePermit, Visit)>); // held, not read

/// That the broadcaster stops. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    pub(crate) fn now(&self) -> bool {
        *self.0.borrow()
    }

    pub(crate) async fn wait(&mut self) {
        // The sender is gone when `serve` has returned: that is a stop as well.
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }
}

/// Serves a connection, over TLS if there is a certificate.
async fn connection(socket: TcpStream, place: Place, router: Arc<Router>, stopping: Stopping) {
    // Events are small and wait for nobody.
    let _ = socket.set_nodelay(true);
    // Without it a page that does not read costs more memory, and nothing else.
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT);
    let tls = router.config.access.borrow().tls.clone();
    let Some(Tls(tls)) = tls else { return http1(socket, place, router, stopping).await };
    let handshake = tokio::time::timeout(HEAD_TIMEOUT, TlsAcceptor::from(tls).accept(socket));
    match handshake.await {
        Ok(Ok(socket)) if socket.get_ref().1.alpn_protocol() == Some(b"h2") => {
            http2(socket, place, router, stopping).await;
        }
        Ok(Ok(socket)) => http1(socket, place, router, stopping).await,
        Ok(Err(error)) => tracing::debug!("a TLS handshake broke off: {error}"),
        Err(_late) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn http1(socket: impl Socket, place: Place, router: Arc<Router>, mut stopping: Stopping) {
    let service = service_fn(move |request| router.clone().answer(request, place.clone()));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_header_size(MAX_HEAD);
    let connection = http.serve_connection(TokioIo::new(socket), service).with_upgrades();
    run(connection, |connection| connection.graceful_shutdown(), stopping.wait()).await;
}

async fn http2(socket: impl Socket, place: Place, router: Arc<Router>, mut stopping: Stopping) {
    let heartbeat = router.config.heartbeat;
    let streams = Arc::new(Streams::default());
    let under_way = streams.clone();
    let service = service_fn(move |request| {
        let (router, place, stream) = (router.clone(), place.clone(), under_way.begin());
        async move {
            let response = router.answer(request, place).await?;
            Ok::<_, Infallible>(response.map(|body| stream.of(body)))
        }
    });
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new()).max_header_list_size(MAX_HEAD as u32).max_concurrent_streams(MAX_STREAMS);
    http.keep_alive_interval(heartbeat).keep_alive_timeout(HEAD_TIMEOUT);
    let connection = http.serve_connection(TokioIo::new(socket), service);
    let ends = async {
        tokio::select! {
            () = stopping.wait() => {}
            () = streams.idle(HEAD_TIMEOUT) => {}
        }
    };
    tokio::select! {
        () = run(connection, |connection| connection.graceful_shutdown(), ends) => {}
        () = streams.unused(HEAD_TIMEOUT) => tracing::debug!("nothing was asked on a connection"),
    }
}

/// What HTTP is spoken over.
trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Socket for S {}

/// Runs a connection to its end. Once `ends` completes it may finish what it is at, if that does not take for ever.
async fn run<C>(connection: C, finish: impl FnOnce(Pin<&mut C>), ends: impl Future<Output = ()>)
where
    C: Future<Output = hyper::Result<()>>,
{
    tokio::pin!(connection);
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = ends => {
            finish(connection.as_mut());
            tokio::time::timeout(BODY_TIMEOUT, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended: {error}");
    }
}
