//! The broadcaster among clients that mean it harm: whatever they do, the others are served.
//!
//! `scripts/siege` runs this against a release build and shows what was measured.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::command::{Broadcaster, Running, command, run};
use crate::secured::{CONTINUATION, END_HEADERS, END_STREAM, HEADERS, PING, RST_STREAM, Secured, frame};

pub(crate) const METRIC: &str = r#"{"type":"model_metric","model":"knn","accuracy":0.5}"#;
/// From the greeting to the close of a connection that says nothing, as docs/protocol.md has it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn serve(more: &[&str]) -> Broadcaster {
    let mut args = vec!["serve", "--listen", "127.0.0.1:0", "--no-state"];
    args.extend(more);
    Broadcaster::run(command("broadcaster", &args))
}

pub(crate) fn connect(wall: &Broadcaster) -> TcpStream {
    let socket = TcpStream::connect(&wall.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    socket
}

/// What is answered until the end of the connection, or of patience.
fn answer(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = socket.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn ask(wall: &Broadcaster, request: &str) -> String {
    let mut socket = connect(wall);
    let request = request.replace("HOST", &wall.address).replace('\n', "\r\n");
    // It may be refused before it is all said.
    let _ = socket.write_all(request.as_bytes());
    answer(&mut socket)
}

/// A WebSocket whose handshake is done.
fn page(wall: &Broadcaster, headers: &str) -> TcpStream {
    let mut socket = connect(wall);
    let request = format!(
        "GET /ws HTTP/1.1\nHost: {}\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n{headers}\n",
        wall.address
    );
    socket.write_all(request.replace('\n', "\r\n").as_bytes()).unwrap();
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    socket
}

/// The code of the close frame that comes at the end of what a page is sent.
fn close_code(mut socket: TcpStream) -> u16 {
    let mut bytes = Vec::new();
    let _ = socket.read_to_end(&mut bytes);
    let [.., 0x88, 2, first, second] = bytes[..] else { panic!("no close frame: {bytes:?}") };
    u16::from_be_bytes([first, second])
}

/// Publishes and looks, over and over, while something happens; says how long one took at most.
fn meanwhile<T>(wall: &Broadcaster, what: &str, happens: impl FnOnce() -> T) -> T {
    let serves = || {
        assert!(wall.publish(METRIC).contains("\"accepted\":1"));
        assert_eq!(wall.state("model_metric").len(), 1);
    };
    meanwhile_it(what, serves, happens)
}

fn meanwhile_it<T>(what: &str, serves: impl Fn() + Sync, happens: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let served = scope.spawn(|| {
            let (mut rounds, mut worst) = (0, Duration::ZERO);
            while !over.load(Ordering::Relaxed) || rounds < 10 {
                let start = Instant::now();
                serves();
                worst = worst.max(start.elapsed());
                rounds += 1;
            }
            let mut out = std::io::stdout().lock();
            writeln!(out, "{what}: others were served {rounds} times meanwhile, the slowest in {worst:.1?}")
                .unwrap();
        });
        // Whatever comes of it: the thread must end.
        let happened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(happens));
        over.store(true, Ordering::Relaxed);
        served.join().unwrap();
        happened.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[test]
fn foreign_pages_and_names_are_refused() {
    let wall = serve(&[]);
    let get = |host: &str, more: &str| {
        ask(&wall, &format!("GET /state HTTP/1.1\nHost: {host}\nConnection: close\n{more}\n"))
    };
    assert!(get("HOST", "").starts_with("HTTP/1.1 200"));
    assert!(get("evil.example", "").starts_with("HTTP/1.1 403"), "DNS rebinding");
    assert!(get("HOST", "Origin: https://evil.example\n").starts_with("HTTP/1.1 403"));
    assert!(get("HOST", "Origin: null\n").starts_with("HTTP/1.1 403"));
    let socket = "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\nOrigin: https://evil.example\n";
    let refused = ask(&wall, &format!("GET /ws HTTP/1.1\nHost: HOST\n{socket}\n"));
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let page = ask(&wall, "GET / HTTP/1.1\nHost: HOST\nConnection: close\n\n");
    for header in [
        "content-security-policy: default-src 'none'; script-src 'self'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
    ] {
        assert!(page.contains(header), "{header}");
    }
}

#[test]
fn tokens_are_read_again_without_cutting_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let (publish, view) = (folder.path().join("publish"), folder.path().join("view"));
    fs::write(&publish, "first\n").unwrap();
    fs::write(&view, "look\n").unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let wall = serve(&["--publish-token-file", &path(&publish), "--view-token-file", &path(&view)]);
    let publish_with = |token: &str| {
        let body = METRIC;
        ask(
            &wall,
            &format!(
                "POST /publish HTTP/1.1\nHost: HOST\nConnection: close\nContent-Type: application/json\nAuthorization: Bearer {token}\nContent-Length: {}\n\n{body}",
                body.len()
            ),
        )
    };
    let mut watching = page(&wall, "Authorization: Bearer look\n");
    assert!(ask(&wall, "GET /state HTTP/1.1\nHost: HOST\nConnection: close\n\n").starts_with("HTTP/1.1 401"));
    assert!(publish_with("first").starts_with("HTTP/1.1 200"));
    assert!(publish_with("second").starts_with("HTTP/1.1 401"));
    // A file without a token would let everybody in: it is not taken.
    fs::write(&publish, "\n").unwrap();
    wall.process.signal("-HUP");
    wall.wait_to_log("expected a token a line, found none");
    assert!(publish_with("first").starts_with("HTTP/1.1 200"));
    assert!(publish_with("").starts_with("HTTP/1.1 401"));
    fs::write(&publish, "second\n").unwrap();
    wall.process.signal("-HUP");
    let changed = (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        publish_with("second").starts_with("HTTP/1.1 200")
    });
    assert!(changed);
    assert!(publish_with("first").starts_with("HTTP/1.1 401"));
    let mut seen = String::new();
    while !seen.contains("\"seq\":3,\"type\":\"model_metric\"") {
        let mut bytes = [0; 1_000];
        let read = watching.read(&mut bytes).unwrap();
        assert!(read > 0, "the page was cut: {seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
}

#[test]
fn beyond_this_machine_it_asks_for_a_token() {
    let refused = run(command("broadcaster", &["serve", "--no-state", "--listen", "0.0.0.0:0"]));
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("--publish-token"), "{}", refused.stderr);
}

#[test]
fn what_is_too_large_is_refused() {
    let wall = serve(&["--max-body", "1MiB"]);
    let post = |headers: &str, body: &[u8]| {
        let mut socket = connect(&wall);
        let head = format!(
            "POST /publish HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/x-ndjson\r\n{headers}Content-Length: {}\r\n\r\n",
            wall.address,
            body.len()
        );
        let _ = socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(body));
        answer(&mut socket)
    };
    meanwhile(&wall, "bodies that are too large", || {
        assert!(post("", &vec![b' '; 2 << 20]).starts_with("HTTP/1.1 413"));
        // A gigabyte of nothing in a megabyte: it is undone no further than the limit.
        for bomb in [gzip_bomb(), zstd_bomb()] {
            assert!(bomb.1.len() < 1 << 20);
            assert!(
                post(&format!("Content-Encoding: {}\r\n", bomb.0), &bomb.1).starts_with("HTTP/1.1 413"),
                "{}",
                bomb.0
            );
        }
        // Many at once: no more of them are undone together than there are cores.
        let (_, bomb) = zstd_bomb();
        std::thread::scope(|scope| {
            for _ in 0..32 {
                scope
                    .spawn(|| assert!(post("Content-Encoding: zstd\r\n", &bomb).starts_with("HTTP/1.1 413")));
            }
        });
        let many = "{}\n".repeat(200_000);
        assert!(post("", many.as_bytes()).starts_with("HTTP/1.1 422"));
    });
    let long = format!("GET /{} HTTP/1.1\nHost: HOST\n\n", "x".repeat(100_000));
    assert!(ask(&wall, &long).starts_with("HTTP/1.1 4"));
    let many: String = (0..500).map(|n| format!("X-{n}: y\n")).collect();
    assert!(ask(&wall, &format!("GET / HTTP/1.1\nHost: HOST\n{many}\n")).starts_with("HTTP/1.1 431"));
}

fn gzip_bomb() -> (&'static str, Vec<u8>) {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![b' '; 1 << 20];
    (0..900).for_each(|_| encoder.write_all(&zeros).unwrap());
    ("gzip", encoder.finish().unwrap())
}

fn zstd_bomb() -> (&'static str, Vec<u8>) {
    let zeros = std::io::repeat(b' ').take(1 << 30);
    ("zstd", zstd::encode_all(zeros, 1).unwrap())
}

#[test]
fn pages_that_break_the_protocol_are_told_and_closed() {
    let wall = serve(&[]);
    meanwhile(&wall, "broken frames", || {
        for (what, frame, code) in [
            ("unmasked", &[0x81, 2, b'h', b'i'][..], 1002),
            ("too long", &[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1], 1009),
            ("longer than there is memory", &[0x82, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0], 1009),
            ("a long ping", &[0x89, 0xfe, 1, 0], 1002),
            ("a reserved bit", &[0xc1, 0x80, 0, 0, 0, 0], 1002),
            ("an unknown kind", &[0x83, 0x80, 0, 0, 0, 0], 1002),
            ("not UTF-8", &[0x81, 0x81, 0, 0, 0, 0, 0xff], 1007),
            ("a continuation of nothing", &[0x80, 0x80, 0, 0, 0, 0], 1002),
        ] {
            let mut socket = page(&wall, "");
            socket.write_all(frame).unwrap();
            assert_eq!(close_code(socket), code, "{what}");
        }
        // Message after message, pieces without end, and pings that nobody reads the answers of.
        let mut endless = page(&wall, "");
        let piece = [&[0x01, 0xfe, 0x7d, 0x00, 0, 0, 0, 0][..], &[b'x'; 32_000]].concat();
        let next = [&[0x00, 0xfe, 0x7d, 0x00, 0, 0, 0, 0][..], &[b'x'; 32_000]].concat();
        endless.write_all(&piece).unwrap();
        let closed = (0..10).any(|_| endless.write_all(&next).is_err());
        assert!(closed || close_code(endless) == 1009);
        let mut pings = page(&wall, "");
        pings.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
        let ping = [0x89, 0x80, 0, 0, 0, 0].repeat(10_000);
        for _ in 0..100 {
            if pings.write_all(&ping).is_err() {
                break;
            }
        }
    });
}

/// A head at a byte a time, a body at a byte a time, and thousands that say nothing at all.
#[test]
fn clients_that_dawdle_are_let_go_and_the_others_are_served() {
    let wall = serve(&["--max-connections", "15000"]);
    let half_open =
        std::env::var("VITRINE_HALF_OPEN").ok().and_then(|count| count.parse().ok()).unwrap_or(300);
    meanwhile(&wall, &format!("{half_open} half-open connections and 300 that dawdle"), || {
        let mut silent: Vec<TcpStream> = (0..half_open).map(|_| connect(&wall)).collect();
        let mut slow: Vec<(TcpStream, bool)> = (0..300).map(|n| (connect(&wall), n % 2 == 0)).collect();
        let head = format!(
            "POST /publish HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n",
            wall.address
        );
        for (socket, body) in &mut slow {
            socket.write_all(head.as_bytes()).unwrap();
            if *body {
                socket.write_all(b"\r\n").unwrap();
            }
        }
        // A byte a second each, for longer than a head may take.
        let start = Instant::now();
        while start.elapsed() < HEAD_TIMEOUT + Duration::from_secs(5) {
            slow.retain_mut(|(socket, body)| socket.write_all(if *body { b" " } else { b"X" }).is_ok());
            std::thread::sleep(Duration::from_secs(1));
        }
        let heads = slow.iter().filter(|(_, body)| !body).count();
        assert!(heads < 20, "{heads} heads are still being sent");
        assert_eq!(slow.len() - heads, 150, "a body that arrives slowly is waited for");
        silent.retain_mut(|socket| {
            socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            // The end, or 408 and the end.
            socket.read_to_end(&mut Vec::new()).is_err()
        });
        assert!(silent.is_empty(), "{} that said nothing are still there", silent.len());
    });
}

#[test]
fn as_many_connections_as_may_be_leave_those_that_are_there_alone() {
    let wall = serve(&["--max-connections", "40"]);
    let mut pages: Vec<TcpStream> = (0..39).map(|_| page(&wall, "")).collect();
    // One place is left, for one at a time; the kernel holds the others until it is free.
    meanwhile(&wall, "all places but one taken", || std::thread::sleep(Duration::from_millis(300)));
    pages.truncate(1);
    let mut text = String::new();
    while !text.contains("\"model_metric\"") {
        let mut bytes = [0; 10_000];
        let read = pages[0].read(&mut bytes).unwrap();
        assert!(read > 0, "it was cut");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
}

#[test]
fn clients_that_ask_for_nothing_are_let_go_and_pages_are_not() {
    let secured = Secured::start();
    // Before the first of them is there: the last is not let go sooner than this and the timeout.
    let start = Instant::now();
    let mut sockets: Vec<(&str, Box<dyn Read>)> = vec![
        ("no handshake", Box::new(connect(&secured.wall))),
        ("no head", Box::new(secured.connect("http/1.1"))),
        ("no preface", Box::new(secured.connect("h2"))),
        ("no request", Box::new(secured.http2(1 << 30))),
    ];
    let mut asked = secured.connect("http/1.1");
    asked.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    sockets.push(("one request", Box::new(asked)));
    // Nothing more than that, for as long as it stays.
    let mut page = secured.http2(1 << 30);
    page.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &Secured::head("/events"))).unwrap();
    meanwhile_it(
        "clients that ask for nothing",
        || secured.publish(),
        || {
            for (what, socket) in &mut sockets {
                // Its end: what is read on the way is whatever is said at a beginning, or at an end.
                let ended = socket.read_to_end(&mut Vec::new());
                assert!(
                    !matches!(&ended, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock),
                    "{what}: still there after {:?}",
                    start.elapsed()
                );
            }
            assert!(start.elapsed() > HEAD_TIMEOUT);
        },
    );
    // The page is there: it is sent what comes now.
    page.sock.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    while page.read(&mut [0; 16 << 10]).is_ok_and(|read| read > 0) {}
    secured.publish();
    page.sock.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let (mut heard, mut bytes) = (String::new(), [0; 16 << 10]);
    while !heard.contains("model_metric") {
        let read = page.read(&mut bytes).unwrap();
        assert!(read > 0, "it was cut: {heard}");
        heard.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
}

#[test]
fn http2_is_no_way_around_the_limits() {
    let secured = Secured::start();
    let head = Secured::head("/state");
    meanwhile_it(
        "abuses of HTTP/2",
        || secured.publish(),
        || {
            // Requests that are taken back at once (CVE-2023-44487).
            let mut resets = secured.http2(1 << 30);
            let taken_back = (0..100_000_u32).try_for_each(|n| {
                resets.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, &head))?;
                resets.write_all(&frame(RST_STREAM, 0, 2 * n + 1, &[0, 0, 0, 8]))
            });
            assert!(taken_back.is_err(), "it went on listening to resets");
            // A head without end (CVE-2024-27316).
            let mut endless = secured.http2(1 << 30);
            endless.write_all(&frame(HEADERS, END_STREAM, 1, &head)).unwrap();
            let name = [&[0, 1, b'x', 126][..], &[b'y'; 126]].concat().repeat(100);
            let went_on = (0..10_000).try_for_each(|_| endless.write_all(&frame(CONTINUATION, 0, 1, &name)));
            assert!(went_on.is_err(), "it went on listening to a head");
            // Pings of somebody who does not read what is answered.
            let mut pings = secured.http2(1 << 30);
            pings.sock.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
            let many = frame(PING, 0, 0, &[0; 8]).repeat(1_000);
            assert!((0..10_000).try_for_each(|_| pings.write_all(&many)).is_err(), "it answered all pings");
            // As many requests as there may be, and no window for any answer; and then more.
            let mut closed = secured.http2(0);
            let asked = (0..1_000_u32).try_for_each(|n| {
                closed.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, &head))
            });
            drop(asked);
        },
    );
}

#[test]
fn producers_publish_over_tls() {
    let secured = Secured::start();
    let path = |name: &str| secured.folder.path().join(name).to_str().unwrap().to_owned();
    let cert = path("cert.pem");
    let port = secured.wall.address.rsplit_once(':').unwrap().1;
    fs::write(path("gbt_eval.json"), r#"{"macro_f1": 0.5}"#).unwrap();
    let reports = secured.folder.path().to_str().unwrap();
    let url = format!("https://localhost:{port}/publish");
    let publish = ["--reports", reports, "--once", "--publish-url", &url];
    let mut trusting = command("multi-model-metrics", &publish);
    trusting.env("SSL_CERT_FILE", &cert);
    let published = run(trusting);
    assert_eq!(published.code, 0, "{}", published.stderr);
    // Without it nobody vouches for the certificate: it goes on trying, and says why.
    let mut doubting = command("multi-model-metrics", &publish);
    doubting.stderr(std::process::Stdio::piped());
    let mut doubting = Running(doubting.spawn().unwrap());
    let mut said = String::new();
    let mut stderr = doubting.0.stderr.take().unwrap();
    while !said.contains("certificate") {
        let mut bytes = [0; 1_000];
        let read = stderr.read(&mut bytes).unwrap();
        assert!(read > 0, "{said}");
        said.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
}
