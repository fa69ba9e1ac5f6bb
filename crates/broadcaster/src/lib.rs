//! publish -> hub -> fan-out.
//!
//! ```text
//! POST /publish -> events::decode -> Hub --- Core: one order, one log, versioned sticky state
//!                                     |
//!                      Reader (a cursor into the log) -> WebSocket or SSE -> page
//! ```
//!
//! [`Core`] is a state machine without sockets, tasks or clocks. A [`Reader`] joins, resumes and
//! lags through one code path: `changed_since` its cursor, then the log from where that was taken.

mod client;
mod columns;
mod config;
mod core;
mod cursor;
mod filter;
mod frame;
mod hub;
mod idempotency;
mod log;
mod origin;
mod problem;
mod publish;
mod reader;
mod router;
mod server;
mod snapshots;
mod sse;
mod state;
mod sticky;
mod websocket;

pub use config::{Config, Page};
pub use core::{Core, LogLimits, Receipt, Step};
pub use cursor::{Cursor, Epoch};
pub use filter::Filter;
pub use frame::Frame;
pub use hub::Hub;
pub use server::serve;
