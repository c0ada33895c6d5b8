//! A box over the screen: a question, or a line to type in.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::pane::{Pane, paragraph, wrap};
use crate::explorer::look::{Look, Tone};

/// Draws a box of text in the middle of the area, as wide as it needs, and returns the room inside.
pub fn draw(title: &str, text: &str, area: Rect, buffer: &mut Buffer, look: Look) -> Rect {
    let width = area.width.saturating_sub(4).min(64);
    let lines = wrap(text, width.saturating_sub(4).into());
    let height = (lines.len() as u16 + 2).min(area.height);
    let frame =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(frame, buffer);
    let inner = Pane { title, focused: true, ..Pane::default() }.draw(frame, buffer, look);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    paragraph(inner, text, Tone::Plain, buffer, look);
    inner
}
