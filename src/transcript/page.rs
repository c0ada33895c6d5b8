//! How text is laid out: sections of lines and tables, at most [`WIDTH`] columns wide where
//! names and amounts allow it.

/// Columns of a line before it is wrapped.
pub(super) const WIDTH: usize = 100;
/// A wrapped line goes on at its last column, unless that stands further right than this.
const DEEPEST_HANG: usize = 60;
const GAP: &str = "  ";

/// The texts of a row.
macro_rules! cells {
    ($($cell:expr),* $(,)?) => { vec![$($cell.to_string()),*] };
}
pub(super) use cells;

/// A text that grows section by section.
#[derive(Debug, Default)]
pub(super) struct Page {
    out: String,
}

/// Rows whose columns stand below each other.
#[derive(Debug)]
pub(super) struct Table {
    /// One letter a column: `<` for texts, `>` for amounts.
    columns: &'static str,
    rows: Vec<Row>,
}

#[derive(Debug)]
enum Row {
    Cells(Vec<String>),
    Heading(String),
}

impl Page {
    /// Begins a section; an empty line separates it from the one before.
    pub fn section(&mut self, title: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.line(0, title);
    }

    /// A line, wrapped if it is too long.
    pub fn line(&mut self, depth: usize, text: &str) {
        let indent = GAP.repeat(depth);
        let hang = indent.len() + 2 * GAP.len();
        self.wrapped(&indent, hang, text);
    }

    /// A table; cells below a heading stand deeper than it.
    pub fn table(&mut self, depth: usize, table: &Table) {
        let widths = table.widths();
        let has_headings = table.rows.iter().any(|row| matches!(row, Row::Heading(_)));
        let indent = GAP.repeat(depth + usize::from(has_headings));
        for row in &table.rows {
            match row {
                Row::Heading(heading) => self.line(depth, heading),
                Row::Cells(cells) => self.row(&indent, table.columns, &widths, cells),
            }
        }
    }

    fn row(&mut self, indent: &str, columns: &str, widths: &[usize], cells: &[String]) {
        let mut prefix = indent.to_owned();
        let last = widths.len().saturating_sub(1);
        for (at, ((cell, width), column)) in cells.iter().zip(widths).zip(columns.chars()).enumerate() {
            let width = *width;
            match (column, at == last) {
                ('>', _) => prefix.push_str(&format!("{cell:>width$}")),
                (_, false) => prefix.push_str(&format!("{cell:<width$}")),
                (_, true) => {
                    let hang = prefix.chars().count();
                    let hang = if hang > DEEPEST_HANG { indent.len() + 2 * GAP.len() } else { hang };
                    self.wrapped(&prefix, hang, cell);
                    return;
                }
            }
            if width > 0 && at < last {
                prefix.push_str(GAP);
            }
        }
        self.wrapped(&prefix, indent.len(), "");
    }

    /// A line that goes on below itself at the column `hang`.
    fn wrapped(&mut self, prefix: &str, hang: usize, text: &str) {
        let start = self.out.len();
        push_clean(prefix, &mut self.out);
        let mut column = prefix.chars().count();
        let mut begins = true;
        for word in text.split(' ') {
            let length = word.chars().count();
            if !begins && column + 1 + length > WIDTH {
                self.end_line(start);
                self.out.push_str(&" ".repeat(hang));
                column = hang;
            } else if !begins {
                self.out.push(' ');
                column += 1;
            }
            push_clean(word, &mut self.out);
            column += length;
            begins = false;
        }
        self.end_line(start);
    }

    fn end_line(&mut self, start: usize) {
        let end = start + self.out[start..].trim_end_matches(' ').len();
        self.out.truncate(end);
        self.out.push('\n');
    }

    /// The text.
    pub fn finish(self) -> String {
        self.out
    }
}

impl Table {
    /// An empty table; `columns` has one letter a column, `<` for texts, `>` for amounts.
    pub const fn new(columns: &'static str) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(Row::Cells(cells));
    }

    /// Adds a line above the rows that follow.
    pub fn heading(&mut self, heading: &str) {
        self.rows.push(Row::Heading(heading.to_owned()));
    }

    /// Whether it has no row.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row, Row::Cells(_))).count()
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.columns.len()];
        for row in &self.rows {
            if let Row::Cells(cells) = row {
                for (width, cell) in widths.iter_mut().zip(cells) {
                    *width = cell.chars().count().max(*width);
                }
            }
        }
        widths
    }
}

/// Names are the user's: a control character in one must not reach a terminal.
fn push_clean(text: &str, out: &mut String) {
    out.extend(text.chars().map(crate::text::visible));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let mut table = Table::new("<><");
        table.heading("BANK_A");
        table.row(cells!["tx-000001", "9.00", "low"]);
        table.row(cells!["tx", "1,234.56", ""]);
        let mut page = Page::default();
        page.section("Arrivals");
        page.table(1, &table);
        let expected = "Arrivals\n  BANK_A\n    tx-000001      9.00  low\n    tx         1,234.56\n";
        assert_eq!(page.finish(), expected);
    }

    #[test]
    fn long_lines_go_on_below_their_last_column() {
        let mut table = Table::new("<<");
        table.row(cells!["from", "tx-000001, ".repeat(12)]);
        let mut page = Page::default();
        page.table(1, &table);
        let text = page.finish();
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("        tx-")), "{text}");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut page = Page::default();
        page.line(0, "A\u{1b}[31m\nB");
        assert_eq!(page.finish(), "A\u{fffd}[31m\u{fffd}B\n");
    }
}
