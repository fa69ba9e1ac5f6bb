//! publish -> hub -> fan-out.
//!
//! ```text
//! POST /publish -> events::decode -> Hub --- Core: one order, one log, versioned sticky state
//!                                     |
//!                                     +-- Shard: many positions, one task -> WebSocket -> page
//!                                     +-- Reader: a position, its own task -> SSE      -> page
//! ```
//!
//! [`Core`] is a state machine without sockets, tasks or clocks. A reader is a [`Position`]: new, come
//! back or fallen behind, it is brought to the state by a [`Replay`] and then follows the log.

mod access;
mod budget;
mod chunk;
mod chunks;
mod client;
mod columns;
mod config;
mod connection;
mod core;
mod cursor;
mod drawn;
mod fanout;
mod filter;
mod folded;
mod frame;
mod history;
mod hub;
mod idempotency;
mod keeper;
mod ledger;
mod log;
mod metrics;
mod order;
mod origin;
mod picture;
mod problem;
mod publish;
mod reader;
mod recall;
mod replay;
mod roll;
mod router;
mod rpc;
mod saved;
#[cfg(all(test, feature = "shuttle"))]
mod schedules;
mod series;
mod server;
mod shard;
mod snapshots;
mod sse;
mod state;
mod sticky;
mod store;
mod stream;
mod streams;
mod sync;
mod tls;
mod tokens;
mod training;
mod visitors;
mod websocket;

pub use access::Access;
pub use config::{Config, Page};
pub use core::{Core, LogLimits, Next, Position, Receipt, Size, Step};
pub use cursor::{Cursor, Epoch};
pub use filter::Filter;
pub use frame::Frame;
pub use hub::{Durability, Hub};
pub use keeper::Keeper;
pub use recall::recall;
pub use replay::Replay;
pub use saved::{Changes, RestoreError, Saved};
pub use server::serve;
pub use store::StoreError;
pub use tls::{Tls, TlsError};
pub use tokens::Tokens;
