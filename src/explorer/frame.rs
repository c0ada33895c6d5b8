//! A frame outside a terminal: as plain text, or as a picture (SVG).

use std::fmt::Write as _;
use std::ops::Range;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::draw::draw;
use super::state::State;

/// Size of a character in the picture.
const CELL: (f64, f64) = (8.4, 16.4);
/// Distance of the base line from the upper edge of a character.
const BASE: f64 = 13.0;
const FOREGROUND: &str = "#d5dae3";
const BACKGROUND: &str = "#1b1f27";

/// A drawn frame.
pub struct Frame {
    buffer: Buffer,
}

impl Frame {
    /// The frame of a state, in its size.
    pub fn of(state: &State) -> Self {
        let (columns, rows) = state.size;
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        draw(state, area, &mut buffer);
        Self { buffer }
    }

    /// Line by line, without trailing blanks.
    pub fn text(&self) -> String {
        let rows = (0..self.buffer.area.height).map(|row| {
            let line: String = self.row(row).iter().map(Cell::symbol).collect();
            format!("{}\n", line.trim_end())
        });
        rows.collect()
    }

    /// As a picture in SVG, in a dark terminal's colours.
    pub fn svg(&self) -> String {
        let (columns, rows) = (f64::from(self.buffer.area.width), f64::from(self.buffer.area.height));
        let (width, height) = (columns * CELL.0 + 16.0, rows * CELL.1 + 16.0);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', \
             Menlo, Consolas, monospace\" font-size=\"14\" fill=\"{FOREGROUND}\">\n\
             <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{BACKGROUND}\"/>\n\
             <g transform=\"translate(8 8)\">\n"
        );
        for row in 0..self.buffer.area.height {
            let cells = self.row(row);
            for run in runs(cells) {
                draw_run(&cells[run.clone()], run.start, row, &mut svg);
            }
        }
        svg.push_str("</g>\n</svg>\n");
        svg
    }

    fn row(&self, row: u16) -> &[Cell] {
        let width = usize::from(self.buffer.area.width);
        let start = usize::from(row) * width;
        &self.buffer.content[start..start + width]
    }
}

/// Neighbours that look alike. Letters and drawing characters are kept apart: they may come from fonts
/// of different widths.
fn runs(cells: &[Cell]) -> Vec<Range<usize>> {
    let alike = |a: &Cell, b: &Cell| a.style() == b.style() && a.symbol().is_ascii() == b.symbol().is_ascii();
    let mut runs = Vec::new();
    let mut start = 0;
    for chunk in cells.chunk_by(alike) {
        runs.push(start..start + chunk.len());
        start += chunk.len();
    }
    runs
}

fn draw_run(cells: &[Cell], column: usize, row: u16, svg: &mut String) {
    let Some(first) = cells.first() else { return };
    let text: String = cells.iter().map(Cell::symbol).collect();
    let (x, y) = (column as f64 * CELL.0, f64::from(row) * CELL.1);
    let width = cells.len() as f64 * CELL.0;
    let reversed = first.modifier.contains(Modifier::REVERSED);
    let (mut ink, mut paper) = (colour(first.fg, FOREGROUND), colour(first.bg, BACKGROUND));
    if reversed {
        std::mem::swap(&mut ink, &mut paper);
    }
    if paper != BACKGROUND {
        let height = CELL.1;
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{paper}\"/>"
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let _ = write!(svg, "<text xml:space=\"preserve\" y=\"{:.1}\" x=\"", y + BASE);
    // A drawing character may come from another font: each gets its place. Letters only get a width.
    let placed = if text.is_ascii() { 1 } else { cells.len() };
    for place in 0..placed {
        let _ = write!(svg, "{}{:.1}", if place > 0 { " " } else { "" }, x + place as f64 * CELL.0);
    }
    svg.push('"');
    if text.is_ascii() {
        let _ = write!(svg, " textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\"");
    }
    if ink != FOREGROUND {
        let _ = write!(svg, " fill=\"{ink}\"");
    }
    if first.modifier.contains(Modifier::BOLD) {
        svg.push_str(" font-weight=\"bold\"");
    }
    if first.modifier.contains(Modifier::DIM) {
        svg.push_str(" opacity=\"0.6\"");
    }
    let _ = writeln!(svg, ">{}</text>", escaped(&text));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The colours that the explorer uses; `default` stands for the terminal's own.
const fn colour(colour: Color, default: &'static str) -> &'static str {
    match colour {
        Color::Cyan => "#56c2d6",
        Color::Yellow => "#e5c07b",
        Color::Magenta => "#c678dd",
        Color::Green => "#98c379",
        Color::Blue => "#61afef",
        Color::Red => "#e06c75",
        _ => default,
    }
}
