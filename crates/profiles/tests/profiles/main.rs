//! Recorded episodes, to envelopes.

mod curves;
mod produce;
mod reference;
mod table;
