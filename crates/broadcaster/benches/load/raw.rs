use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use mio::{Events, Interest, Poll, Token};
use serde_json::{Value, json};

use crate::clock::nap;

/// How many writes one core can make to so many sockets of this machine, whatever is in them: what no server
/// that makes one write an event can exceed.
#[derive(Debug, clap::Args)]
pub(crate) struct Raw {
    #[arg(long, default_value_t = 500)]
    subscribers: usize,
    #[arg(long, default_value_t = 200)]
    bytes: usize,
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// The core that writes, 0 or 1; the other one reads
    #[arg(long, default_value_t = 0)]
    core: usize,
}

impl Raw {
    pub(crate) fn run(&self) -> Result<Value> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (mut writers, mut readers) = (Vec::new(), Vec::new());
        for _ in 0..self.subscribers {
            readers.push(TcpStream::connect(listener.local_addr()?)?);
            let (writer, _) = listener.accept()?;
            writer.set_nodelay(true)?;
            writer.set_nonblocking(true)?;
            writers.push(writer);
        }
        let over = AtomicBool::new(false);
        let (writes, full, took) = thread::scope(|scope| {
            let reader = scope.spawn(|| read(readers, 1 - self.core, &over));
            let written = scope.spawn(|| self.write(&mut writers)).join();
            over.store(true, Ordering::Relaxed);
            let _ = reader.join();
            written.unwrap_or_else(|_| Ok((0, 0, Duration::MAX)))
        })?;
        Ok(json!({ "subscribers": self.subscribers, "bytes": self.bytes,
            // Where the one who reads was the limit.
            "full": full as f64 / writes as f64,
            "writes_per_s": writes as f64 / took.as_secs_f64() }))
    }

    fn write(&self, writers: &mut [TcpStream]) -> Result<(u64, u64, Duration)> {
        stay_on(self.core)?;
        let bytes = vec![b'x'; self.bytes];
        let (mut writes, mut full, begun) = (0, 0, Instant::now());
        while begun.elapsed().as_secs_f64() < self.seconds {
            for writer in &mut *writers {
                match writer.write(&bytes) {
                    Ok(_) => writes += 1,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => full += 1,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok((writes, full, begun.elapsed()))
    }
}

fn stay_on(core: usize) -> Result<()> {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    Ok(rustix::thread::sched_setaffinity(None, &cores)?)
}

fn read(readers: Vec<TcpStream>, core: usize, over: &AtomicBool) -> Result<()> {
    stay_on(core)?;
    let mut poll = Poll::new()?;
    let mut readers: Vec<mio::net::TcpStream> = readers
        .into_iter()
        .map(|reader| reader.set_nonblocking(true).map(|()| mio::net::TcpStream::from_std(reader)))
        .collect::<Result<_, _>>()?;
    for (number, reader) in readers.iter_mut().enumerate() {
        poll.registry().register(reader, Token(number), Interest::READABLE)?;
    }
    let mut buffer = vec![0; 64 << 10];
    let mut events = Events::with_capacity(1024);
    while !over.load(Ordering::Relaxed) {
        poll.poll(&mut events, Some(Duration::from_millis(10)))?;
        for event in &events {
            while matches!(readers[event.token().0].read(&mut buffer), Ok(read) if read == buffer.len()) {}
        }
        nap(100);
    }
    Ok(())
}
