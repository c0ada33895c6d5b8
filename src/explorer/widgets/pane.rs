//! A pane: a frame with a title, thick where the focus is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Widget};
use unicode_width::UnicodeWidthStr as _;

use crate::explorer::look::{Look, Tone};

/// What the frame says.
#[derive(Debug, Default)]
pub struct Pane<'a> {
    /// The digit that chooses it; 0 for none.
    pub number: u8,
    pub title: &'a str,
    /// At the right of the upper edge.
    pub note: &'a str,
    pub focused: bool,
}

impl Pane<'_> {
    /// Draws the frame and returns what is inside.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, look: Look) -> Rect {
        let title = match self.number {
            0 => format!(" {} ", self.title),
            number => format!(" {number} {} ", self.title),
        };
        let title_width = title.width();
        let tone = if self.focused { Tone::Strong } else { Tone::Plain };
        let mut block = Block::bordered()
            .border_set(look.border(self.focused))
            .border_style(look.border_style(self.focused))
            .title_top(Line::styled(title, look.style(tone)));
        // Where both have no room the title wins.
        let needed = title_width + self.note.width() + 4;
        if !self.note.is_empty() && needed <= area.width.into() {
            let note = Line::styled(format!(" {} ", self.note), look.style(Tone::Muted));
            block = block.title_top(note.right_aligned());
        }
        let inner = block.inner(area);
        block.render(area, buffer);
        inner
    }
}

/// Writes a line of text, cut with an ellipsis if it is too long; returns its width.
pub fn text_line(area: Rect, row: u16, text: &str, tone: Tone, buffer: &mut Buffer, look: Look) -> u16 {
    if row >= area.height || area.width == 0 {
        return 0;
    }
    let shown = cut(text, area.width.into(), look);
    let (x, _) = buffer.set_stringn(area.x, area.y + row, &shown, area.width.into(), look.style(tone));
    x - area.x
}

/// The text, cut to a width in columns.
pub fn cut(text: &str, width: usize, look: Look) -> String {
    let clean = text.replace(|letter: char| letter.is_control(), " ");
    if clean.width() <= width {
        return clean;
    }
    let mut shown = String::new();
    for letter in clean.chars() {
        let mut longer = shown.clone();
        longer.push(letter);
        if longer.width() + 1 > width {
            break;
        }
        shown = longer;
    }
    shown.push_str(look.glyphs().ellipsis);
    shown
}

/// Writes paragraphs, wrapped at blanks; returns the rows used.
pub fn paragraph(area: Rect, text: &str, tone: Tone, buffer: &mut Buffer, look: Look) -> u16 {
    let mut row = 0;
    for line in wrap(text, area.width.into()) {
        text_line(area, row, &line, tone, buffer, look);
        row += 1;
    }
    row.min(area.height)
}

/// Lines of at most this width, broken at blanks where possible.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let mut rest = word;
            if !line.is_empty() && line.chars().count() + 1 + rest.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            while rest.chars().count() > width.max(1) {
                let at = rest.char_indices().nth(width.max(1)).map_or(rest.len(), |(at, _)| at);
                lines.push(rest[..at].to_owned());
                rest = &rest[at..];
            }
            line.push_str(rest);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_blanks_and_long_words_are_broken() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 9), ["a", "", "b"]);
    }

    #[test]
    fn cut_text_says_so_and_has_no_control_characters() {
        let look = Look::default();
        assert_eq!(cut("abcdef", 4, look), "abc…");
        assert_eq!(cut("a\tb", 9, look), "a b");
        assert_eq!(cut("日本語", 4, look), "日…");
    }
}
