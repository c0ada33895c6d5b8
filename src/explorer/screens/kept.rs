//! What the user keeps in the database: places to go to again, notes, filters of a screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::View;
use crate::explorer::awaiting::Awaiting;
use crate::explorer::desk::{Desk, Go, Scene};
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::prompt::{Prompt, Purpose};
use crate::explorer::rows::{self, KeptKey, Row as _, Shelf};
use crate::explorer::search::Search;
use crate::explorer::widgets::pane::Pane;
use crate::explorer::widgets::table::{Cell, Column, Table, cell, joined};
use crate::explorer::window::Cursor;

/// The screen.
#[derive(Debug, Default)]
pub struct Kept {
    shelf: Shelf,
    rows: Option<Vec<rows::Kept>>,
    awaiting: Awaiting,
    cursor: Cursor,
    search: Search,
}

const BOOKMARKS: &[Column<'_>] = &[
    Column::text("place", 24).growing(2),
    Column::text("link", 24).growing(1).rank(1),
    Column::text("kept", 19).rank(2),
];

const NOTES: &[Column<'_>] = &[
    Column::text("note", 24).growing(2),
    Column::text("about", 24).growing(1).rank(1),
    Column::text("changed", 19).rank(2),
];

const FILTERS: &[Column<'_>] = &[
    Column::text("name", 16).growing(1),
    Column::text("filter", 24).growing(2),
    Column::text("kept", 19).rank(1),
];

fn cells(kept: &rows::Kept) -> Vec<Cell> {
    vec![cell(&kept.label), cell(&kept.place), cell(&kept.when)]
}

impl Kept {
    /// What is kept of a kind.
    pub fn new(shelf: Shelf) -> Self {
        Self { shelf, ..Self::default() }
    }

    /// What it lists.
    pub const fn shelf(&self) -> Shelf {
        self.shelf
    }

    fn rows(&self) -> &[rows::Kept] {
        self.rows.as_deref().unwrap_or_default()
    }

    const fn title(&self) -> &'static str {
        match self.shelf {
            Shelf::Bookmarks => "Bookmarks",
            Shelf::Notes => "Notes",
            Shelf::Filters(_) => "Filters",
        }
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

    /// Goes to the place, or puts the filter into force on the screen before.
    fn take_up(&self, desk: &mut Desk<'_>) {
        let Some(kept) = self.rows().get(self.cursor.at) else { return };
        if let KeptKey::Filter(of, _) = kept.key {
            desk.go = Some(Go::Give(Purpose::Filter(of), kept.place.clone()));
            return;
        }
        match Link::parse(&kept.place) {
            Ok(link) => desk.go = Some(Go::Visit(link)),
            Err(problem) => desk.complain(problem),
        }
    }
}

impl View for Kept {
    fn crumb(&self) -> String {
        self.title().into()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Kept, Scope::Lists, Scope::Search, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.awaiting.ask(desk, Slot::Main, Query::Kept(self.shelf));
    }

    fn poll(&mut self, _desk: &mut Desk<'_>) {}

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        let rows = self.rows().len();
        if self.cursor.motion(intent, count, rows) {
            return true;
        }
        match intent {
            Intent::Into => self.take_up(desk),
            Intent::Cancel => {
                if let Some(key) = self.rows().get(self.cursor.at).map(rows::Kept::key) {
                    self.awaiting.ask(desk, Slot::Main, Query::Forget(key));
                }
            }
            Intent::Search => *desk.prompt = Some(Prompt::new(Purpose::Search, self.search.text())),
            Intent::NextMatch | Intent::PreviousMatch => self.find(intent == Intent::NextMatch, desk),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, desk: &mut Desk<'_>) -> bool {
        let Some(answer) = self.awaiting.arrived(ticket, answer) else { return false };
        if let Some(Answer::Kept(rows)) = answer {
            let key = self.rows().get(self.cursor.at).map(rows::Kept::key);
            self.cursor.keep(key.as_ref(), &rows);
            self.rows = Some(rows);
        } else if let Some(problem) = self.awaiting.problem().filter(|_| self.rows.is_some()) {
            desk.complain(problem);
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
        let title = format!("{} ({})", self.title(), self.rows().len());
        let note = match self.shelf {
            Shelf::Filters(of) => of.name(),
            Shelf::Bookmarks | Shelf::Notes => "",
        };
        let inner = Pane { number: 0, title: &title, note, focused: true }.draw(area, buffer, scene.look);
        let (columns, nothing) = match self.shelf {
            Shelf::Bookmarks => (BOOKMARKS, "Nothing is kept yet: m on another screen keeps its place."),
            Shelf::Notes => (NOTES, "No note yet: a on another screen writes one about what is selected."),
            Shelf::Filters(_) => (FILTERS, "No filter is kept yet: S on the screen before keeps its filter."),
        };
        let empty = match (self.awaiting.problem(), &self.rows) {
            (Some(problem), _) => problem,
            (None, None) => "reading",
            (None, Some(_)) => nothing,
        };
        let table = Table {
            columns,
            rows: self.rows(),
            selected: self.cursor.at,
            focused: true,
            view: &self.cursor.view,
            empty,
        };
        table.draw(inner, buffer, scene.look, cells);
    }
}
