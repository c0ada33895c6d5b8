//! The user's bookmarks.

use super::super::link::Link;
use super::super::rows::Bookmark;
use super::DatabaseSource;
use crate::persistence::{self as store, PersistenceError};

impl DatabaseSource {
    pub(super) fn bookmarks(&self) -> Result<Vec<Bookmark>, PersistenceError> {
        let bookmark = |row: store::BookmarkRow| Bookmark {
            id: row.bookmark_id,
            label: row.label.unwrap_or_default(),
            link: row.link,
            made: row.created_at.format("%Y-%m-%d %H:%M:%S"),
        };
        Ok(self.reader.bookmarks()?.into_iter().map(bookmark).collect())
    }

    pub(super) fn keep(&self, label: &str, link: &Link) -> Result<(), PersistenceError> {
        let mut bookmark = store::NewBookmark {
            label: label.to_owned(),
            link: link.to_string(),
            ..store::NewBookmark::default()
        };
        match link {
            Link::Sql => {}
            Link::Run(run) | Link::Iteration(run, _) => bookmark.run = Some(run.clone()),
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

    pub(super) fn forget(&self, id: i64) -> Result<(), PersistenceError> {
        self.reader.database().forget_bookmark(id)
    }
}
