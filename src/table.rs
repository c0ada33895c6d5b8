//! Tables for people: columns as wide as their content, numbers to the right.

use unicode_width::UnicodeWidthStr as _;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Its title.
    pub title: &'a str,
    /// Whether its content stands to the right.
    pub right: bool,
}

/// A column of texts.
pub const fn left(title: &str) -> Column<'_> {
    Column { title, right: false }
}

/// A column of numbers.
pub const fn right(title: &str) -> Column<'_> {
    Column { title, right: true }
}

/// The table as text, a line per row, the titles underlined.
pub fn render(columns: &[Column<'_>], rows: &[Vec<String>]) -> String {
    let width_of = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width());
        cells.chain([columns[at].title.width()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width_of).collect();
    let titles: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
    let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    let lines = [&titles, &rule].into_iter().chain(rows);
    lines.map(|row| line(columns, &widths, row)).collect()
}

fn line(columns: &[Column<'_>], widths: &[usize], row: &[String]) -> String {
    let mut out = String::new();
    for ((column, width), cell) in columns.iter().zip(widths).zip(row) {
        let padding = " ".repeat(width.saturating_sub(cell.width()));
        if !out.is_empty() {
            out.push_str("  ");
        }
        if column.right {
            out.push_str(&padding);
            out.push_str(cell);
        } else {
            out.push_str(cell);
            out.push_str(&padding);
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right() {
        let rows = [vec!["A".to_owned(), "7".to_owned()], vec!["Bank".to_owned(), "12".to_owned()]];
        let expected = "Id    Size\n────  ────\nA        7\nBank    12\n";
        assert_eq!(render(&[left("Id"), right("Size")], &rows), expected);
    }
}
