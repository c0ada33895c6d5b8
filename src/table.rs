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
    let shape = Shape::of(columns, rows);
    let lines = rows.iter().map(|row| shape.line(row));
    shape.head(columns).into_iter().chain(lines).collect()
}

/// How wide the columns of a table are, and to which side they stand.
#[derive(Clone, Debug, Default)]
pub struct Shape(Vec<(usize, bool)>);

impl Shape {
    /// Columns in which the titles and these rows have room.
    pub fn of(columns: &[Column<'_>], rows: &[Vec<String>]) -> Self {
        let shape_of = |(at, column): (usize, &Column<'_>)| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width());
            (cells.chain([column.title.width()]).max().unwrap_or(0), column.right)
        };
        Self(columns.iter().enumerate().map(shape_of).collect())
    }

    /// The titles, underlined.
    pub fn head(&self, columns: &[Column<'_>]) -> [String; 2] {
        let titles: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
        let rule: Vec<String> = self.0.iter().map(|(width, _)| "─".repeat(*width)).collect();
        [self.line(&titles), self.line(&rule)]
    }

    /// A row as a line. What has no room moves the rest of its line.
    pub fn line(&self, row: &[String]) -> String {
        let mut out = String::new();
        for ((width, right), cell) in self.0.iter().zip(row) {
            let padding = " ".repeat(width.saturating_sub(cell.width()));
            if !out.is_empty() {
                out.push_str("  ");
            }
            let (before, behind) = if *right { (padding.as_str(), "") } else { ("", padding.as_str()) };
            out.push_str(before);
            out.push_str(cell);
            out.push_str(behind);
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }
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
