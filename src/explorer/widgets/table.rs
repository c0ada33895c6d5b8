//! The one table of all lists: columns that give way to each other, a marked row, a stable scroll.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pane::{cut, text_line};
use crate::explorer::look::{Look, Tone};
use crate::explorer::window::Viewport;

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    pub title: &'a str,
    /// Least width.
    pub width: u16,
    /// Share of the width that is left over.
    pub grow: u16,
    pub right: bool,
    /// Columns with a higher rank give way first; those of rank 0 never do.
    pub rank: u8,
}

impl<'a> Column<'a> {
    /// A column of text.
    pub const fn text(title: &'a str, width: u16) -> Self {
        Self { title, width, grow: 0, right: false, rank: 0 }
    }

    /// A column of numbers.
    pub const fn number(title: &'a str, width: u16) -> Self {
        Self { title, width, grow: 0, right: true, rank: 0 }
    }

    /// The same, taking what is left over.
    pub const fn growing(self, share: u16) -> Self {
        Self { grow: share, ..self }
    }

    /// The same, giving way where there is no room.
    pub const fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}

/// A cell: text and what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    pub text: String,
    pub tone: Tone,
}

/// A cell without a meaning of its own.
pub fn cell(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), tone: Tone::Plain }
}

/// A cell with a meaning.
pub fn toned(text: impl Into<String>, tone: Tone) -> Cell {
    Cell { text: text.into(), tone }
}

/// A row as text, its cells separated by tabs.
pub fn joined(cells: &[Cell]) -> String {
    cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join("\t")
}

/// What a table shows.
#[derive(Debug)]
pub struct Table<'a, R> {
    pub columns: &'a [Column<'a>],
    pub rows: &'a [R],
    pub selected: usize,
    pub focused: bool,
    pub view: &'a Viewport,
    /// Stands in place of rows.
    pub empty: &'a str,
}

impl<R> Table<'_, R> {
    /// Draws heading and rows.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, look: Look, cells: impl Fn(&R) -> Vec<Cell>) {
        if area.height == 0 || area.width < 4 {
            return;
        }
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        // Two columns at the left belong to the marker of the selected row.
        let widths = fit(self.columns, area.width - 2);
        let titles: Vec<Cell> = self.columns.iter().map(|column| toned(column.title, Tone::Muted)).collect();
        self.line(Rect { height: 1, ..area }, &widths, &titles, buffer, look);
        if self.rows.is_empty() {
            super::pane::paragraph(shifted(body, 2), self.empty, Tone::Muted, buffer, look);
            return;
        }
        // A selection outside the rows marks none of them.
        let seen = self.selected.min(self.rows.len() - 1);
        let top = self.view.fit(seen, self.rows.len(), body.height.into());
        for (place, row) in self.rows.iter().enumerate().skip(top).take(body.height.into()) {
            let line = Rect { y: body.y + (place - top) as u16, height: 1, ..body };
            self.line(line, &widths, &cells(row), buffer, look);
            if place == self.selected {
                text_line(line, 0, look.glyphs().marker, Tone::Strong, buffer, look);
                buffer.set_style(line, look.selection(self.focused));
            }
        }
    }

    fn line(&self, area: Rect, widths: &[u16], cells: &[Cell], buffer: &mut Buffer, look: Look) {
        use unicode_width::UnicodeWidthStr as _;
        let mut x = area.x + 2;
        for ((column, width), cell) in self.columns.iter().zip(widths).zip(cells) {
            // Columns that never give way are cut where even they have no room.
            let width = &(*width).min(area.right().saturating_sub(x));
            if *width == 0 {
                continue;
            }
            let text = cut(&cell.text, (*width).into(), look);
            let gap = if column.right { width.saturating_sub(text.width() as u16) } else { 0 };
            buffer.set_stringn(x + gap, area.y, &text, (*width).into(), look.style(cell.tone));
            x += width + 1;
        }
    }
}

fn shifted(area: Rect, by: u16) -> Rect {
    Rect { x: area.x + by, width: area.width.saturating_sub(by), ..area }
}

/// Widths of the columns in the room there is; 0 for a column that gave way.
fn fit(columns: &[Column<'_>], room: u16) -> Vec<u16> {
    let mut shown: Vec<bool> = columns.iter().map(|_| true).collect();
    let needed = |shown: &[bool]| -> u16 {
        let widths = columns.iter().zip(shown).filter(|(_, shown)| **shown);
        widths.fold(0_u16, |sum, (column, _)| sum.saturating_add(column.width + 1)).saturating_sub(1)
    };
    while needed(&shown) > room {
        let present = columns.iter().enumerate().filter(|(at, column)| shown[*at] && column.rank > 0);
        let Some((weakest, _)) = present.max_by_key(|(_, column)| column.rank) else { break };
        shown[weakest] = false;
    }
    let spare = room.saturating_sub(needed(&shown));
    let shares: u16 = columns.iter().zip(&shown).filter(|(_, shown)| **shown).map(|(c, _)| c.grow).sum();
    let widths = columns.iter().zip(&shown).map(|(column, shown)| match (shown, shares) {
        (false, _) => 0,
        (true, 0) => column.width,
        (true, shares) => column.width + spare * column.grow / shares,
    });
    widths.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<'_>; 3] = [
        Column::text("name", 10).growing(1),
        Column::number("cost", 8).rank(1),
        Column::number("seed", 6).rank(2),
    ];

    #[test]
    fn nothing_is_drawn_outside_the_area() {
        let area = Rect::new(0, 0, 14, 3);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 30, 3));
        let wide = [Column::text("name", 10), Column::number("cost", 8), Column::number("seed", 6)];
        let rows = ["row"];
        let view = Viewport::new();
        let table = Table { columns: &wide, rows: &rows, selected: 0, focused: true, view: &view, empty: "" };
        table.draw(area, &mut buffer, Look::default(), |_| {
            vec![cell("abcdefghij"), cell("12345678"), cell("9")]
        });
        let outside = (14..30).flat_map(|x| (0..3).map(move |y| (x, y)));
        assert!(outside.into_iter().all(|at| buffer[at].symbol() == " "), "{buffer:?}");
    }

    #[test]
    fn columns_give_way_by_rank_and_share_what_is_left() {
        assert_eq!(fit(&COLUMNS, 30), [14, 8, 6]);
        assert_eq!(fit(&COLUMNS, 20), [11, 8, 0]);
        assert_eq!(fit(&COLUMNS, 12), [12, 0, 0]);
        assert_eq!(fit(&COLUMNS, 5), [10, 0, 0]);
    }
}
