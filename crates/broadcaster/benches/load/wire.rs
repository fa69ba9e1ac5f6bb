//! What a server of each kind wants to hear before it sends, and how events are handed to it.

use anyhow::{Result, bail};

/// A server that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Server {
    /// Events over POST; pages over WebSocket.
    Http,
    /// MQTT; pages over its WebSocket listener.
    Mqtt,
    /// NATS; pages over its WebSocket listener.
    Nats,
    /// The same, with a stream "wall" that pages get the last event of every key of first.
    NatsLast,
}

/// One frame that a server sent.
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    /// Where its payload begins and ends.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

pub(crate) const PING: u8 = 9;
pub(crate) const CLOSE: u8 = 8;

/// The WebSocket frame at the start of the bytes, if it is whole.
pub(crate) fn frame(bytes: &[u8]) -> Option<Frame> {
    let [first, short, ..] = *bytes else { return None };
    let (length, start) = match short & 0x7f {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 10),
        length => (usize::from(length), 2),
    };
    let end = start + length;
    (bytes.len() >= end).then_some(Frame { opcode: first & 15, start, end })
}

/// Appends a client's frame. A mask of zeros is a mask.
pub(crate) fn put_frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | length as u8),
        length => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

impl Server {
    /// The request for a WebSocket.
    pub(crate) fn upgrade(self, path: &str) -> String {
        let protocol = match self {
            Self::Mqtt => "Sec-WebSocket-Protocol: mqtt\r\n",
            Self::Http | Self::Nats | Self::NatsLast => "",
        };
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{protocol}\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
    }

    /// What a page says once it has its WebSocket.
    pub(crate) fn subscribe(self, page: usize) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Http => {}
            Self::Mqtt => {
                put_frame(&mut out, 2, &mqtt_connect(&format!("page{page}")));
                // Packet 1: all topics, at most once.
                put_frame(&mut out, 2, &mqtt_packet(0x82, &[&[0, 1][..], &mqtt_text("#"), &[0]].concat()));
            }
            Self::NatsLast => {
                let consumer = format!(
                    r#"{{"stream_name":"wall","config":{{"deliver_subject":"page{page}","deliver_policy":"last_per_subject","filter_subject":"wall.>","ack_policy":"none"}}}}"#
                );
                let asked = format!(
                    "CONNECT {{\"verbose\":false,\"protocol\":1}}\r\nSUB page{page} 1\r\n\
                     PUB $JS.API.CONSUMER.CREATE.wall none {}\r\n{consumer}\r\n",
                    consumer.len()
                );
                put_frame(&mut out, 2, asked.as_bytes());
            }
            Self::Nats => {
                put_frame(
                    &mut out,
                    2,
                    b"CONNECT {\"verbose\":false,\"protocol\":1,\"echo\":true}\r\nSUB wall.> 1\r\n",
                );
            }
        }
        out
    }

    /// What a producer says first.
    pub(crate) fn greeting(self, producer: usize) -> Vec<u8> {
        match self {
            Self::Http => Vec::new(),
            Self::Mqtt => mqtt_connect(&format!("producer{producer}")),
            Self::Nats | Self::NatsLast => b"CONNECT {\"verbose\":false,\"protocol\":1}\r\n".to_vec(),
        }
    }

    /// Appends what hands over an event, where each goes by itself.
    pub(crate) fn put_event(self, out: &mut Vec<u8>, key: u64, event: &[u8]) {
        match self {
            Self::Http => {}
            Self::Mqtt => {
                // Retained, so that who comes later gets the last of every key.
                let topic = mqtt_text(&format!("wall/{key}"));
                out.extend_from_slice(&mqtt_packet(0x31, &[&topic, event].concat()));
            }
            Self::Nats | Self::NatsLast => {
                out.extend_from_slice(format!("PUB wall.{key} {}\r\n", event.len()).as_bytes());
                out.extend_from_slice(event);
                out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// The bytes of the answer to one publish at the start of `bytes`; `None` if it is not whole. Only HTTP answers.
    pub(crate) fn answer(self, bytes: &[u8]) -> Result<Option<usize>> {
        if self != Self::Http {
            return Ok((!bytes.is_empty()).then_some(bytes.len()));
        }
        let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n").map(|end| end + 4) else { return Ok(None) };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        if !head.starts_with("http/1.1 2") {
            bail!("a publish was refused: {}", String::from_utf8_lossy(bytes));
        }
        let length = head.split("content-length:").nth(1).and_then(|rest| rest.split("\r\n").next());
        let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        Ok((bytes.len() >= end + length).then_some(end + length))
    }
}

/// Appends a POST of one event, or of many, each on its line.
pub(crate) fn put_request(out: &mut Vec<u8>, path: &str, many: bool, body: &[u8]) {
    let (kind, length) = (if many { "x-ndjson" } else { "json" }, body.len());
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/{kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(body);
}

fn mqtt_text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}

/// A packet of MQTT 3.1.1.
fn mqtt_packet(first: u8, rest: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut length = rest.len();
    loop {
        let digit = (length % 128) as u8;
        length /= 128;
        out.push(if length > 0 { digit | 0x80 } else { digit });
        if length == 0 {
            break;
        }
    }
    out.extend_from_slice(rest);
    out
}

/// A clean session without a keep-alive.
fn mqtt_connect(client: &str) -> Vec<u8> {
    mqtt_packet(0x10, &[&mqtt_text("MQTT")[..], &[4, 2, 0, 0], &mqtt_text(client)].concat())
}
