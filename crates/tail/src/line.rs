/// The longest line that is handed over: a longer one is passed over without being held.
pub const LONGEST_LINE: usize = 16 << 20;

/// A line, as it stands in the file, without its newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// Its bytes.
    Whole(&'a [u8]),
    /// It is longer than [`LONGEST_LINE`]: so many bytes.
    TooLong(u64),
}
