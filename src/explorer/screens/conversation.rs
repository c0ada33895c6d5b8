//! What a proposer was told in an iteration, what it said, and what came of it: every call, in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Copyable, Focus, View, beside, stack};
use crate::explorer::awaiting::Awaiting;
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::format::{counted, iteration};
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::rows::{Exchange, Row as _};
use crate::explorer::widgets::pane::Pane;
use crate::explorer::widgets::table::{Cell, Column, Table, cell, joined, toned};
use crate::explorer::widgets::text::{Lines, Scroll};
use crate::explorer::window::Cursor;
use crate::money::grouped;

const LIST: u8 = 1;
const TEXT: u8 = 2;

/// The screen.
#[derive(Debug)]
pub struct Conversation {
    run: String,
    iteration: u64,
    /// The bank whose first call is selected when the calls come in.
    bank: Option<String>,
    exchanges: Option<Vec<Exchange>>,
    awaiting: Awaiting,
    focus: Focus,
    list: Cursor,
    text: Scroll,
}

const COLUMNS: &[Column<'_>] = &[
    Column::text("bank", 10).growing(1),
    Column::number("call", 4),
    Column::text("came to", 10),
    Column::number("tokens in", 9).rank(1),
    Column::number("out", 7).rank(1),
    Column::number("seconds", 7).rank(2),
    Column::text("model", 16).growing(1).rank(3),
];

fn came_to(exchange: &Exchange, look: Look) -> (String, Tone) {
    let glyphs = look.glyphs();
    match (&exchange.error, &exchange.reply) {
        (Some(_), _) => (format!("{} unusable", glyphs.failed), Tone::Bad),
        (None, Some(_)) => (format!("{} policy", glyphs.done), Tone::Good),
        (None, None) => (format!("{} none", glyphs.dot), Tone::Muted),
    }
}

fn cells(exchange: &Exchange, look: Look) -> Vec<Cell> {
    let (word, tone) = came_to(exchange, look);
    vec![
        cell(&exchange.bank),
        cell(exchange.call.to_string()),
        toned(word, tone),
        cell(grouped(exchange.prompt_tokens)),
        cell(grouped(exchange.completion_tokens)),
        cell(format!("{:.1}", exchange.seconds)),
        cell(&exchange.model),
    ]
}

/// The exchange in full, in the order in which it happened.
fn spoken(exchange: &Exchange, lines: &mut Lines, look: Look) {
    let (word, tone) = came_to(exchange, look);
    let why = exchange.error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
    lines.add(&format!("{word}{why}"), tone);
    if exchange.error.is_none() && exchange.reply.is_none() {
        lines.add("The proposer had no better policy to offer.", Tone::Muted);
    }
    let prompts =
        [("What it is told of its task", &exchange.system_prompt), ("Question", &exchange.user_prompt)];
    for (title, text) in prompts.into_iter().filter(|(_, text)| !text.is_empty()) {
        lines.blank();
        lines.add(title, Tone::Strong);
        lines.add(text, Tone::Plain);
    }
    if let Some(reply) = &exchange.reply {
        lines.blank();
        lines.add("Reply", Tone::Strong);
        let value = serde_json::from_str::<serde_json::Value>(reply);
        lines.add(&value.map_or_else(|_| reply.clone(), |value| format!("{value:#}")), Tone::Plain);
    }
}

impl Conversation {
    /// The calls of an iteration, from those for a bank on.
    pub const fn new(run: String, iteration: u64, bank: String) -> Self {
        Self {
            run,
            iteration,
            bank: Some(bank),
            exchanges: None,
            awaiting: Awaiting::new(),
            focus: Focus::of(2),
            list: Cursor::new(),
            text: Scroll::new(),
        }
    }

    fn rows(&self) -> &[Exchange] {
        self.exchanges.as_deref().unwrap_or_default()
    }

    fn take(&mut self, exchanges: Vec<Exchange>) {
        let key = self.rows().get(self.list.at).map(Exchange::key);
        self.list.keep(key.as_ref(), &exchanges);
        if let Some(bank) = self.bank.take() {
            self.list.at = exchanges.iter().position(|exchange| exchange.bank == bank).unwrap_or(0);
        }
        self.exchanges = Some(exchanges);
    }

    fn draw_list(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(LIST);
        let rows = self.rows();
        let title = format!("Calls in iteration {} ({})", iteration(self.iteration), rows.len());
        let tokens: u64 =
            rows.iter().map(|row| row.prompt_tokens.saturating_add(row.completion_tokens)).sum();
        let note = if tokens == 0 { String::new() } else { counted(tokens as usize, "token", "tokens") };
        let inner = Pane { number: LIST, title: &title, note: &note, focused }.draw(area, buffer, look);
        let empty = match (self.awaiting.problem(), &self.exchanges) {
            (Some(problem), _) => problem,
            (None, None) => "reading",
            (None, Some(_)) => "Nobody was asked in this iteration.",
        };
        let table =
            Table { columns: COLUMNS, rows, selected: self.list.at, focused, view: &self.list.view, empty };
        table.draw(inner, buffer, look, |exchange| cells(exchange, look));
    }

    fn draw_text(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(TEXT);
        let exchange = self.rows().get(self.list.at);
        let title = exchange.map_or_else(
            || "Exchange".to_owned(),
            |exchange| format!("{}, call {}", exchange.bank, exchange.call),
        );
        let inner = Pane { number: TEXT, title: &title, note: "", focused }.draw(area, buffer, look);
        if let Some(exchange) = exchange {
            let mut lines = Lines::of_width(inner.width);
            spoken(exchange, &mut lines, look);
            self.text.draw(&lines, inner, buffer, look);
        }
    }
}

impl View for Conversation {
    fn crumb(&self) -> String {
        format!("Conversation of iteration {}", iteration(self.iteration))
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Lists, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        let query = Query::Conversation(self.run.clone(), self.iteration);
        self.awaiting.ask(desk, Slot::Main, query);
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, _desk: &mut Desk<'_>) -> bool {
        if self.focus.intent(intent, count) {
            return true;
        }
        if self.focus.is(TEXT) {
            if self.text.motion(intent, count) {
                return true;
            }
        } else if self.list.motion(intent, count, self.rows().len()) {
            self.text.reset();
            return true;
        }
        if intent == Intent::Into {
            self.focus.pane = TEXT;
        }
        intent == Intent::Into
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, _desk: &mut Desk<'_>) -> bool {
        let Some(answer) = self.awaiting.arrived(ticket, answer) else { return false };
        if let Some(Answer::Conversation(exchanges)) = answer {
            self.take(exchanges);
        }
        true
    }

    fn copyable(&self) -> Option<Copyable> {
        let exchange = self.rows().get(self.list.at)?;
        let link = Link::Iteration(self.run.clone(), self.iteration);
        Some(Copyable { link, id: self.run.clone(), row: joined(&cells(exchange, Look::default())) })
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look = scene.look;
        if self.focus.zoomed {
            match self.focus.pane {
                LIST => self.draw_list(area, buffer, look),
                _ => self.draw_text(area, buffer, look),
            }
        } else if area.width >= 110 {
            let [left, right] = beside(area, [46, area.width]);
            self.draw_list(left, buffer, look);
            self.draw_text(right, buffer, look);
        } else {
            let rows = (self.rows().len() as u16).saturating_add(3).clamp(4, (area.height / 3).max(4));
            let [top, bottom] = stack(area, [rows, area.height]);
            self.draw_list(top, buffer, look);
            self.draw_text(bottom, buffer, look);
        }
    }
}
