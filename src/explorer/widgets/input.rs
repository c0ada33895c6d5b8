//! A line of text being edited, with readline keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use tui_input::{Input, InputRequest};

use crate::explorer::key::{Code, Key};
use crate::explorer::look::{Look, Tone};

/// What a key does to the text; `None` if it does nothing to it.
pub fn request(key: Key) -> Option<InputRequest> {
    let plain = |code| match code {
        Code::Char(letter) => Some(InputRequest::InsertChar(letter)),
        Code::Backspace => Some(InputRequest::DeletePrevChar),
        Code::Delete => Some(InputRequest::DeleteNextChar),
        Code::Left => Some(InputRequest::GoToPrevChar),
        Code::Right => Some(InputRequest::GoToNextChar),
        Code::Home => Some(InputRequest::GoToStart),
        Code::End => Some(InputRequest::GoToEnd),
        _ => None,
    };
    match (key.code, key.ctrl, key.alt) {
        (code, false, false) => plain(code),
        (Code::Char('a'), true, false) => Some(InputRequest::GoToStart),
        (Code::Char('e'), true, false) => Some(InputRequest::GoToEnd),
        (Code::Char('b'), true, false) => Some(InputRequest::GoToPrevChar),
        (Code::Char('f'), true, false) => Some(InputRequest::GoToNextChar),
        (Code::Char('h'), true, false) => Some(InputRequest::DeletePrevChar),
        (Code::Char('d'), true, false) => Some(InputRequest::DeleteNextChar),
        (Code::Char('w'), true, false) | (Code::Backspace, false, true) => Some(InputRequest::DeletePrevWord),
        (Code::Char('u'), true, false) => Some(InputRequest::DeleteFromStart),
        (Code::Char('k'), true, false) => Some(InputRequest::DeleteTillEnd),
        (Code::Char('y'), true, false) => Some(InputRequest::Yank),
        (Code::Char('b'), false, true) | (Code::Left, true, false) => Some(InputRequest::GoToPrevWord),
        (Code::Char('f'), false, true) | (Code::Right, true, false) => Some(InputRequest::GoToNextWord),
        (Code::Char('d'), false, true) => Some(InputRequest::DeleteNextWord),
        _ => None,
    }
}

/// Types a text, as pasted: its first line.
pub fn paste(input: &mut Input, text: &str) {
    for letter in text.lines().next().unwrap_or("").chars().filter(|letter| !letter.is_control()) {
        input.handle(InputRequest::InsertChar(letter));
    }
}

/// Draws the text; with a cursor if it is being edited.
pub fn draw(input: &Input, editing: bool, area: Rect, buffer: &mut Buffer, look: Look) {
    if area.width == 0 || area.height == 0 {
        return;
    }
    let width = usize::from(area.width).saturating_sub(1);
    let scroll = if editing { input.visual_scroll(width) } else { 0 };
    let shown: String = input.value().chars().skip(scroll).collect();
    buffer.set_stringn(area.x, area.y, &shown, area.width.into(), look.style(Tone::Plain));
    if editing {
        let at = area.x + (input.visual_cursor().saturating_sub(scroll)).min(width) as u16;
        if let Some(cell) = buffer.cell_mut((at, area.y)) {
            let style = cell.style().add_modifier(Modifier::REVERSED);
            cell.set_style(style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(input: &mut Input, keys: &[&str]) {
        for key in keys {
            if let Some(request) = Key::parse(key).and_then(request) {
                input.handle(request);
            }
        }
    }

    #[test]
    fn readline_keys_edit() {
        let mut input = Input::default();
        typed(&mut input, &["o", "n", "e", "Space", "t", "w", "o", "Ctrl+W", "x", "Ctrl+A", "y"]);
        assert_eq!(input.value(), "yone x");
        typed(&mut input, &["Ctrl+K"]);
        assert_eq!(input.value(), "y");
    }

    #[test]
    fn only_the_first_line_is_pasted() {
        let mut input = Input::default();
        paste(&mut input, "tick:3\u{7}-9\nmore");
        assert_eq!(input.value(), "tick:3-9");
    }
}
