use bytes::{BufMut, Bytes, BytesMut};
use events::Kind;
use serde::Serialize;

/// One message, encoded once for everybody: an unmasked WebSocket text frame whose payload is JSON
/// on one line. Clones share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    bytes: Bytes,
    /// Length of the WebSocket header.
    header: u8,
    /// What a filter goes by; `None` for what every reader gets.
    kind: Option<Kind>,
    /// The cursor of a reader that has this frame and everything before it.
    seq: Option<u64>,
    /// It says that something was dropped.
    evicts: bool,
}

impl Frame {
    /// An event with its seq: `json` is an object with at least a `type`, on one line.
    pub(crate) fn event(seq: u64, kind: Kind, json: &[u8]) -> Self {
        Self::event_in(&mut BytesMut::with_capacity(json.len() + 40), seq, kind, json)
    }

    /// The same, in a block that it shares with others, and holds for as long as it is held.
    pub(crate) fn event_in(block: &mut BytesMut, seq: u64, kind: Kind, json: &[u8]) -> Self {
        debug_assert!(json.starts_with(b"{") && json.contains(&b'"'));
        let mut number = [0; 20];
        let digits = decimal(seq, &mut number);
        let fields = &json[1..];
        let payload = [b"{\"seq\":".as_slice(), digits, b",", fields];
        Self { kind: Some(kind), seq: Some(seq), ..Self::text(block, &payload) }
    }

    /// The same frame, in no block.
    pub(crate) fn alone(&self) -> Self {
        Self { bytes: Bytes::copy_from_slice(&self.bytes), ..self.clone() }
    }

    /// The event of the hub's own that events of type `kind` were dropped.
    pub(crate) fn evicted(seq: u64, kind: Kind, message: &impl Serialize) -> Self {
        Self { kind: Some(kind), seq: Some(seq), evicts: true, ..Self::session(message) }
    }

    /// A message about the connection. A reader that has it is at `seq`, if that is given.
    pub(crate) fn session(message: &impl Serialize) -> Self {
        // Session messages are plain structs of numbers and strings: they serialize.
        let json = serde_json::to_vec(message).unwrap_or_default();
        Self::text(&mut BytesMut::with_capacity(json.len() + 10), &[&json])
    }

    pub(crate) fn at(self, seq: u64) -> Self {
        Self { seq: Some(seq), ..self }
    }

    fn text(block: &mut BytesMut, payload: &[&[u8]]) -> Self {
        let length = payload.iter().map(|part| part.len()).sum();
        block.reserve(length + 10);
        put_header(block, TEXT, length);
        let header = block.len() as u8; // at most 10
        for part in payload {
            block.extend_from_slice(part);
        }
        Self { bytes: block.split().freeze(), header, kind: None, seq: None, evicts: false }
    }

    /// The whole WebSocket frame.
    pub fn websocket(&self) -> &Bytes {
        &self.bytes
    }

    /// The JSON object.
    pub fn json(&self) -> &[u8] {
        &self.bytes[usize::from(self.header)..]
    }

    /// What a filter goes by.
    pub fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// Whether it says that something was dropped.
    pub(crate) fn evicts(&self) -> bool {
        self.evicts
    }

    /// The cursor of a reader that has this frame and everything before it, if it moves one.
    pub fn seq(&self) -> Option<u64> {
        self.seq
    }
}

pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Appends the header of an unmasked, unfragmented frame (RFC 6455, 5.2).
pub(crate) fn put_header(out: &mut impl BufMut, opcode: u8, length: usize) {
    out.put_u8(0x80 | opcode);
    match length {
        0..=125 => out.put_u8(length as u8),
        126..=0xffff => {
            out.put_u8(126);
            out.put_u16(length as u16);
        }
        _ => {
            out.put_u8(127);
            out.put_u64(length as u64);
        }
    }
}

/// Appends a control frame: at most 125 bytes of payload.
pub(crate) fn put_control(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    put_header(out, opcode, payload.len());
    out.extend_from_slice(payload);
}

fn decimal(mut number: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &buffer[at..];
        }
    }
}
