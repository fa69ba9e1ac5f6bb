//! The wire, from outside: golden samples, generated files, and input that nobody meant.

mod generated;
mod golden;
mod hostile;
mod place;
