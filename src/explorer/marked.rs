//! Two rows of a list chosen one after the other.

/// The row that was chosen first, by its id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked(Option<String>);

impl Marked {
    /// Takes a row: the first is marked, the same again is not any more, a second one makes a couple.
    pub fn take(&mut self, id: String) -> Option<(String, String)> {
        match self.0.take() {
            None => self.0 = Some(id),
            Some(other) if other == id => {}
            Some(other) => return Some((other, id)),
        }
        None
    }

    /// What the pane says of it.
    pub fn note(&self) -> Option<String> {
        self.0.as_ref().map(|id| format!("marked: {id}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_make_a_couple_and_one_twice_makes_none() {
        let mut marked = Marked::default();
        assert_eq!(marked.take("a".into()), None);
        assert_eq!(marked.note().as_deref(), Some("marked: a"));
        assert_eq!(marked.take("a".into()), None);
        assert_eq!((marked.note(), marked.take("b".into())), (None, None));
        assert_eq!(marked.take("c".into()), Some(("b".into(), "c".into())));
        assert_eq!(marked.note(), None);
    }
}
