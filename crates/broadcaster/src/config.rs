use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use events::MAX_SNAPSHOT_ROWS;
use http::{HeaderMap, Method, Response};
use tokio::sync::watch;

use crate::{Access, LogLimits};

/// How a broadcaster is set up. Every field has a default that is right for one machine.
#[derive(Clone)]
pub struct Config {
    /// How much of the past is held.
    pub log: LogLimits,
    /// What lets somebody in. What is sent here counts for all requests that come then.
    pub access: watch::Receiver<Access>,
    /// Origins besides the page's own that may connect.
    pub allow_origins: Vec<String>,
    /// Names besides loopback and the listening address that the broadcaster is called by.
    pub allow_hosts: Vec<String>,
    /// Decoded bytes of a body of events. One of columns is bounded by its rows.
    pub max_body: usize,
    /// Connections at once.
    pub max_connections: u32,
    /// Connections at once from one address. This machine's own are not counted.
    pub max_connections_per_address: u32,
    /// What is served at the paths that are not the protocol's.
    pub page: Page,
    /// Where points of runs are kept; `None`: nowhere but in the hub, which holds what is drawn of them.
    pub runs: Option<Arc<dyn runs::Store>>,
    /// Between a call of a trainer and what pages see of it.
    pub frame_delay: Duration,
    /// Between two signs of life to a page.
    pub heartbeat: Duration,
    /// How long connections have to end when the broadcaster stops.
    pub grace: Duration,
}

/// Answers a request for the page's files: method, path and headers to a response, or `None`.
pub type Page = Arc<dyn Fn(&Method, &str, &HeaderMap) -> Option<Response<Bytes>> + Send + Sync>;

/// Events of one body, at most.
pub(crate) const MAX_EVENTS: usize = 100_000;
/// Decoded bytes of a body of columns: 18 bytes a row for as many rows as may be, and room for how
/// Arrow frames them.
pub(crate) const MAX_COLUMNS: usize = MAX_SNAPSHOT_ROWS as usize * 18 + (8 << 20);
/// A body must be whole within this time,
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(300);
/// and some of it must come within this.
pub(crate) const BODY_SILENCE: Duration = Duration::from_secs(15);
/// Bytes of answers that were made for one request each and that nobody took yet.
pub(crate) const MAX_ANSWERS: usize = 256 << 20;
/// A TLS handshake, and then a request's head, must be whole within this time; so long a connection may be idle.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
pub(crate) const MAX_HEAD: usize = 32 << 10;

impl Default for Config {
    fn default() -> Self {
        Self {
            log: LogLimits::default(),
            access: watch::channel(Access::default()).1,
            allow_origins: vec![],
            allow_hosts: vec![],
            max_body: 16 << 20,
            max_connections: 20_000,
            max_connections_per_address: 1_000,
            page: Arc::new(|_, _, _| None),
            runs: None,
            frame_delay: Duration::ZERO,
            heartbeat: Duration::from_secs(15),
            grace: Duration::from_secs(4),
        }
    }
}
