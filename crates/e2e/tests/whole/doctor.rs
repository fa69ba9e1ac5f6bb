//! What stands between a page and a broadcaster.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use crate::command::{Broadcaster, command, run};

#[test]
fn a_broadcaster_within_reach_is_well() {
    let wall = Broadcaster::start();
    let url = format!("http://{}", wall.address);
    let seen = run(command("broadcaster", &["doctor", &url, "--wait", "500ms"]));
    assert_eq!((seen.code, seen.stderr.as_str()), (0, ""), "{}", seen.stdout);
    for check in ["broadcaster", "clock", "page", "WebSocket", "server-sent events", "WebSocket, idle"] {
        assert!(
            seen.stdout.lines().any(|line| line.starts_with(&format!("ok    {check} "))),
            "{}",
            seen.stdout
        );
    }
    drop(wall);
    let gone = run(command("broadcaster", &["doctor", &url]));
    assert_eq!(gone.code, 1);
    assert!(
        gone.stdout.starts_with("FAIL  broadcaster ") && gone.stdout.contains("refused"),
        "{}",
        gone.stdout
    );
}

/// A proxy that knows nothing of upgrades, holds back what it streams, and has no clock to speak of.
#[test]
fn a_proxy_in_the_way_is_described() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in proxy.incoming() {
            let Ok(mut socket) = socket else { return };
            std::thread::spawn(move || {
                let mut request = String::new();
                let mut lines = BufReader::new(socket.try_clone().unwrap());
                while !request.ends_with("\r\n\r\n") && lines.read_line(&mut request).unwrap() > 0 {}
                let health = r#"{"status":"ok","version":"1","epoch":"e","seq":0,"clients":0}"#;
                let (head, body) = match request.split(' ').nth(1).unwrap() {
                    "/healthz" => (
                        "200 OK\r\nDate: Sun, 01 Mar 2026 12:00:00 GMT\r\nContent-Type: application/json",
                        health,
                    ),
                    "/" => ("200 OK\r\nContent-Type: text/html", "<p>"),
                    "/ws" => ("400 Bad Request", ""),
                    _ => ("200 OK\r\nContent-Type: text/event-stream", ""),
                };
                let length = if head.contains("event-stream") { 10 } else { body.len() };
                let _ = write!(
                    socket,
                    "HTTP/1.1 {head}\r\nServer: middle\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                // What is streamed never comes.
                if head.contains("event-stream") {
                    let _ = lines.read_line(&mut request);
                }
            });
        }
    });
    let seen = run(command("broadcaster", &["doctor", &url, "--wait", "500ms"]));
    assert_eq!(seen.code, 1);
    for line in
        ["ok    broadcaster ", "ok    page ", "FAIL  clock ", "FAIL  WebSocket ", "FAIL  server-sent events "]
    {
        assert!(seen.stdout.contains(line), "{line}: {}", seen.stdout);
    }
    assert!(seen.stdout.contains("middle does not upgrade (400 Bad Request)"), "{}", seen.stdout);
    assert!(seen.stdout.contains("turn its buffering off"), "{}", seen.stdout);
    assert_eq!(seen.stderr, "error: 3 of the checks failed\n");
}
