use std::io::Write;

use bytes::Bytes;
use reqwest::StatusCode;

use crate::post::{Memory, Post};
use crate::{PublishArgs, PublishError};

/// Publishes bodies one after the other, each until it is acknowledged: for a source that keeps its place, and needs
/// to know when it may write it down.
#[derive(Debug)]
pub struct Delivery {
    post: Post,
    dry_run: bool,
}

impl Delivery {
    /// Tries for as long as it takes. `name` is the producer's, for its Idempotency-Keys.
    ///
    /// # Errors
    /// The arguments cannot be used.
    pub fn open(name: &str, args: &PublishArgs) -> Result<Self, PublishError> {
        Ok(Self { post: Post::new(name, args, None)?, dry_run: args.dry_run })
    }

    /// Publishes events, one a line, in one body, or in several if the broadcaster finds that too large; no events ask
    /// only whether it is there. What it remembers: another answer than the one before means that it lost something of
    /// what was acknowledged.
    ///
    /// # Errors
    /// The broadcaster refuses the events.
    pub async fn deliver(&mut self, events: Bytes) -> Result<Option<Memory>, PublishError> {
        if self.dry_run {
            std::io::stdout().write_all(&events).map_err(|error| PublishError::Print(error.to_string()))?;
            return Ok(None);
        }
        let mut parts = vec![events];
        let mut memory = None;
        while let Some(mut part) = parts.pop() {
            match self.post.send("application/x-ndjson", part.clone()).await {
                Err(PublishError::Refused { status: StatusCode::PAYLOAD_TOO_LARGE, .. })
                    if let Some(half) = half(&part) =>
                {
                    let rest = part.split_off(half);
                    parts.extend([rest, part]);
                }
                taken => memory = taken?,
            }
        }
        Ok(memory)
    }
}

/// Where the first half of some lines ends; `None` of one line.
fn half(lines: &[u8]) -> Option<usize> {
    let middle = lines.len() / 2;
    let after = |newline: usize| newline + 1;
    let before_middle = lines[..middle].iter().rposition(|byte| *byte == b'\n').map(after);
    let behind =
        || lines[middle..].iter().position(|byte| *byte == b'\n').map(|newline| after(middle + newline));
    before_middle.or_else(behind).filter(|half| *half < lines.len())
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn lines_are_halved_where_one_ends() {
        let halved = |lines: &str| {
            half(lines.as_bytes()).map(|half| (lines[..half].to_owned(), lines[half..].to_owned()))
        };
        assert_eq!(halved("a\nb\nc\nd\n"), Some(("a\nb\n".into(), "c\nd\n".into())));
        assert_eq!(halved("a\nlonger\n"), Some(("a\n".into(), "longer\n".into())));
        assert_eq!(halved("longer\na\n"), Some(("longer\n".into(), "a\n".into())));
        assert_eq!(halved("one\n"), None);
        assert_eq!(halved(""), None);
    }
}
