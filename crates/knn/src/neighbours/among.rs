/// The rows that may be found.
#[derive(Debug, Clone, Copy)]
pub enum Among<'a> {
    /// All of them.
    All,
    /// Those that are marked: one mark for every row that is searched.
    Marked(&'a [bool]),
}

impl Among<'_> {
    /// Whether this row may be found.
    #[inline]
    pub fn has(self, row: u32) -> bool {
        match self {
            Self::All => true,
            Self::Marked(marks) => marks[row as usize],
        }
    }

    /// How many neighbours can be found in so many rows, if `k` are asked for; at least 1.
    pub(super) fn at_most(self, k: usize, rows: usize) -> usize {
        let rows = match self {
            Self::All => rows,
            Self::Marked(marks) => marks.iter().filter(|&&marked| marked).count(),
        };
        k.min(rows).max(1)
    }
}
