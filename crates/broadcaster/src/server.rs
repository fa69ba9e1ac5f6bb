use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::config::HEAD_TIMEOUT;
use crate::fanout::Fanout;
use crate::origin::Doors;
use crate::router::Router;
use crate::{Config, Hub};

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
    let grace = config.grace;
    let fanout = Fanout::start(&hub, config.heartbeat, &stopping)?;
    let router = Arc::new(Router { hub, config, doors, stopping: stopping.clone(), fanout });

    tokio::pin!(shutdown);
    loop {
        // A place first: what is over the limit waits in the kernel's queue, not in this process.
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place.map_err(io::Error::other)?,
            () = &mut shutdown => break,
        };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    let place = Place(Arc::new(place));
                    tokio::spawn(connection(socket, place, router.clone(), stopping.clone()));
                }
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
pub(crate) struct Place(#[allow(dead_code)] Arc<OwnedSemaphorePermit>); // held, not read

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

async fn connection(socket: TcpStream, place: Place, router: Arc<Router>, mut stopping: Stopping) {
    // Events are small and wait for nobody.
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |request| router.clone().answer(request, place.clone()));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let connection = http.serve_connection(TokioIo::new(socket), service).with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended: {error}");
    }
}
