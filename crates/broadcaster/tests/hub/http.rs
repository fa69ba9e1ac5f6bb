//! What producers and scripts meet: every refusal, and that a refusal changes nothing.

use std::io::Write;

use broadcaster::Config;
use publisher::Columns;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

use crate::wall::{self, Wall};

const METRIC: &str = r#"{"type":"model_metric","model":"knn","accuracy":0.5}"#;

pub(crate) fn post(wall: &Wall, media: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    Client::new().post(wall.url("/publish")).header("content-type", media).body(body)
}

pub(crate) async fn json(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// Sends what must be refused; checks the form of the refusal and that nothing changed.
pub(crate) async fn refused(wall: &Wall, request: RequestBuilder, status: u16) -> Value {
    let before = wall.hub.head_seq();
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.status(), status);
    let problem = json(response).await;
    assert_eq!(problem["status"], status);
    assert!(!problem["detail"].as_str().unwrap().is_empty());
    assert_eq!(wall.hub.head_seq(), before);
    problem
}

#[tokio::test]
async fn a_refusal_says_what_is_wrong_and_where() {
    let wall = Wall::start(wall::config()).await;
    let problem = refused(&wall, post(&wall, "application/json", "{\n\"type\": nope}"), 400).await;
    assert_eq!((problem["line"].as_u64(), problem["column"].as_u64()), (Some(2), Some(10)));
    let body = format!("{METRIC}\n{}", METRIC.replace("0.5", "1.5"));
    let problem = refused(&wall, post(&wall, "application/x-ndjson", body), 422).await;
    assert_eq!(problem["index"], 1);
    assert_eq!(problem["pointer"], "/accuracy");
    assert_eq!(problem["expected"], "a number from 0 to 1");
    assert_eq!(problem["got"], "1.5");
    refused(&wall, post(&wall, "text/plain", METRIC), 415).await;
    refused(&wall, Client::new().post(wall.url("/publish")).body(METRIC), 415).await;
    refused(&wall, Client::new().get(wall.url("/publish")), 405).await;
    refused(&wall, Client::new().delete(wall.url("/state")), 405).await;
    refused(&wall, Client::new().get(wall.url("/nothing")), 404).await;
    refused(&wall, Client::new().get(wall.url("/state/nothing")), 404).await;
    refused(&wall, Client::new().get(wall.url("/snapshots/00")), 404).await;
    refused(&wall, Client::new().get(wall.url("/ws")), 426).await;
    refused(&wall, Client::new().get(wall.url("/events?since=nonsense")), 400).await;
    refused(&wall, Client::new().get(wall.url("/events?types=loss,nothing")), 400).await;
    refused(&wall, Client::new().get(wall.url("/state")).header("host", "evil.example"), 403).await;
    refused(&wall, post(&wall, "application/json", METRIC).header("origin", "http://evil.example"), 403)
        .await;
    refused(&wall, post(&wall, "application/json", METRIC).header("idempotency-key", ""), 400).await;
    let snapshot = r#"{"type":"embedding_snapshot","fit_id":"f","rows":1,"url":"/x","projector":"lda"}"#;
    let problem = refused(&wall, post(&wall, "application/json", snapshot), 422).await;
    assert_eq!(problem["pointer"], "/type");
    wall.stopped().await;
}

#[tokio::test]
async fn a_body_is_bounded_before_and_after_decoding() {
    let wall = Wall::start(Config { max_body: 1 << 20, ..wall::config() }).await;
    let large = vec![b' '; 2 << 20];
    refused(&wall, post(&wall, "application/json", large.clone()), 413).await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&large).unwrap();
    let bomb = gzip.finish().unwrap();
    assert!(bomb.len() < 10_000);
    refused(&wall, post(&wall, "application/json", bomb).header("content-encoding", "gzip"), 413).await;
    let bomb = zstd::encode_all(&large[..], 19).unwrap();
    refused(&wall, post(&wall, "application/json", bomb).header("content-encoding", "zstd"), 413).await;
    refused(&wall, post(&wall, "application/json", "not gzip").header("content-encoding", "gzip"), 400).await;
    refused(&wall, post(&wall, "application/json", METRIC).header("content-encoding", "br"), 415).await;
    let good = zstd::encode_all(METRIC.as_bytes(), 1).unwrap();
    let answer =
        post(&wall, "application/json", good).header("content-encoding", "zstd").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    wall.stopped().await;
}

#[tokio::test]
async fn a_repeated_key_is_answered_as_before_and_changes_nothing() {
    let wall = Wall::start(wall::config()).await;
    let send = async |key: &str| {
        let response =
            post(&wall, "application/json", METRIC).header("idempotency-key", key).send().await.unwrap();
        json(response).await
    };
    let first = send("p:1").await;
    assert_eq!((first["seq"].as_u64(), first["accepted"].as_u64()), (Some(1), Some(1)));
    assert_eq!(send("p:1").await, first);
    assert_eq!(send("p:2").await["seq"], 2);
    wall.stopped().await;
}

#[tokio::test]
async fn the_state_has_an_etag() {
    let wall = Wall::start(wall::config()).await;
    wall.publish(&[METRIC.to_owned()]).await;
    let response = reqwest::get(wall.url("/state/model_metric")).await.unwrap();
    let etag = response.headers()["etag"].clone();
    assert_eq!(json(response).await["events"][0]["accuracy"], 0.5);
    let again = || Client::new().get(wall.url("/state/model_metric")).header("if-none-match", &etag);
    assert_eq!(again().send().await.unwrap().status(), 304);
    wall.publish(&[METRIC.replace("0.5", "0.6")]).await;
    assert_eq!(json(again().send().await.unwrap()).await["events"][0]["accuracy"], 0.6);
    wall.stopped().await;
}

pub(crate) fn columns(rows: usize) -> Columns {
    let axis = |from: f32| (0..rows).map(|row| (from + row as f32 / rows as f32) % 1.0).collect();
    Columns {
        fit_id: "fit".to_owned().try_into().unwrap(),
        projector: "lda".to_owned().try_into().unwrap(),
        cycle: Some(7),
        x: axis(0.0),
        y: axis(0.25),
        z: axis(0.5),
        phase: vec![events::Phase::Clean; rows],
        predicted: vec![events::Phase::Dormant; rows],
        cluster: vec![3; rows],
    }
}

pub(crate) const ARROW: &str = "application/vnd.apache.arrow.stream";

#[tokio::test]
async fn an_embedding_snapshot_is_packed_once_and_served_for_good() {
    let wall = Wall::start(wall::config()).await;
    let embedding =
        r#"{"type":"embedding","x":0,"y":0,"z":0,"phase":"clean","predicted":"clean","cluster":0}"#;
    wall.publish(&[embedding.to_owned()]).await;
    let stream = columns(1_000).encode().unwrap();
    let answer = post(&wall, ARROW, stream.clone()).send().await.unwrap();
    assert_eq!(json(answer).await["accepted"], 1);
    let state = wall.state().await;
    assert_eq!(state.len(), 1, "the snapshot emptied the embeddings");
    let event = &state[0];
    assert_eq!((event["rows"].as_u64(), event["cycle"].as_u64()), (Some(1_000), Some(7)));
    let url = wall.url(event["url"].as_str().unwrap());
    let response = reqwest::get(&url).await.unwrap();
    assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    let packed = response.bytes().await.unwrap();
    assert_eq!(packed.len(), 9_000);
    let y_of_row_1 = u16::from_le_bytes([packed[2_002], packed[2_003]]);
    assert_eq!(y_of_row_1, (0.251_f32 * 65535.0).round() as u16);
    assert_eq!((packed[6_000], packed[7_000], packed[8_000]), (0, 4, 3));
    let zipped = Client::new().get(&url).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(zipped.headers()["content-encoding"], "gzip");
    let mut plain = Vec::new();
    let zipped = zipped.bytes().await.unwrap();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&zipped[..]), &mut plain).unwrap();
    assert_eq!(plain, packed);
    // Points are bounded by their number, not by what events may weigh.
    let million = post(&wall, ARROW, columns(1_000_000).encode().unwrap()).send().await.unwrap();
    assert_eq!(million.status(), 200);
    // The same points again are the same resource.
    post(&wall, ARROW, stream).send().await.unwrap();
    assert_eq!(wall.state().await[0]["url"], event["url"]);
    wall.stopped().await;
}

#[tokio::test]
async fn a_damaged_stream_is_refused_and_the_broadcaster_goes_on() {
    let wall = Wall::start(wall::config()).await;
    let whole = columns(100).encode().unwrap();
    let mut accepted = 0;
    // Every fourth byte of the framing and the first values, made large, small and odd.
    for at in (0..whole.len().min(2_400)).step_by(4) {
        for value in [0x00, 0x7f, 0xff] {
            let mut damaged = whole.to_vec();
            damaged[at] = value;
            let answer = post(&wall, ARROW, damaged).send().await.unwrap();
            match answer.status().as_u16() {
                200 => accepted += 1,
                400 | 422 => {}
                status => panic!("{status} for byte {at} = {value}"),
            }
        }
    }
    assert_eq!(wall.state().await.len(), usize::from(accepted > 0));
    wall.stopped().await;
}

#[tokio::test]
async fn an_event_may_be_written_with_any_space_in_it() {
    let wall = Wall::start(wall::config()).await;
    let spaced = "{\n  \"type\": \"model_metric\",\r\n\t\"model\": \"knn\", \"accuracy\": 0.5 }";
    let answer = post(&wall, "application/json", spaced).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(wall.state().await[0]["accuracy"], 0.5);
    let mut events = wall.events("", None).await;
    events.next().await;
    assert_eq!(events.next().await.1["model"], "knn");
    wall.stopped().await;
}

#[tokio::test]
async fn columns_that_are_not_an_embedding_snapshot_are_refused() {
    let wall = Wall::start(wall::config()).await;
    refused(&wall, post(&wall, ARROW, "not arrow"), 400).await;
    let whole = columns(100).encode().unwrap();
    refused(&wall, post(&wall, ARROW, whole.slice(..whole.len() / 2)), 400).await;
    let case = async |columns: Columns, says: &str| {
        let problem = refused(&wall, post(&wall, ARROW, columns.encode().unwrap()), 422).await;
        assert_eq!(problem["detail"], says);
    };
    let mut off = columns(3);
    off.y[2] = 1.5;
    case(off, "column `y`, row 2: expected a number from 0 to 1, got 1.5").await;
    let mut off = columns(3);
    off.x[0] = f32::NAN;
    case(off, "column `x`, row 0: expected a number from 0 to 1, got NaN").await;
    let mut off = columns(3);
    off.cluster[1] = -1;
    case(off, "column `cluster`, row 1: expected a cluster from 0 to 255, got -1").await;
    case(columns(0), "expected 1 to 4000000 rows, got 0").await;
    wall.stopped().await;
}
