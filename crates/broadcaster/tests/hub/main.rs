//! The hub, from outside: its state machine against a plain model, and the same promises through
//! real sockets.

mod doors;
mod http;
mod kept;
mod metrics;
mod model;
mod page;
mod random;
mod rpc;
mod runs;
mod sockets;
mod wall;
