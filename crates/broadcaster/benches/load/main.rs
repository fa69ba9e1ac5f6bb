//! Load for `scripts/bench hub`: one thread, raw frames, every event checked. Bounded in time and count, and on this
//! machine only. The answer is one line of JSON.

mod clock;
mod cpu;
mod crash;
mod event;
mod fanout;
mod idle;
mod join;
mod page;
mod producers;
mod publish;
mod raw;
mod target;
mod turns;
mod wire;

use std::io::{self, Write};

use anyhow::Result;
use clap::Parser;

#[derive(Debug, Parser)]
enum Arguments {
    Raw(raw::Raw),
    Fanout(fanout::Fanout),
    Join(join::Join),
    Idle(idle::Idle),
    Publish(publish::Publish),
    Crash(crash::Crash),
}

fn main() -> Result<()> {
    let answer = match Arguments::parse() {
        Arguments::Raw(raw) => raw.run(),
        Arguments::Fanout(fanout) => fanout.run(),
        Arguments::Join(join) => join.run(),
        Arguments::Idle(idle) => idle.run(),
        Arguments::Publish(publish) => publish.run(),
        Arguments::Crash(crash) => crash.run(),
    }?;
    Ok(writeln!(io::stdout().lock(), "{answer}")?)
}
