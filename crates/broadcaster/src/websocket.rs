use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use sha1::{Digest, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio::sync::mpsc;

use crate::Frame;
use crate::chunk::{Encoded, Framing};
use crate::client::{Client, NORMAL, SERVICE_RESTART, Said};
use crate::frame::{CLOSE, PING, PONG, put_control};
use crate::problem::Problem;
use crate::reader::Reader;
use crate::server::Stopping;

/// Agrees to a handshake (RFC 6455, 4.2).
pub(crate) fn accept(headers: &HeaderMap) -> Result<Response<Bytes>, Problem> {
    let is = |name, value: &str| {
        let given = headers.get_all(name).iter().filter_map(|given: &HeaderValue| given.to_str().ok());
        given.flat_map(|given| given.split(',')).any(|given| given.trim().eq_ignore_ascii_case(value))
    };
    let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
    let key = key.filter(|key| STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16));
    let (true, true, true, Some(key)) =
        (is(CONNECTION, "upgrade"), is(UPGRADE, "websocket"), is(SEC_WEBSOCKET_VERSION, "13"), key)
    else {
        return Err(Problem::UpgradeRequired);
    };
    let digest =
        Sha1::new().chain_update(key).chain_update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(value) = HeaderValue::from_str(&STANDARD.encode(digest)) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, value);
    }
    Ok(response)
}

/// Serves one page by a task of its own until it goes, breaks the protocol, or the broadcaster stops: for connections
/// that are more than a socket.
///
/// Two halves that do not wait for each other: a client that does not read its events can still
/// be seen to close.
pub(crate) async fn run(
    socket: impl AsyncRead + AsyncWrite,
    reader: Reader,
    framing: Framing,
    heartbeat: Duration,
    stopping: Stopping,
) {
    let (receive, send) = tokio::io::split(socket);
    let (said, asked) = mpsc::channel(4);
    let sender = Sender { send, framing };
    tokio::select! {
        () = listen(receive, said) => {}
        _gone = talk(reader, sender, asked, heartbeat, stopping) => {}
    }
}

/// Ends when the client is gone. What it asks for is done by the other half, which then ends both.
async fn listen(mut receive: impl AsyncRead + Unpin, said: mpsc::Sender<Said>) {
    let mut client = Client::default();
    let mut buffer = [0; 2048];
    while let Ok(length @ 1..) = receive.read(&mut buffer).await {
        for one in client.take(&buffer[..length]) {
            let end = !matches!(one, Said::Ping(_));
            if said.send(one).await.is_err() || end {
                return std::future::pending().await;
            }
        }
    }
}

async fn talk<S: AsyncRead + AsyncWrite>(
    mut reader: Reader,
    mut sender: Sender<S>,
    mut asked: mpsc::Receiver<Said>,
    heartbeat: Duration,
    mut stopping: Stopping,
) -> io::Result<()> {
    loop {
        tokio::select! {
            portion = reader.next() => {
                let bytes = sender.encode(portion.frames);
                let writing = sender.write(&bytes);
                tokio::pin!(writing);
                loop {
                    tokio::select! {
                        written = &mut writing => break written?,
                        () = tokio::time::sleep(heartbeat) => reader.give_up_replay(),
                    }
                }
            }
            Some(one) = asked.recv() => match one {
                Said::Ping(payload) => sender.control(PONG, &payload).await?,
                Said::Close(code) => return sender.close(code.unwrap_or(NORMAL)).await,
                Said::Broken(code) => return sender.close(code).await,
            },
            () = tokio::time::sleep(heartbeat) => sender.control(PING, b"").await?,
            () = stopping.wait() => return sender.close(SERVICE_RESTART).await,
        }
    }
}

struct Sender<S> {
    send: WriteHalf<S>,
    framing: Framing,
}

impl<S: AsyncRead + AsyncWrite> Sender<S> {
    /// The bytes of frames, which are held no longer: they would hold what the log drops.
    fn encode(&self, frames: Vec<Frame>) -> Bytes {
        match &frames[..] {
            [one] => Bytes::copy_from_slice(one.websocket()),
            frames => Encoded::of(frames, self.framing).bytes,
        }
    }

    async fn control(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let mut out = Vec::new();
        put_control(&mut out, opcode, payload);
        self.write(&out).await
    }

    async fn close(&mut self, code: u16) -> io::Result<()> {
        self.control(CLOSE, &code.to_be_bytes()).await?;
        self.send.shutdown().await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send.write_all(bytes).await?;
        self.send.flush().await
    }
}
