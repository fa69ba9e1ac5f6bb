//! The HTTP publish client that every producer uses.
//!
//! ```text
//! send, replace, send_columns -> Outbox (bounded) -> one POST at a time -> broadcaster
//!                                   ^ slows a tail, keeps the newest of a state
//! ```
//!
//! What was handed over is sent in order, in batches of what is ready. A failed POST is repeated
//! with the same Idempotency-Key until it is answered, so an event is applied once however often
//! the network failed within the broadcaster's window of 10 minutes. What the broadcaster refuses ends the publisher: every later call says why.

mod args;
mod backoff;
mod columns;
mod delivery;
mod error;
mod outbox;
mod post;
mod publisher;

pub use args::PublishArgs;
pub use columns::Columns;
pub use delivery::Delivery;
pub use error::PublishError;
pub use post::Memory;
pub use publisher::Publisher;
