//! Help: the keys of the screen before, those of everywhere, and what every event means.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::View;
use crate::event::EventKind;
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::keymap::{Intent, Keymap, Scope};
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Ticket};
use crate::explorer::prompt::{Prompt, Purpose};
use crate::explorer::widgets::pane::{Pane, text_line};
use crate::explorer::window::Cursor;

/// The screen.
#[derive(Debug)]
pub struct Help {
    lines: Vec<(String, Tone)>,
    cursor: Cursor,
    wanted: String,
}

/// Words that the screens use, with what they mean.
const WORDS: &[(&str, &str)] = &[
    ("queue 1", "payments that their bank's policy has not released yet; one queue for each bank"),
    ("queue 2", "payments released to the settlement system that could not settle at once"),
    ("line used", "credit line in use: how far a balance is below zero"),
    ("collateral", "posted collateral; it raises the credit line"),
    ("fraction", "part of its liquidity pool that a bank allocates every morning"),
    ("iteration", "one round of an experiment: evaluate the policies, let each bank propose a better one"),
    ("proposer", "who proposes policies: the built-in search, a script, a language model"),
    ("samples", "bootstrap samples on which a proposal is compared with the policy in force"),
];

impl Help {
    /// Help about the screen with these scopes.
    pub fn about(scopes: &[Scope], keymap: &Keymap) -> Self {
        let mut lines = Vec::new();
        for (title, rows) in keymap.help(scopes) {
            lines.push((title.to_owned(), Tone::Accent));
            lines.extend(rows.into_iter().map(|(keys, help)| (format!("  {keys:<18} {help}"), Tone::Plain)));
            lines.push((String::new(), Tone::Plain));
        }
        lines.push(("Names of these keys in the settings, `[explorer.keys]`".to_owned(), Tone::Accent));
        for (intent, help, _) in keymap.commands(scopes) {
            lines.push((format!("  {:<18} {help}", intent.name()), Tone::Plain));
        }
        lines.push((String::new(), Tone::Plain));
        lines.push(("Words".to_owned(), Tone::Accent));
        lines.extend(WORDS.iter().map(|(word, help)| (format!("  {word:<18} {help}"), Tone::Plain)));
        lines.push((String::new(), Tone::Plain));
        lines.push(("Events".to_owned(), Tone::Accent));
        for kind in EventKind::ALL {
            let info = kind.info();
            lines.push((format!("  {:<26} {}", info.name, info.help.trim()), Tone::Plain));
        }
        Self { lines, cursor: Cursor::new(), wanted: String::new() }
    }

    fn find(&mut self, forward: bool, desk: &mut Desk<'_>) {
        let wanted = self.wanted.to_lowercase();
        let matches = |at: &usize| self.lines[*at].0.to_lowercase().contains(&wanted);
        let (at, end) = (self.cursor.at, self.lines.len());
        let found = if forward {
            (at + 1..end).chain(0..=at).find(matches)
        } else {
            (0..at).rev().chain((at..end).rev()).find(matches)
        };
        match found {
            Some(line) if !wanted.is_empty() => self.cursor.at = line,
            _ => desk.complain(format!("`{}` is not in the help", self.wanted)),
        }
    }
}

impl View for Help {
    fn crumb(&self) -> String {
        "Help".into()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Lists, Scope::Search, Scope::Everywhere]
    }

    fn enter(&mut self, _desk: &mut Desk<'_>) {}

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        if self.cursor.motion(intent, count, self.lines.len()) {
            return true;
        }
        match intent {
            Intent::Search => *desk.prompt = Some(Prompt::new(Purpose::Search, self.wanted.clone())),
            Intent::NextMatch | Intent::PreviousMatch => self.find(intent == Intent::NextMatch, desk),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, _ticket: Ticket, _answer: Result<Answer, String>, _desk: &mut Desk<'_>) -> bool {
        false
    }

    fn given(&mut self, _purpose: Purpose, text: &str, desk: &mut Desk<'_>) {
        if !text.is_empty() {
            self.wanted = text.to_owned();
        }
        self.find(true, desk);
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look: Look = scene.look;
        let database = format!("database {}", scene.database);
        let pane = Pane { number: 0, title: "Help", note: &database, focused: true };
        let inner = pane.draw(area, buffer, look);
        let height = usize::from(inner.height);
        let top = self.cursor.view.fit(self.cursor.at, self.lines.len(), height);
        for (place, (text, tone)) in self.lines.iter().enumerate().skip(top).take(height) {
            let row = (place - top) as u16;
            if place == self.cursor.at {
                text_line(inner, row, look.glyphs().marker, Tone::Strong, buffer, look);
            }
            let line = Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), ..inner };
            text_line(line, row, text, *tone, buffer, look);
        }
    }
}
