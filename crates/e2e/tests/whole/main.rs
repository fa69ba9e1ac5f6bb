//! The system as its users meet it: its commands, run as processes, talking over loopback.
//!
//! The commands are those that `cargo build --workspace --bins` has put beside the tests.

mod arrows;
mod command;
mod doctor;
mod feeding;
mod live;
mod pipeline;
mod random;
mod refusals;
mod restarts;
mod secured;
mod siege;
mod table;
mod transcript;
