use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream as Blocking},
    ops::Range,
};

use anyhow::{Context, Result, bail, ensure};
use mio::{Interest, Registry, Token, net::TcpStream};

use crate::{
    event::{Of, Reader},
    wire::{CLOSE, PING, Server, frame, put_frame},
};

/// A subscriber that checks what it gets.
pub(crate) struct Page {
    pub(crate) socket: TcpStream,
    /// What it says when its handshake is done; `None` once it has.
    greeting: Option<Vec<u8>>,
    /// Bytes of a frame that is not whole.
    rest: Vec<u8>,
    /// The end of a payload in which an event was cut: some servers cut anywhere.
    carried: Vec<u8>,
    /// Events of the run so far, in the order that all pages have in common.
    pub(crate) got: usize,
    pub(crate) bytes: u64,
    /// Events that were not the next in that order.
    pub(crate) wrong: u64,
    /// Messages of the kind that says that events were skipped.
    pub(crate) skips: u64,
    /// Whether `ready` came.
    pub(crate) ready: bool,
}

/// What it needs to read.
pub(crate) struct Desk {
    pub(crate) buffer: Vec<u8>,
    reader: Reader,
}

impl Desk {
    pub(crate) fn new(of: Of) -> Self {
        Self { buffer: vec![0; 1 << 20], reader: Reader::new(of) }
    }
}

impl Page {
    /// Asks for a WebSocket; says what it wants when it has it.
    pub(crate) fn open(server: Server, address: SocketAddr, path: &str, number: usize) -> Result<Self> {
        let mut socket = Blocking::connect(address).with_context(|| format!("page {number}"))?;
        socket.set_nodelay(true)?;
        socket.write_all(server.upgrade(path).as_bytes())?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket: TcpStream::from_std(socket),
            greeting: Some(server.subscribe(number)),
            rest: Vec::new(),
            carried: Vec::new(),
            got: 0,
            bytes: 0,
            wrong: 0,
            skips: 0,
            ready: false,
        })
    }

    pub(crate) fn watch(&mut self, registry: &Registry, token: usize) -> Result<()> {
        Ok(registry.register(&mut self.socket, Token(token), Interest::READABLE)?)
    }

    /// Reads all there is; calls with the number and stamp of every event.
    pub(crate) fn read(&mut self, desk: &mut Desk, mut event: impl FnMut(u64, u64)) -> Result<()> {
        loop {
            let kept = self.rest.len();
            if desk.buffer.len() < 2 * kept {
                desk.buffer.resize(4 * kept, 0);
            }
            desk.buffer[..kept].copy_from_slice(&self.rest);
            let read = match self.socket.read(&mut desk.buffer[kept..]) {
                Ok(0) => bail!("a page was cut"),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            self.bytes += read as u64;
            let whole = self.frames(&desk.buffer[..kept + read], &desk.reader, &mut event)?;
            self.rest.clear();
            self.rest.extend_from_slice(&desk.buffer[whole..kept + read]);
            if kept + read < desk.buffer.len() {
                return Ok(());
            }
        }
    }

    /// Reads events that have to come as the first page that gets them gets them; calls with the number and stamp
    /// of each. Others than these numbers are not of the run.
    pub(crate) fn check(
        &mut self,
        desk: &mut Desk,
        order: &mut Vec<u64>,
        numbers: &Range<u64>,
        mut event: impl FnMut(u64, u64),
    ) -> Result<()> {
        let (mut got, mut wrong, skips) = (self.got, 0, self.skips);
        self.read(desk, |number, stamp| {
            if numbers.contains(&number) {
                match order.get(got) {
                    None => order.push(number),
                    Some(expected) => wrong += u64::from(*expected != number),
                }
                got += 1;
                event(number, stamp);
            }
        })?;
        self.got = got;
        self.wrong += wrong + (self.skips - skips);
        Ok(())
    }

    /// Reads events of which some may be left out. Calls with the number of each.
    pub(crate) fn follow(
        &mut self,
        desk: &mut Desk,
        order: &mut Vec<u64>,
        numbers: &Range<u64>,
        mut event: impl FnMut(u64),
    ) -> Result<()> {
        let (mut got, mut wrong) = (self.got, 0);
        self.read(desk, |number, _| {
            if numbers.contains(&number) {
                match order[got..].iter().position(|other| *other == number) {
                    Some(skipped) => got += skipped + 1,
                    // Nobody has it yet: it is the next.
                    None if !order[..got].contains(&number) => {
                        order.push(number);
                        got = order.len();
                    }
                    None => wrong += 1,
                }
                event(number);
            }
        })?;
        (self.got, self.wrong) = (got, self.wrong + wrong);
        Ok(())
    }

    fn frames(&mut self, bytes: &[u8], reader: &Reader, event: &mut impl FnMut(u64, u64)) -> Result<usize> {
        let mut at = 0;
        if let Some(greeting) = self.greeting.take() {
            let Some(head) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
                self.greeting = Some(greeting);
                return Ok(0);
            };
            ensure!(bytes.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(bytes));
            self.socket.write_all(&greeting)?;
            at = head + 4;
        }
        while let Some(found) = frame(&bytes[at..]) {
            let payload = &bytes[at + found.start..at + found.end];
            at += found.end;
            match found.opcode {
                PING => {
                    let mut pong = Vec::new();
                    put_frame(&mut pong, 10, payload);
                    self.socket.write_all(&pong)?;
                }
                CLOSE => bail!("a page was told to go"),
                _ => self.payload(payload, reader, event),
            }
        }
        Ok(at)
    }

    fn payload(&mut self, payload: &[u8], reader: &Reader, event: &mut impl FnMut(u64, u64)) {
        if payload.starts_with(b"{\"type\":\"skipped\"") {
            self.skips += 1;
            self.ready = false;
        }
        self.ready |= payload.starts_with(b"{\"type\":\"ready\"");
        if self.carried.is_empty() {
            let cut = reader.read(payload, event);
            // Text ends with the event; a stream may go on in the next frame.
            if !payload.ends_with(b"}") && !payload.ends_with(b"]") {
                self.carried = payload[cut..].to_vec();
            }
        } else {
            let mut joined = std::mem::take(&mut self.carried);
            joined.extend_from_slice(payload);
            let cut = reader.read(&joined, event);
            if !joined.ends_with(b"}") {
                self.carried = joined[cut..].to_vec();
            }
        }
    }
}
