use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::watch;

/// The requests of an HTTP/2 connection.
#[derive(Debug, Default)]
pub(crate) struct Streams(watch::Sender<Count>);

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    begun: usize,
    under_way: usize,
}

/// A request that is under way for as long as this is held.
#[derive(Debug)]
pub(crate) struct Stream(watch::Sender<Count>);

/// The body of an answer: its request is under way until there is no more of it.
#[derive(Debug)]
pub(crate) struct Streamed<B> {
    body: B,
    _stream: Stream,
}

impl Streams {
    pub(crate) fn begin(&self) -> Stream {
        self.0.send_modify(|count| {
            count.begun += 1;
            count.under_way += 1;
        });
        Stream(self.0.clone())
    }

    /// Completes when the first request did not begin within `patience`, and never if it did.
    pub(crate) async fn unused(&self, patience: Duration) {
        // By what was counted, not by a change: the first may have begun before this is asked for the first time.
        if tokio::time::timeout(patience, self.0.subscribe().wait_for(|count| count.begun > 0)).await.is_ok()
        {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until nothing was asked and nothing answered for as long as `patience`.
    pub(crate) async fn idle(&self, patience: Duration) {
        let mut count = self.0.subscribe();
        // The sender is here.
        while count.wait_for(|count| count.under_way == 0).await.is_ok() {
            if tokio::time::timeout(patience, count.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl Stream {
    pub(crate) fn of<B>(self, body: B) -> Streamed<B> {
        Streamed { body, _stream: self }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.send_modify(|count| count.under_way -= 1);
    }
}

impl<B: Body + Unpin> Body for Streamed<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_when_nothing_is_under_way_for_a_while() {
        let (streams, start) = (Streams::default(), Instant::now());
        let second = Duration::from_secs(1);
        let asks = async {
            tokio::time::sleep(5 * second).await;
            let long = streams.begin();
            tokio::time::sleep(30 * second).await;
            drop(long);
            tokio::time::sleep(9 * second).await;
            drop(streams.begin());
        };
        tokio::join!(streams.idle(10 * second), asks);
        assert_eq!(start.elapsed(), 54 * second);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_unused_until_its_first_request_begins() {
        let (streams, start) = (Streams::default(), Instant::now());
        let second = Duration::from_secs(1);
        streams.unused(10 * second).await;
        assert_eq!(start.elapsed(), 10 * second);
        let unused = streams.unused(10 * second);
        // It begins before that is looked at, and does not end.
        let _request = streams.begin();
        assert!(tokio::time::timeout(100 * second, unused).await.is_err(), "it was used");
    }
}
