//! Two runs or two simulations side by side: figures, settings that differ, their course, and the first event
//! in which simulations part.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::policy::Policy;
use super::replay::Replay;
use super::{Focus, Screen, View, beside, stack};
use crate::explorer::awaiting::Awaiting;
use crate::explorer::describe;
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::format::{self, UNIT};
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::rows::{Comparison, Couple, Course, Divergence, EventRow, Figure, PolicyOf, Seek};
use crate::explorer::widgets::chart::{Chart, Series};
use crate::explorer::widgets::pane::{Pane, text_line};
use crate::explorer::widgets::table::{Cell, Column, Table, cell};
use crate::explorer::widgets::text::{Lines, Scroll};
use crate::explorer::window::Cursor;

const FIGURES: u8 = 1;
const CHART: u8 = 2;
const SETTINGS: u8 = 3;
const PARTING: u8 = 4;

/// The screen.
#[derive(Debug)]
pub struct Compare {
    couple: Couple,
    comparison: Option<Box<Comparison>>,
    /// Balances of both simulations, and which bank's are drawn.
    courses: [Option<Course>; 2],
    bank: usize,
    awaiting: Awaiting,
    awaiting_course: Option<(usize, Ticket)>,
    focus: Focus,
    figures: Cursor,
    settings: Cursor,
    parting: Scroll,
}

const FIGURE_COLUMNS: &[Column<'_>] = &[
    Column::text("figure", 18).growing(1),
    Column::number("a", 14),
    Column::number("b", 14),
    Column::number("b - a", 12).rank(1),
];

const SETTING_COLUMNS: &[Column<'_>] = &[
    Column::text("setting", 20).growing(2),
    Column::text("a", 10).growing(1),
    Column::text("b", 10).growing(1),
];

fn figure_cells(figure: &Figure) -> Vec<Cell> {
    vec![cell(&figure.name), cell(&figure.a), cell(&figure.b), cell(&figure.difference)]
}

fn setting_cells(setting: &Figure) -> Vec<Cell> {
    vec![cell(&setting.name), cell(&setting.a), cell(&setting.b)]
}

impl Compare {
    /// Two runs, or two simulations.
    pub fn new(couple: Couple) -> Self {
        Self {
            couple,
            comparison: None,
            courses: [None, None],
            bank: 0,
            awaiting: Awaiting::new(),
            awaiting_course: None,
            focus: Focus::of(4),
            figures: Cursor::new(),
            settings: Cursor::new(),
            parting: Scroll::new(),
        }
    }

    const fn ids(&self) -> [&String; 2] {
        match &self.couple {
            Couple::Runs(a, b) | Couple::Simulations(a, b) => [a, b],
        }
    }

    fn ask(&mut self, desk: &mut Desk<'_>) {
        self.awaiting.ask(desk, Slot::Main, Query::Compare(self.couple.clone()));
    }

    fn ask_course(&mut self, side: usize, desk: &mut Desk<'_>) {
        if let Couple::Simulations(a, b) = &self.couple {
            let id = if side == 0 { a } else { b };
            self.awaiting_course = Some((side, desk.ask(Slot::Side, Query::Course(id.clone()))));
        }
    }

    fn figures(&self) -> &[Figure] {
        self.comparison.as_ref().map_or(&[], |comparison| &comparison.figures)
    }

    fn settings(&self) -> &[Figure] {
        self.comparison.as_ref().map_or(&[], |comparison| &comparison.settings)
    }

    fn divergence(&self) -> Option<&Divergence> {
        self.comparison.as_ref()?.divergence.as_ref()
    }

    /// Goes to the first event that differs, in a or, if a has none there, in b.
    fn jump(&self, desk: &mut Desk<'_>) {
        let Couple::Simulations(a, b) = &self.couple else {
            desk.complain("runs have no events of their own: compare two of their simulations");
            return;
        };
        let Some(divergence) = self.divergence() else {
            desk.say("every event is the same");
            return;
        };
        let (id, other) = if divergence.a.is_some() { (a, b) } else { (b, a) };
        let seek = Seek::Sequence(divergence.sequence);
        let mut replay = Replay::new(id.clone(), id.clone(), seek);
        replay.set_companion(other.clone());
        desk.open(Screen::Replay(replay));
    }

    /// The policies of the bank of the chart in both simulations.
    fn open_policies(&self, desk: &mut Desk<'_>) {
        let (Couple::Simulations(a, b), Some(bank)) = (&self.couple, self.bank()) else {
            desk.complain("the policies of runs are reached from their iterations");
            return;
        };
        let of =
            |simulation: &String| PolicyOf::Simulated { simulation: simulation.clone(), bank: bank.clone() };
        desk.open(Screen::Policy(Policy::new(Some(of(a)), of(b))));
    }

    /// The bank whose balances are drawn.
    fn bank(&self) -> Option<String> {
        let course = self.courses.iter().flatten().next()?;
        course.balances.get(self.bank).map(|(bank, _)| bank.clone())
    }

    fn turn(&mut self, forward: bool) {
        let banks = self.courses.iter().flatten().map(|course| course.balances.len()).max().unwrap_or(0);
        let step = if forward { 1 } else { banks.saturating_sub(1) };
        self.bank = (self.bank + step) % banks.max(1);
    }

    fn draw_table(&self, pane: u8, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(pane);
        let (title, rows, cursor, columns) = match pane {
            FIGURES => (format!("Figures, {UNIT}"), self.figures(), &self.figures, FIGURE_COLUMNS),
            _ => {
                let title = format!("Settings that differ ({})", self.settings().len());
                (title, self.settings(), &self.settings, SETTING_COLUMNS)
            }
        };
        let inner = Pane { number: pane, title: &title, note: "", focused }.draw(area, buffer, look);
        let empty = match (self.awaiting.problem(), &self.comparison) {
            (Some(problem), _) => problem,
            (None, Some(_)) => "none",
            (None, None) => "reading",
        };
        let table = Table { columns, rows, selected: cursor.at, focused, view: &cursor.view, empty };
        let cells = if pane == FIGURES { figure_cells } else { setting_cells };
        table.draw(inner, buffer, look, cells);
    }

    fn draw_chart(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(CHART);
        let bank = self.bank();
        let title = match (&self.couple, &bank) {
            (Couple::Runs(..), _) => format!("Total cost by iteration, {UNIT}"),
            (Couple::Simulations(..), Some(bank)) => format!("Balance of {bank}, {UNIT}"),
            (Couple::Simulations(..), None) => "Balances".to_owned(),
        };
        let note = if bank.is_some() { "> <: other banks" } else { "" };
        let inner = Pane { number: CHART, title: &title, note, focused }.draw(area, buffer, look);
        let values = [0, 1].map(|side| self.values(side, bank.as_deref()));
        // Both over one axis: the shorter one ends earlier.
        let longest = values.iter().map(Vec::len).max().unwrap_or(0);
        let padded = values.map(|mut values| {
            values.resize(longest, f64::NAN);
            values
        });
        let mut series: Vec<Series<'_>> = Vec::new();
        for (label, values) in ["a", "b"].into_iter().zip(padded) {
            series.push(Series { label, values });
        }
        let stride = self.courses.iter().flatten().map(|course| course.stride).max().unwrap_or(1);
        let end = (longest as u64).saturating_sub(1).saturating_mul(stride);
        let ends = match bank {
            Some(_) => ("tick 0".to_owned(), end.to_string()),
            None => (format!("iteration {}", format::iteration(0)), format::iteration(end)),
        };
        let chart = Chart { series: &series, ends, cursor: None, axis: format::axis, empty: "reading" };
        chart.draw(inner, buffer, look);
    }

    fn values(&self, side: usize, bank: Option<&str>) -> Vec<f64> {
        let course = self.courses.get(side).and_then(Option::as_ref);
        match (&self.couple, course) {
            (Couple::Simulations(..), Some(course)) => {
                let own = course.balances.iter().find(|(name, _)| Some(name.as_str()) == bank);
                // A sample of every stretch of the coarser of the two.
                let most = self.courses.iter().flatten().map(|course| course.stride).max().unwrap_or(1);
                let every = usize::try_from(most / course.stride.max(1)).unwrap_or(1).max(1);
                let values = own.map_or(&[][..], |(_, values)| values.as_slice());
                values.iter().step_by(every).map(|cents| *cents as f64).collect()
            }
            (Couple::Runs(..), _) => {
                let costs = self.comparison.as_ref().map(|comparison| &comparison.costs);
                costs.and_then(|costs| costs.get(side)).cloned().unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    fn draw_parting(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(PARTING);
        let title = "First event that differs";
        let note = if self.divergence().is_some() { "D goes there" } else { "" };
        let inner = Pane { number: PARTING, title, note, focused }.draw(area, buffer, look);
        let mut lines = Lines::of_width(inner.width);
        match (&self.comparison, self.divergence()) {
            (None, _) => lines.add("reading", Tone::Muted),
            (Some(_), Some(divergence)) => {
                for (name, event) in [("a", &divergence.a), ("b", &divergence.b)] {
                    told(name, event.as_ref(), &mut lines);
                }
            }
            (Some(_), None) if matches!(self.couple, Couple::Runs(..)) => {
                lines.add("Runs have no events of their own: compare two of their simulations.", Tone::Muted);
            }
            (Some(_), None) => lines.add("Every event is the same.", Tone::Good),
        }
        self.parting.draw(&lines, inner, buffer, look);
    }

    fn draw_pane(&self, pane: u8, area: Rect, buffer: &mut Buffer, look: Look) {
        match pane {
            CHART => self.draw_chart(area, buffer, look),
            PARTING => self.draw_parting(area, buffer, look),
            _ => self.draw_table(pane, area, buffer, look),
        }
    }
}

/// The event of one side in full.
fn told(name: &str, event: Option<&EventRow>, lines: &mut Lines) {
    match event {
        None => lines.add(&format!("{name}: has ended before"), Tone::Strong),
        Some(event) => {
            let head = format!("{name}: event {} in tick {}, {}", event.sequence, event.tick, event.kind);
            lines.add(&head, Tone::Strong);
            lines.add(&format!("   {}", describe::summary(&event.line)), Tone::Plain);
        }
    }
}

impl View for Compare {
    fn crumb(&self) -> String {
        "Compare".into()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Compare, Scope::Lists, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.ask(desk);
        self.ask_course(0, desk);
    }

    fn poll(&mut self, desk: &mut Desk<'_>) {
        self.ask(desk);
        // The courses of long runs take longer than the time between two looks.
        if self.awaiting_course.is_none() {
            self.ask_course(0, desk);
        }
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        if self.focus.intent(intent, count) {
            return true;
        }
        let (figures, settings) = (self.figures().len(), self.settings().len());
        let moved = match self.focus.pane {
            FIGURES => self.figures.motion(intent, count, figures),
            SETTINGS => self.settings.motion(intent, count, settings),
            PARTING => self.parting.motion(intent, count),
            _ => false,
        };
        if moved {
            return true;
        }
        match intent {
            Intent::FirstDifference => self.jump(desk),
            Intent::Into if self.focus.is(PARTING) => self.jump(desk),
            Intent::OpenPolicy => self.open_policies(desk),
            Intent::NextBank | Intent::PreviousBank => self.turn(intent == Intent::NextBank),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, desk: &mut Desk<'_>) -> bool {
        if let Some((side, _)) = self.awaiting_course.take_if(|(_, awaited)| *awaited == ticket) {
            match answer {
                Ok(Answer::Course(course)) => self.courses[side] = Some(course),
                Ok(_) => {}
                Err(problem) => desk.complain(problem),
            }
            if side == 0 {
                self.ask_course(1, desk);
            }
            return true;
        }
        let Some(answer) = self.awaiting.arrived(ticket, answer) else { return false };
        if let Some(Answer::Comparison(comparison)) = answer {
            self.comparison = Some(comparison);
        }
        true
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look = scene.look;
        let [head, body] = stack(area, [2, area.height]);
        for (row, (name, id)) in ["a", "b"].into_iter().zip(self.ids()).enumerate() {
            text_line(head, row as u16, &format!(" {name}: {id}"), Tone::Series(row), buffer, look);
        }
        if self.focus.zoomed {
            self.draw_pane(self.focus.pane, body, buffer, look);
            return;
        }
        let [top, bottom] = stack(body, [body.height * 3 / 5, body.height]);
        if body.width < 110 {
            let upper = if self.focus.is(CHART) { CHART } else { FIGURES };
            let lower = if self.focus.is(SETTINGS) { SETTINGS } else { PARTING };
            self.draw_pane(upper, top, buffer, look);
            self.draw_pane(lower, bottom, buffer, look);
            return;
        }
        let [left, right] = beside(top, [top.width / 2, top.width]);
        self.draw_pane(FIGURES, left, buffer, look);
        self.draw_pane(CHART, right, buffer, look);
        let [left, right] = beside(bottom, [bottom.width / 2, bottom.width]);
        self.draw_pane(SETTINGS, left, buffer, look);
        self.draw_pane(PARTING, right, buffer, look);
    }
}
