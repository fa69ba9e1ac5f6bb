use std::str::FromStr;

use anyhow::{Error, Result, ensure};

use crate::clock::micros;

/// What runs that are to be compared share the time by: each has the load for a moment and then leaves the machine to the
/// others, so that an hour in which the machine is slow is slow for all of them.
#[derive(Debug, clap::Args)]
pub(crate) struct Turns {
    /// Which of how many takes its turn: 0/3 is the first of three
    #[arg(long, default_value = "0/1", requires = "begins")]
    turn: Turn,
    /// Unix seconds of the first turn of the first; soon, where there are no others
    #[arg(long)]
    begins: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Turn {
    number: u64,
    of: u64,
}

/// Microseconds of a turn. The others' are shorter than what a server lets a connection be idle.
const TURN: u64 = 2_000_000;

impl Turns {
    pub(crate) fn begin(&self, now: u64, settle: f64) -> Result<u64> {
        let soon = now + micros(settle);
        let begins = self.begins.map_or(soon, |seconds| seconds * 1_000_000);
        ensure!(begins >= soon, "--begins is past");
        Ok(begins)
    }

    /// When, after the beginning, a moment of the run's own time is. Microseconds.
    pub(crate) fn at(&self, own: u64) -> u64 {
        let Turn { number, of } = self.turn;
        (own / TURN * of + number) * TURN + own % TURN
    }

    /// When all have had as much time as this.
    pub(crate) fn end(&self, own: u64) -> u64 {
        if self.turn.of == 1 { own } else { own.div_ceil(TURN) * self.turn.of * TURN }
    }

    /// How many turns were before a moment after the beginning.
    pub(crate) fn before(&self, at: u64) -> usize {
        if self.turn.of == 1 { 0 } else { (at / (TURN * self.turn.of)) as usize }
    }
}

impl FromStr for Turn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<u64> = text.split('/').map(str::parse).collect::<Result<_, _>>()?;
        match parts[..] {
            [number, of] if number < of => Ok(Self { number, of }),
            _ => Err(Error::msg("expected its number and how many there are, as 0/3")),
        }
    }
}
