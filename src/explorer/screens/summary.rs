//! What a run of an experiment found, in one page.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Copyable, View};
use crate::explorer::awaiting::Awaiting;
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::look::Tone;
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::widgets::pane::Pane;
use crate::explorer::widgets::text::{Lines, Scroll};

/// The screen.
#[derive(Debug)]
pub struct Summary {
    run: String,
    text: Option<String>,
    awaiting: Awaiting,
    scroll: Scroll,
}

impl Summary {
    /// The summary of a run.
    pub const fn new(run: String) -> Self {
        Self { run, text: None, awaiting: Awaiting::new(), scroll: Scroll::new() }
    }
}

impl View for Summary {
    fn crumb(&self) -> String {
        "Summary".into()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Lists, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.awaiting.ask(desk, Slot::Main, Query::Summary(self.run.clone()));
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, _desk: &mut Desk<'_>) -> bool {
        self.scroll.motion(intent, count)
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, _desk: &mut Desk<'_>) -> bool {
        let Some(answer) = self.awaiting.arrived(ticket, answer) else { return false };
        match answer {
            Some(Answer::Summary(Some(text))) => self.text = Some(text),
            Some(_) => self.awaiting.fail(format!("there is no run `{}` here", self.run)),
            None => {}
        }
        true
    }

    fn copyable(&self) -> Option<Copyable> {
        let text = self.text.clone()?;
        Some(Copyable { link: Link::Run(self.run.clone()), id: self.run.clone(), row: text })
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let pane = Pane { number: 0, title: "What the run found", note: &self.run, focused: true };
        let inner = pane.draw(area, buffer, scene.look);
        let mut lines = Lines::of_width(inner.width);
        match (self.awaiting.problem(), &self.text) {
            (Some(problem), _) => lines.add(problem, Tone::Bad),
            (None, Some(text)) => lines.add(text, Tone::Plain),
            (None, None) => lines.add("reading", Tone::Muted),
        }
        self.scroll.draw(&lines, inner, buffer, scene.look);
    }
}
