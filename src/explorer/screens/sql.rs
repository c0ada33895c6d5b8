//! A read-only prompt over the tables of the database; results as a table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tui_input::Input;
use unicode_width::UnicodeWidthStr as _;

use super::{Copyable, View, stack};
use crate::explorer::awaiting::Awaiting;
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::format::counted;
use crate::explorer::key::Key;
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::rows::SqlRows;
use crate::explorer::widgets::input;
use crate::explorer::widgets::pane::{Pane, paragraph, text_line};
use crate::explorer::widgets::table::{Cell, Column, Table, cell};
use crate::explorer::window::Cursor;

/// Widest column; the selected row stands in full below the table.
const WIDEST: usize = 40;
/// Statements that are remembered.
const REMEMBERED: usize = 100;

/// The screen.
#[derive(Debug)]
pub struct Sql {
    statement: Input,
    /// Earlier statements, oldest first, and which of them stands in the line.
    past: Vec<String>,
    recalled: usize,
    typing: bool,
    result: Option<SqlRows>,
    awaiting: Awaiting,
    rows: Cursor,
    /// The first column that is shown.
    column: usize,
}

impl Default for Sql {
    fn default() -> Self {
        Self {
            statement: Input::new("FROM simulations".to_owned()),
            past: Vec::new(),
            recalled: 0,
            typing: true,
            result: None,
            awaiting: Awaiting::new(),
            rows: Cursor::new(),
            column: 0,
        }
    }
}

impl Sql {
    fn run(&mut self, desk: &mut Desk<'_>) {
        let text = self.statement.value().trim().to_owned();
        if text.is_empty() {
            return;
        }
        if self.past.last() != Some(&text) {
            self.past.push(text.clone());
            let surplus = self.past.len().saturating_sub(REMEMBERED);
            self.past.drain(..surplus);
        }
        self.recalled = self.past.len();
        self.awaiting.clear();
        self.awaiting.ask(desk, Slot::Main, Query::Statement(text));
    }

    fn cancel(&mut self, desk: &mut Desk<'_>) {
        self.awaiting.give_up();
        desk.ask(Slot::Main, Query::Nothing);
        desk.say("the statement was cancelled");
    }

    fn recall(&mut self, older: bool) {
        let place = if older { self.recalled.checked_sub(1) } else { Some(self.recalled + 1) };
        if let Some((place, text)) = place.and_then(|place| Some((place, self.past.get(place)?))) {
            self.recalled = place;
            self.statement = Input::new(text.clone());
        }
    }

    fn columns(&self) -> Vec<Column<'_>> {
        let Some(result) = &self.result else { return Vec::new() };
        let width = |at: usize, title: &str| {
            let cells = result.rows.iter().take(200).filter_map(|row| row.get(at));
            let widest = cells.map(|cell| cell.width()).max().unwrap_or(0).max(title.width());
            widest.clamp(1, WIDEST) as u16
        };
        let titles = result.columns.iter().enumerate().skip(self.column);
        titles
            .map(|(at, title)| {
                let column = match result.numbers.get(at) {
                    Some(true) => Column::number(title, width(at, title)),
                    _ => Column::text(title, width(at, title)),
                };
                // What has no room gives way from the right; the arrows bring it in.
                column.rank(u8::try_from(at - self.column).unwrap_or(u8::MAX))
            })
            .collect()
    }

    fn row_cells(&self, row: &[String]) -> Vec<Cell> {
        row.iter().skip(self.column).map(cell).collect()
    }

    fn draw_statement(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let note =
            if self.awaiting.waits() { "running; Esc cancels" } else { "one statement that only reads" };
        let inner = Pane { number: 0, title: "SQL", note, focused: self.typing }.draw(area, buffer, look);
        input::draw(&self.statement, self.typing, inner, buffer, look);
    }

    fn draw_result(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let rows = self.result.as_ref().map_or(&[][..], |result| &result.rows);
        let more = if self.result.as_ref().is_some_and(|result| result.cut) { "the first " } else { "" };
        let title = match &self.result {
            Some(_) => format!("Result ({more}{})", counted(rows.len(), "row", "rows")),
            None => "Result".to_owned(),
        };
        let note = if self.column > 0 { format!("from column {}", self.column + 1) } else { String::new() };
        let inner =
            Pane { number: 0, title: &title, note: &note, focused: !self.typing }.draw(area, buffer, look);
        if let Some(problem) = self.awaiting.problem() {
            paragraph(inner, problem, Tone::Bad, buffer, look);
            return;
        }
        let empty = match (self.awaiting.waits(), &self.result) {
            (true, None) => "running",
            (false, None) => {
                "Enter runs the statement. `SHOW TABLES` lists the tables, `DESCRIBE simulations` columns."
            }
            _ => "no rows",
        };
        let columns = self.columns();
        let table = Table {
            columns: &columns,
            rows,
            selected: self.rows.at,
            focused: !self.typing,
            view: &self.rows.view,
            empty,
        };
        table.draw(inner, buffer, look, |row| self.row_cells(row));
    }

    /// The selected row in full.
    fn draw_row(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let Some(result) = &self.result else { return };
        let Some(row) = result.rows.get(self.rows.at) else { return };
        let fields = result.columns.iter().zip(row).skip(self.column);
        let text = fields.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join("  ");
        let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
        let lines = crate::explorer::widgets::pane::wrap(&text, inner.width.into());
        for (place, line) in lines.iter().take(inner.height.into()).enumerate() {
            text_line(inner, place as u16, line, Tone::Muted, buffer, look);
        }
    }
}

impl View for Sql {
    fn crumb(&self) -> String {
        "SQL".into()
    }

    fn scopes(&self) -> &'static [Scope] {
        if self.typing {
            &[Scope::SqlLine, Scope::Everywhere]
        } else {
            &[Scope::SqlResult, Scope::Lists, Scope::Everywhere]
        }
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        // Answers come to the screen that is seen: that of a statement did not find this one.
        if self.awaiting.waits() {
            self.awaiting.give_up();
            desk.ask(Slot::Main, Query::Nothing);
            self.awaiting
                .fail("the statement was stopped when the screen was left; Enter runs it again".to_owned());
        }
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        if intent == Intent::Back && self.awaiting.waits() {
            self.cancel(desk);
            return true;
        }
        let rows = self.result.as_ref().map_or(0, |result| result.rows.len());
        if !self.typing && self.rows.motion(intent, count, rows) {
            return true;
        }
        match intent {
            Intent::Into if self.typing => self.run(desk),
            Intent::Into => self.typing = true,
            Intent::FieldPrevious => self.recall(true),
            Intent::FieldNext => self.recall(false),
            Intent::NextPane | Intent::PreviousPane if count.is_none() => self.typing = !self.typing,
            Intent::Onward => {
                let columns = self.result.as_ref().map_or(0, |result| result.columns.len());
                self.column = (self.column + 1).min(columns.saturating_sub(1));
            }
            Intent::Backward => self.column = self.column.saturating_sub(1),
            Intent::Refresh => self.run(desk),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, _desk: &mut Desk<'_>) -> bool {
        let Some(answer) = self.awaiting.arrived(ticket, answer) else { return false };
        if let Some(Answer::Statement(result)) = answer {
            self.rows = Cursor::new();
            self.column = 0;
            self.typing = result.rows.is_empty();
            self.result = Some(result);
        }
        true
    }

    fn typing(&self) -> bool {
        self.typing
    }

    fn type_key(&mut self, key: Key, _desk: &mut Desk<'_>) -> bool {
        if !self.typing {
            return false;
        }
        let Some(request) = input::request(key) else { return false };
        self.statement.handle(request);
        true
    }

    fn paste(&mut self, pasted: &str, _desk: &mut Desk<'_>) {
        if self.typing {
            // A statement of several lines is pasted as one.
            input::paste(&mut self.statement, &pasted.lines().collect::<Vec<_>>().join(" "));
        }
    }

    fn copyable(&self) -> Option<Copyable> {
        let row = self.result.as_ref()?.rows.get(self.rows.at)?;
        Some(Copyable { link: Link::Sql, id: self.statement.value().to_owned(), row: row.join("\t") })
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look = scene.look;
        let [line, result, row] = stack(area, [3, area.height.saturating_sub(6), area.height]);
        self.draw_statement(line, buffer, look);
        self.draw_result(result, buffer, look);
        self.draw_row(row, buffer, look);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_statements_come_back() {
        let mut sql = Sql { past: vec!["one".into(), "two".into()], recalled: 2, ..Sql::default() };
        sql.recall(true);
        sql.recall(true);
        assert_eq!(sql.statement.value(), "one");
        sql.recall(true);
        assert_eq!(sql.statement.value(), "one", "there is nothing older");
        sql.recall(false);
        assert_eq!(sql.statement.value(), "two");
    }

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let result = SqlRows {
            columns: vec!["id".into(), "n".into()],
            rows: vec![vec!["sim-1".into(), "12".into()], vec!["x".repeat(99), "5".into()]],
            numbers: vec![false, true],
            cut: false,
        };
        let sql = Sql { result: Some(result), ..Sql::default() };
        let columns: Vec<(u16, bool)> =
            sql.columns().iter().map(|column| (column.width, column.right)).collect();
        assert_eq!(columns, [(40, false), (2, true)]);
    }
}
