use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream as Blocking},
};

use anyhow::{Result, bail};
use mio::{Interest, Registry, Token, net::TcpStream};

use crate::{
    event::Maker,
    wire::{Server, put_request},
};

/// Connections that events are handed over on. Each waits for its answer before it sends again.
pub(crate) struct Producers {
    server: Server,
    path: String,
    connections: Vec<Producer>,
    /// Those that wait for no answer; in turn, so that none is idle for so long that it is closed.
    idle: VecDeque<usize>,
    maker: Maker,
    /// Events of one publish.
    body: Vec<u8>,
    /// The number of the next event.
    pub(crate) next: u64,
    pub(crate) answers: u64,
    /// The numbers of the first events of all publishes that were answered, if they are kept.
    pub(crate) answered: Option<Vec<u64>>,
}

struct Producer {
    /// The number of the first event that waits for its answer.
    asked: u64,
    socket: TcpStream,
    unsent: Vec<u8>,
    heard: Vec<u8>,
}

impl Producers {
    pub(crate) fn open(
        server: Server,
        address: SocketAddr,
        path: &str,
        count: usize,
        maker: Maker,
    ) -> Result<Self> {
        let open = |number| {
            let mut socket = Blocking::connect(address)?;
            socket.set_nodelay(true)?;
            socket.write_all(&server.greeting(number))?;
            socket.set_nonblocking(true)?;
            Ok(Producer {
                asked: 0,
                socket: TcpStream::from_std(socket),
                unsent: Vec::new(),
                heard: Vec::new(),
            })
        };
        Ok(Self {
            server,
            path: path.to_owned(),
            connections: (0..count).map(open).collect::<Result<_>>()?,
            idle: (0..count).collect(),
            maker,
            body: Vec::new(),
            next: 1,
            answers: 0,
            answered: None,
        })
    }

    pub(crate) fn watch(&mut self, registry: &Registry, first: usize) -> Result<()> {
        for (number, producer) in self.connections.iter_mut().enumerate() {
            let interest = Interest::READABLE | Interest::WRITABLE;
            registry.register(&mut producer.socket, Token(first + number), interest)?;
        }
        Ok(())
    }

    /// The key of an event.
    pub(crate) fn key(&self, number: u64) -> u64 {
        self.maker.key(number)
    }

    /// Whether all that was published is answered.
    pub(crate) fn is_quiet(&self) -> bool {
        self.idle.len() == self.connections.len()
    }

    /// Publishes events, each with its stamp, if a connection is free; whether it did.
    pub(crate) fn publish(&mut self, stamps: impl IntoIterator<Item = u64>) -> Result<bool> {
        let Some(number) = self.idle.pop_front() else { return Ok(false) };
        let producer = &mut self.connections[number];
        producer.asked = self.next;
        self.body.clear();
        for stamp in stamps {
            let begin = self.body.len();
            self.maker.put(&mut self.body, self.next, stamp);
            let event = &self.body[begin..];
            match self.server {
                Server::Http => self.body.push(b'\n'),
                server => server.put_event(&mut producer.unsent, self.maker.key(self.next), event),
            }
            self.next += 1;
        }
        if self.server == Server::Http {
            let many = self.next - producer.asked > 1;
            // The last line needs no end.
            self.body.pop();
            put_request(&mut producer.unsent, &self.path, many, &self.body);
        }
        producer.write()?;
        if self.server != Server::Http && producer.unsent.is_empty() {
            self.idle.push_back(number);
        }
        Ok(true)
    }

    /// A connection can be read or written.
    pub(crate) fn serve(&mut self, number: usize) -> Result<()> {
        let producer = &mut self.connections[number];
        let had = producer.unsent.len();
        producer.write()?;
        let mut buffer = [0; 16 << 10];
        loop {
            match producer.socket.read(&mut buffer) {
                // One that asks for nothing any more is let go of after a while.
                Ok(0) if self.idle.contains(&number) => return Ok(()),
                Ok(0) => bail!("a producer was cut"),
                Ok(read) => producer.heard.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        while let Some(length) = self.server.answer(&producer.heard)? {
            if producer.heard.starts_with(b"PING") {
                producer.unsent.extend_from_slice(b"PONG\r\n");
                producer.write()?;
            }
            producer.heard.drain(..length);
            if self.server == Server::Http {
                self.answers += 1;
                self.answered.iter_mut().for_each(|answered| answered.push(producer.asked));
                self.idle.push_back(number);
            }
        }
        if self.server != Server::Http && had > 0 && producer.unsent.is_empty() {
            self.idle.push_back(number);
        }
        Ok(())
    }
}

impl Producer {
    fn write(&mut self) -> Result<()> {
        while !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
