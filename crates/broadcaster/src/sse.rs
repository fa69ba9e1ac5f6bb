use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::channel::{Channel, Sender};

use crate::reader::Reader;
use crate::server::Stopping;
use crate::{Cursor, Filter, Frame, Hub};

/// The cursor that a browser sends when it comes back by itself.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Option<Cursor> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}

/// `GET /events`: the same stream as over WebSocket, as server-sent events. The `id` of an event is
/// the cursor of a reader that has it.
pub(crate) fn events(
    hub: &Hub,
    cursor: Option<&Cursor>,
    filter: Filter,
    heartbeat: Duration,
    stopping: Stopping,
) -> Response<Channel<Bytes, std::convert::Infallible>> {
    let reader = Reader::join(hub, cursor, filter);
    let (sender, body) = Channel::new(1);
    let stream = Stream { hub: hub.clone(), reader, sender, heartbeat, stopping };
    tokio::spawn(stream.run());
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(CONTENT_TYPE, fixed("text/event-stream"));
    headers.insert(CACHE_CONTROL, fixed("no-cache, no-transform"));
    headers.insert("x-accel-buffering", fixed("no"));
    response
}

struct Stream {
    hub: Hub,
    reader: Reader,
    sender: Sender<Bytes, std::convert::Infallible>,
    heartbeat: Duration,
    stopping: Stopping,
}

impl Stream {
    /// Ends when the client is gone or the broadcaster stops. The channel holds one chunk: a slow
    /// client holds this task up, and nothing else.
    async fn run(mut self) {
        // A comment at once, so that proxies pass the head on; the pause before a browser comes
        // back differs by connection, so that they do not all come at once.
        let pause = 500 + (self.reader.position() * 7919) % 1_000;
        let opening = format!(": vitrine\nretry: {pause}\n\n");
        if self.sender.send_data(opening.into()).await.is_err() {
            return;
        }
        let mut stopping = self.stopping.clone();
        loop {
            let chunk = tokio::select! {
                frames = self.reader.next() => self.chunk(&frames),
                () = tokio::time::sleep(self.heartbeat) => Bytes::from_static(b":\n\n"),
                () = stopping.wait() => return,
            };
            let sent = tokio::select! {
                sent = self.sender.send_data(chunk) => sent,
                () = stopping.wait() => return,
            };
            if sent.is_err() {
                return;
            }
        }
    }

    fn chunk(&self, frames: &[Frame]) -> Bytes {
        let mut out = BytesMut::with_capacity(frames.iter().map(|frame| frame.json().len() + 48).sum());
        for frame in frames {
            if let Some(seq) = frame.seq() {
                let cursor = Cursor { epoch: self.hub.epoch().clone(), seq };
                out.put_slice(format!("id: {cursor}\n").as_bytes());
            }
            out.put_slice(b"data: ");
            out.put_slice(frame.json());
            out.put_slice(b"\n\n");
        }
        out.freeze()
    }
}
