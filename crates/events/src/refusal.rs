use std::borrow::Cow;

/// Why a body is refused, whole: where, what was expected, what came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not JSON.
    #[error("line {line}, column {column}: {reason}")]
    Syntax {
        /// Line of the body, from 1.
        line: usize,
        /// Column of that line in bytes, from 1.
        column: usize,
        /// What the parser met.
        reason: String,
    },
    /// JSON, but not an event.
    #[error("event {index}, {}: expected {expected}, got {got}", whole(pointer))]
    Invalid {
        /// The event's place in the body, from 0.
        index: usize,
        /// JSON pointer (RFC 6901) into the event; empty for the event itself.
        pointer: String,
        /// What belongs there.
        expected: Cow<'static, str>,
        /// What came.
        got: String,
    },
    /// More events than one body may hold.
    #[error("{got} events in one body, at most {limit}")]
    TooMany {
        /// How many came.
        got: usize,
        /// How many may.
        limit: usize,
    },
}

fn whole(pointer: &str) -> &str {
    if pointer.is_empty() { "the event itself" } else { pointer }
}

/// What is wrong inside one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) pointer: String,
    pub(crate) expected: Cow<'static, str>,
    pub(crate) got: String,
}

impl Fault {
    pub(crate) fn new(
        pointer: impl Into<String>,
        expected: impl Into<Cow<'static, str>>,
        got: impl std::fmt::Display,
    ) -> Self {
        Self { pointer: pointer.into(), expected: expected.into(), got: got.to_string() }
    }

    pub(crate) fn at(self, index: usize) -> Refusal {
        Refusal::Invalid { index, pointer: self.pointer, expected: self.expected, got: self.got }
    }
}
