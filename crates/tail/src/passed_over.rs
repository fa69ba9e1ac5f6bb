use std::path::Path;

/// Lines that say nothing: named in the log, but not each of very many.
#[derive(Debug, Default)]
pub struct PassedOver(u64);

/// Lines are named one by one up to here, and then one in so many.
const NAMED: (u64, u64) = (20, 1_000);
/// What is wrong with a line is said in so many characters, at most: it may quote the whole of it.
const LONGEST_REASON: usize = 200;

impl PassedOver {
    /// So many were passed over before.
    pub fn new(lines: u64) -> Self {
        Self(lines)
    }

    /// How many there were.
    pub fn lines(&self) -> u64 {
        self.0
    }

    /// One more: the line of a file at this byte.
    pub fn add(&mut self, path: &Path, place: u64, what: &str) {
        let Self(lines) = self;
        *lines += 1;
        let (first, one_in) = NAMED;
        if *lines > first && !lines.is_multiple_of(one_in) {
            return;
        }
        let what: String = what.chars().take(LONGEST_REASON).collect();
        let rest =
            if *lines == first { format!("; from here on one in {one_in} is named") } else { String::new() };
        tracing::warn!("{}, byte {place}: {what}; passed over ({lines} so far{rest})", path.display());
    }
}
