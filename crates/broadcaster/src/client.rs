use crate::frame::{CLOSE, PING, PONG, TEXT};

/// The longest message that a page may send; pages have nothing to say but pings.
const LONGEST: usize = 64 << 10;

/// What a client's frames ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// Answer with a pong of the same payload.
    Ping(Vec<u8>),
    /// The client closes: answer with its code.
    Close(Option<u16>),
    /// The client broke the protocol: close with this code.
    Broken(u16),
}

pub(crate) const NORMAL: u16 = 1000;
pub(crate) const PROTOCOL_ERROR: u16 = 1002;
pub(crate) const INVALID_PAYLOAD: u16 = 1007;
pub(crate) const TOO_BIG: u16 = 1009;
pub(crate) const SERVICE_RESTART: u16 = 1012;

const CONTINUATION: u8 = 0;
const BINARY: u8 = 2;

/// Reads a client's frames (RFC 6455, 5): control frames are acted on, messages are checked and
/// dropped.
#[derive(Debug, Default)]
pub(crate) struct Client {
    /// Bytes of a frame that is not whole.
    rest: Vec<u8>,
    /// The fragmented message that is under way.
    message: Option<Message>,
}

#[derive(Debug)]
struct Message {
    text: bool,
    payload: Vec<u8>,
}

struct Frame {
    last: bool,
    opcode: u8,
    payload: Vec<u8>,
    /// Bytes of the whole frame.
    length: usize,
}

impl Client {
    /// Takes what arrived; says what it asks for, in order. After `Close` or `Broken` nothing counts.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<Said> {
        let mut said = Vec::new();
        self.rest.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.rest);
        let mut at = 0;
        loop {
            match frame(&held[at..]) {
                Ok(None) => break,
                Err(code) => {
                    said.push(Said::Broken(code));
                    return said;
                }
                Ok(Some(frame)) => {
                    at += frame.length;
                    match self.act(frame) {
                        None => {}
                        Some(ping @ Said::Ping(_)) => said.push(ping),
                        Some(end) => {
                            said.push(end);
                            return said;
                        }
                    }
                }
            }
        }
        self.rest = held[at..].to_vec();
        said
    }

    /// Whether nothing has to be remembered until more arrives.
    pub(crate) fn is_between_frames(&self) -> bool {
        self.rest.is_empty() && self.message.is_none()
    }

    fn act(&mut self, Frame { last, opcode, payload, .. }: Frame) -> Option<Said> {
        match opcode {
            PING => return Some(Said::Ping(payload)),
            PONG => return None,
            CLOSE => return Some(close(&payload)),
            _ => {}
        }
        let mut message = match (opcode, self.message.take()) {
            (CONTINUATION, Some(message)) => message,
            (TEXT | BINARY, None) => Message { text: opcode == TEXT, payload: Vec::new() },
            _ => return Some(Said::Broken(PROTOCOL_ERROR)),
        };
        if message.payload.len() + payload.len() > LONGEST {
            return Some(Said::Broken(TOO_BIG));
        }
        message.payload.extend_from_slice(&payload);
        if !last {
            self.message = Some(message);
        } else if message.text && std::str::from_utf8(&message.payload).is_err() {
            return Some(Said::Broken(INVALID_PAYLOAD));
        }
        None
    }
}

/// The frame at the start of the bytes; `None` if it is not whole.
fn frame(bytes: &[u8]) -> Result<Option<Frame>, u16> {
    let [first, second, ..] = *bytes else { return Ok(None) };
    let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
    let control = opcode & 8 != 0;
    let known = matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG);
    let masked = second & 0x80 != 0;
    let short = usize::from(second & 0x7f);
    if first & 0x70 != 0 || !known || !masked || (control && (!last || short > 125)) {
        return Err(PROTOCOL_ERROR);
    }
    let (length, mask) = match short {
        126 => match bytes.get(2..4) {
            Some(&[a, b]) => (usize::from(u16::from_be_bytes([a, b])), 4),
            _ => return Ok(None),
        },
        127 => match bytes.get(2..10) {
            Some(long) if long.iter().take(4).any(|byte| *byte != 0) => return Err(TOO_BIG),
            Some(&[.., a, b, c, d]) => (u32::from_be_bytes([a, b, c, d]) as usize, 10),
            _ => return Ok(None),
        },
        _ => (short, 2),
    };
    if length > LONGEST {
        return Err(TOO_BIG);
    }
    let start = mask + 4;
    let Some(payload) = bytes.get(start..start + length) else { return Ok(None) };
    let mask = &bytes[mask..start];
    let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Ok(Some(Frame { last, opcode, payload, length: start + length }))
}

fn close(payload: &[u8]) -> Said {
    match payload {
        [] => Said::Close(None),
        [a, b, reason @ ..] if std::str::from_utf8(reason).is_ok() => match u16::from_be_bytes([*a, *b]) {
            code @ (1000..=1003 | 1007..=1014 | 3000..=4999) => Said::Close(Some(code)),
            _ => Said::Broken(PROTOCOL_ERROR),
        },
        [_, _, ..] => Said::Broken(INVALID_PAYLOAD),
        [_] => Said::Broken(PROTOCOL_ERROR),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..=125 => frame.push(0x80 | length as u8),
            length => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
        }
        let mask = [0x5a, 0x01, 0xff, 0x80];
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    fn said(bytes: &[u8]) -> Vec<Said> {
        Client::default().take(bytes)
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_arrive(
            frames in prop::collection::vec(
                (prop::sample::select(vec![0x81, 0x82, 0x01, 0x80, 0x89, 0x8a, 0x88, 0x83]),
                 prop::collection::vec(any::<u8>(), 0..200)), 0..8),
            cuts in prop::collection::vec(1..50usize, 1..20),
        ) {
            let bytes: Vec<u8> = frames.iter().flat_map(|(first, payload)| masked(*first, payload)).collect();
            let (mut client, mut in_parts, mut rest) = (Client::default(), vec![], &bytes[..]);
            for cut in cuts.iter().cycle() {
                let ended = matches!(in_parts.last(), Some(Said::Close(_) | Said::Broken(_)));
                if rest.is_empty() || ended {
                    break;
                }
                let (part, after) = rest.split_at((*cut).min(rest.len()));
                in_parts.extend(client.take(part));
                rest = after;
            }
            prop_assert_eq!(in_parts, said(&bytes));
        }

        #[test]
        fn any_bytes_are_heard(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            said(&bytes);
        }
    }

    /// What tungstenite, in the place of a server, makes of the same bytes.
    fn oracle(bytes: &[u8]) -> Vec<Said> {
        use tokio_tungstenite::tungstenite::Message;
        use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
        use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket, WebSocketConfig};

        /// Reads what is given, and takes every answer.
        struct Given<'a>(&'a [u8]);

        impl std::io::Read for Given<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                match self.0.read(buffer)? {
                    0 => Err(std::io::ErrorKind::WouldBlock.into()),
                    read => Ok(read),
                }
            }
        }

        impl std::io::Write for Given<'_> {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                Ok(bytes.len())
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }

        let longest = Some(LONGEST);
        let config = WebSocketConfig::default().max_message_size(longest).max_frame_size(longest);
        let mut socket = WebSocket::from_raw_socket(Given(bytes), Role::Server, Some(config));
        let mut said = Vec::new();
        loop {
            match socket.read() {
                Ok(Message::Ping(payload)) => said.push(Said::Ping(payload.to_vec())),
                // With the code that it answers.
                Ok(Message::Close(frame)) => {
                    return [said, vec![Said::Close(frame.map(|frame| frame.code.into()))]].concat();
                }
                Ok(_message) => {}
                Err(Error::Io(_nothing_more)) => return said,
                Err(Error::Utf8(_)) => return [said, vec![Said::Close(Some(INVALID_PAYLOAD))]].concat(),
                Err(Error::Capacity(CapacityError::MessageTooLong { .. })) => {
                    return [said, vec![Said::Close(Some(TOO_BIG))]].concat();
                }
                Err(_protocol) => return [said, vec![Said::Close(Some(PROTOCOL_ERROR))]].concat(),
            }
        }
    }

    /// Frames as clients send them, and as no client may.
    fn frames() -> impl Strategy<Value = Vec<u8>> {
        let text = || prop_oneof!["[a-zäß€ ]{0,40}".prop_map(String::into_bytes), any::<Vec<u8>>()];
        let control = prop::collection::vec(any::<u8>(), 0..128);
        let ascii = || "[a-z]{0,40}".prop_map(String::into_bytes);
        let code = prop_oneof![990..1020_u16, 2990..3010_u16, 4990..5010_u16, any::<u16>()];
        // "Bad gateway", which tungstenite does not know.
        let code = code.prop_filter("known to both", |code| *code != 1014);
        let close = prop_oneof![
            Just(vec![]),
            Just(vec![3]),
            (code, "[a-zä]{0,10}").prop_map(|(code, why)| [&code.to_be_bytes(), why.as_bytes()].concat()),
        ];
        prop_oneof![
            4 => text().prop_map(|text| masked(0x81, &text)),
            3 => (prop::collection::vec(ascii(), 2..5), control.clone()).prop_map(|(parts, ping)| {
                // A message in parts, with a ping among them.
                let last = parts.len() - 1;
                let part = |(number, text): (usize, &Vec<u8>)| {
                    let first = if number == 0 { 1 } else { 0 } | if number == last { 0x80 } else { 0 };
                    [masked(first, text), if number == 0 { masked(0x89, &ping) } else { vec![] }].concat()
                };
                parts.iter().enumerate().flat_map(part).collect()
            }),
            3 => control.clone().prop_map(|payload| masked(0x89, &payload)),
            2 => control.prop_map(|payload| masked(0x8a, &payload)),
            1 => close.prop_map(|payload| masked(0x88, &payload)),
            1 => (any::<u8>(), ascii()).prop_map(|(first, payload)| masked(first, &payload)),
            1 => ascii().prop_map(|text| [&[0x81, text.len() as u8][..], &text].concat()),
            1 => Just([&[0x82, 0xff, 0, 0, 0, 0, 0, 2, 0, 0, 1, 2, 3, 4][..], &[0; 200]].concat()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]

        #[test]
        fn frames_mean_what_tungstenite_takes_them_for(frames in prop::collection::vec(frames(), 0..8)) {
            let bytes = frames.concat();
            let answered = said(&bytes).into_iter().map(|said| match said {
                Said::Broken(code) => Said::Close(Some(code)),
                said => said,
            });
            prop_assert_eq!(answered.collect::<Vec<_>>(), oracle(&bytes));
        }
    }

    #[test]
    fn messages_are_dropped_and_pings_between_their_parts_are_heard() {
        let bytes = [masked(0x01, b"par"), masked(0x89, b"here?"), masked(0x80, b"ts")].concat();
        assert_eq!(said(&bytes), [Said::Ping(b"here?".to_vec())]);
        let split = [masked(0x01, "ä".as_bytes()[..1].as_ref()), masked(0x80, &"ä".as_bytes()[1..])].concat();
        assert_eq!(said(&split), []);
    }

    #[test]
    fn what_breaks_the_protocol_is_answered_with_its_code() {
        for (bytes, code) in [
            (vec![0x81, 0x00], PROTOCOL_ERROR),        // not masked
            (masked(0xc1, b""), PROTOCOL_ERROR),       // a reserved bit
            (masked(0x83, b""), PROTOCOL_ERROR),       // an unknown opcode
            (masked(0x09, b""), PROTOCOL_ERROR),       // a ping in parts
            (masked(0x89, &[0; 126]), PROTOCOL_ERROR), // a ping too long
            (masked(0x80, b"ts"), PROTOCOL_ERROR),     // the end of nothing
            ([masked(0x01, b""), masked(0x81, b"")].concat(), PROTOCOL_ERROR), // a message in a message
            (masked(0x81, b"\xff"), INVALID_PAYLOAD),
            (masked(0x88, b"\x03"), PROTOCOL_ERROR),     // half a code
            (masked(0x88, b"\x03\xed"), PROTOCOL_ERROR), // 1005 is never sent
            (masked(0x88, b"\x03\xe8\xff"), INVALID_PAYLOAD),
            (vec![0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0], TOO_BIG),
            (vec![0x82, 0xfe, 0xff, 0xff], 0), // just allowed, not whole
        ] {
            let expected = if code == 0 { vec![] } else { vec![Said::Broken(code)] };
            assert_eq!(said(&bytes), expected, "{bytes:?}");
        }
        let large = [masked(0x02, &[0; 60_000]), masked(0x80, &[0; 60_000])].concat();
        assert_eq!(said(&large), [Said::Broken(TOO_BIG)]);
        assert_eq!(said(&masked(0x88, b"\x03\xe8bye")), [Said::Close(Some(1000))]);
        assert_eq!(said(&masked(0x88, b"")), [Said::Close(None)]);
    }
}
