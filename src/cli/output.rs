//! Standard output: buffered, and quiet when its reader has gone.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};

use crate::text::harmless;

/// Standard output of a command.
#[derive(Debug)]
pub struct Output {
    stdout: BufWriter<Stdout>,
    is_terminal: bool,
}

impl Output {
    /// Standard output.
    pub fn new() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        Self { stdout: BufWriter::with_capacity(1 << 16, stdout), is_terminal }
    }

    /// Whether a person reads it.
    pub const fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes a text that people read, or JSON; no control character of it steers a terminal. JSON has
    /// those beyond ASCII as they are, so that programs read them as they are.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        let bare = |letter: char| letter.is_ascii_control() && letter != '\u{7f}';
        if self.is_terminal || text.contains(|letter| bare(letter) && letter != '\n' && letter != '\t') {
            return self.stdout.write_all(harmless(text).as_bytes());
        }
        self.stdout.write_all(text.as_bytes())
    }

    /// Where whoever writes for itself writes to.
    pub fn writer(&mut self) -> &mut dyn io::Write {
        &mut self.stdout
    }

    /// Writes a text and a line feed.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.text(text)?;
        self.text("\n")
    }

    /// Hands everything over.
    pub fn finish(mut self) -> io::Result<()> {
        self.stdout.flush()
    }

    /// Hands over what was written so far.
    pub fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }
}
