//! What the crate promises about episodes on disk, windows and tables.

mod dataset;
mod fixture;
mod names;
mod pending;
mod reading;
mod windowing;
