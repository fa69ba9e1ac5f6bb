use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use mio::net::TcpStream;

use crate::Filter;
use crate::chunk::{Framing, Sent};
use crate::chunks::Chunks;
use crate::client::{Client, NORMAL, Said};
use crate::core::Position;
use crate::frame::{CLOSE, PING, PONG, put_control};
use crate::hub::Present;
use crate::replay::Replay;
use crate::server::Place;

/// Bytes of its own that wait for a client that does not read, at most: it may ping, and not wait, for ever.
const OWN: usize = 4 << 10;

/// One page on a raw socket: a position, and what a socket that is full left of one frame.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: TcpStream,
    position: Position,
    /// What brings it to the state, while it is on the way and reads.
    replay: Option<Arc<Replay>>,
    filter: Filter,
    framing: Framing,
    /// The rest of a frame that a full socket cut: before anything else.
    rest: Bytes,
    /// Then what is of this connection: `hello`, pongs, the close.
    own: Vec<u8>,
    /// What came of a frame that is not whole yet.
    client: Option<Box<Client>>,
    /// The socket is full.
    blocked: bool,
    /// Nothing was sent since the last sign of life was due.
    quiet: bool,
    /// It is among those that are due.
    queued: bool,
    closing: Closing,
    client_is: ClientIs,
    _place: Place,
    present: Present,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    /// A close frame is the last that is sent.
    Asked,
    /// It is sent: the client has to go.
    Told,
}

/// What may still be heard of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientIs {
    Open,
    /// It sent a close frame, its last.
    Closed,
    /// It broke the protocol: nothing that it sends has a meaning any more.
    Lost,
}

/// The client is gone, or its socket broke.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gone;

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl Connection {
    pub(crate) fn new(
        socket: TcpStream,
        hello: &[u8],
        position: Position,
        (filter, framing): (Filter, Framing),
        (place, present): (Place, Present),
    ) -> Self {
        Self {
            socket,
            position,
            replay: None,
            filter,
            framing,
            rest: Bytes::new(),
            own: hello.to_vec(),
            client: None,
            blocked: false,
            quiet: false,
            queued: false,
            closing: Closing::No,
            client_is: ClientIs::Open,
            _place: place,
            present,
        }
    }

    /// Reads some of what the client sent, and does what it asks; whether there may be more.
    ///
    /// Once a call: a client that sends without end must not keep the others waiting.
    pub(crate) fn read(&mut self, scratch: &mut [u8]) -> Result<bool, Gone> {
        match self.socket.read(scratch) {
            Ok(0) => Err(Gone),
            Ok(length) => {
                self.hear(&scratch[..length]);
                if self.is_over() {
                    return Err(Gone);
                }
                // If only the end: what came together is told once.
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(_) => Err(Gone),
        }
    }

    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        if self.client_is != ClientIs::Open {
            return;
        }
        let mut client = self.client.take().unwrap_or_default();
        for said in client.take(bytes) {
            match said {
                Said::Ping(payload) if self.closing == Closing::No && self.own.len() < OWN => {
                    put_control(&mut self.own, PONG, &payload);
                }
                Said::Ping(_) => {}
                Said::Close(code) => {
                    self.client_is = ClientIs::Closed;
                    return self.close(code.unwrap_or(NORMAL));
                }
                Said::Broken(code) => {
                    self.client_is = ClientIs::Lost;
                    return self.close(code);
                }
            }
        }
        self.client = (!client.is_between_frames()).then_some(client);
    }

    /// Whether there is something to send that is not asked of the hub.
    pub(crate) fn has_own(&self) -> bool {
        !self.rest.is_empty() || !self.own.is_empty()
    }

    /// Sends a close frame, after what was begun, and nothing more.
    pub(crate) fn close(&mut self, code: u16) {
        if self.closing == Closing::No {
            put_control(&mut self.own, CLOSE, &code.to_be_bytes());
            self.closing = Closing::Asked;
        }
    }

    /// Whether both sides have closed: then the server ends the connection (RFC 6455, 7.1.1).
    fn is_over(&self) -> bool {
        self.closing == Closing::Told && self.client_is == ClientIs::Closed
    }

    /// Whether a sign of life has to be sent: nothing was since the last call.
    ///
    /// A client that was told to go and is still there is gone.
    pub(crate) fn is_due(&mut self) -> Result<bool, Gone> {
        if self.closing == Closing::Told {
            return Err(Gone);
        }
        let was_quiet = std::mem::replace(&mut self.quiet, true);
        if was_quiet && self.blocked && self.replay.take().is_some() {
            // It does not read: the state of that moment is not kept for it.
            self.position = self.position.without_replay();
        }
        let due = was_quiet && !self.blocked && self.closing == Closing::No;
        if due {
            put_control(&mut self.own, PING, b"");
        }
        Ok(due)
    }

    /// Makes it due; whether it was not.
    pub(crate) fn queue(&mut self) -> bool {
        !std::mem::replace(&mut self.queued, true)
    }

    pub(crate) fn can_be_written(&mut self) {
        self.blocked = false;
    }

    /// One write of what there is; whether there is more that can be written now.
    ///
    /// A reader that is on its way to the state takes no more than `budget` allows, and uses it up.
    pub(crate) fn write(&mut self, chunks: &mut Chunks, budget: &mut usize) -> Result<bool, Gone> {
        self.queued = false;
        if self.blocked || self.closing == Closing::Told {
            return Ok(false);
        }
        if self.closing == Closing::Asked {
            self.send(&[])?;
            if !self.has_own() {
                self.closing = Closing::Told;
                if self.is_over() {
                    return Err(Gone);
                }
                self.socket.shutdown(Shutdown::Write)?;
            }
            return Ok(false);
        }
        let replays = !self.position.is_live();
        if replays && *budget == 0 {
            self.send(&[])?;
            return Ok(!self.blocked);
        }
        let Some((chunk, start)) = chunks.next(self.position, self.filter, self.framing, &mut self.replay)
        else {
            self.send(&[])?;
            return Ok(false);
        };
        let bytes = &chunk.bytes()[start..];
        let sent = self.send(bytes)?;
        if replays {
            *budget = budget.saturating_sub(sent);
        }
        let before = self.position;
        if bytes.is_empty() {
            // The filter left nothing of it.
            self.position = chunk.to();
            self.present.enter(before, self.position, 0, self.filter);
        } else if sent > 0 {
            let Sent { position, events, rest } = chunk.sent(start + sent);
            self.position = position;
            self.rest = rest;
            self.present.enter(before, position, events, self.filter);
        }
        if self.position.is_live() {
            self.replay = None;
        }
        Ok(!self.blocked && !chunks.is_at_head(self.position))
    }

    /// Writes what goes first and then these bytes; how many of these went.
    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let first = self.rest.len() + self.own.len();
        let wanted = first + bytes.len();
        if wanted == 0 {
            return Ok(0);
        }
        let written = loop {
            let written = if first == 0 {
                self.socket.write(bytes)
            } else {
                let all = [IoSlice::new(&self.rest), IoSlice::new(&self.own), IoSlice::new(bytes)];
                self.socket.write_vectored(&all)
            };
            match written {
                Ok(written) => break written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break 0,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        // What is less than all fills the socket: it says when it has room.
        self.blocked = written < wanted;
        self.quiet &= written == 0;
        let of_rest = written.min(self.rest.len());
        self.rest.advance(of_rest);
        let of_own = (written - of_rest).min(self.own.len());
        if of_own == self.own.len() {
            // An idle connection keeps no memory.
            self.own = Vec::new();
        } else {
            self.own.drain(..of_own);
        }
        Ok(written - of_rest - of_own)
    }
}
