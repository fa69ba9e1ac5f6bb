use reqwest::{StatusCode, Url};

/// Why nothing more is published.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishError {
    /// The broadcaster will not have it, however often it is sent.
    #[error("{url} refused what was published: {status}: {detail}")]
    Refused {
        /// Where it was sent.
        url: Url,
        /// The answer.
        status: StatusCode,
        /// What the answer says.
        detail: String,
    },
    /// The broadcaster did not answer for as long as there was patience.
    #[error("{url} took nothing for {seconds} s: {reason}")]
    Unreachable {
        /// Where it was sent.
        url: Url,
        /// How long it was tried.
        seconds: u64,
        /// What the last attempt met.
        reason: String,
    },
    /// `--dry-run` could not print.
    #[error("cannot print: {0}")]
    Print(String),
    /// No HTTP client can be set up.
    #[error("cannot set up an HTTP client: {0}")]
    Client(String),
    /// The points are not columns of an embedding snapshot.
    #[error("not an embedding snapshot: {0}")]
    Columns(String),
}
