//! One bank through a simulation: its balance, costs by kind, delays, days and counterparties.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::policy::Policy;
use super::{Copyable, Focus, Screen, View, beside, stack};
use crate::explorer::awaiting::Awaiting;
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::format::{self, UNIT};
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::rows::{BankDay, BankStory, Counterparty, Course, Export, PolicyOf};
use crate::explorer::widgets::chart::{Chart, Series};
use crate::explorer::widgets::pane::Pane;
use crate::explorer::widgets::table::{Cell, Column, Table, cell, joined};
use crate::explorer::widgets::text::{Lines, Scroll};
use crate::explorer::window::Cursor;
use crate::money::grouped;

const BALANCE: u8 = 1;
const FACTS: u8 = 2;
const DAYS: u8 = 3;
const OTHERS: u8 = 4;

/// The screen.
#[derive(Debug)]
pub struct Bank {
    simulation: String,
    bank: String,
    story: Option<Box<BankStory>>,
    course: Course,
    awaiting: Awaiting,
    awaiting_course: Awaiting,
    focus: Focus,
    facts: Scroll,
    days: Cursor,
    others: Cursor,
}

const DAY_COLUMNS: &[Column<'_>] = &[
    Column::number("day", 4),
    Column::number("lowest", 13).growing(1),
    Column::number("highest", 13).growing(1),
    Column::number("opening", 13).rank(5),
    Column::number("closing", 13).rank(4),
    Column::number("line used", 12).rank(2),
    Column::number("arrived", 8).rank(6),
    Column::number("settled", 8).rank(6),
    Column::number("q1 peak", 7).rank(3),
    Column::number("cost", 12).rank(1),
];

const OTHER_COLUMNS: &[Column<'_>] = &[
    Column::text("counterparty", 12).growing(1),
    Column::number("paid", 14),
    Column::number("payments", 8).rank(1),
    Column::number("received", 14),
    Column::number("payments", 8).rank(1),
    Column::number("net", 14).rank(2),
];

fn day_cells(day: &BankDay) -> Vec<Cell> {
    vec![
        cell(day.day.to_string()),
        cell(day.lowest.to_string()),
        cell(day.highest.to_string()),
        cell(day.opening.to_string()),
        cell(day.closing.to_string()),
        cell(day.peak_line.to_string()),
        cell(grouped(day.arrived)),
        cell(grouped(day.settled)),
        cell(grouped(day.queue1_peak)),
        cell(day.cost.to_string()),
    ]
}

fn other_cells(other: &Counterparty) -> Vec<Cell> {
    vec![
        cell(&other.bank),
        cell(other.value_sent.to_string()),
        cell(grouped(other.sent)),
        cell(other.value_received.to_string()),
        cell(grouped(other.received)),
        cell(format::change(other.value_received.saturating_sub(other.value_sent))),
    ]
}

impl Bank {
    /// A bank of a simulation.
    pub fn new(simulation: String, bank: String) -> Self {
        Self {
            simulation,
            bank,
            story: None,
            course: Course::default(),
            awaiting: Awaiting::new(),
            awaiting_course: Awaiting::new(),
            focus: Focus::of(4),
            facts: Scroll::new(),
            days: Cursor::new(),
            others: Cursor::new(),
        }
    }

    fn days(&self) -> &[BankDay] {
        self.story.as_ref().map_or(&[], |story| &story.days)
    }

    fn others(&self) -> &[Counterparty] {
        self.story.as_ref().map_or(&[], |story| &story.counterparties)
    }

    fn draw_pane(&self, pane: u8, area: Rect, buffer: &mut Buffer, look: Look) {
        match pane {
            BALANCE => self.draw_balance(area, buffer, look),
            FACTS => self.draw_facts(area, buffer, look),
            DAYS => self.draw_days(area, buffer, look),
            _ => self.draw_others(area, buffer, look),
        }
    }

    fn draw_balance(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let title = format!("Balance of {}, {UNIT}", self.bank);
        let focused = self.focus.is(BALANCE);
        let inner = Pane { number: BALANCE, title: &title, note: "", focused }.draw(area, buffer, look);
        let own = self.course.balances.iter().find(|(bank, _)| *bank == self.bank);
        let values: Vec<f64> =
            own.map_or_else(Vec::new, |(_, cents)| cents.iter().map(|c| *c as f64).collect());
        let end = (values.len() as u64).saturating_sub(1).saturating_mul(self.course.stride);
        let zero = vec![0.0; values.len()];
        let mut series = vec![Series { label: "balance", values }];
        // Below this line credit is used.
        if own.is_some_and(|(_, cents)| cents.iter().any(|cents| *cents < 0)) {
            series.push(Series { label: "zero", values: zero });
        }
        let ends = ("tick 0".to_owned(), end.to_string());
        let chart =
            Chart { series: &series, ends, cursor: None, axis: format::axis, empty: "reading the balances" };
        chart.draw(inner, buffer, look);
    }

    fn draw_facts(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(FACTS);
        let title = format!("Costs and delays, {UNIT}");
        let inner = Pane { number: FACTS, title: &title, note: "", focused }.draw(area, buffer, look);
        let mut lines = Lines::of_width(inner.width);
        match (self.awaiting.problem().or(self.awaiting_course.problem()), &self.story) {
            (Some(problem), _) => lines.add(problem, Tone::Bad),
            (None, None) => lines.add("reading", Tone::Muted),
            (None, Some(story)) if story.facts.is_empty() => {
                lines.add("Costs are summed up at the end of each day.", Tone::Muted);
            }
            (None, Some(story)) => {
                for (name, value) in &story.facts {
                    lines.add(&format!("{name:<21} {value:>14}"), Tone::Plain);
                }
            }
        }
        self.facts.draw(&lines, inner, buffer, look);
    }

    fn ask(&mut self, desk: &mut Desk<'_>) {
        let query = Query::Bank(self.simulation.clone(), self.bank.clone());
        self.awaiting.ask(desk, Slot::Main, query);
    }

    fn ask_course(&mut self, desk: &mut Desk<'_>) {
        self.awaiting_course.ask(desk, Slot::Side, Query::Course(self.simulation.clone()));
    }

    fn draw_days(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(DAYS);
        let title = format!("Days ({}), {UNIT}", self.days().len());
        let inner = Pane { number: DAYS, title: &title, note: "", focused }.draw(area, buffer, look);
        let table = Table {
            columns: DAY_COLUMNS,
            rows: self.days(),
            selected: self.days.at,
            focused,
            view: &self.days.view,
            empty: "No day has ended yet.",
        };
        table.draw(inner, buffer, look, day_cells);
    }

    fn draw_others(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(OTHERS);
        let title = format!("Settled with ({}), {UNIT}", self.others().len());
        let inner = Pane { number: OTHERS, title: &title, note: "", focused }.draw(area, buffer, look);
        let table = Table {
            columns: OTHER_COLUMNS,
            rows: self.others(),
            selected: self.others.at,
            focused,
            view: &self.others.view,
            empty: "Nothing has settled yet.",
        };
        table.draw(inner, buffer, look, other_cells);
    }
}

impl View for Bank {
    fn crumb(&self) -> String {
        self.bank.clone()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Bank, Scope::Lists, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.ask(desk);
        self.ask_course(desk);
    }

    fn poll(&mut self, desk: &mut Desk<'_>) {
        self.ask(desk);
        // The course of a long run takes longer than the time between two looks.
        if !self.awaiting_course.waits() {
            self.ask_course(desk);
        }
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        if self.focus.intent(intent, count) {
            return true;
        }
        let (days, others) = (self.days().len(), self.others().len());
        let moved = match self.focus.pane {
            FACTS => self.facts.motion(intent, count),
            DAYS => self.days.motion(intent, count, days),
            OTHERS => self.others.motion(intent, count, others),
            _ => false,
        };
        if moved {
            return true;
        }
        match intent {
            Intent::Into if self.focus.is(OTHERS) => {
                if let Some(other) = self.others().get(self.others.at) {
                    desk.open(Screen::Bank(Self::new(self.simulation.clone(), other.bank.clone())));
                }
            }
            Intent::OpenPolicy => {
                let (simulation, bank) = (self.simulation.clone(), self.bank.clone());
                let policy = PolicyOf::Simulated { simulation, bank };
                desk.open(Screen::Policy(Policy::new(None, policy)));
            }
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, _desk: &mut Desk<'_>) -> bool {
        let of_course = self.awaiting_course.awaits(ticket);
        let awaiting = if of_course { &mut self.awaiting_course } else { &mut self.awaiting };
        let Some(answer) = awaiting.arrived(ticket, answer) else { return false };
        match answer {
            Some(Answer::Bank(story)) => self.story = Some(story),
            Some(Answer::Course(course)) => self.course = course,
            _ => {}
        }
        true
    }

    fn simulation(&self) -> Option<&str> {
        Some(&self.simulation)
    }

    fn export(&self) -> Option<Export> {
        Some(Export::Bank(self.simulation.clone(), self.bank.clone()))
    }

    fn copyable(&self) -> Option<Copyable> {
        let day = self.days().get(self.days.at)?;
        let link = Link::Bank(self.simulation.clone(), self.bank.clone());
        Some(Copyable { link, id: self.bank.clone(), row: joined(&day_cells(day)) })
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look = scene.look;
        if self.focus.zoomed {
            self.draw_pane(self.focus.pane, area, buffer, look);
            return;
        }
        let [top, bottom] = stack(area, [area.height / 2, area.height]);
        let facts = 42.min(top.width / 2);
        let [left, right] = beside(top, [top.width - facts, top.width]);
        self.draw_pane(BALANCE, left, buffer, look);
        self.draw_pane(FACTS, right, buffer, look);
        if area.width < 110 {
            let lower = if self.focus.is(OTHERS) { OTHERS } else { DAYS };
            self.draw_pane(lower, bottom, buffer, look);
            return;
        }
        let [left, right] = beside(bottom, [bottom.width / 2, bottom.width]);
        self.draw_pane(DAYS, left, buffer, look);
        self.draw_pane(OTHERS, right, buffer, look);
    }
}
