//! Training runs: kept, asked for, streamed as the dashboard before Vitrine reads them.

use events::Kind;
use serde_json::{Value, json};

use crate::http::post;
use crate::page::Page;
use crate::wall::{self, PATIENCE, Wall};

/// Points of a run: of so many steps from one on, a value and half a second each.
fn points(run: &str, metric: &str, from: u64, steps: u64) -> String {
    let point = |step: u64| json!([step, (step % 7) as f64 / 8.0, 1_772_000_000.0 + step as f64 / 2.0]);
    let points: Vec<Value> = (from..from + steps).map(point).collect();
    json!({ "type": "metric_points", "run_id": run, "metric": metric, "points": points }).to_string()
}

async fn get(wall: &Wall, path: &str) -> (u16, Value) {
    let response = reqwest::get(wall.url(path)).await.unwrap();
    (response.status().as_u16(), serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

async fn page(wall: &Wall, page: &mut Page) {
    page.reconnect();
    let mut socket = wall.websocket(&format!("?{}", page.since())).await;
    while !page.ready {
        socket.next().await.iter().for_each(|message| page.receive(message));
    }
}

/// What a page shows of series, without when it came.
fn series(state: &[Value]) -> Vec<Value> {
    let of = state.iter().filter(|event| event["type"] == "metric_points").cloned();
    let mut of: Vec<Value> = of.collect();
    of.iter_mut().for_each(|event| drop(event.as_object_mut().unwrap().remove("seq")));
    of.sort_by_key(|event| (event["run_id"].to_string(), event["metric"].to_string()));
    of
}

#[tokio::test]
async fn runs_and_their_series_can_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let wall = Wall::keep_runs(folder.path()).await;
    wall.publish(&[
        points("a b/c", "loss", 0, 10_000),
        points("a b/c", "checkpoint_bytes", 500, 2),
        points("z", "loss", 7, 1),
    ])
    .await;
    let (_, runs) = get(&wall, "/runs").await;
    assert_eq!(
        runs,
        json!([
            { "run_id": "a b/c", "start_time": "2026-02-25T06:13:20Z", "last_event_time": "2026-02-25T07:36:39.5Z", "latest_step": 9_999, "is_active": false },
            { "run_id": "z", "start_time": "2026-02-25T06:13:23.5Z", "last_event_time": "2026-02-25T06:13:23.5Z", "latest_step": 7, "is_active": false },
        ])
    );
    let (_, checkpoints) = get(&wall, "/checkpoints/a%20b%2Fc").await;
    assert_eq!(
        checkpoints,
        json!({ "checkpoint_bytes": [[500, 0.375, 1_772_000_250.0], [501, 0.5, 1_772_000_250.5]] })
    );
    let (_, some) =
        get(&wall, "/metrics/a%20b%2Fc?metric=loss&from_step=10&to_step=20&to_time=1772000006").await;
    assert_eq!(
        some,
        json!({ "loss": [[10, 0.375, 1_772_000_005.0], [11, 0.5, 1_772_000_005.5], [12, 0.625, 1_772_000_006.0]] })
    );
    let (_, all) = get(&wall, "/metrics/a%20b%2Fc?max_points=50000").await;
    assert_eq!(all["loss"].as_array().unwrap().len(), 10_000);
    let (_, drawn) = get(&wall, "/metrics/a%20b%2Fc?metric=loss").await;
    assert!((500..=2_000).contains(&drawn["loss"].as_array().unwrap().len()));
    let (_, shape) = get(&wall, "/metrics/a%20b%2Fc?metric=loss&decimate=lttb&max_points=100").await;
    assert_eq!(shape["loss"].as_array().unwrap().len(), 100);
    assert_eq!(get(&wall, "/metrics/z?metric=nothing").await, (200, json!({})));
    for (path, status, says) in [
        ("/metrics/nobody", 404, "no run \"nobody\""),
        ("/checkpoints/nobody", 404, "no run \"nobody\""),
        ("/metrics/z?from_step=9&to_step=3", 400, "from_step 9 is past to_step 3"),
        ("/metrics/z?from_time=9&to_time=3", 400, "from_time is past to_time"),
        ("/metrics/z?from_step=-1", 400, "query from_step: expected a step, got \"-1\""),
        (
            "/metrics/z?to_time=soon",
            400,
            "query to_time: expected seconds since 1970, or an RFC 3339 time, got \"soon\"",
        ),
        ("/metrics/z?max_points=3", 400, "query max_points: expected 4 to 100000, got \"3\""),
        ("/metrics/z?decimate=mean", 400, "query decimate: expected minmax or lttb, got \"mean\""),
    ] {
        let (got, problem) = get(&wall, path).await;
        assert_eq!((got, problem["detail"].as_str().unwrap()), (status, says), "{path}");
    }
    let step = points("z", "loss", 1 << 53, 1);
    let refused = post(&wall, "application/json", step).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("a step below 2^53"));
    wall.stopped().await;
}

#[tokio::test]
async fn pages_hold_the_same_series_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let wall = Wall::keep_runs(folder.path()).await;
    let mut held = Page::new(Kind::retention);
    for from in 0..40 {
        wall.publish(&[points("fox", "loss", 50 * from, 50), points("hare", "loss", 9 * from, 3)]).await;
        if from == 20 {
            page(&wall, &mut held).await;
        }
    }
    let mut with_unit: Value = serde_json::from_str(&points("hare", "loss", 360, 3)).unwrap();
    with_unit["unit"] = json!("nat");
    wall.publish(&[with_unit.to_string()]).await;
    page(&wall, &mut held).await;
    let before = series(&wall.state().await);
    assert_eq!(before[1]["unit"], "nat");
    assert_eq!(series(&held.state()), before);
    wall.stopped().await;

    let wall = Wall::keep_runs(folder.path()).await;
    assert_eq!(series(&wall.state().await), before);
    wall.publish(&[points("fox", "loss", 5_000, 400)]).await;
    page(&wall, &mut held).await;
    let mut new = Page::new(Kind::retention);
    page(&wall, &mut new).await;
    assert_eq!(held.state(), new.state(), "one that comes back holds what a new one holds");
    assert_eq!(series(&new.state()), series(&wall.state().await));
    wall.stopped().await;
}

#[tokio::test]
async fn a_page_that_comes_back_is_sent_the_buckets_that_changed() {
    let wall = Wall::start(wall::config()).await;
    wall.publish(&[points("fox", "loss", 0, 4_000)]).await;
    let mut held = Page::new(Kind::retention);
    page(&wall, &mut held).await;
    wall.publish(&[points("fox", "loss", 4_000, 20)]).await;
    let mut socket = wall.websocket(&format!("?{}&types=metric_points", held.since())).await;
    let mut brought = Vec::new();
    while brought.last().is_none_or(|message: &Value| message["type"] != "ready") {
        brought.extend(socket.next().await);
    }
    let sent = brought[1]["points"].as_array().unwrap();
    assert!(sent.len() <= 12 && sent.iter().all(|point| point[0].as_u64().unwrap() >= 3_968), "{sent:?}");
    wall.stopped().await;
}

/// A plain reader of named events.
struct Named {
    response: reqwest::Response,
    text: String,
}

impl Named {
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = block.split_once("event: ").and_then(|(_, event)| event.split_once("\ndata: "));
                let event = event.map(|(name, data)| (name.to_owned(), serde_json::from_str(data).unwrap()));
                self.text = rest.to_owned();
                match event {
                    Some(event) => return event,
                    None => continue,
                }
            }
            let chunk =
                tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("an event in time");
            self.text += std::str::from_utf8(&chunk.unwrap().expect("the stream goes on")).unwrap();
        }
    }
}

#[tokio::test]
async fn the_stream_is_that_of_the_dashboard_before() {
    let wall = Wall::start(wall::config()).await;
    wall.publish(&[points("fox", "loss", 0, 2), points("fox", "lr", 0, 1)]).await;
    let response = reqwest::get(wall.url("/stream")).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = Named { response, text: String::new() };
    let (name, snapshot) = stream.next().await;
    assert_eq!(name, "snapshot");
    let (loss, lr) =
        (json!([[0, 0.0, 1_772_000_000.0], [1, 0.125, 1_772_000_000.5]]), json!([[0, 0.0, 1_772_000_000.0]]));
    assert_eq!(snapshot["runs"], json!({ "fox": { "loss": loss, "lr": lr } }));
    assert!(snapshot["version"].as_u64() >= Some(2) && snapshot["runs_meta"].is_array());
    wall.publish(&[points("fox", "loss", 2, 1), points("fox", "loss", 3, 1)]).await;
    // Which runs there are it says by itself, in its own time.
    let (mut brought, mut known) = (Vec::new(), Value::Null);
    while brought.len() < 2 || known["latest_step"].is_null() {
        let (name, event) = stream.next().await;
        match &*name {
            "delta" => {
                assert!(event["version"].as_u64() > snapshot["version"].as_u64());
                brought.extend(event["runs"]["fox"]["loss"].as_array().unwrap().clone());
            }
            "runs_meta" => known = event["runs_meta"][0].clone(),
            other => panic!("{other}"),
        }
    }
    assert_eq!(brought, [json!([2, 0.25, 1_772_000_001.0]), json!([3, 0.375, 1_772_000_001.5])]);
    assert_eq!((known["run_id"].as_str(), known["is_active"].as_bool()), (Some("fox"), Some(false)));
    assert_eq!(get(&wall, "/health").await, (200, json!({ "status": "ok" })));
    wall.stopped().await;
}
