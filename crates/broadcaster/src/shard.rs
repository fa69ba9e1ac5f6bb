use std::collections::VecDeque;
use std::io;
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use crate::chunk::Framing;
use crate::chunks::Chunks;
use crate::client::SERVICE_RESTART;
use crate::connection::{Connection, Gone};
use crate::server::{Place, Stopping};
use crate::{Cursor, Filter, Hub};

/// Bytes of replays in one pass, about: what newcomers may add to the latency of live events.
const BUDGET: usize = 1 << 20;
/// Connections that have something to send for themselves, in one pass: live events do not wait for more.
const DUE: usize = 512;
/// Socket events that are taken at a time.
const EVENTS: usize = 1024;
/// Connections that are read from in one pass: live events do not wait for more.
const READS: usize = 64;
/// Bytes that are read from a client at a time.
const SCRATCH: usize = 16 << 10;

/// After a round to all pages that took a while events gather for as long, and for so long at most: where rounds follow each other more come in
/// each, and some of the core is left to what is published. What comes now and then finds nobody at rest.
const REST: Duration = Duration::from_millis(2);
/// What a timer is too coarse for.
const TICK: Duration = Duration::from_millis(1);

/// A page whose handshake is done.
pub(crate) struct Newcomer {
    pub(crate) socket: TcpStream,
    /// What it sent after the handshake.
    pub(crate) early: Bytes,
    pub(crate) cursor: Option<Cursor>,
    pub(crate) filter: Filter,
    pub(crate) framing: Framing,
    pub(crate) place: Place,
}

/// Many pages on raw sockets, served by one task: a page costs a record, and no task, timer or buffer.
///
/// A pass reads what sockets say, takes in newcomers, and makes one write to every page that lacks something.
/// While it is at it events gather, so that under load a write carries many.
pub(crate) struct Shard {
    hub: Hub,
    poll: AsyncFd<Poll>,
    events: Events,
    connections: Slab<Connection>,
    /// Connections that can be written, or have more than went into one write; oldest first.
    due: VecDeque<usize>,
    /// Sockets may have something to say.
    unheard: bool,
    /// Connections of which more may be read than was.
    unread: VecDeque<usize>,
    /// The connection that a sweep begins with: where the last one had no budget left.
    start: usize,
    chunks: Chunks,
    scratch: Box<[u8]>,
    head: watch::Receiver<u64>,
    /// The head that the last round went up to.
    passed: u64,
    /// When the next round may begin.
    rested: Instant,
    inbox: mpsc::Receiver<Newcomer>,
    heartbeat: Duration,
    stopping: Stopping,
}

impl Shard {
    pub(crate) fn new(
        hub: Hub,
        inbox: mpsc::Receiver<Newcomer>,
        heartbeat: Duration,
        stopping: Stopping,
    ) -> io::Result<Self> {
        // SAFETY: a poll has one descriptor, the same for as long as it lives, and closes it when it is dropped,
        // which `AsyncFd` does last. Nothing below takes it out or replaces it.
        let poll = unsafe { AsyncFd::register_with_interest(Poll::new()?, tokio::io::Interest::READABLE)? };
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS),
            connections: Slab::new(),
            due: VecDeque::new(),
            unheard: true,
            unread: VecDeque::new(),
            start: 0,
            chunks: Chunks::new(hub.clone()),
            scratch: vec![0; SCRATCH].into(),
            head: hub.head(),
            passed: 0,
            rested: Instant::now(),
            inbox,
            heartbeat,
            stopping,
            hub,
        })
    }

    /// Serves its pages until nobody can hand it another.
    pub(crate) async fn run(mut self) {
        // Every page is looked at twice between two signs of life that are due.
        let mut beats = tokio::time::interval((self.heartbeat / 2).max(Duration::from_millis(1)));
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopping = self.stopping.clone();
        let mut stopped = false;
        loop {
            let more = self.pass();
            tokio::select! {
                () = stopping.wait(), if !stopped => {
                    stopped = true;
                    self.close_all();
                }
                _ = beats.tick() => self.beat(),
                () = tokio::time::sleep_until(self.rested), if self.is_behind() => {}
                () = tokio::task::yield_now(), if more => {}
                ready = self.poll.readable_mut() => match ready {
                    Ok(mut ready) => {
                        // Before its events are taken: what comes after them is told again.
                        ready.clear_ready();
                        self.unheard = true;
                    }
                    Err(error) => return tracing::error!("a shard cannot hear of its sockets any more: {error}"),
                },
                changed = self.head.changed(), if !self.is_behind() => {
                    if changed.is_err() {
                        return;
                    }
                    // Publishes that are ready to be applied come first, and go into the same writes.
                    tokio::task::yield_now().await;
                }
                newcomer = self.inbox.recv() => match newcomer {
                    Some(newcomer) => self.admit(newcomer),
                    None => return,
                },
            }
        }
    }

    /// Whether there is more to do at once.
    fn pass(&mut self) -> bool {
        if self.unheard {
            self.unheard = self.listen();
        }
        for _ in 0..self.unread.len().min(READS) {
            if let Some(key) = self.unread.pop_front() {
                self.read(key);
            }
        }
        while let Ok(newcomer) = self.inbox.try_recv() {
            self.admit(newcomer);
        }
        let head = *self.head.borrow_and_update();
        self.chunks.begin(head);
        let mut budget = BUDGET;
        let begun = Instant::now();
        // Whoever waited for it has seen it already.
        if head > self.passed && begun >= self.rested {
            self.passed = head;
            self.due.clear();
            let (all, start) = (self.connections.capacity(), self.start);
            for key in (start..all).chain(0..start.min(all)) {
                let before = budget;
                self.write(key, &mut budget);
                if before > 0 && budget == 0 {
                    self.start = key + 1;
                }
            }
            let (end, rest) = (Instant::now(), begun.elapsed().min(REST));
            self.rested = if rest >= TICK { end + rest } else { end };
        } else {
            for _ in 0..self.due.len().min(DUE) {
                if let Some(key) = self.due.pop_front() {
                    self.write(key, &mut budget);
                }
            }
        }
        self.chunks.end();
        self.unheard || !self.due.is_empty() || !self.unread.is_empty()
    }

    /// Whether there is something for all pages.
    fn is_behind(&self) -> bool {
        *self.head.borrow() > self.passed
    }

    fn queue(&mut self, key: usize) {
        if self.connections.get_mut(key).is_some_and(Connection::queue) {
            self.due.push_back(key);
        }
    }

    fn write(&mut self, key: usize, budget: &mut usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        match connection.write(&mut self.chunks, budget) {
            Ok(true) => self.queue(key),
            Ok(false) => {}
            Err(Gone) => drop(self.connections.remove(key)),
        }
    }

    /// Takes what the sockets say; whether they may say more.
    fn listen(&mut self) -> bool {
        if self.poll.get_mut().poll(&mut self.events, Some(Duration::ZERO)).is_err() {
            return false;
        }
        let said: Vec<(usize, bool, bool)> = self
            .events
            .iter()
            .map(|event| {
                let reads = event.is_readable() || event.is_read_closed() || event.is_error();
                (event.token().0, reads, event.is_writable())
            })
            .collect();
        for &(key, reads, writable) in &said {
            if writable && let Some(connection) = self.connections.get_mut(key) {
                connection.can_be_written();
                self.queue(key);
            }
            if reads {
                self.unread.push_back(key);
            }
        }
        said.len() == EVENTS
    }

    fn read(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        match connection.read(&mut self.scratch) {
            Ok(more) => {
                if more {
                    self.unread.push_back(key);
                }
                if connection.has_own() {
                    self.queue(key);
                }
            }
            Err(Gone) => drop(self.connections.remove(key)),
        }
    }

    fn admit(&mut self, newcomer: Newcomer) {
        let Newcomer { socket, early, cursor, filter, framing, place } = newcomer;
        let mut socket = mio::net::TcpStream::from_std(socket);
        let entry = self.connections.vacant_entry();
        let token = Token(entry.key());
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.get_ref().registry().register(&mut socket, token, interest) {
            tracing::warn!("cannot watch a page's socket: {error}");
            return;
        }
        let (hello, position) = self.hub.join(cursor.as_ref());
        let held = (place, self.hub.enter());
        let mut connection = Connection::new(socket, hello.websocket(), position, (filter, framing), held);
        connection.hear(&early);
        if self.stopping.now() {
            connection.close(SERVICE_RESTART);
        }
        entry.insert(connection);
        self.queue(token.0);
    }

    /// Shows pages that were sent nothing for a while that the broadcaster lives.
    fn beat(&mut self) {
        self.hub.tidy();
        for key in 0..self.connections.capacity() {
            match self.connections.get_mut(key).map(Connection::is_due) {
                Some(Ok(true)) => self.queue(key),
                Some(Err(Gone)) => drop(self.connections.remove(key)),
                Some(Ok(false)) | None => {}
            }
        }
    }

    /// Tells all pages to come back.
    fn close_all(&mut self) {
        for key in 0..self.connections.capacity() {
            if let Some(connection) = self.connections.get_mut(key) {
                connection.close(SERVICE_RESTART);
                self.queue(key);
            }
        }
    }
}
