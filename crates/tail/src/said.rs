use std::fmt::Display;

/// What stands in the way of something that is tried again and again: said when it is news.
#[derive(Debug, Default)]
pub struct Said(Option<String>);

impl Said {
    /// Warns of it, unless it was warned of last.
    pub fn warn(&mut self, what: impl Display) {
        let what = what.to_string();
        if self.0.as_ref() != Some(&what) {
            tracing::warn!("{what}");
            self.0 = Some(what);
        }
    }

    /// It went well; whether it had not before.
    pub fn clear(&mut self) -> bool {
        self.0.take().is_some()
    }
}
