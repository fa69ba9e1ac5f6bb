//! A broadcaster on a free port of this machine, and connections to it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use broadcaster::{Config, Durability, Epoch, Hub, Keeper, StoreError, recall};
use futures_util::{SinkExt, StreamExt};
use runs::{Embedded, Limits, Store};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub(crate) struct Wall {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Hub,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<std::io::Result<()>>,
    keeper: Option<JoinHandle<Result<(), StoreError>>>,
}

/// No sign of life within any test: what arrives was sent for itself.
pub(crate) fn config() -> Config {
    Config { heartbeat: Duration::from_secs(3600), ..Config::default() }
}

impl Wall {
    pub(crate) async fn start(config: Config) -> Self {
        let hub = Hub::new(Epoch::random(), config.log);
        Self::of(config, hub, None).await
    }

    /// One whose state is kept in a folder.
    pub(crate) async fn keep(dir: &Path, durability: Durability) -> Self {
        let config = config();
        let (hub, keeper) = Keeper::open(dir, config.log, durability).unwrap();
        Self::of(config, hub, Some(keeper)).await
    }

    /// One whose state and runs are kept in a folder.
    pub(crate) async fn keep_runs(dir: &Path) -> Self {
        // The one before may have it for a moment after it has stopped.
        let mut opened = Embedded::open(&dir.join("runs"), Limits::default());
        for _ in 0..500 {
            if opened.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            opened = Embedded::open(&dir.join("runs"), Limits::default());
        }
        let store: Arc<dyn Store> = Arc::new(opened.unwrap());
        let config = Config { runs: Some(store.clone()), ..config() };
        let (hub, keeper) = Keeper::open(dir, config.log, Durability::Async).unwrap();
        recall(&hub, &*store).await.unwrap();
        Self::of(config, hub, Some(keeper)).await
    }

    pub(crate) async fn of(config: Config, hub: Hub, keeper: Option<Keeper>) -> Self {
        // For the clients: reqwest asks for one, once a process.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel::<()>();
        let served = hub.clone();
        let server = tokio::spawn(async move {
            let stop = async move { drop(stopped.await) };
            let served = broadcaster::serve(listener, served, config, stop).await;
            drop(end);
            served
        });
        let keeper = keeper.map(|keeper| tokio::spawn(keeper.run(async move { drop(ended.await) })));
        Self { address, hub, stop: Some(stop), server, keeper }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn request_stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) async fn stopped(mut self) {
        self.request_stop();
        self.server.await.unwrap().unwrap();
        if let Some(keeper) = self.keeper {
            keeper.await.unwrap().unwrap();
        }
    }

    /// Publishes lines, which must be accepted.
    pub(crate) async fn publish(&self, lines: &[String]) {
        let request = reqwest::Client::new()
            .post(self.url("/publish"))
            .header("content-type", "application/x-ndjson")
            .body(lines.join("\n"));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    }

    /// The sticky events, as `GET /state` lists them.
    pub(crate) async fn state(&self) -> Vec<Value> {
        let body = reqwest::get(self.url("/state")).await.unwrap().text().await.unwrap();
        let state: Value = serde_json::from_str(&body).unwrap();
        state["events"].as_array().unwrap().clone()
    }

    pub(crate) async fn websocket(&self, query: &str) -> Socket {
        let url = format!("ws://{}/ws{query}", self.address);
        Socket(tokio_tungstenite::connect_async(url).await.unwrap().0)
    }

    pub(crate) async fn raw(&self, query: &str) -> Raw {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "GET /ws{query} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            self.address
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte).await.unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Raw(socket)
    }

    pub(crate) async fn events(&self, query: &str, last_event_id: Option<&str>) -> Events {
        let mut request = reqwest::Client::new().get(self.url(&format!("/events{query}")));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { response, buffer: String::new() }
    }
}

/// The oracle's WebSocket client.
pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

impl Socket {
    /// The messages of the next data frame: one, or an array.
    pub(crate) async fn next(&mut self) -> Vec<Value> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("a frame in time")
                .unwrap()
                .unwrap()
            {
                Message::Text(text) => match serde_json::from_str(&text).unwrap() {
                    Value::Array(messages) => return messages,
                    message => return vec![message],
                },
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }
}

/// The bytes of a WebSocket, to be cut anywhere.
pub(crate) struct Raw(TcpStream);

impl Raw {
    /// Closes the WebSocket and the connection, in one go.
    pub(crate) async fn close(mut self) {
        self.0.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
        self.0.shutdown().await.unwrap();
    }

    /// The messages in the next bytes, at most so many; what is not a whole frame is lost.
    pub(crate) async fn take(&mut self, bytes: usize) -> Vec<Value> {
        let mut taken = Vec::new();
        while taken.len() < bytes {
            let mut buffer = vec![0; bytes - taken.len()];
            match tokio::time::timeout(PATIENCE / 1_500, self.0.read(&mut buffer)).await {
                Ok(read) => taken.extend_from_slice(&buffer[..read.unwrap()]),
                Err(_quiet) => break,
            }
        }
        let (mut messages, mut rest) = (Vec::new(), &taken[..]);
        while let Some((payload, later)) = frame(rest) {
            rest = later;
            match serde_json::from_slice(payload).unwrap() {
                Value::Array(array) => messages.extend(array),
                message => messages.push(message),
            }
        }
        messages
    }
}

/// The payload of the frame at the start of the bytes, and what comes after.
fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, start) = match *bytes.get(1)? {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 10),
        length => (usize::from(length), 2),
    };
    Some((bytes.get(start..start + length)?, &bytes[start + length..]))
}

/// A plain reader of server-sent events.
pub(crate) struct Events {
    response: reqwest::Response,
    buffer: String,
}

impl Events {
    /// Waits for a comment.
    pub(crate) async fn comment(&mut self) {
        while !self.buffer.starts_with(':') && !self.buffer.contains("\n:") {
            let chunk =
                tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("a comment in time");
            self.buffer += std::str::from_utf8(&chunk.unwrap().expect("the stream goes on")).unwrap();
        }
    }

    /// The next event: its id, if it has one, and its data.
    pub(crate) async fn next(&mut self) -> (Option<String>, Value) {
        loop {
            while let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
                };
                if let Some(data) = field("data") {
                    return (field("id"), serde_json::from_str(&data).unwrap());
                }
            }
            let chunk =
                tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("an event in time");
            self.buffer += std::str::from_utf8(&chunk.unwrap().expect("the stream goes on")).unwrap();
        }
    }
}
