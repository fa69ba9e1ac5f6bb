use std::time::Instant;

use bytes::Bytes;
use events::{Batch, BatchUpdate, Format, Item, Refusal};
use hyper::Request;
use hyper::body::Incoming;
use serde::Serialize;

use crate::Config;
use crate::metrics::{Outcome, Publishing};
use crate::picture;
use crate::problem::Problem;
use crate::publish::{Body, Media, Publisher, media};

/// The body of a 200.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Updated {
    /// `ok`, or `ignored`: nothing changed.
    status: &'static str,
    iteration: u64,
    loss: f64,
    tiles_ready: bool,
}

impl Publisher {
    /// `POST /rpc/batch_update`: what a trainer says of an iteration, as a point of its loss curve and a part of a tile set. The
    /// body of a 200, when it may be given.
    pub(crate) async fn batch_update(
        &self,
        request: Request<Incoming>,
        config: &Config,
        publishing: &mut Publishing<'_>,
    ) -> Result<Bytes, Problem> {
        if !matches!(media(request.headers()), Ok(Media::Events(Format::Json))) {
            return Err(Problem::UnsupportedMediaType("expected Content-Type application/json".to_owned()));
        }
        let body = Body::whole(request, config.max_body).await?;
        publishing.begins();
        let update = self.aside(move || checked(body)).await;
        let update = update.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        let (iteration, loss) = (update.iteration, update.loss.get());
        let mut training = self.training.lock().await;
        let now = Instant::now();
        let (seq, status, is_ready, outcome) = if training.has_passed(iteration, now) {
            // What came may not be on disk yet: it is answered no sooner than the first time.
            (training.seq(), "ignored", training.is_ready(), Outcome::Repeated)
        } else {
            tokio::time::sleep(config.frame_delay).await;
            let (tiles, events) = training.after(update);
            let items = events.into_iter().map(|event| {
                let json = serde_json::to_string(&event)?;
                Ok(Item { event, json: json.into() })
            });
            let items: Result<Vec<_>, serde_json::Error> = items.collect();
            let items = items.map_err(|error| Problem::BadRequest(error.to_string()))?;
            let (published, outcome) = self.hub.publish(&Batch { items }, None, now).await?;
            training.came(iteration, tiles, published.receipt.seq, Instant::now());
            (published.receipt.seq, "ok", training.is_ready(), outcome)
        };
        drop(training);
        self.hub.acknowledged(seq).await?;
        publishing.became(outcome);
        let answer = Updated { status, iteration, loss, tiles_ready: is_ready };
        // Numbers and a word: it serializes.
        Ok(serde_json::to_vec(&answer).unwrap_or_default().into())
    }
}

/// Every picture can be shown: of those that a thinned set leaves out as well.
fn checked(body: Body) -> Result<BatchUpdate<'static>, Problem> {
    let body = body.decoded()?;
    let update = BatchUpdate::decode(&body)?;
    for (place, sample) in update.samples.iter().enumerate() {
        picture::check(&sample.image_b64).map_err(|got| Refusal::Invalid {
            index: 0,
            pointer: format!("/samples/{place}/image_b64"),
            expected: picture::EXPECTED.into(),
            got,
        })?;
    }
    Ok(update.into_owned())
}
