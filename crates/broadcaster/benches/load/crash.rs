use std::{
    collections::HashSet,
    net::{SocketAddr, TcpStream},
    process::{Child, Command},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use mio::{Events, Poll, Token};
use serde_json::{Value, json};

use crate::{
    clock::{Clock, micros, nap},
    event::{Maker, Of},
    page::{Desk, Page},
    producers::Producers,
    wire::Server,
};

/// A broadcaster that is killed while it is published to, and started again.
#[derive(Debug, clap::Args)]
pub(crate) struct Crash {
    /// Where it listens
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long, default_value_t = 100_000)]
    keys: u64,
    #[arg(long, default_value_t = 180)]
    bytes: usize,
    /// Events a second, each a publish
    #[arg(long, default_value_t = 10_000.0)]
    rate: f64,
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Connections that publish
    #[arg(long, default_value_t = 256)]
    connections: usize,
    /// What starts it
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Longer than it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Crash {
    pub(crate) fn run(&self) -> Result<Value> {
        let once_each = self.rate * self.seconds <= self.keys as f64;
        ensure!(
            once_each,
            "--rate times --seconds: expected --keys at most, so that no event follows another"
        );
        let server = self.start()?;
        let (published, late) = {
            let mut filled = self.producers(8)?;
            filled.fill(self.keys)?;
            let mut producers = self.producers(self.connections)?;
            producers.next = self.keys + 1;
            let late = producers.publish_at(self.rate, self.seconds)?;
            drop(server);
            (producers.answered.unwrap_or_default(), late)
        };
        let killed = Instant::now();
        let _again = self.start()?;
        let connects = killed.elapsed();
        let state = self.state()?;
        let took = killed.elapsed();
        let lost = published.iter().filter(|number| !state.contains(number)).count();
        let per_s = published.len() as f64 / self.seconds;
        ensure!(state.len() as u64 >= self.keys, "the state has {} of {} keys", state.len(), self.keys);
        Ok(json!({
            "keys": self.keys, "rate": self.rate, "acknowledged_per_s": per_s, "late_ms": late as f64 / 1e3,
            "acknowledged": published.len(), "lost": lost,
            "listens_ms": connects.as_secs_f64() * 1e3, "serves_ms": took.as_secs_f64() * 1e3,
        }))
    }

    /// Until it takes a connection.
    fn start(&self) -> Result<Running> {
        let [program, arguments @ ..] = &self.command[..] else { bail!("expected a command") };
        let begun = Instant::now();
        let mut child =
            Running(Command::new(program).args(arguments).spawn().with_context(|| program.clone())?);
        while TcpStream::connect(self.listen).is_err() {
            if let Some(status) = child.0.try_wait()? {
                bail!("it ended: {status}");
            }
            ensure!(begun.elapsed() < PATIENCE, "it does not listen");
            nap(100);
        }
        Ok(child)
    }

    fn producers(&self, count: usize) -> Result<Producers> {
        let maker = Maker::new(Of::Metric, self.keys, "knn", self.bytes)?;
        Producers::open(Server::Http, self.listen, "/publish", count, maker)
    }

    /// The numbers of the events that a new page gets before it is ready.
    fn state(&self) -> Result<HashSet<u64>> {
        let mut page = Page::open(Server::Http, self.listen, "/ws?batch=1", 0)?;
        let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1));
        page.watch(poll.registry(), 0)?;
        let (mut desk, mut numbers, begun) = (Desk::new(Of::Metric), HashSet::new(), Instant::now());
        while !page.ready {
            ensure!(begun.elapsed() < PATIENCE, "a page does not get the state");
            poll.poll(&mut events, Some(Duration::from_millis(100)))?;
            page.read(&mut desk, |number, _| numbers.extend([number]))?;
        }
        Ok(numbers)
    }
}

impl Producers {
    /// Publishes an event of every key.
    fn fill(&mut self, keys: u64) -> Result<()> {
        let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1024));
        self.watch(poll.registry(), 0)?;
        while self.next <= keys || !self.is_quiet() {
            while self.next <= keys {
                let together = (keys + 1 - self.next).min(500) as usize;
                if !self.publish(std::iter::repeat_n(0, together))? {
                    break;
                }
            }
            poll.poll(&mut events, Some(Duration::from_millis(100)))?;
            for event in &events {
                let Token(number) = event.token();
                self.serve(number)?;
            }
        }
        Ok(())
    }

    /// Publishes at a rate, whatever the server does; stops in the middle. Returns how late the latest was.
    fn publish_at(&mut self, rate: f64, seconds: f64) -> Result<u64> {
        let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1024));
        self.watch(poll.registry(), 0)?;
        self.answered = Some(Vec::new());
        let clock = Clock::start();
        let (begins, mut publishes, mut late) = (clock.now(), 0_u64, 0);
        while clock.now() < begins + micros(seconds) {
            let due = begins + (publishes as f64 * 1e6 / rate) as u64;
            if due <= clock.now() && self.publish([due])? {
                late = late.max(clock.now() - due);
                publishes += 1;
                continue;
            }
            poll.poll(&mut events, Some(Duration::ZERO))?;
            for event in &events {
                let Token(number) = event.token();
                self.serve(number)?;
            }
        }
        Ok(late)
    }
}
