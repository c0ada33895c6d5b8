//! Searching the rows at hand for a text.

use super::rows::Row;

/// The text last searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    text: String,
}

impl Search {
    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Searches for another one; an empty text keeps the last.
    pub fn set(&mut self, text: &str) {
        if !text.is_empty() {
            self.text = text.to_owned();
        }
    }

    /// The key of the next row, from `at` on and around the end, whose text holds it, whatever the case.
    ///
    /// # Errors
    ///
    /// What to tell the user if there is none.
    pub fn next<R: Row>(
        &self,
        rows: &[R],
        at: usize,
        forward: bool,
        text: impl Fn(&R) -> String,
    ) -> Result<R::Key, String> {
        if self.text.is_empty() {
            return Err("/ searches for a text".to_owned());
        }
        let wanted = self.text.to_lowercase();
        let matches = |row: &&R| text(row).to_lowercase().contains(&wanted);
        let (before, from) = rows.split_at(at.min(rows.len()));
        let behind = from.get(1..).unwrap_or_default();
        let here = from.get(..1).unwrap_or_default();
        let found = if forward {
            behind.iter().chain(before).chain(here).find(matches)
        } else {
            before.iter().rev().chain(behind.iter().rev()).chain(here).find(matches)
        };
        found.map(Row::key).ok_or_else(|| format!("`{}` is in no row here", self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Word(&'static str);

    impl Row for Word {
        type Key = &'static str;

        fn key(&self) -> &'static str {
            self.0
        }
    }

    #[test]
    fn the_search_goes_round_in_both_directions() {
        let rows = ["Alpha", "beta", "alpine", "gamma"].map(Word);
        let mut search = Search::default();
        search.set("AL");
        let next = |at, forward| search.next(&rows, at, forward, |word| word.0.to_owned());
        assert_eq!(next(0, true), Ok("alpine"));
        assert_eq!(next(2, true), Ok("Alpha"));
        assert_eq!(next(0, false), Ok("alpine"));
        assert_eq!(Search::default().next(&rows, 0, true, |word| word.0.into()).ok(), None);
    }
}
