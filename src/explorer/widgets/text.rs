//! Text of any length in a pane: it scrolls by whole lines and says where it goes on.

use std::cell::Cell;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pane::{text_line, wrap};
use crate::explorer::keymap::Intent;
use crate::explorer::look::{Look, Tone};

/// Lines with what they mean.
#[derive(Debug)]
pub struct Lines {
    width: usize,
    lines: Vec<(String, Tone)>,
}

impl Lines {
    /// No lines yet; they are broken at this width.
    pub const fn of_width(width: u16) -> Self {
        Self { width: width as usize, lines: Vec::new() }
    }

    /// Adds a text, broken where it is too long; its own breaks stay.
    pub fn add(&mut self, text: &str, tone: Tone) {
        for line in text.lines() {
            // A broken line goes on under its own beginning.
            let indent = line.len() - line.trim_start_matches(' ').len();
            let indent = indent.min(self.width / 2);
            let broken = wrap(line.trim_start_matches(' '), self.width - indent);
            let empty = broken.is_empty().then(String::new);
            for part in broken.into_iter().chain(empty) {
                self.lines.push((format!("{}{part}", " ".repeat(indent)), tone));
            }
        }
    }

    /// Adds an empty line.
    pub fn blank(&mut self) {
        self.lines.push((String::new(), Tone::Plain));
    }
}

/// How far a text is scrolled. Drawing notes how long it is, so that scrolling ends at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    top: Cell<usize>,
    lines: Cell<usize>,
    height: Cell<usize>,
}

impl Scroll {
    /// At the beginning.
    pub const fn new() -> Self {
        Self { top: Cell::new(0), lines: Cell::new(0), height: Cell::new(1) }
    }

    /// Scrolls by an intent; false if it is no movement.
    pub fn motion(&mut self, intent: Intent, count: Option<u64>) -> bool {
        let times = usize::try_from(count.unwrap_or(1)).unwrap_or(usize::MAX);
        let height = self.height.get();
        let (half, page) = ((height / 2).max(1), height.saturating_sub(1).max(1));
        let top = self.top.get();
        let target = match intent {
            Intent::Down => top.saturating_add(times),
            Intent::Up => top.saturating_sub(times),
            Intent::HalfDown => top.saturating_add(half.saturating_mul(times)),
            Intent::HalfUp => top.saturating_sub(half.saturating_mul(times)),
            Intent::PageDown => top.saturating_add(page.saturating_mul(times)),
            Intent::PageUp => top.saturating_sub(page.saturating_mul(times)),
            Intent::First => 0,
            Intent::Last => usize::MAX,
            _ => return false,
        };
        self.top.set(target.min(self.lines.get().saturating_sub(height)));
        true
    }

    /// Goes back to the beginning.
    pub fn reset(&mut self) {
        self.top.set(0);
    }

    /// Draws the lines that are in view; arrows at the right edge where there are more.
    pub fn draw(&self, text: &Lines, area: Rect, buffer: &mut Buffer, look: Look) {
        let height = usize::from(area.height).max(1);
        self.height.set(height);
        self.lines.set(text.lines.len());
        let top = self.top.get().min(text.lines.len().saturating_sub(height));
        self.top.set(top);
        for (row, (line, tone)) in text.lines.iter().skip(top).take(height).enumerate() {
            text_line(area, row as u16, line, *tone, buffer, look);
        }
        let mut mark = |row: u16, glyph: &str| {
            if let Some(cell) = buffer.cell_mut((area.right(), area.y + row)) {
                cell.set_symbol(glyph).set_style(look.style(Tone::Accent));
            }
        };
        if area.height > 0 && top > 0 {
            mark(0, look.glyphs().up);
        }
        if area.height > 0 && top + height < text.lines.len() {
            mark(area.height - 1, look.glyphs().down);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_line_keeps_its_indent() {
        let mut text = Lines::of_width(10);
        text.add("  one two three\n\nfour", Tone::Plain);
        let lines: Vec<&str> = text.lines.iter().map(|(line, _)| line.as_str()).collect();
        assert_eq!(lines, ["  one two", "  three", "", "four"]);
    }

    #[test]
    fn scrolling_ends_where_the_text_ends() {
        let area = Rect::new(0, 0, 10, 4);
        let mut text = Lines::of_width(10);
        for number in 0..10 {
            text.add(&number.to_string(), Tone::Plain);
        }
        let mut scroll = Scroll::new();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 11, 4));
        let mut first = |scroll: &mut Scroll, intent| {
            scroll.motion(intent, None);
            buffer.reset();
            scroll.draw(&text, area, &mut buffer, Look::default());
            (
                buffer[(0, 0)].symbol().to_owned(),
                buffer[(10, 0)].symbol() != " ",
                buffer[(10, 3)].symbol() != " ",
            )
        };
        assert_eq!(first(&mut scroll, Intent::Help), ("0".into(), false, true));
        assert_eq!(first(&mut scroll, Intent::PageDown), ("3".into(), true, true));
        assert_eq!(first(&mut scroll, Intent::Last), ("6".into(), true, false));
        assert_eq!(first(&mut scroll, Intent::Down), ("6".into(), true, false));
        assert_eq!(first(&mut scroll, Intent::Up), ("5".into(), true, true));
    }
}
