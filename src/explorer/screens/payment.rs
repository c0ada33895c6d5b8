//! One payment's life, from its arrival to its end: every attempt with what came of it, and what it cost.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::replay::Replay;
use super::{Copyable, Focus, Screen, View, beside, stack};
use crate::explorer::awaiting::Awaiting;
use crate::explorer::describe;
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::filter::EventFilter;
use crate::explorer::format::UNIT;
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::rows::{EventRow, Export, PaymentStory, Row as _, Seek};
use crate::explorer::widgets::pane::Pane;
use crate::explorer::widgets::table::{Cell, Column, Table, cell, toned};
use crate::explorer::widgets::text::{Lines, Scroll};
use crate::explorer::window::Cursor;

const LIFE: u8 = 1;
const FACTS: u8 = 2;

/// The screen.
#[derive(Debug)]
pub struct Payment {
    simulation: String,
    payment: String,
    story: Option<Box<PaymentStory>>,
    awaiting: Awaiting,
    focus: Focus,
    life: Cursor,
    facts: Scroll,
}

const COLUMNS: &[Column<'_>] = &[
    Column::number("tick", 6),
    Column::number("after", 6).rank(2),
    Column::text("type", 23),
    Column::text("what", 16).growing(1),
];

/// How an event moved the payment on.
fn tone(kind: &str) -> Tone {
    match kind {
        "PolicyHold" | "QueuedRtgs" | "TransactionWentOverdue" => Tone::Warn,
        "PolicyDrop" => Tone::Bad,
        settled if settled.contains("Settlement") || settled.starts_with("Lsm") => Tone::Good,
        "Queue2LiquidityRelease" | "EntryDispositionOffset" | "OverdueTransactionSettled" => Tone::Good,
        _ => Tone::Plain,
    }
}

impl Payment {
    /// A payment of a simulation.
    pub const fn new(simulation: String, payment: String) -> Self {
        Self {
            simulation,
            payment,
            story: None,
            awaiting: Awaiting::new(),
            focus: Focus::of(2),
            life: Cursor::new(),
            facts: Scroll::new(),
        }
    }

    fn events(&self) -> &[EventRow] {
        self.story.as_ref().map_or(&[], |story| &story.events)
    }

    fn take(&mut self, story: Box<PaymentStory>) {
        let empty = story.events.is_empty() && story.facts.is_empty();
        if empty {
            self.awaiting.fail(format!("there is no payment `{}` in this simulation", self.payment));
        }
        let key = self.events().get(self.life.at).map(EventRow::key);
        self.life.keep(key.as_ref(), &story.events);
        self.story = Some(story);
    }

    fn draw_life(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let events = self.events();
        let title = format!("Life of {} ({} events), {UNIT}", self.payment, events.len());
        let focused = self.focus.is(LIFE);
        let inner = Pane { number: LIFE, title: &title, note: "", focused }.draw(area, buffer, look);
        let table = Table {
            columns: COLUMNS,
            rows: events,
            selected: self.life.at,
            focused,
            view: &self.life.view,
            empty: self.awaiting.problem().unwrap_or("reading"),
        };
        let begin = events.first().map_or(0, |event| event.tick);
        table.draw(inner, buffer, look, |event| self.cells(event, begin));
    }

    fn cells(&self, event: &EventRow, begin: u64) -> Vec<Cell> {
        let tone = tone(&event.kind);
        let what = describe::summary(&event.line);
        // Its own name is in the title.
        let what = what.replacen(&format!("{}  ", self.payment), "", 1);
        let what = what.strip_suffix(&self.payment).unwrap_or(&what).trim().to_owned();
        vec![
            cell(event.tick.to_string()),
            cell(format!("+{}", event.tick.saturating_sub(begin))),
            toned(&event.kind, tone),
            toned(what, tone),
        ]
    }

    fn draw_facts(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(FACTS);
        let title = format!("Payment, {UNIT}");
        let inner = Pane { number: FACTS, title: &title, note: "", focused }.draw(area, buffer, look);
        let Some(story) = &self.story else { return };
        let mut lines = Lines::of_width(inner.width);
        for (name, value) in &story.facts {
            lines.add(&format!("{name:<15} {value}"), Tone::Plain);
        }
        if !story.parts.is_empty() {
            lines.blank();
            lines.add("Parts", Tone::Strong);
        }
        for (part, amount, became) in &story.parts {
            lines.add(&format!("  {part}  {amount}  {became}"), Tone::Plain);
        }
        if let Some(event) = self.events().get(self.life.at) {
            lines.blank();
            lines.add(&event.kind, Tone::Strong);
            if let Some(help) = describe::help(&event.kind) {
                lines.add(help, Tone::Muted);
            }
            for (key, value) in describe::fields(&event.line) {
                lines.add(&format!("  {key}: {value}"), Tone::Plain);
            }
        }
        self.facts.draw(&lines, inner, buffer, look);
    }
}

impl View for Payment {
    fn crumb(&self) -> String {
        format!("Payment {}", self.payment)
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Lists, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        let query = Query::Payment(self.simulation.clone(), self.payment.clone());
        self.awaiting.ask(desk, Slot::Main, query);
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        if self.focus.intent(intent, count) {
            return true;
        }
        if self.focus.is(FACTS) {
            if self.facts.motion(intent, count) {
                return true;
            }
        } else if self.life.motion(intent, count, self.events().len()) {
            return true;
        }
        if intent != Intent::Into {
            return false;
        }
        if let Some(event) = self.events().get(self.life.at) {
            let seek = Seek::Sequence(event.sequence);
            let replay = Replay::new(self.simulation.clone(), self.simulation.clone(), seek);
            desk.open(Screen::Replay(replay));
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, _desk: &mut Desk<'_>) -> bool {
        let Some(answer) = self.awaiting.arrived(ticket, answer) else { return false };
        if let Some(Answer::Payment(story)) = answer {
            self.take(story);
        }
        true
    }

    fn simulation(&self) -> Option<&str> {
        Some(&self.simulation)
    }

    fn export(&self) -> Option<Export> {
        Some({
            let filter = EventFilter { payment: Some(self.payment.clone()), ..EventFilter::default() };
            Export::Events(self.simulation.clone(), filter)
        })
    }

    fn copyable(&self) -> Option<Copyable> {
        let event = self.events().get(self.life.at)?;
        let link = Link::Payment(self.simulation.clone(), self.payment.clone());
        Some(Copyable { link, id: self.payment.clone(), row: event.line.clone() })
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look = scene.look;
        if self.focus.zoomed {
            match self.focus.pane {
                LIFE => self.draw_life(area, buffer, look),
                _ => self.draw_facts(area, buffer, look),
            }
        } else if area.width >= 110 {
            let [left, right] = beside(area, [area.width * 3 / 5, area.width]);
            self.draw_life(left, buffer, look);
            self.draw_facts(right, buffer, look);
        } else {
            let [top, bottom] = stack(area, [area.height / 2, area.height]);
            self.draw_life(top, buffer, look);
            self.draw_facts(bottom, buffer, look);
        }
    }
}
