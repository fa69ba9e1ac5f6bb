//! The command as a person or a script meets it.

mod interrupt;
mod metric;
mod predict;
mod produce;
mod refusals;
mod run;
mod stream;
