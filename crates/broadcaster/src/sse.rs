use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response};
use hyper::body::{Body, Frame as Chunk};
use tokio::sync::mpsc;

use crate::reader::{Portion, Reader};
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
) -> Response<Chunks> {
    let reader = Reader::join(hub, cursor, filter);
    let (sender, response) = response();
    let stream = Stream { hub: hub.clone(), reader, sender, heartbeat, stopping };
    tokio::spawn(stream.run());
    response
}

/// An answer that goes on, and what is handed over of it.
pub(crate) fn response() -> (mpsc::Sender<Bytes>, Response<Chunks>) {
    let (sender, receiver) = mpsc::channel(1);
    let mut response = Response::new(Chunks(receiver));
    let headers = response.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(CONTENT_TYPE, fixed("text/event-stream"));
    headers.insert(CACHE_CONTROL, fixed("no-cache, no-transform"));
    headers.insert("x-accel-buffering", fixed("no"));
    (sender, response)
}

/// A comment at once, so that proxies pass the head on; the pause before a browser comes back differs by connection, so
/// that they do not all come at once.
pub(crate) fn opening() -> Bytes {
    let pause = 500 + RandomState::new().hash_one(()) % 1_000;
    format!(": vitrine\nretry: {pause}\n\n").into()
}

/// The body of the answer: what the stream hands over.
pub(crate) struct Chunks(mpsc::Receiver<Bytes>);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Chunk<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Chunk::data(bytes))))
    }
}

/// Frames that are written together.
const TOGETHER: usize = 256;

struct Stream {
    hub: Hub,
    reader: Reader,
    sender: mpsc::Sender<Bytes>,
    heartbeat: Duration,
    stopping: Stopping,
}

impl Stream {
    /// Ends when the client is gone or the broadcaster stops. The channel holds one chunk: a slow
    /// client holds this task up, and nothing else.
    async fn run(mut self) {
        if self.sender.send(opening()).await.is_err() {
            return;
        }
        let mut stopping = self.stopping.clone();
        loop {
            let portion = tokio::select! {
                portion = self.reader.next() => portion,
                () = tokio::time::sleep(self.heartbeat) => Portion { frames: vec![], replayed: false },
                () = self.sender.closed() => return,
                () = stopping.wait() => return,
            };
            // The frames are not held meanwhile: they would hold what the log drops.
            for chunk in self.encode(portion) {
                let sending = self.sender.send(chunk);
                tokio::pin!(sending);
                loop {
                    tokio::select! {
                        sent = &mut sending => match sent {
                            Ok(()) => break,
                            Err(_gone) => return,
                        },
                        () = tokio::time::sleep(self.heartbeat) => self.reader.give_up_replay(),
                        () = stopping.wait() => return,
                    }
                }
            }
        }
    }

    /// Frames in chunks, or a comment where there are none: a sign of life.
    fn encode(&self, Portion { frames, replayed }: Portion) -> Vec<Bytes> {
        match frames.is_empty() {
            true => vec![Bytes::from_static(b":\n\n")],
            false => frames.chunks(TOGETHER).map(|frames| self.chunk(frames, replayed)).collect(),
        }
    }

    fn chunk(&self, frames: &[Frame], replayed: bool) -> Bytes {
        let mut out = BytesMut::with_capacity(frames.iter().map(|frame| frame.json().len() + 48).sum());
        for frame in frames {
            if let Some(seq) = frame.seq() {
                // `ready` is of no type.
                let partial = (replayed && frame.kind().is_some()).then(|| self.hub.lost_to());
                let cursor = Cursor { epoch: self.hub.epoch().clone(), seq, partial };
                out.put_slice(format!("id: {cursor}\n").as_bytes());
            }
            out.put_slice(b"data: ");
            out.put_slice(frame.json());
            out.put_slice(b"\n\n");
        }
        out.freeze()
    }
}
