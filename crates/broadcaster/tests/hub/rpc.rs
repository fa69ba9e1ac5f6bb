//! What a trainer shows of its mini-batches, as the dashboard before Vitrine takes it.

use std::io::Cursor;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use broadcaster::{Config, Durability};
use image::{ImageFormat, RgbImage};
use serde_json::{Value, json};

use crate::wall::{Wall, config};

fn picture(width: u32, height: u32, format: ImageFormat) -> String {
    let mut bytes = Vec::new();
    RgbImage::new(width, height).write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    STANDARD.encode(bytes)
}

fn sample(id: u64) -> Value {
    json!({
        "sample_id": id, "prediction": "cat", "ground_truth": 7, "confidence": 0.5,
        "image_b64": picture(8, 8, ImageFormat::Png),
    })
}

/// Samples with these ids.
fn update(iteration: u64, ids: std::ops::Range<u64>) -> Value {
    let samples: Vec<Value> = ids.map(sample).collect();
    json!({ "iteration": iteration, "loss": 0.5, "batch_size": 32, "delay_ms": 1.5, "samples": samples })
}

async fn call(wall: &Wall, update: &Value) -> (u16, Value) {
    let call = reqwest::Client::new().post(wall.url("/rpc/batch_update"));
    let call = call.header("content-type", "application/json").body(update.to_string());
    let response = call.send().await.unwrap();
    (response.status().as_u16(), serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

/// What pages have: the iterations of the losses, and of the tile set its iteration, ids and whether it is ready.
async fn shown(wall: &Wall) -> (Vec<u64>, Option<(u64, Vec<u64>, bool)>) {
    let state = wall.state().await;
    let of = |kind: &str| state.iter().filter(|event| event["type"] == kind).cloned().collect::<Vec<_>>();
    let number = |value: &Value| value.as_u64().unwrap();
    let tiles = of("tiles").pop().map(|tiles| {
        let ids = tiles["tiles"].as_array().unwrap();
        assert_eq!(number(&tiles["filled"]), ids.len() as u64);
        let ids = ids.iter().map(|tile| number(&tile["sample_id"])).collect();
        (number(&tiles["iteration"]), ids, tiles["ready"] == true)
    });
    (of("loss").iter().map(|loss| number(&loss["iteration"])).collect(), tiles)
}

fn answer(status: &str, iteration: u64, ready: bool) -> (u16, Value) {
    (200, json!({ "status": status, "iteration": iteration, "loss": 0.5, "tilesReady": ready }))
}

#[tokio::test]
async fn samples_gather_until_a_set_is_whole() {
    let wall = Wall::start(config()).await;
    assert_eq!(call(&wall, &update(1, 0..10)).await, answer("ok", 1, false));
    assert_eq!(shown(&wall).await, (vec![1], Some((1, (0..10).collect(), false))));
    // Nothing of its pictures is shown of this one.
    assert_eq!(call(&wall, &update(2, 0..0)).await, answer("ok", 2, false));
    assert_eq!(shown(&wall).await, (vec![1, 2], Some((1, (0..10).collect(), false))));
    // Six are lacking: every other of twelve.
    assert_eq!(call(&wall, &update(3, 100..112)).await, answer("ok", 3, true));
    let ids = (0..10).chain((100..112).step_by(2)).collect();
    assert_eq!(shown(&wall).await, (vec![1, 2, 3], Some((3, ids, true))));
    // A whole one is followed by another,
    assert_eq!(call(&wall, &update(4, 200..203)).await, answer("ok", 4, false));
    assert_eq!(shown(&wall).await.1, Some((4, (200..203).collect(), false)));
    // and so is one that a mini-batch needs no part of.
    assert_eq!(call(&wall, &update(5, 0..128)).await, answer("ok", 5, true));
    assert_eq!(shown(&wall).await.1, Some((5, (0..128).step_by(8).collect(), true)));
}

#[tokio::test]
async fn an_iteration_that_came_or_is_past_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let wall = Wall::keep(folder.path(), Durability::Async).await;
    call(&wall, &update(7, 0..10)).await;
    for iteration in [7, 3, 0] {
        assert_eq!(call(&wall, &update(iteration, 50..60)).await, answer("ignored", iteration, false));
    }
    wall.stopped().await;
    // Nor after a restart, and what was gathered goes on.
    let wall = Wall::keep(folder.path(), Durability::Async).await;
    assert_eq!(call(&wall, &update(7, 50..60)).await, answer("ignored", 7, false));
    assert_eq!(call(&wall, &update(9, 100..106)).await, answer("ok", 9, true));
    assert_eq!(shown(&wall).await, (vec![7, 9], Some((9, (0..10).chain(100..106).collect(), true))));
    assert_eq!(call(&wall, &update(9, 0..1)).await, answer("ignored", 9, true));
}

#[tokio::test]
async fn after_a_restart_the_newest_training_goes_on_and_not_the_longest() {
    let folder = tempfile::tempdir().unwrap();
    let wall = Wall::keep(folder.path(), Durability::Sync).await;
    let loss = |iteration| json!({ "type": "loss", "iteration": iteration, "loss": 0.5, "batch_size": 1 });
    wall.publish(&[loss(5_000).to_string(), loss(1).to_string()]).await;
    wall.stopped().await;
    let wall = Wall::keep(folder.path(), Durability::Sync).await;
    assert_eq!(call(&wall, &update(1, 0..1)).await, answer("ignored", 1, false));
    assert_eq!(call(&wall, &update(2, 0..1)).await, answer("ok", 2, false));
}

#[tokio::test]
async fn calls_at_once_are_taken_one_after_the_other() {
    let wall = Wall::start(config()).await;
    let calls = (1..=20).map(|iteration| {
        let wall = &wall;
        async move { call(wall, &update(iteration, iteration..iteration + 1)).await.1["status"] == "ok" }
    });
    let taken = futures_util::future::join_all(calls).await.into_iter().filter(|taken| *taken).count();
    let (losses, tiles) = shown(&wall).await;
    assert!(losses.is_sorted() && losses.len() == taken, "{losses:?}");
    let gathered = taken % 16 + if taken == 16 { 16 } else { 0 };
    assert_eq!(tiles.unwrap().1.len(), gathered);
}

#[tokio::test]
async fn a_slow_producer_can_be_tried() {
    let wall = Wall::start(Config { frame_delay: Duration::from_secs(3_600), ..config() }).await;
    let (update, moment) = (update(1, 0..1), Duration::from_millis(300));
    assert!(tokio::time::timeout(moment, call(&wall, &update)).await.is_err(), "it is answered at once");
    assert_eq!(shown(&wall).await, (vec![], None));
}

#[tokio::test]
async fn what_is_wrong_is_said_and_changes_nothing() {
    let wall = Wall::start(config()).await;
    let without = |field: &str| {
        let mut update = update(1, 0..3);
        update["samples"][2].as_object_mut().unwrap().remove(field);
        update
    };
    let with = |pointer: &str, value: Value| {
        let mut update = update(1, 0..3);
        *update.pointer_mut(pointer).unwrap() = value;
        update
    };
    let shown_as = |picture: &str| with("/samples/1/image_b64", picture.into());
    let whole = STANDARD.decode(picture(64, 64, ImageFormat::Png)).unwrap();
    // A header that claims 60,000 x 60,000 pixels.
    let mut bomb = whole.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let checksum = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
    for (update, pointer, got) in [
        (without("confidence"), "/samples/2/confidence", "nothing"),
        (without("image_b64"), "/samples/2/image_b64", "nothing"),
        (with("/loss", json!("low")), "/loss", "\"low\""),
        (with("/iteration", json!(-1)), "/iteration", "-1"),
        (with("/samples/0/confidence", json!(1.5)), "/samples/0/confidence", "1.5"),
        (update(1, 0..129), "/samples", "129 samples"),
        (shown_as("%%%"), "/samples/1/image_b64", "no base64: "),
        (shown_as(&STANDARD.encode("GIF89a and more")), "/samples/1/image_b64", "15 bytes of something else"),
        (shown_as(&picture(513, 8, ImageFormat::Jpeg)), "/samples/1/image_b64", "513 x 8 pixels"),
        (shown_as(&STANDARD.encode(&bomb)), "/samples/1/image_b64", "60000 x 60000 pixels"),
        (
            shown_as(&STANDARD.encode(&whole[..whole.len() - 20])),
            "/samples/1/image_b64",
            "a PNG that is broken: ",
        ),
    ] {
        let (status, problem) = call(&wall, &update).await;
        assert_eq!((status, &problem["pointer"]), (422, &json!(pointer)), "{problem}");
        assert!(problem["got"].as_str().unwrap().starts_with(got), "{problem}");
    }
    assert_eq!(call(&wall, &shown_as(&picture(512, 512, ImageFormat::Jpeg))).await.0, 200);
    let plain = reqwest::Client::new().post(wall.url("/rpc/batch_update")).body("{}").send().await.unwrap();
    assert_eq!(plain.status(), 415);
    let got = reqwest::get(wall.url("/rpc/batch_update")).await.unwrap();
    assert_eq!((got.status().as_u16(), got.headers()["allow"].to_str().unwrap()), (405, "POST"));
    assert_eq!(shown(&wall).await.0, [1]);
}

/// Of a PNG's chunk (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
