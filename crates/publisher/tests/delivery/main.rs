//! A publisher in front of a broadcaster that fails in scripted ways.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use events::{Event, Loss, Real};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use publisher::{PublishArgs, PublishError, Publisher};
use tokio::net::TcpListener;

/// What the server does with a request; after the script, it accepts.
enum Act {
    /// Takes the body, then cuts the connection without an answer.
    Cut,
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
}

/// A request that arrived whole.
#[derive(Debug, Clone)]
struct Seen {
    key: String,
    authorization: String,
    body: String,
}

#[derive(Clone)]
struct Server {
    script: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    url: String,
}

impl Server {
    async fn start(script: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/publish", listener.local_addr().unwrap());
        let server =
            Self { script: Arc::new(Mutex::new(script.into_iter().collect())), seen: Arc::default(), url };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let serving = serving.clone();
                let service = service_fn(move |request| {
                    let serving = serving.clone();
                    async move { serving.answer(request).await }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service),
                );
            }
        });
        server
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
        let header = |name| {
            request.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let (key, authorization) = (header("idempotency-key"), header("authorization"));
        let body = request.into_body().collect().await?.to_bytes();
        let body = String::from_utf8(body.to_vec())?;
        self.seen.lock().unwrap().push(Seen { key, authorization, body });
        let act = self.script.lock().unwrap().pop_front();
        match act {
            Some(Act::Cut) => Err("cut".into()),
            None => Ok(Response::new(Full::from("{}"))),
            Some(Act::Answer(status, headers, body)) => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(*name, *value);
                }
                Ok(response.body(Full::from(body))?)
            }
        }
    }

    fn args(&self) -> PublishArgs {
        PublishArgs {
            publish_url: self.url.parse().unwrap(),
            publish_token: Some("t0ken".to_owned()),
            dry_run: false,
        }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn loss(iteration: u64) -> Event<'static> {
    Loss { iteration, loss: Real::new(0.5).unwrap(), batch_size: 1, delay_ms: None }.into()
}

#[tokio::test]
async fn a_body_is_repeated_with_its_key_until_it_is_answered() {
    let again = [("retry-after", "0")].as_slice();
    let server = Server::start([Act::Cut, Act::Answer(503, again, ""), Act::Answer(429, again, "")]).await;
    let publisher = Publisher::open("test", &server.args()).unwrap();
    publisher.send(loss(1)).await.unwrap();
    publisher.flush().await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|one| one.key == seen[0].key && one.body == seen[0].body), "{seen:?}");
    assert!(seen[0].key.starts_with("test-") && seen[0].key.ends_with(":1"));
    assert_eq!(seen[0].authorization, "Bearer t0ken");
    publisher.send(loss(2)).await.unwrap();
    publisher.flush().await.unwrap();
    assert!(server.seen()[4].key.ends_with(":2"));
}

#[tokio::test]
async fn what_is_ready_goes_together_and_in_order() {
    let server = Server::start([]).await;
    let publisher = Publisher::open("test", &server.args()).unwrap();
    for iteration in 0..25_000 {
        publisher.send(loss(iteration)).await.unwrap();
    }
    publisher.flush().await.unwrap();
    let seen = server.seen();
    let sent: Vec<u64> = seen
        .iter()
        .flat_map(|one| one.body.lines())
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["iteration"].as_u64().unwrap())
        .collect();
    assert_eq!(sent, (0..25_000).collect::<Vec<_>>());
    assert!(seen.len() < 2_500, "{} requests", seen.len());
}

#[tokio::test]
async fn a_refusal_is_said_once_and_for_all() {
    let problem =
        r#"{"title":"Unprocessable","detail":"event 0, /loss: expected a finite number, got null"}"#;
    let server = Server::start([Act::Answer(422, &[], problem)]).await;
    let publisher = Publisher::open("test", &server.args()).unwrap();
    publisher.send(loss(1)).await.unwrap();
    for _ in 0..2 {
        match publisher.flush().await.unwrap_err() {
            PublishError::Refused { status, detail, .. } => {
                assert_eq!(status, 422);
                assert_eq!(detail, "event 0, /loss: expected a finite number, got null");
            }
            other => panic!("{other}"),
        }
    }
    assert!(publisher.send(loss(2)).await.is_err());
    assert!(publisher.replace(loss(2)).is_err());
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn patience_ends_when_nobody_answers() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let args = PublishArgs {
        publish_url: format!("http://{free}/publish").parse().unwrap(),
        publish_token: None,
        dry_run: false,
    };
    let publisher = Publisher::open_for("test", &args, Duration::from_millis(50)).unwrap();
    publisher.send(loss(1)).await.unwrap();
    let said = publisher.flush().await.unwrap_err().to_string();
    assert!(
        said.starts_with(&format!("http://{free}/publish took nothing")) && said.contains("refused"),
        "{said}"
    );
}

#[tokio::test]
async fn a_full_outbox_slows_the_source_and_nothing_is_lost() {
    let never = [("retry-after", "1")].as_slice();
    let server = Server::start([Act::Answer(503, never, "")]).await;
    let publisher = Publisher::open("test", &server.args()).unwrap();
    let sending = async {
        for iteration in 0..15_000 {
            publisher.send(loss(iteration)).await.unwrap();
        }
        publisher.flush().await.unwrap();
    };
    let waiting = async {
        while server.seen().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(sending, waiting);
    let lines: usize = server.seen()[1..].iter().map(|one| one.body.lines().count()).sum();
    assert_eq!(lines, 15_000);
}

#[tokio::test(start_paused = true)]
async fn a_broadcaster_that_lost_events_is_sent_the_states_again() {
    for then in [r#"{"epoch":"b"}"#, r#"{"epoch":"a","lost_to":9}"#] {
        are_sent_again(then).await;
    }
}

async fn are_sent_again(then: &'static str) {
    let (first, second) = (Act::Answer(200, &[], r#"{"epoch":"a"}"#), Act::Answer(200, &[], then));
    let server = Server::start([first, second]).await;
    let publisher = Publisher::open("test", &server.args()).unwrap();
    let metric = r#"{"type":"model_metric","model":"knn","accuracy":0.5}"#;
    publisher.replace(serde_json::from_str::<Event<'_>>(metric).unwrap()).unwrap();
    publisher.flush().await.unwrap();
    while server.seen().len() < 3 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let bodies: Vec<String> = server.seen().into_iter().map(|one| one.body).collect();
    assert_eq!(bodies[..3], [format!("{metric}\n"), String::new(), format!("{metric}\n")]);
}
