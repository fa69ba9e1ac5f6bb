use std::time::Duration;

use anyhow::{Result, bail};
use mio::{Events, Poll, Token};
use serde_json::{Value, json};

use crate::{
    clock::{Clock, micros},
    cpu,
    event::Of,
    page::{Desk, Page},
    target::Target,
};

/// Pages that come with nothing, all at once; until each has the whole state.
#[derive(Debug, clap::Args)]
pub(crate) struct Join {
    #[command(flatten)]
    target: Target,
    #[arg(long, default_value_t = 1)]
    pages_at_once: usize,
    /// Joins, one after the other
    #[arg(long, default_value_t = 1)]
    times: usize,
    /// Events that the state has: those with the numbers 1 to this one. With 0 a page is whole when it is told so
    #[arg(long)]
    expect: u64,
}

impl Join {
    pub(crate) fn run(&self) -> Result<Value> {
        let mut took = Vec::with_capacity(self.times);
        let (mut bytes, mut most) = (0, 0);
        let before = self.resident();
        for _ in 0..self.times {
            let clock = Clock::start();
            let begun = clock.now();
            let mut pages = self.target.open(0..self.pages_at_once)?;
            most = most.max(self.complete(&mut pages, clock)?);
            took.push((clock.now() - begun) as f64 / 1e3);
            bytes = pages.iter().map(|page| page.bytes).sum::<u64>() / pages.len() as u64;
        }
        took.sort_by(f64::total_cmp);
        Ok(json!({
            "pages": self.pages_at_once, "times": self.times, "bytes": bytes,
            "median_ms": took[took.len() / 2], "max_ms": took[took.len() - 1],
            "server_kib": most - before,
        }))
    }

    /// The most memory of the server that was seen meanwhile.
    fn complete(&self, pages: &mut [Page], clock: Clock) -> Result<i64> {
        let mut poll = Poll::new()?;
        let mut desk = Desk::new(Of::Prediction);
        let mut events = Events::with_capacity(1024);
        for (number, page) in pages.iter_mut().enumerate() {
            page.watch(poll.registry(), number)?;
        }
        // Which events each page has, a bit for each, and how many.
        let mut got = vec![(vec![0_u64; self.expect as usize / 64 + 1], 0); pages.len()];
        let (mut left, mut most, begun) = (pages.len(), 0, clock.now());
        while left > 0 {
            if clock.now() - begun > micros(60.0) {
                let most = got.iter().map(|(_, count)| count).max().unwrap_or(&0);
                bail!(
                    "{left} of {} pages are not whole after a minute, the best has {most} of {} events",
                    pages.len(),
                    self.expect
                );
            }
            poll.poll(&mut events, Some(Duration::from_millis(100)))?;
            for event in &events {
                let Token(number) = event.token();
                let (bits, count) = &mut got[number];
                let is_whole = |page: &Page, count| count == self.expect && (page.ready || self.expect > 0);
                let was_whole = is_whole(&pages[number], *count);
                pages[number].read(&mut desk, |event, _| {
                    let (word, bit) = (event as usize / 64, 1 << (event % 64));
                    if event <= self.expect && bits[word] & bit == 0 {
                        bits[word] |= bit;
                        *count += 1;
                    }
                })?;
                if pages[number].ready && *count < self.expect {
                    bail!("a page is ready with {count} of {} events", self.expect);
                }
                left -= usize::from(is_whole(&pages[number], *count) && !was_whole);
            }
            most = most.max(self.resident());
        }
        Ok(most)
    }

    fn resident(&self) -> i64 {
        self.target.server_process.map_or(0, cpu::resident) as i64
    }
}
