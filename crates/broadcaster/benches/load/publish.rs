use std::time::Duration;

use anyhow::Result;
use mio::{Events, Poll, Token};
use serde_json::{Value, json};

use crate::{
    clock::{Clock, micros},
    cpu,
    event::{Maker, Of},
    target::Target,
};

/// Events as fast as they are answered.
#[derive(Debug, clap::Args)]
pub(crate) struct Publish {
    #[command(flatten)]
    target: Target,
    #[arg(long, default_value_t = 50)]
    connections: usize,
    /// Events of one publish
    #[arg(long, default_value_t = 1)]
    together: usize,
    #[arg(long, default_value_t = 10_000)]
    keys: u64,
    #[arg(long, default_value_t = 180)]
    bytes: usize,
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Ends after so many events, however long it takes
    #[arg(long)]
    events: Option<u64>,
}

impl Publish {
    pub(crate) fn run(&self) -> Result<Value> {
        let mut poll = Poll::new()?;
        let maker = Maker::new(Of::Prediction, self.keys, "knn", self.bytes)?;
        let mut producers = self.target.producers(self.connections, maker)?;
        producers.watch(poll.registry(), 0)?;
        let mut events = Events::with_capacity(1024);
        let clock = Clock::start();
        let begun = clock.now();
        let me = std::process::id();
        let of_server = || self.target.server_process.map_or(Duration::ZERO, cpu::time);
        let (generator, server) = (cpu::time(me), of_server());
        loop {
            let is_over = |next: u64| match self.events {
                Some(most) => next > most,
                None => clock.now() - begun >= micros(self.seconds),
            };
            if is_over(producers.next) && producers.is_quiet() {
                break;
            }
            while !is_over(producers.next)
                && producers.publish(std::iter::repeat_n(clock.now(), self.together))?
            {}
            poll.poll(&mut events, Some(Duration::from_millis(100)))?;
            for event in &events {
                let Token(number) = event.token();
                producers.serve(number)?;
            }
        }
        let seconds = (clock.now() - begun) as f64 / 1e6;
        Ok(json!({
            "connections": self.connections, "together": self.together, "keys": self.keys,
            "events_per_s": (producers.next - 1) as f64 / seconds,
            "publishes_per_s": producers.answers as f64 / seconds,
            "generator_busy": (cpu::time(me) - generator).as_secs_f64() / seconds,
            "server_busy": (of_server() - server).as_secs_f64() / seconds,
        }))
    }
}
