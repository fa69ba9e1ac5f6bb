//! Series of training runs.

mod clickhouse;
mod contract;
mod embedded;
mod plain;
mod pyramid;
mod spikes;
