//! What `GET /metrics` says is what happened.

use std::collections::BTreeMap;

use broadcaster::{Config, Durability, LogLimits};
use serde_json::{Value, json};

use crate::random;
use crate::wall::{self, Wall};

/// Values by name and labels.
type Scrape = BTreeMap<String, f64>;

async fn scraped(wall: &Wall, query: &str) -> Scrape {
    let response = reqwest::get(wall.url(&format!("/metrics{query}"))).await.unwrap();
    let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = response.text().await.unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    let row = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    rows.map(row).collect()
}

/// A client's row: events delivered, skipped, filtered and pending, which are all that were published.
fn ledger(scrape: &Scrape, client: usize) -> [f64; 4] {
    let column = |name| scrape[&format!("vitrine_client_{name}{{client=\"{client}\"}}")];
    let [published, columns @ ..] = ["published", "delivered", "skipped", "filtered", "pending"].map(column);
    assert_eq!(columns.iter().sum::<f64>(), published, "client {client}: {columns:?}");
    columns
}

/// Reads to an event; how many came since the state did, one by one.
async fn live_events(mut next: impl AsyncFnMut() -> Vec<Value>, last: Value) -> f64 {
    let (mut live, mut count) = (false, 0.0);
    loop {
        for mut message in next().await {
            match message["type"].as_str() {
                Some("ready") => live = true,
                Some("skipped") => live = false,
                _ => count += f64::from(u8::from(live)),
            }
            message.as_object_mut().unwrap().remove("seq");
            if message == last {
                return count;
            }
        }
    }
}

#[tokio::test]
async fn every_event_is_in_one_column_of_every_clients_ledger() {
    let config = Config { log: LogLimits { events: 5_000, bytes: 8 << 20 }, ..wall::config() };
    let wall = Wall::start(config).await;
    for batch in random::batches(20) {
        wall.publish(&batch).await;
    }
    // One after the other, so that it is known which has which number.
    let mut plain = wall.websocket("?batch=1").await;
    plain.next().await;
    let mut filtered = wall.websocket("?types=loss").await;
    filtered.next().await;
    let mut events = wall.events("?types=model_metric", None).await;
    events.next().await;
    let mut slow = wall.websocket("").await;
    slow.next().await;

    let metric = json!({"type": "model_metric", "model": "last", "accuracy": 1.0});
    let loss = json!({"type": "loss", "iteration": 424_242, "loss": 0.5, "batch_size": 1});
    let publishing = async {
        // More than the kernel's buffers of both ends hold.
        let long = format!(r#"{{"type":"model_metric","model":"{}","accuracy":0.1}}"#, "m".repeat(200));
        for (round, batch) in random::batches(200).into_iter().enumerate() {
            wall.publish(&batch).await;
            wall.publish(&vec![long.clone(); 500]).await;
            if round % 20 == 0 {
                let scrape = scraped(&wall, "?clients=1").await;
                assert_eq!(scrape["vitrine_clients_unbalanced"], 0.0);
                for client in 1..=4 {
                    ledger(&scrape, client);
                }
            }
        }
        wall.publish(&[metric.to_string(), loss.to_string()]).await;
    };
    let ((), plain_events, filtered_events, sent_events) = tokio::join!(
        publishing,
        live_events(async || plain.next().await, loss.clone()),
        live_events(async || filtered.next().await, loss.clone()),
        live_events(async || vec![events.next().await.1], metric.clone()),
    );
    let slow_events = live_events(async || slow.next().await, loss.clone()).await;
    let scrape = loop {
        // What a client was sent is entered a moment after it could be read.
        let scrape = scraped(&wall, "?clients=1").await;
        if scrape["vitrine_pending"] == 0.0 {
            break scrape;
        }
    };
    let rows = [1, 2, 3, 4].map(|client| ledger(&scrape, client));
    let delivered = [plain_events, filtered_events, sent_events, slow_events];
    assert_eq!(rows.map(|row| row[0]), delivered);
    assert!(rows[3][1] > 0.0, "the slow one was moved forward: {rows:?}");
    assert!(rows[1][2] > 0.0 && rows[2][2] > 0.0 && rows[0][2] == 0.0 && rows[3][2] == 0.0, "{rows:?}");
    drop((plain, filtered, events, slow));
    let scrape = loop {
        let scrape = scraped(&wall, "").await;
        if scrape["vitrine_clients"] == 0.0 {
            break scrape;
        }
    };
    assert_eq!(
        scrape["vitrine_deliveries_total"],
        delivered.iter().sum::<f64>(),
        "of those that went as well"
    );
    wall.stopped().await;
}

#[tokio::test]
async fn publishes_and_events_are_counted_by_what_became_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let wall = Wall::keep(dir.path(), Durability::Sync).await;
    let post = async |body: &'static str| {
        let request = reqwest::Client::new().post(wall.url("/publish")).body(body);
        let request = request.header("content-type", "application/json").header("idempotency-key", "once");
        request.send().await.unwrap().status().as_u16()
    };
    let loss = r#"{"type":"loss","iteration":1,"loss":0.5,"batch_size":1}"#;
    assert_eq!([post("{").await, post(loss).await, post(loss).await], [400, 200, 200]);
    wall.publish(&[loss.to_owned(), r#"{"type":"model_metric","model":"knn","accuracy":1}"#.to_owned()])
        .await;
    let scrape = scraped(&wall, "").await;
    let publishes = |labels| scrape[&format!("vitrine_publishes_total{{{labels}}}")];
    assert_eq!(publishes(r#"outcome="applied",status="200""#), 2.0);
    assert_eq!(publishes(r#"outcome="repeated",status="200""#), 1.0);
    assert_eq!(publishes(r#"outcome="refused",status="400""#), 1.0);
    let events = |labels| scrape[&format!("vitrine_events_total{{{labels}}}")];
    assert_eq!(events(r#"type="loss",outcome="applied""#), 2.0);
    assert_eq!(events(r#"type="loss",outcome="repeated""#), 1.0);
    assert_eq!(events(r#"type="model_metric",outcome="applied""#), 1.0);
    assert_eq!(scrape["vitrine_publish_seconds_count"], 4.0);
    assert!(scrape["vitrine_write_seconds_count"] >= 2.0, "the first, and what was published");
    assert_eq!(scrape[r#"vitrine_sticky_entries{type="loss"}"#], 2.0);
    assert_eq!((scrape["vitrine_seq"], scrape["vitrine_log_events"]), (3.0, 3.0));
    assert_eq!((scrape["vitrine_unwritten_events"], scrape["vitrine_refusing"]), (0.0, 0.0));
    let wrong = reqwest::get(wall.url("/metrics?client=1")).await.unwrap();
    assert_eq!(wrong.status(), 400);
    wall.stopped().await;
}
