use bytes::{BufMut, Bytes, BytesMut};

use crate::Frame;
use crate::core::{Position, Step};
use crate::frame::{TEXT, put_header};

/// How a page wants its frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Framing {
    /// One event a frame.
    Single,
    /// A JSON array of events a frame.
    Batch,
}

/// Bytes of the JSON in one array frame, about: what is left of a frame that a socket cut is held by its
/// connection.
const ARRAY: usize = 16 << 10;

/// Frames in one piece: encoded once, however many readers get them.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
    /// Where every WebSocket frame ends.
    ends: Vec<End>,
}

/// The end of a WebSocket frame.
#[derive(Debug)]
struct End {
    /// In the bytes.
    at: usize,
    /// The seq that a reader then has, if the frame says one.
    seq: Option<u64>,
    /// Events up to here.
    events: u64,
}

impl Encoded {
    pub(crate) fn of(frames: &[Frame], framing: Framing) -> Self {
        // What is live comes one by one mostly: its own bytes will do.
        if let [one] = frames {
            let bytes = one.websocket().clone();
            let events = one.kind().is_some().into();
            return Self { ends: vec![End { at: bytes.len(), seq: one.seq(), events }], bytes };
        }
        let mut out = BytesMut::with_capacity(frames.iter().map(|frame| frame.websocket().len()).sum());
        let mut ends = Vec::with_capacity(frames.len());
        let (mut rest, mut events) = (frames, 0);
        while let [first, ..] = rest {
            // Messages about the connection come alone; events in arrays.
            let mut bytes = 0;
            let fits = |frame: &&Frame| {
                bytes += frame.json().len();
                framing == Framing::Batch && frame.kind().is_some() && bytes <= ARRAY
            };
            let (array, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            rest = later;
            events += array.iter().filter(|frame| frame.kind().is_some()).count() as u64;
            match array {
                [.., last] if array.len() > 1 => {
                    put_array(&mut out, array);
                    ends.push(End { at: out.len(), seq: last.seq(), events });
                }
                _ => {
                    out.put_slice(first.websocket());
                    ends.push(End { at: out.len(), seq: first.seq(), events });
                }
            }
        }
        Self { bytes: out.freeze(), ends }
    }
}

/// What all readers at the same position are sent next.
#[derive(Debug)]
pub(crate) struct Chunk {
    encoded: Encoded,
    /// Where it is sent to.
    from: Position,
    /// Where readers are who have all of it.
    to: Position,
}

/// Where a reader is that was sent some bytes of a chunk.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Its position once it has the rest.
    pub(crate) position: Position,
    /// Events of the chunk up to that position.
    pub(crate) events: u64,
    /// The rest of the frame that was cut.
    pub(crate) rest: Bytes,
}

impl Chunk {
    /// The frames of a step that began at this position.
    pub(crate) fn new(from: Position, step: &Step, framing: Framing) -> Self {
        Self { encoded: Encoded::of(&step.frames, framing), from, to: step.position }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.encoded.bytes
    }

    /// Where readers are who have all of it.
    pub(crate) fn to(&self) -> Position {
        self.to
    }

    /// Where the bytes begin that a reader at this seq lacks, if a WebSocket frame of this chunk ends there.
    pub(crate) fn after(&self, seq: u64) -> Option<usize> {
        self.encoded.ends.iter().find(|end| end.seq == Some(seq)).map(|end| end.at)
    }

    /// Where a reader is that was sent the bytes before `end`, of which there is at least one.
    pub(crate) fn sent(&self, end: usize) -> Sent {
        let Encoded { bytes, ends } = &self.encoded;
        let cut = ends.get(ends.partition_point(|of| of.at < end));
        let position = match cut {
            Some(End { at, seq: Some(seq), .. }) if *at < bytes.len() => {
                Position { seq: *seq, way: self.from.way }
            }
            _ => self.to,
        };
        let events = cut.map_or(0, |cut| cut.events);
        let rest = cut.map_or(Bytes::new(), |cut| bytes.slice(end..cut.at));
        // A little must not keep all of a chunk, or of the block of a frame; most of what is large is shared by all
        // that were cut in it.
        let is_shared = rest.len() > ARRAY.max(bytes.len() / 2);
        Sent { position, events, rest: if is_shared { rest } else { Bytes::copy_from_slice(&rest) } }
    }
}

fn put_array(out: &mut BytesMut, events: &[Frame]) {
    let bytes: usize = events.iter().map(|event| event.json().len()).sum();
    put_header(out, TEXT, bytes + events.len() + 1);
    let mut before = b'[';
    for event in events {
        out.put_u8(before);
        out.put_slice(event.json());
        before = b',';
    }
    out.put_u8(b']');
}

#[cfg(test)]
mod tests {
    use events::Kind;
    use proptest::prelude::*;

    use super::*;
    use crate::core::Way;

    fn event(seq: u64, length: usize) -> Frame {
        let json = format!(r#"{{"type":"loss","pad":"{}"}}"#, "x".repeat(length));
        Frame::event(seq, Kind::Loss, json.as_bytes())
    }

    proptest! {
        /// Whatever of it a socket takes: the rest of the cut frame, and what is after the position that the
        /// reader then has, is what it did not take.
        #[test]
        fn nothing_is_lost_or_sent_twice_where_a_socket_cuts(
            lengths in prop::collection::vec(0..9_000usize, 1..20),
            live: bool,
            batch: bool,
            cut in 0.0..1.0f64,
        ) {
            let frames: Vec<Frame> = (11..).zip(&lengths).map(|(seq, length)| event(seq, *length)).collect();
            let way = if live { Way::Live } else { Way::Behind };
            // The filter dropped one more at the end.
            let to = Position { seq: 11 + lengths.len() as u64, way };
            let framing = if batch { Framing::Batch } else { Framing::Single };
            let chunk = Chunk::new(Position { seq: 10, way }, &Step { frames, position: to }, framing);
            let end = 1 + ((chunk.bytes().len() - 1) as f64 * cut) as usize;
            let Sent { position, events, rest } = chunk.sent(end);
            let later = if position == to { &[] } else { &chunk.bytes()[chunk.after(position.seq).unwrap()..] };
            prop_assert!(rest.len() <= 2 * ARRAY);
            prop_assert_eq!([&rest, later].concat(), &chunk.bytes()[end..]);
            prop_assert_eq!(position.way, way);
            let all = Sent { position: to, events: lengths.len() as u64, rest: Bytes::new() };
            prop_assert_eq!(events, (position.seq - 10).min(all.events));
            prop_assert_eq!(chunk.sent(chunk.bytes().len()), all);
        }
    }

    #[test]
    fn the_messages_about_a_connection_are_in_no_array() {
        let hello = Frame::session(&serde_json::json!({"type": "hello"}));
        let ready = Frame::session(&serde_json::json!({"type": "ready"})).at(2);
        let encoded = Encoded::of(&[hello, event(1, 0), event(2, 0), ready], Framing::Batch);
        let seqs: Vec<Option<u64>> = encoded.ends.iter().map(|end| end.seq).collect();
        assert_eq!(seqs, [None, Some(2), Some(2)]);
        let array = &encoded.bytes[encoded.ends[0].at..encoded.ends[1].at];
        assert_eq!(&array[2..], br#"[{"seq":1,"type":"loss","pad":""},{"seq":2,"type":"loss","pad":""}]"#);
    }
}
