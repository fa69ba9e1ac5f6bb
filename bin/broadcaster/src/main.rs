//! The broadcaster command: publish in, a live wall out.

mod access;
mod args;
mod doctor;
mod serve;
mod supervisor;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use crate::args::{Args, Command};

/// What is kept for a page is small, and comes between the buffers of handshakes: an allocator that takes one from
/// the holes of the other never gets a whole page of memory back.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let Args { log, command } = Args::parse();
    match command {
        Command::Serve(args) => command::run(&log, |stop| serve::serve(*args, stop)),
        Command::Doctor(args) => command::run(&log, |stop| doctor::doctor(args, stop)),
    }
}
