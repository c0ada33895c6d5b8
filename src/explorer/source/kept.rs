//! What the user keeps: bookmarks, notes, filters.

use std::collections::HashMap;

use super::super::filter::FilterOf;
use super::super::link::Link;
use super::super::rows::{Kept, KeptKey, Shelf};
use super::DatabaseSource;
use crate::persistence::{self as store, Moment, NoteTarget, PersistenceError};

fn shown(when: Moment) -> String {
    when.format("%Y-%m-%d %H:%M:%S")
}

/// A note as it is typed: its text, then its tags.
fn note_text(note: &store::NoteRow) -> String {
    let tags = note.tags.iter().map(|tag| format!("#{tag}"));
    let body = Some(note.body.clone()).filter(|body| !body.is_empty());
    body.into_iter().chain(tags).collect::<Vec<_>>().join(" ")
}

/// The other way: words that begin with `#` are tags.
fn read_note(typed: &str) -> (String, Vec<String>) {
    let tag = |word: &&str| word.len() > 1 && word.starts_with('#');
    let tags = typed.split_whitespace().filter(tag).map(|word| word[1..].to_owned()).collect();
    let body = typed.split_whitespace().filter(|word| !tag(word)).collect::<Vec<_>>().join(" ");
    (body, tags)
}

/// What a note on a place is about.
fn target_of(link: &Link) -> Option<NoteTarget> {
    Some(match link {
        Link::Sql => return None,
        Link::Run(run) => NoteTarget::Run(run.clone()),
        Link::Iteration(run, index) | Link::Point(run, index) => NoteTarget::Iteration(run.clone(), *index),
        Link::Events(simulation, sequence) => NoteTarget::Event(simulation.clone(), *sequence),
        Link::Replay(simulation, ..) | Link::Payment(simulation, _) | Link::Bank(simulation, _) => {
            NoteTarget::Simulation(simulation.clone())
        }
    })
}

/// Where a note leads to.
fn place_of(note: &store::NoteRow) -> String {
    let link = NoteTarget::read(&note.target_kind, &note.target_id).map(|target| match target {
        NoteTarget::Run(run) => Link::Run(run),
        NoteTarget::Iteration(run, iteration) => Link::Iteration(run, iteration),
        NoteTarget::Simulation(simulation) => Link::Replay(simulation, 0, None),
        NoteTarget::Event(simulation, sequence) => Link::Events(simulation, sequence),
    });
    link.map_or_else(|| format!("{} {}", note.target_kind, note.target_id), |link| link.to_string())
}

impl DatabaseSource {
    pub(super) fn kept(&self, shelf: Shelf) -> Result<Vec<Kept>, PersistenceError> {
        let bookmark = |row: store::BookmarkRow| Kept {
            key: KeptKey::Bookmark(row.bookmark_id),
            label: row.label.unwrap_or_default(),
            place: row.link,
            when: shown(row.created_at),
        };
        let note = |row: store::NoteRow| Kept {
            key: KeptKey::Note(row.note_id),
            label: note_text(&row),
            place: place_of(&row),
            when: shown(row.updated_at),
        };
        let filter = |of: FilterOf| {
            move |row: store::SavedFilterRow| Kept {
                key: KeptKey::Filter(of, row.name.clone()),
                label: row.name,
                place: row.expression,
                when: shown(row.created_at),
            }
        };
        Ok(match shelf {
            Shelf::Bookmarks => self.reader.bookmarks()?.into_iter().map(bookmark).collect(),
            Shelf::Notes => self.reader.notes()?.into_iter().map(note).collect(),
            Shelf::Filters(of) => self.reader.saved_filters(of.name())?.into_iter().map(filter(of)).collect(),
        })
    }

    pub(super) fn keep(&self, label: &str, link: &Link) -> Result<(), PersistenceError> {
        let mut bookmark = store::NewBookmark {
            label: label.to_owned(),
            link: link.to_string(),
            ..store::NewBookmark::default()
        };
        match link {
            Link::Sql => {}
            Link::Run(run) | Link::Iteration(run, _) | Link::Point(run, _) => {
                bookmark.run = Some(run.clone())
            }
            Link::Events(simulation, from) => {
                bookmark.simulation = Some(simulation.clone());
                bookmark.sequence = Some(*from);
            }
            Link::Replay(simulation, tick, _) => {
                bookmark.simulation = Some(simulation.clone());
                bookmark.tick = Some(*tick);
            }
            Link::Payment(simulation, _) | Link::Bank(simulation, _) => {
                bookmark.simulation = Some(simulation.clone());
            }
        }
        self.reader.database().keep_bookmark(&bookmark)
    }

    pub(super) fn keep_filter(
        &self,
        of: FilterOf,
        name: &str,
        expression: &str,
    ) -> Result<(), PersistenceError> {
        self.reader.database().keep_filter(of.name(), name, expression)
    }

    pub(super) fn forget(&self, key: &KeptKey) -> Result<(), PersistenceError> {
        let database = self.reader.database();
        match key {
            KeptKey::Bookmark(id) => database.forget_bookmark(*id),
            KeptKey::Note(id) => database.forget_note(*id),
            KeptKey::Filter(of, name) => database.forget_filter(of.name(), name),
        }
    }

    /// The note about a place as typed; empty if there is none.
    pub(super) fn note(&self, link: &Link) -> Result<String, PersistenceError> {
        let note = target_of(link).map(|target| self.reader.note(&target)).transpose()?.flatten();
        Ok(note.as_ref().map(note_text).unwrap_or_default())
    }

    pub(super) fn annotate(&self, link: &Link, typed: &str) -> Result<&'static str, PersistenceError> {
        let Some(target) = target_of(link) else { return Ok("there is nothing here to write about") };
        let (body, tags) = read_note(typed);
        self.reader.database().write_note(&target, &body, &tags)?;
        let gone = body.is_empty() && tags.is_empty();
        Ok(if gone { "there is no note here any more" } else { "noted: gn lists all notes" })
    }

    /// The notes about all things of a kind, as typed, by their ids.
    pub(super) fn notes_about(&self, kind: &str) -> Result<HashMap<String, String>, PersistenceError> {
        let of_kind = |note: &store::NoteRow| note.target_kind == kind;
        let notes = self.reader.notes()?.into_iter().filter(of_kind);
        Ok(notes.map(|note| (note.target_id.clone(), note_text(&note))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_a_hash_are_tags() {
        let (body, tags) = read_note("  here #gridlock it begins # #two-days ");
        assert_eq!((body.as_str(), tags.join(" ").as_str()), ("here it begins #", "gridlock two-days"));
        assert_eq!(read_note(" "), (String::new(), Vec::new()));
    }
}
