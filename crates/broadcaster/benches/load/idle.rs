use std::time::{Duration, Instant};

use anyhow::Result;
use mio::{Events, Poll};
use serde_json::{Value, json};

use crate::{
    cpu,
    event::Of,
    page::{Desk, Page},
    target::Target,
};

/// Pages that are there and get nothing: what each costs.
#[derive(Debug, clap::Args)]
pub(crate) struct Idle {
    #[command(flatten)]
    target: Target,
    /// Pages at each look
    #[arg(long, value_delimiter = ',', default_value = "1000,5000,10000,15000")]
    steps: Vec<usize>,
}

/// Pages that open at once.
const TOGETHER: usize = 100;
/// For pages to be told that they have everything.
const SETTLE: Duration = Duration::from_millis(50);

impl Idle {
    pub(crate) fn run(&self) -> Result<Value> {
        let mut pages: Vec<Page> = Vec::new();
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(1024);
        let mut desk = Desk::new(Of::Prediction);
        let mut looks = Vec::new();
        for &step in &self.steps {
            // A few at a time: what a server needs for handshakes is not what it needs for pages.
            while pages.len() < step {
                let first = pages.len();
                for mut page in self.target.open(first..step.min(first + TOGETHER))? {
                    page.watch(poll.registry(), pages.len())?;
                    pages.push(page);
                }
                // Some servers do not say when a page has everything.
                let opened = Instant::now();
                while !pages[first..].iter().all(|page| page.ready) && opened.elapsed() < SETTLE {
                    poll.poll(&mut events, Some(SETTLE))?;
                    for event in &events {
                        pages[event.token().0].read(&mut desk, |_, _| {})?;
                    }
                }
            }
            std::thread::sleep(Duration::from_secs(1));
            let resident = self.target.server_process.map_or(0, cpu::resident);
            let (sockets, slab) = cpu::kernel();
            looks.push(json!({"pages": step, "server_kib": resident, "kernel_kib": sockets + slab}));
        }
        Ok(json!({ "looks": looks }))
    }
}
