use std::{collections::HashSet, time::Duration};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use mio::{Events, Poll, Token};
use serde_json::{Value, json};
use socket2::SockRef;

use crate::{
    clock::{Clock, micros, nap},
    cpu,
    event::{Maker, Of},
    page::{Desk, Page},
    producers::Producers,
    target::Target,
    turns::Turns,
};

/// Events to all subscribers, at a fixed rate whatever the server does.
#[derive(Debug, clap::Args)]
pub(crate) struct Fanout {
    #[command(flatten)]
    target: Target,
    #[arg(long)]
    subscribers: usize,
    /// Events a second
    #[arg(long)]
    rate: f64,
    /// Events of one publish
    #[arg(long, default_value_t = 1)]
    together: u64,
    /// Keys that the events are of
    #[arg(long, default_value_t = 100)]
    keys: u64,
    /// Whose events: another run that is meant to keep its own has to have another
    #[arg(long, default_value = "gbt")]
    model: String,
    /// About the length of an event
    #[arg(long, default_value_t = 180)]
    bytes: usize,
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Seconds before anything counts
    #[arg(long, default_value_t = 1.0)]
    warm: f64,
    /// Connections that publish
    #[arg(long, default_value_t = 16)]
    producers: usize,
    /// The number of the first event; others than this and those after it are not looked at
    #[arg(long, default_value_t = NUMBERS)]
    first: u64,
    /// Subscribers that stop reading once it is warm, and go on when the others are done
    #[arg(long, default_value_t = 0)]
    stopped: usize,
    /// Milliseconds from one look at the subscribers to the next: what came meanwhile is read together, and its latency is
    /// longer by as much
    #[arg(long, default_value_t = 0.0)]
    look: f64,
    #[command(flatten)]
    turns: Turns,
}

/// Events of a run, at most.
const NUMBERS: u64 = 1_000_000_000;
/// Seconds for joins, and for subscriptions that nobody confirms.
const SETTLE: f64 = 0.5;
/// Seconds, at most, for what is on its way when the last event is published.
const DRAIN: f64 = 5.0;
/// Likewise, where pages stopped: they have all to read that they did not, 12 MB each after ten minutes.
const STOPPED_DRAIN: f64 = 600.0;
/// Bytes that the kernel holds for one that does not read.
const STOPPED_BUFFER: usize = 256 << 10;
/// Microseconds without work, at most, while subscribers are looked at all the time.
const NAP: u64 = 100;
/// Socket events that are worth no nap: there is more.
const BUSY: usize = 64;

/// What is seen while it runs.
struct Seen {
    /// Microseconds from when an event was due, for each turn.
    latency: Vec<Histogram<u64>>,
    /// The numbers of all events, as the first page got each.
    order: Vec<u64>,
    delivered: u64,
    /// The longest that an event was handed over late, in microseconds.
    late: u64,
    /// Of each that stops: the number of the last event of every key.
    states: Vec<Vec<u64>>,
}

/// What a moment of the run costs so far.
#[derive(Clone, Copy)]
struct Used {
    at: u64,
    generator: Duration,
    server: Duration,
    server_kib: i64,
    kernel_kib: i64,
}

impl Fanout {
    pub(crate) fn run(&self) -> Result<Value> {
        let (mut answers, mut poll) = (Poll::new()?, Poll::new()?);
        let mut pages = self.target.open(0..self.subscribers)?;
        for (number, page) in pages.iter_mut().enumerate() {
            page.watch(poll.registry(), number)?;
            if number < self.stopped {
                // Readers are not of this machine elsewhere: what they do not read must not take the memory that its kernel has
                // for all sockets, or segments are dropped. So are those of a window that is made smaller later.
                SockRef::from(&page.socket).set_recv_buffer_size(STOPPED_BUFFER)?;
            }
        }
        let maker = Maker::new(Of::Prediction, self.keys, &self.model, self.bytes)?;
        let mut producers = self.target.producers(self.producers, maker)?;
        producers.watch(answers.registry(), 0)?;
        producers.next = self.first;

        let mut events = Events::with_capacity(1024);
        let mut desk = Desk::new(Of::Prediction);
        // Up to a minute.
        let latency = Histogram::new_with_bounds(1, 60_000_000, 3)?;
        let mut seen = Seen {
            latency: Vec::new(),
            order: Vec::new(),
            delivered: 0,
            late: 0,
            states: vec![vec![0; self.keys as usize]; self.stopped],
        };
        let clock = Clock::start();
        let begins = self.turns.begin(clock.now(), SETTLE)?;
        let own = micros(self.warm) + micros(self.seconds);
        let counts = begins + self.turns.at(micros(self.warm));
        let ends = begins + self.turns.end(own);
        let counted = counts..ends;
        seen.latency.resize(self.turns.before(ends - begins) + 1, latency);
        let step = self.together as f64 * 1e6 / self.rate;
        let due_at = |publishes| {
            let due = (publishes as f64 * step) as u64;
            if due < own { begins + self.turns.at(due) } else { u64::MAX }
        };
        let numbers = self.first..self.first + NUMBERS;
        let (mut publishes, mut before, mut after, mut resumed) = (0_u64, None, None, false);
        let (look, mut looks) = (micros(self.look / 1e3), 0);
        loop {
            let now = clock.now();
            if before.is_none() && now >= counts {
                before = Some(self.used(now));
                for page in &mut pages[..self.stopped] {
                    poll.registry().deregister(&mut page.socket)?;
                }
            }
            if after.is_none() && now >= ends {
                after = Some(self.used(now));
            }
            let is_whole = |page: &Page| page.got as u64 + self.first == producers.next;
            if !resumed && after.is_some() && pages[self.stopped..].iter().all(is_whole) {
                resumed = true;
                for (number, page) in pages[..self.stopped].iter_mut().enumerate() {
                    page.watch(poll.registry(), number)?;
                }
            }
            let whole = resumed && producers.is_quiet() && pages.iter().all(is_whole);
            if whole || now > ends + micros(if self.stopped > 0 { STOPPED_DRAIN } else { DRAIN }) {
                break;
            }
            answers.poll(&mut events, Some(Duration::ZERO))?;
            for event in &events {
                let Token(producer) = event.token();
                producers.serve(producer)?;
            }
            let mut busy = false;
            if now >= looks {
                poll.poll(&mut events, Some(Duration::ZERO))?;
                for event in &events {
                    let Token(token) = event.token();
                    let (page, now) = (&mut pages[token], clock.now());
                    match seen.states.get_mut(token) {
                        None => page.check(&mut desk, &mut seen.order, &numbers, |_, stamp| {
                            if counted.contains(&stamp) {
                                seen.delivered += u64::from(now < ends);
                                seen.latency[self.turns.before(stamp - begins)]
                                    .saturating_record(now.saturating_sub(stamp));
                            }
                        })?,
                        Some(state) => page.follow(&mut desk, &mut seen.order, &numbers, |number| {
                            state[producers.key(number) as usize] = number;
                        })?,
                    }
                }
                busy = events.iter().count() >= BUSY;
                looks = now + look;
            }
            // All that is due by now, on time or not.
            let mut due = due_at(publishes);
            while due <= clock.now() {
                if !producers.publish((0..self.together).map(|_| due))? {
                    break;
                }
                if due >= counts {
                    seen.late = seen.late.max(clock.now() - due);
                }
                publishes += 1;
                due = due_at(publishes);
            }
            if !busy {
                let wait = if look > 0 { due.min(looks) } else { due.min(clock.now() + NAP) };
                nap(wait.saturating_sub(clock.now()));
            }
        }
        let newest = seen.newest(&producers, self.keys);
        let (before, after) = before.zip(after).context("it ended before it began")?;
        // Its own time of what is between; in the others' it does little.
        let seconds = self.seconds + ((after.at - ends) as f64 - (before.at - counts) as f64) / 1e6;
        let busy = |used: fn(&Used) -> Duration| (used(&after) - used(&before)).as_secs_f64() / seconds;
        let ms = |latency: &Histogram<u64>, quantile| latency.value_at_quantile(quantile) as f64 / 1e3;
        let turns: Vec<f64> =
            seen.latency.iter().filter(|turn| !turn.is_empty()).map(|turn| ms(turn, 0.99)).collect();
        let mut latency = Histogram::new_from(&seen.latency[0]);
        for turn in &seen.latency {
            latency.add(turn)?;
        }
        Ok(json!({
            "subscribers": self.subscribers, "rate": self.rate, "together": self.together,
            "bytes": self.bytes, "keys": self.keys, "stopped": self.stopped, "seconds": self.seconds,
            "deliveries_per_s": seen.delivered as f64 / self.seconds,
            "p50_ms": ms(&latency, 0.5), "p99_ms": ms(&latency, 0.99), "max_ms": ms(&latency, 1.0), "turns_p99_ms": turns,
            "late_ms": seen.late as f64 / 1e3,
            "generator_busy": busy(|used| used.generator), "server_busy": busy(|used| used.server),
            "published": publishes * self.together,
            "repeated": seen.order.len() - seen.order.iter().collect::<HashSet<_>>().len(),
            "wrong": pages.iter().map(|page| page.wrong).sum::<u64>(),
            "incomplete": pages.iter().filter(|page| page.got as u64 + self.first != producers.next).count(),
            "other_states": seen.states.iter().filter(|state| **state != newest).count(),
            "skips": pages.iter().map(|page| page.skips).sum::<u64>(),
            "server_kib": after.server_kib - before.server_kib,
            "kernel_kib": after.kernel_kib - before.kernel_kib,
        }))
    }

    fn used(&self, at: u64) -> Used {
        let (sockets, slab) = cpu::kernel();
        let process = self.target.server_process;
        Used {
            at,
            generator: cpu::time(std::process::id()),
            server: process.map_or(Duration::ZERO, cpu::time),
            server_kib: process.map_or(0, cpu::resident) as i64,
            kernel_kib: (sockets + slab) as i64,
        }
    }
}

impl Seen {
    /// The number of the last event of every key.
    fn newest(&self, producers: &Producers, keys: u64) -> Vec<u64> {
        let mut newest = vec![0; keys as usize];
        for number in &self.order {
            newest[producers.key(*number) as usize] = *number;
        }
        newest
    }
}
