//! The command as a person or a supervisor runs it.

mod recording;
mod usage;
mod workspace;
