//! What the user keeps: places to find again, notes about things, filters (spec 06, 2.9).
//!
//! The user's own rows are few and none of the writer's: they have a connection of their own and are
//! committed at once.

use duckdb::types::{TimeUnit, Value};
use duckdb::{Params, params};

use super::query::row::rows;
use super::{Database, Moment, PersistenceError, Reader};

/// A place to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewBookmark {
    /// What the user calls it.
    pub label: String,
    /// Deep link that reopens the view.
    pub link: String,
    /// Run that it points at.
    pub run: Option<String>,
    /// Simulation that it points at.
    pub simulation: Option<String>,
    /// Tick that it points at.
    pub tick: Option<u64>,
    /// Event that it points at.
    pub sequence: Option<u64>,
}

/// What a note is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteTarget {
    /// A run of an experiment, by its id.
    Run(String),
    /// An iteration of a run, counted from 0.
    Iteration(String, u64),
    /// A simulation, by its id.
    Simulation(String),
    /// An event: its simulation and its sequence.
    Event(String, u64),
}

impl NoteTarget {
    /// The kind as stored.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Iteration(..) => "iteration",
            Self::Simulation(_) => "simulation",
            Self::Event(..) => "event",
        }
    }

    /// The id as stored.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Run(id) | Self::Simulation(id) => id.clone(),
            Self::Iteration(run, iteration) => format!("{run}/{iteration}"),
            Self::Event(simulation, sequence) => format!("{simulation}:{sequence}"),
        }
    }

    /// What a stored kind and id mean; `None` if they are none of ours.
    #[must_use]
    pub fn read(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "run" => Some(Self::Run(id.to_owned())),
            "simulation" => Some(Self::Simulation(id.to_owned())),
            "iteration" => {
                let (run, iteration) = id.rsplit_once('/')?;
                Some(Self::Iteration(run.to_owned(), iteration.parse().ok()?))
            }
            "event" => {
                let (simulation, sequence) = id.rsplit_once(':')?;
                Some(Self::Event(simulation.to_owned(), sequence.parse().ok()?))
            }
            _ => None,
        }
    }
}

rows! {
    /// A row of `bookmarks`.
    BookmarkRow {
        bookmark_id: i64, created_at: Moment, label: Option<String>, link: String,
        experiment_run_id: Option<String>, simulation_id: Option<String>, tick: Option<i64>,
        sequence: Option<i64>,
    }

    /// A row of `notes`.
    NoteRow {
        note_id: i64, created_at: Moment, updated_at: Moment, target_kind: String, target_id: String,
        body: String, tags: Vec<String>,
    }

    /// A row of `saved_filters`.
    SavedFilterRow { screen: String, name: String, expression: String, created_at: Moment }
}

fn now() -> Value {
    Value::Timestamp(TimeUnit::Microsecond, Moment::now().0)
}

impl Database {
    /// Changes the user's own rows.
    fn keep(&self, statement: &str, parameters: impl Params) -> Result<usize, PersistenceError> {
        self.writer()?;
        Ok(self.reader()?.connection.execute(statement, parameters)?)
    }

    /// Keeps a place.
    ///
    /// # Errors
    ///
    /// The file was opened for reading.
    pub fn keep_bookmark(&self, bookmark: &NewBookmark) -> Result<(), PersistenceError> {
        let NewBookmark { label, link, run, simulation, tick, sequence } = bookmark;
        self.keep(
            "INSERT INTO bookmarks (created_at, label, link, experiment_run_id, simulation_id, tick, \
             sequence) VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![now(), label, link, run, simulation, tick, sequence],
        )?;
        Ok(())
    }

    /// Forgets a place.
    ///
    /// # Errors
    ///
    /// The file was opened for reading.
    pub fn forget_bookmark(&self, bookmark_id: i64) -> Result<(), PersistenceError> {
        self.keep("DELETE FROM bookmarks WHERE bookmark_id = ?", [bookmark_id]).map(|_| ())
    }

    /// Writes the note about something in place of the one before; without text and tags there is none
    /// any more. Tags hold no blanks.
    ///
    /// # Errors
    ///
    /// The file was opened for reading.
    pub fn write_note(
        &self,
        target: &NoteTarget,
        body: &str,
        tags: &[String],
    ) -> Result<(), PersistenceError> {
        let (kind, id, tags) = (target.kind(), target.id(), tags.join(" "));
        if body.is_empty() && tags.is_empty() {
            let gone = "DELETE FROM notes WHERE target_kind = ? AND target_id = ?";
            return self.keep(gone, [kind, &id]).map(|_| ());
        }
        let words = "list_filter(string_split(?, ' '), lambda tag: tag <> '')";
        let changed = self.keep(
            &format!(
                "UPDATE notes SET updated_at = ?, body = ?, tags = {words} \
                 WHERE target_kind = ? AND target_id = ?"
            ),
            params![now(), body, tags, kind, id],
        )?;
        if changed == 0 {
            let now = now();
            self.keep(
                &format!(
                    "INSERT INTO notes (created_at, updated_at, target_kind, target_id, body, tags) \
                     VALUES (?, ?, ?, ?, ?, {words})"
                ),
                params![now, now, kind, id, body, tags],
            )?;
        }
        Ok(())
    }

    /// Forgets a note.
    ///
    /// # Errors
    ///
    /// The file was opened for reading.
    pub fn forget_note(&self, note_id: i64) -> Result<(), PersistenceError> {
        self.keep("DELETE FROM notes WHERE note_id = ?", [note_id]).map(|_| ())
    }

    /// Keeps a filter of a screen under a name, in place of one of the same name.
    ///
    /// # Errors
    ///
    /// The file was opened for reading.
    pub fn keep_filter(&self, screen: &str, name: &str, expression: &str) -> Result<(), PersistenceError> {
        self.keep(
            "INSERT OR REPLACE INTO saved_filters (screen, name, expression, created_at) VALUES (?, ?, ?, ?)",
            params![screen, name, expression, now()],
        )?;
        Ok(())
    }

    /// Forgets a filter.
    ///
    /// # Errors
    ///
    /// The file was opened for reading.
    pub fn forget_filter(&self, screen: &str, name: &str) -> Result<(), PersistenceError> {
        self.keep("DELETE FROM saved_filters WHERE screen = ? AND name = ?", [screen, name]).map(|_| ())
    }
}

impl Reader {
    /// The places that were kept, newest first.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn bookmarks(&self) -> Result<Vec<BookmarkRow>, PersistenceError> {
        self.rows("FROM bookmarks ORDER BY bookmark_id DESC", [])
    }

    /// All notes, the last changed first.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn notes(&self) -> Result<Vec<NoteRow>, PersistenceError> {
        self.rows("FROM notes ORDER BY updated_at DESC, note_id DESC", [])
    }

    /// The note about something, if there is one.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn note(&self, target: &NoteTarget) -> Result<Option<NoteRow>, PersistenceError> {
        let rest = "FROM notes WHERE target_kind = ? AND target_id = ? ORDER BY note_id DESC LIMIT 1";
        Ok(self.rows(rest, [target.kind(), &target.id()])?.into_iter().next())
    }

    /// The filters that were kept for a screen, by name.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn saved_filters(&self, screen: &str) -> Result<Vec<SavedFilterRow>, PersistenceError> {
        self.rows("FROM saved_filters WHERE screen = ? ORDER BY name", [screen])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::Access;
    use super::*;

    #[test]
    fn there_is_one_note_about_a_thing_and_an_empty_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path().join("n.duckdb"), Access::Write).unwrap();
        let reader = database.reader().unwrap();
        let event = NoteTarget::Event("sim:a".to_owned(), 7);
        let tags = ["gridlock".to_owned(), "look-again".to_owned()];
        assert_eq!(reader.notes().unwrap(), []);
        database.write_note(&event, "here it begins", &tags).unwrap();
        database.write_note(&NoteTarget::Run("r".to_owned()), "", &tags[..1]).unwrap();
        let note = reader.note(&event).unwrap().unwrap();
        assert_eq!((note.body.as_str(), note.tags.as_slice()), ("here it begins", tags.as_slice()));
        assert_eq!(NoteTarget::read(&note.target_kind, &note.target_id), Some(event.clone()));
        database.write_note(&event, "no, one tick before", &[]).unwrap();
        let notes = reader.notes().unwrap();
        assert_eq!(notes.len(), 2);
        assert_eq!((notes[0].body.as_str(), notes[0].tags.len()), ("no, one tick before", 0));
        assert_eq!(notes[0].created_at, note.created_at);
        database.write_note(&event, "", &[]).unwrap();
        assert_eq!(reader.note(&event).unwrap(), None);
        database.forget_note(notes[1].note_id).unwrap();
        assert_eq!(reader.notes().unwrap(), []);
    }

    #[test]
    fn targets_read_back() {
        for target in [
            NoteTarget::Run("a/b".to_owned()),
            NoteTarget::Iteration("a/b".to_owned(), 3),
            NoteTarget::Simulation("s".to_owned()),
            NoteTarget::Event("s:1".to_owned(), 12),
        ] {
            assert_eq!(NoteTarget::read(target.kind(), &target.id()), Some(target));
        }
        for (kind, id) in [("iteration", "a"), ("event", "a:b"), ("bank", "A")] {
            assert_eq!(NoteTarget::read(kind, id), None, "{kind} {id}");
        }
    }

    #[test]
    fn a_reader_sees_what_was_kept_since_it_asked_before() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path().join("b.duckdb"), Access::Write).unwrap();
        let reader = database.reader().unwrap();
        let link = |number: usize| format!("sim/{}/replay?tick={number}", "x".repeat(number % 50));
        for number in 0..300 {
            assert_eq!(reader.bookmarks().unwrap().len(), number);
            let bookmark = NewBookmark { link: link(number), ..NewBookmark::default() };
            database.keep_bookmark(&bookmark).unwrap();
        }
        let kept: Vec<String> = reader.bookmarks().unwrap().into_iter().map(|row| row.link).collect();
        assert_eq!(kept, (0..300).rev().map(link).collect::<Vec<_>>());
    }

    #[test]
    fn a_filter_is_kept_under_its_name_for_its_screen() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path().join("f.duckdb"), Access::Write).unwrap();
        for (screen, name, expression) in
            [("events", "late", "type:PolicyHold"), ("events", "late", "tick:5-"), ("simulations", "x", "y")]
        {
            database.keep_filter(screen, name, expression).unwrap();
        }
        let reader = database.reader().unwrap();
        let kept = reader.saved_filters("events").unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!((kept[0].name.as_str(), kept[0].expression.as_str()), ("late", "tick:5-"));
        database.forget_filter("events", "late").unwrap();
        assert_eq!(reader.saved_filters("events").unwrap(), []);
        assert_eq!(reader.saved_filters("simulations").unwrap().len(), 1);
    }
}
