//! The hub's promises through real sockets.

use std::time::Duration;

use broadcaster::{Config, LogLimits};
use events::Kind;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::page::Page;
use crate::random;
use crate::wall::{self, PATIENCE, Wall};

fn metric(model: &str, accuracy: f64) -> String {
    format!(r#"{{"type":"model_metric","model":"{model}","accuracy":{accuracy}}}"#)
}

/// More than the kernel's buffers of both ends hold.
async fn flood(wall: &Wall) {
    let model = "m".repeat(200);
    for round in 0..200 {
        let lines: Vec<_> =
            (0..500).map(|n| metric(&format!("{model}{}", n % 7), f64::from(round % 10) / 10.0)).collect();
        wall.publish(&lines).await;
    }
}

fn is_at(page: &Page, wall: &Wall) -> bool {
    page.ready && page.seq == wall.hub.head_seq()
}

/// Reads until the page holds everything there is.
async fn catch_up(socket: &mut crate::wall::Socket, page: &mut Page, wall: &Wall) {
    while !is_at(page, wall) {
        for message in socket.next().await {
            page.receive(&message);
        }
    }
}

#[tokio::test]
async fn pages_that_come_and_go_while_events_stream_end_with_the_same_state() {
    let config = Config { log: LogLimits { events: 200, bytes: 1 << 20 }, ..wall::config() };
    let wall = Wall::start(config).await;
    let publishing = async {
        for batch in random::batches(300) {
            wall.publish(&batch).await;
        }
    };
    // Each page is cut off again and again, comes back with its cursor, and now and then is new.
    let page = async |number: usize| {
        let mut page = Page::new(Kind::retention);
        for life in 0..15 {
            let query = match (life + number) % 4 {
                0 => "?batch=1".to_owned(),
                _ => format!("?batch={}{}", life % 2, page.since()),
            };
            let mut socket = wall.websocket(&query).await;
            page.reconnect();
            for _ in 0..(life * 7 + number) % 23 {
                match tokio::time::timeout(PATIENCE / 300, socket.next()).await {
                    Ok(messages) => messages.iter().for_each(|message| page.receive(message)),
                    Err(_quiet) => break,
                }
            }
        }
        page
    };
    let ((), a, b, c) = tokio::join!(publishing, page(0), page(1), page(2));
    let state = wall.state().await;
    for mut page in [a, b, c, Page::new(Kind::retention)] {
        let mut socket = wall.websocket(&format!("?{}", page.since())).await;
        page.reconnect();
        catch_up(&mut socket, &mut page, &wall).await;
        assert_eq!(page.state(), state);
    }
    wall.stopped().await;
}

#[tokio::test]
async fn a_page_that_does_not_read_is_moved_forward_to_the_latest_state() {
    let config = Config { log: LogLimits { events: 100, bytes: 1 << 20 }, ..wall::config() };
    let wall = Wall::start(config).await;
    let mut slow = wall.websocket("").await;
    let mut page = Page::new(Kind::retention);
    catch_up(&mut slow, &mut page, &wall).await;
    flood(&wall).await;
    let mut skips = 0;
    while !is_at(&page, &wall) {
        for message in slow.next().await {
            skips += u32::from(message["type"] == "skipped");
            page.receive(&message);
        }
    }
    assert!(skips > 0);
    assert_eq!(page.state(), wall.state().await);
    wall.stopped().await;
}

#[tokio::test]
async fn server_sent_events_carry_the_cursor_and_resume_from_it() {
    let wall = Wall::start(wall::config()).await;
    wall.publish(&[metric("knn", 0.5), metric("gbt", 0.6)]).await;
    let mut page = Page::new(Kind::retention);
    let mut events = wall.events("", None).await;
    let mut id = None;
    while !is_at(&page, &wall) {
        let (cursor, message) = events.next().await;
        id = cursor.or(id);
        page.receive(&message);
    }
    drop(events);
    wall.publish(&[metric("gbt", 0.7)]).await;
    let mut events = wall.events("?since=other:1", id.as_deref()).await;
    let (_, hello) = events.next().await;
    assert_eq!(hello["resumed"], true, "Last-Event-ID is newer than the address");
    let (cursor, changed) = events.next().await;
    assert_eq!(
        (changed["seq"].as_u64(), changed["model"].as_str()),
        (Some(3), Some("gbt")),
        "only what changed"
    );
    let epoch = wall.hub.epoch().as_str();
    assert_eq!(cursor, Some(format!("{epoch}:3~0")), "not the whole state yet");
    let (cursor, ready) = events.next().await;
    assert_eq!(ready["type"], "ready");
    assert_eq!(cursor, Some(format!("{epoch}:3")));
    wall.publish(&[metric("knn", 0.1)]).await;
    assert_eq!(events.next().await.1["seq"], 4);
    wall.stopped().await;
}

#[tokio::test]
async fn a_filter_passes_its_types_only() {
    let wall = Wall::start(wall::config()).await;
    let loss = r#"{"type":"loss","iteration":1,"loss":0.5,"batch_size":1}"#.to_owned();
    wall.publish(&[metric("knn", 0.5), loss.clone()]).await;
    let mut socket = wall.websocket("?types=loss,model_perf").await;
    let mut types = Vec::new();
    for _ in 0..3 {
        types.push(socket.next().await[0]["type"].clone());
    }
    assert_eq!(types, ["hello", "loss", "ready"]);
    wall.publish(&[metric("knn", 0.6), loss]).await;
    let live = socket.next().await;
    assert_eq!((live[0]["type"].as_str(), live[0]["seq"].as_u64()), (Some("loss"), Some(4)));
    wall.stopped().await;
}

#[tokio::test]
async fn a_page_that_is_sent_nothing_sees_signs_of_life() {
    let wall = Wall::start(Config { heartbeat: Duration::from_millis(20), ..Config::default() }).await;
    let mut socket = wall.websocket("").await;
    use futures_util::StreamExt;
    let mut pings = 0;
    while pings < 3 {
        let message = tokio::time::timeout(PATIENCE, socket.0.next()).await.unwrap().unwrap().unwrap();
        pings += u32::from(message.is_ping());
    }
    let mut events = wall.events("", None).await;
    events.next().await;
    events.comment().await;
    wall.stopped().await;
}

/// It folds what it gets, is cut in the middle of frames, replays and live events, and comes back with
/// its cursor.
#[tokio::test]
async fn a_page_that_is_cut_a_thousand_times_ends_where_one_is_that_was_not() {
    let config = Config { log: LogLimits { events: 300, bytes: 1 << 20 }, ..wall::config() };
    let wall = Wall::start(config).await;
    let mut whole = Page::new(Kind::retention);
    let mut uncut = wall.websocket("").await;
    let mut page = Page::new(Kind::retention);
    for (life, batch) in random::batches(1_000).into_iter().enumerate() {
        wall.publish(&batch).await;
        let mut cut = wall.raw(&format!("?batch={}{}", life % 2, page.since())).await;
        page.reconnect();
        for message in cut.take((life * 37) % 4_000).await {
            page.receive(&message);
        }
        catch_up(&mut uncut, &mut whole, &wall).await;
    }
    let mut last = wall.websocket(&format!("?{}", page.since())).await;
    page.reconnect();
    catch_up(&mut last, &mut page, &wall).await;
    assert_eq!(page.state(), whole.state());
    assert_eq!(page.state(), wall.state().await);
    wall.stopped().await;
}

#[tokio::test]
async fn a_reader_of_server_sent_events_that_does_not_read_is_moved_forward_too() {
    let config = Config { log: LogLimits { events: 100, bytes: 1 << 20 }, ..wall::config() };
    let wall = Wall::start(config).await;
    let mut events = wall.events("", None).await;
    let mut page = Page::new(Kind::retention);
    flood(&wall).await;
    let mut skips = 0;
    while !is_at(&page, &wall) {
        let (_, message) = events.next().await;
        skips += u32::from(message["type"] == "skipped");
        page.receive(&message);
    }
    assert!(skips > 0);
    assert_eq!(page.state(), wall.state().await);
    wall.stopped().await;
}

#[tokio::test]
async fn pings_are_answered_and_a_close_is_returned() {
    let wall = Wall::start(wall::config()).await;
    let mut socket = wall.websocket("").await;
    socket.send(Message::Ping("are you there".into())).await;
    socket.send(Message::Text("pages have nothing to say".into())).await;
    socket.send(Message::Close(None)).await;
    use futures_util::StreamExt;
    let rest: Vec<Message> =
        socket.0.by_ref().filter_map(|message| std::future::ready(message.ok())).collect().await;
    assert!(rest.contains(&Message::Pong("are you there".into())));
    assert!(matches!(rest.last(), Some(Message::Close(_))));
    wall.stopped().await;
}

#[tokio::test]
async fn a_stop_tells_pages_to_come_back() {
    let mut wall = Wall::start(wall::config()).await;
    let mut socket = wall.websocket("").await;
    let mut events = wall.events("", None).await;
    assert_eq!(socket.next().await[0]["type"], "hello");
    assert_eq!(events.next().await.1["type"], "hello");
    wall.request_stop();
    use futures_util::StreamExt;
    let last = loop {
        if let Message::Close(frame) = socket.0.next().await.unwrap().unwrap() {
            break frame.unwrap();
        }
    };
    assert_eq!(last.code, CloseCode::Restart);
    let url = wall.url("/healthz");
    wall.stopped().await;
    assert!(reqwest::get(url).await.is_err());
}

/// There is no time after which it would be gone anyway, and the page keeps its side of the socket: the
/// broadcaster ends the connection when both have said that it is closed.
#[tokio::test]
async fn a_stop_ends_when_the_pages_are_gone() {
    let mut wall = Wall::start(Config { grace: Duration::from_secs(3600), ..wall::config() }).await;
    let mut socket = wall.websocket("").await;
    wall.raw("").await.close().await;
    wall.request_stop();
    use futures_util::StreamExt;
    while socket.0.next().await.is_some() {}
    tokio::time::timeout(PATIENCE, wall.stopped()).await.expect("an end");
    drop(socket);
}

#[tokio::test]
async fn clients_are_counted_while_they_are_there() {
    let wall = Wall::start(wall::config()).await;
    let socket = wall.websocket("").await;
    wall.raw("").await.close().await;
    let mut events = wall.events("", None).await;
    events.next().await;
    let health = async || -> Value {
        let body = reqwest::get(wall.url("/healthz")).await.unwrap().text().await.unwrap();
        serde_json::from_str(&body).unwrap()
    };
    while health().await["clients"] != 2 {
        tokio::task::yield_now().await;
    }
    drop((socket, events));
    while health().await["clients"] != 0 {
        tokio::task::yield_now().await;
    }
    wall.stopped().await;
}
