//! Keys as the explorer names them: in the key table, in the help and in key scripts alike.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    PageUp,
    PageDown,
    Function(u8),
}

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: Code,
    pub ctrl: bool,
    pub alt: bool,
}

/// Keys that have a name of their own.
const NAMED: &[(&str, Code)] = &[
    ("Enter", Code::Enter),
    ("Esc", Code::Esc),
    ("Tab", Code::Tab),
    ("Shift+Tab", Code::BackTab),
    ("Backspace", Code::Backspace),
    ("Delete", Code::Delete),
    ("Left", Code::Left),
    ("Right", Code::Right),
    ("Up", Code::Up),
    ("Down", Code::Down),
    ("Home", Code::Home),
    ("End", Code::End),
    ("PgUp", Code::PageUp),
    ("PgDn", Code::PageDown),
    ("Space", Code::Char(' ')),
];

impl Key {
    /// A key without modifiers.
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// Reads the help's notation: `j`, `Ctrl+D`, `PgDn`, `F1`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("Ctrl+") {
            let key = Self::parse(rest)?;
            let code = match key.code {
                Code::Char(letter) => Code::Char(letter.to_ascii_lowercase()),
                other => other,
            };
            return Some(Self { code, ctrl: true, ..key });
        }
        if let Some(rest) = text.strip_prefix("Alt+") {
            return Self::parse(rest).map(|key| Self { alt: true, ..key });
        }
        if let Some((_, code)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Some(Self::plain(*code));
        }
        let mut letters = text.chars();
        match (letters.next(), letters.as_str()) {
            (Some(letter), "") => Some(Self::plain(Code::Char(letter))),
            (Some('F'), digits) => digits.parse().ok().map(|number| Self::plain(Code::Function(number))),
            _ => None,
        }
    }

    /// A key of the terminal; `None` for releases and for keys that have no meaning here.
    pub fn from_terminal(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let code = match event.code {
            KeyCode::Char(letter) => Code::Char(letter),
            KeyCode::Enter => Code::Enter,
            KeyCode::Esc => Code::Esc,
            KeyCode::Tab => Code::Tab,
            KeyCode::BackTab => Code::BackTab,
            KeyCode::Backspace => Code::Backspace,
            KeyCode::Delete => Code::Delete,
            KeyCode::Left => Code::Left,
            KeyCode::Right => Code::Right,
            KeyCode::Up => Code::Up,
            KeyCode::Down => Code::Down,
            KeyCode::Home => Code::Home,
            KeyCode::End => Code::End,
            KeyCode::PageUp => Code::PageUp,
            KeyCode::PageDown => Code::PageDown,
            KeyCode::F(number) => Code::Function(number),
            _ => return None,
        };
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = match code {
            Code::Char(letter) if ctrl => Code::Char(letter.to_ascii_lowercase()),
            other => other,
        };
        Some(Self { code, ctrl, alt: event.modifiers.contains(KeyModifiers::ALT) })
    }

    /// The letter that the key types, if it types one.
    pub const fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(letter) if !self.ctrl && !self.alt => Some(letter),
            _ => None,
        }
    }

    /// The digit that the key types, if it types one.
    pub fn digit(self) -> Option<u64> {
        self.typed().and_then(|letter| letter.to_digit(10)).map(u64::from)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl+")?;
        }
        if self.alt {
            f.write_str("Alt+")?;
        }
        if let Some((name, _)) = NAMED.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            Code::Char(letter) if self.ctrl => write!(f, "{}", letter.to_ascii_uppercase()),
            Code::Char(letter) => write!(f, "{letter}"),
            Code::Function(number) => write!(f, "F{number}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_from_the_help() {
        for text in ["j", "G", "Ctrl+D", "Shift+Tab", "PgDn", "Space", "F1", "?", "}", "Alt+b"] {
            assert_eq!(Key::parse(text).map(|key| key.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Key::parse("Nonsense"), None);
    }

    #[test]
    fn only_presses_act() {
        let mut event = KeyEvent::new(KeyCode::Char('D'), KeyModifiers::CONTROL);
        assert_eq!(Key::from_terminal(&event), Key::parse("Ctrl+D"));
        event.kind = KeyEventKind::Release;
        assert_eq!(Key::from_terminal(&event), None);
    }
}
