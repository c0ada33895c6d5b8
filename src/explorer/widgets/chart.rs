//! Line charts: braille dots in colour; letters where there is no colour, so that lines stay apart.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pane::text_line;
use crate::explorer::look::{Look, Tone};

/// One line: values at equal distances.
#[derive(Clone, Debug)]
pub struct Series<'a> {
    pub label: &'a str,
    pub values: Vec<f64>,
}

/// A chart of several lines over one axis.
#[derive(Debug)]
pub struct Chart<'a> {
    pub series: &'a [Series<'a>],
    /// What stands below the left and the right end.
    pub ends: (String, String),
    /// Marked place, from 0 (left) to 1 (right).
    pub cursor: Option<f64>,
    /// Writes a value beside the axis, in at most seven characters.
    pub axis: fn(f64) -> String,
    /// Stands in place of lines.
    pub empty: &'a str,
}

const LABELS: u16 = 8;
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";

impl Chart<'_> {
    /// Draws legend, lines and axes.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let Some((low, high)) = self.range().filter(|_| area.height >= 4 && area.width > LABELS + 8) else {
            text_line(area, 0, self.empty, Tone::Muted, buffer, look);
            return;
        };
        let plot = Rect {
            x: area.x + LABELS + 1,
            y: area.y + 1,
            width: area.width - LABELS - 1,
            height: area.height - 2,
        };
        self.legend(Rect { height: 1, ..area }, buffer, look);
        self.axes(area, plot, (low, high), buffer, look);
        if let Some(cursor) = self.cursor {
            let x = plot.x + (cursor.clamp(0.0, 1.0) * f64::from(plot.width - 1)).round() as u16;
            for y in plot.top()..plot.bottom() {
                buffer.set_string(x, y, look.glyphs().cursor, look.style(Tone::Muted));
            }
        }
        // The first line is drawn last, so that it stays whole.
        for (number, series) in self.series.iter().enumerate().rev() {
            if look.colour && !look.ascii {
                dots(&series.values, plot, (low, high), Tone::Series(number), buffer, look);
            } else {
                letters(&series.values, plot, (low, high), letter(number), buffer, look);
            }
        }
    }

    /// Lowest and highest value, apart from each other; `None` without values.
    fn range(&self) -> Option<(f64, f64)> {
        let values =
            || self.series.iter().flat_map(|series| &series.values).filter(|value| value.is_finite());
        let low = values().copied().reduce(f64::min)?;
        let high = values().copied().reduce(f64::max)?;
        Some(if low < high {
            (low, high)
        } else {
            let spread = if low == 0.0 { 1.0 } else { low.abs() / 10.0 };
            (low - spread, high + spread)
        })
    }

    fn legend(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let mut rest = area;
        for (number, series) in self.series.iter().enumerate() {
            let sample =
                if look.colour && !look.ascii { "⠒⠒".to_owned() } else { letter(number).to_string() };
            let text = format!("{sample} {}  ", series.label);
            let used = text_line(rest, 0, &text, Tone::Series(number), buffer, look);
            rest = Rect { x: rest.x + used, width: rest.width - used, ..rest };
        }
    }

    fn axes(&self, area: Rect, plot: Rect, (low, high): (f64, f64), buffer: &mut Buffer, look: Look) {
        let muted = look.style(Tone::Muted);
        for y in plot.top()..plot.bottom() {
            buffer.set_string(plot.x - 1, y, look.glyphs().axis, muted);
        }
        let mut value = |row: u16, value: f64| {
            let text = (self.axis)(value);
            let width = usize::from(LABELS - 1);
            buffer.set_stringn(area.x, plot.y + row, format!("{text:>width$}"), width, muted);
        };
        value(0, high);
        value(plot.height - 1, low);
        if plot.height >= 7 {
            value(
                plot.height / 2,
                high + (low - high) * f64::from(plot.height / 2) / f64::from(plot.height - 1),
            );
        }
        let (left, right) = &self.ends;
        let bottom = plot.bottom();
        buffer.set_stringn(plot.x, bottom, left, plot.width.into(), muted);
        let start = plot.right().saturating_sub(right.chars().count() as u16);
        if start > plot.x + left.chars().count() as u16 {
            buffer.set_string(start, bottom, right, muted);
        }
    }
}

fn letter(number: usize) -> char {
    LETTERS[number % LETTERS.len()].into()
}

/// The row of a value among `rows`, the highest value in row 0.
fn row_of(value: f64, (low, high): (f64, f64), rows: u16) -> u16 {
    let part = ((high - value) / (high - low)).clamp(0.0, 1.0);
    (part * f64::from(rows.saturating_sub(1))).round() as u16
}

/// The value that stands over a column; between two values it lies on their line.
fn value_at(values: &[f64], column: u16, columns: u16) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let place = f64::from(column) / f64::from(columns.saturating_sub(1).max(1)) * last as f64;
    let (left, part) = (place.floor() as usize, place.fract());
    let (from, to) = (*values.get(left)?, *values.get((left + 1).min(last))?);
    Some(from + (to - from) * part).filter(|value| value.is_finite())
}

fn letters(values: &[f64], plot: Rect, range: (f64, f64), letter: char, buffer: &mut Buffer, look: Look) {
    for column in 0..plot.width {
        if let Some(value) = value_at(values, column, plot.width) {
            let y = plot.y + row_of(value, range, plot.height);
            buffer.set_string(plot.x + column, y, letter.to_string(), look.style(Tone::Plain));
        }
    }
}

/// Bits of the braille dots by column and row inside a cell.
const BRAILLE: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

fn dots(values: &[f64], plot: Rect, range: (f64, f64), tone: Tone, buffer: &mut Buffer, look: Look) {
    let (columns, rows) = (plot.width * 2, plot.height * 4);
    let mut before: Option<u16> = None;
    for column in 0..columns {
        let Some(value) = value_at(values, column, columns) else {
            before = None;
            continue;
        };
        let row = row_of(value, range, rows);
        let from = before.unwrap_or(row);
        for dot in from.min(row)..=from.max(row) {
            let (x, y) = (plot.x + column / 2, plot.y + dot / 4);
            let bit = BRAILLE[usize::from(column % 2)][usize::from(dot % 4)];
            let Some(cell) = buffer.cell_mut((x, y)) else { continue };
            let present = cell.symbol().chars().next().map_or(0, u32::from);
            let bits = if (0x2800..0x2900).contains(&present) { present - 0x2800 } else { 0 };
            if let Some(symbol) = char::from_u32(0x2800 + (bits | bit)) {
                cell.set_char(symbol).set_style(look.style(tone));
            }
        }
        before = Some(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explorer::format;
    use crate::explorer::look::Theme;

    #[test]
    fn values_between_two_samples_lie_on_their_line() {
        assert_eq!(value_at(&[0.0, 10.0], 5, 11), Some(5.0));
        assert_eq!(value_at(&[7.0], 3, 4), Some(7.0));
        assert_eq!(value_at(&[], 3, 4), None);
    }

    #[test]
    fn the_highest_value_is_in_the_first_row() {
        assert_eq!(row_of(10.0, (0.0, 10.0), 5), 0);
        assert_eq!(row_of(0.0, (0.0, 10.0), 5), 4);
    }

    #[test]
    fn constant_and_empty_lines_do_not_fail() {
        for values in [vec![], vec![5.0], vec![5.0, 5.0], vec![f64::NAN, 1.0], vec![-1e18, 1e18]] {
            for (width, height) in [(0, 0), (3, 2), (17, 4), (60, 10)] {
                let area = Rect::new(0, 0, width, height);
                let series = [Series { label: "A", values: values.clone() }];
                let chart = Chart {
                    series: &series,
                    ends: ("0".into(), "9".into()),
                    cursor: Some(0.5),
                    axis: format::axis,
                    empty: "-",
                };
                for colour in [false, true] {
                    chart.draw(
                        area,
                        &mut Buffer::empty(area),
                        Look { colour, ascii: false, theme: Theme::Dark },
                    );
                }
            }
        }
    }
}
