//! The command as a person or a script meets it.

mod interrupt;
mod produce;
mod refusals;
mod run;
mod stream;
