//! Series of training runs.

mod contract;
mod embedded;
mod plain;
mod pyramid;
