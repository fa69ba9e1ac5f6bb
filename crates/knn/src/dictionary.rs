use std::collections::HashMap;

/// A column of names as each distinct name once, in order of first appearance, and a code a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dictionary {
    names: Vec<String>,
    codes: Vec<u32>,
}

impl Dictionary {
    /// The distinct names, in order of first appearance in the table they were read from.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// One code a row: a place in [`names`](Self::names).
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The name of a row.
    pub fn name(&self, row: usize) -> &str {
        &self.names[self.codes[row] as usize]
    }

    /// The first row of every name, in the order of [`names`](Self::names).
    pub(crate) fn first_rows(&self) -> Vec<usize> {
        let mut first = vec![None; self.names.len()];
        for (row, &code) in self.codes.iter().enumerate() {
            first[code as usize].get_or_insert(row);
        }
        // Every name has a row.
        first.into_iter().flatten().collect()
    }

    /// These rows only, in this order. Names that no row has any more are gone.
    pub fn select(&self, rows: &[u32]) -> Self {
        let mut place: Vec<Option<u32>> = vec![None; self.names.len()];
        let mut selected = Self { names: Vec::new(), codes: Vec::with_capacity(rows.len()) };
        for &row in rows {
            let code = self.codes[row as usize] as usize;
            let place = *place[code].get_or_insert_with(|| {
                selected.names.push(self.names[code].clone());
                selected.names.len() as u32 - 1
            });
            selected.codes.push(place);
        }
        selected
    }
}

/// Rows on their way into a [`Dictionary`].
#[derive(Default)]
pub(crate) struct Growing {
    dictionary: Dictionary,
    codes_of: HashMap<String, u32>,
}

impl Growing {
    /// The next row.
    pub(crate) fn push(&mut self, name: &str) {
        let Dictionary { names, codes } = &mut self.dictionary;
        // Windows of an episode follow each other.
        let last = codes.last().copied().filter(|&last| names[last as usize] == name);
        let known = last.or_else(|| self.codes_of.get(name).copied());
        codes.push(known.unwrap_or_else(|| {
            let code = names.len() as u32;
            names.push(name.to_owned());
            self.codes_of.insert(name.to_owned(), code);
            code
        }));
    }

    pub(crate) fn finish(self) -> Dictionary {
        self.dictionary
    }
}

impl<S: AsRef<str>> FromIterator<S> for Dictionary {
    fn from_iter<I: IntoIterator<Item = S>>(rows: I) -> Self {
        let mut growing = Growing::default();
        rows.into_iter().for_each(|name| growing.push(name.as_ref()));
        growing.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selected_rows_keep_their_names_and_drop_the_others() {
        let hosts: Dictionary = ["a", "b", "a", "c"].into_iter().collect();
        assert_eq!(hosts.names(), ["a", "b", "c"]);
        let some = hosts.select(&[3, 2]);
        assert_eq!((some.name(0), some.name(1)), ("c", "a"));
        assert_eq!(some.names(), ["c", "a"]);
    }
}
