use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};

use crate::backoff::{Backoff, retry_after};
use crate::{PublishArgs, PublishError};

/// One request may take this long, and a second more for each of so many bytes; after that it is repeated.
const TIMEOUT: Duration = Duration::from_secs(30);
const SLOWEST: usize = 64 << 10;

/// Sends bodies, each until it is answered.
#[derive(Debug)]
pub(crate) struct Post {
    client: Client,
    url: Url,
    authorization: Option<HeaderValue>,
    /// Names this publisher among all that ever were.
    producer: String,
    /// Bodies so far.
    count: u64,
    /// How long one body is tried. `None`: for ever.
    patience: Option<Duration>,
}

/// What a failed attempt met.
struct Miss {
    reason: String,
    retry_after: Option<Duration>,
}

impl Post {
    pub(crate) fn new(
        name: &str,
        args: &PublishArgs,
        patience: Option<Duration>,
    ) -> Result<Self, PublishError> {
        use std::hash::{BuildHasher, RandomState};
        let failed = |error: &dyn std::fmt::Display| PublishError::Client(error.to_string());
        // Another part of the program may have chosen one: that does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .connect_timeout(Duration::from_secs(5))
            // A broadcaster is near: what the environment says of the way out is not meant for it, and
            // a redirected POST would arrive as a GET.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        if args.publish_url.scheme() == "http" {
            // Reading all the certificates of a system takes longer than everything else before the first event.
            client = client.tls_certs_only([]);
        }
        let client = client.build().map_err(|error| failed(&error))?;
        let authorization = args.publish_token.as_ref().map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| failed(&"--publish-token: expected visible ASCII characters"))?;
            value.set_sensitive(true);
            Ok(value)
        });
        let life = RandomState::new().hash_one(std::process::id());
        Ok(Self {
            client,
            url: args.publish_url.clone(),
            authorization: authorization.transpose()?,
            producer: format!("{name}-{life:016x}"),
            count: 0,
            patience,
        })
    }

    /// Sends a body until it is applied, refused, or out of patience. Returns what the answer says of the
    /// broadcaster's memory, if it does.
    pub(crate) async fn send(
        &mut self,
        media: &'static str,
        body: Bytes,
    ) -> Result<Option<Memory>, PublishError> {
        self.count += 1;
        let key = format!("{}:{}", self.producer, self.count);
        let mut backoff = Backoff::new();
        let start = tokio::time::Instant::now();
        let mut missed = false;
        loop {
            let miss = match self.attempt(media, body.clone(), &key).await? {
                Ok(memory) => {
                    if missed {
                        tracing::info!("{} answers again", self.url);
                    }
                    return Ok(memory);
                }
                Err(miss) => miss,
            };
            if !missed {
                tracing::warn!("{} does not take events: {}; trying again", self.url, miss.reason);
                missed = true;
            }
            let wait = backoff.wait(miss.retry_after);
            if let Some(patience) = self.patience
                && start.elapsed() + wait > patience
            {
                let (url, seconds) = (self.url.clone(), patience.as_secs());
                return Err(PublishError::Unreachable { url, seconds, reason: miss.reason });
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(
        &self,
        media: &'static str,
        body: Bytes,
        key: &str,
    ) -> Result<Result<Option<Memory>, Miss>, PublishError> {
        let timeout = TIMEOUT + Duration::from_secs((body.len() / SLOWEST) as u64);
        let mut request =
            self.client.post(self.url.clone()).timeout(timeout).header(CONTENT_TYPE, media).body(body);
        request = request.header("idempotency-key", key);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Ok(Err(Miss { reason: causes(&error), retry_after: None })),
        };
        match response.status() {
            status if status.is_success() => Ok(Ok(memory(response).await)),
            status if status.is_server_error() || passing(status) => {
                let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let retry_after = asked.and_then(|value| retry_after(value, SystemTime::now()));
                Ok(Err(Miss { reason: format!("{status}: {}", detail(response).await), retry_after }))
            }
            status => {
                Err(PublishError::Refused { url: self.url.clone(), status, detail: detail(response).await })
            }
        }
    }
}

/// What the broadcaster remembers. Another one than before means that it lost something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    epoch: String,
    /// Events up to here may have been lost in a crash.
    #[serde(default)]
    lost_to: u64,
}

async fn memory(response: Response) -> Option<Memory> {
    serde_json::from_slice(&response.bytes().await.ok()?).ok()
}

fn passing(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

/// The sentence of a problem (RFC 9457), or the beginning of whatever came.
async fn detail(response: Response) -> String {
    let body = response.bytes().await.unwrap_or_default();
    let problem: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    match problem.as_ref().and_then(|problem| problem["detail"].as_str()) {
        Some(detail) => detail.to_owned(),
        None => String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned(),
    }
}

/// An error with what caused it: the first sentence alone seldom says anything.
fn causes(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}
