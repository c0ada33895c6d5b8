//! Places that were kept, to go there again.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::View;
use crate::explorer::desk::{Desk, Go, Scene};
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::prompt::{Prompt, Purpose};
use crate::explorer::rows::{Bookmark, Row as _};
use crate::explorer::search::Search;
use crate::explorer::widgets::pane::Pane;
use crate::explorer::widgets::table::{Cell, Column, Table, cell, joined};
use crate::explorer::window::Cursor;

/// The screen.
#[derive(Debug, Default)]
pub struct Bookmarks {
    rows: Option<Vec<Bookmark>>,
    problem: Option<String>,
    awaiting: Option<Ticket>,
    cursor: Cursor,
    search: Search,
}

const COLUMNS: &[Column<'_>] = &[
    Column::text("place", 24).growing(2),
    Column::text("link", 24).growing(1).rank(1),
    Column::text("kept", 19).rank(2),
];

fn cells(bookmark: &Bookmark) -> Vec<Cell> {
    vec![cell(&bookmark.label), cell(&bookmark.link), cell(&bookmark.made)]
}

impl Bookmarks {
    fn rows(&self) -> &[Bookmark] {
        self.rows.as_deref().unwrap_or_default()
    }

    fn find(&mut self, forward: bool, desk: &mut Desk<'_>) {
        match self.search.next(self.rows(), self.cursor.at, forward, |row| joined(&cells(row))) {
            Ok(key) => {
                let place = self.rows().iter().position(|row| row.key() == key);
                self.cursor.at = place.unwrap_or(self.cursor.at);
            }
            Err(problem) => desk.complain(problem),
        }
    }
}

impl View for Bookmarks {
    fn crumb(&self) -> String {
        "Bookmarks".into()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Bookmarks, Scope::Lists, Scope::Search, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.awaiting = Some(desk.ask(Slot::Main, Query::Bookmarks));
    }

    fn poll(&mut self, _desk: &mut Desk<'_>) {}

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        let rows = self.rows().len();
        if self.cursor.motion(intent, count, rows) {
            return true;
        }
        let selected = self.rows().get(self.cursor.at);
        match intent {
            Intent::Into => match selected.map(|bookmark| Link::parse(&bookmark.link)) {
                Some(Ok(link)) => desk.go = Some(Go::Visit(link)),
                Some(Err(problem)) => desk.complain(problem),
                None => {}
            },
            Intent::Cancel => {
                if let Some(id) = selected.map(Bookmark::key) {
                    self.awaiting = Some(desk.ask(Slot::Main, Query::Forget(id)));
                }
            }
            Intent::Search => *desk.prompt = Some(Prompt::new(Purpose::Search, self.search.text())),
            Intent::NextMatch | Intent::PreviousMatch => self.find(intent == Intent::NextMatch, desk),
            Intent::Refresh => self.enter(desk),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, desk: &mut Desk<'_>) -> bool {
        if self.awaiting.take_if(|awaited| *awaited == ticket).is_none() {
            return false;
        }
        match answer {
            Ok(Answer::Bookmarks(rows)) => {
                let key = self.rows().get(self.cursor.at).map(Bookmark::key);
                self.cursor.keep(key.as_ref(), &rows);
                self.problem = None;
                self.rows = Some(rows);
            }
            Ok(_) => {}
            Err(problem) if self.rows.is_some() => desk.complain(problem),
            Err(problem) => self.problem = Some(problem),
        }
        true
    }

    fn given(&mut self, purpose: Purpose, text: &str, desk: &mut Desk<'_>) {
        if purpose == Purpose::Search {
            self.search.set(text);
            self.find(true, desk);
        }
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let title = format!("Bookmarks ({})", self.rows().len());
        let inner = Pane { number: 0, title: &title, note: "", focused: true }.draw(area, buffer, scene.look);
        let empty = match (&self.problem, &self.rows) {
            (Some(problem), _) => problem,
            (None, None) => "reading",
            (None, Some(_)) => "Nothing is kept yet: m on another screen keeps its place.",
        };
        let table = Table {
            columns: COLUMNS,
            rows: self.rows(),
            selected: self.cursor.at,
            focused: true,
            view: &self.cursor.view,
            empty,
        };
        table.draw(inner, buffer, scene.look, cells);
    }
}
