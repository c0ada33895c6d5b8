//! Recorded simulations, newest first; all of them, or those that a filter lets through.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::compare::Compare;
use super::events::Events;
use super::policy::Policy;
use super::replay::Replay;
use super::{Copyable, Screen, View, stack};
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::filter::FilterOf;
use crate::explorer::format::{UNIT, badge, iteration, money, percent};
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::look::{Look, Tone};
use crate::explorer::marked::Marked;
use crate::explorer::message::{Answer, From, Page, Query, Slot, Ticket};
use crate::explorer::prompt::{Prompt, Purpose};
use crate::explorer::rows::{Couple, Export, PolicyOf, Seek, SimulationFilter, SimulationRow, Sort, Status};
use crate::explorer::search::Search;
use crate::explorer::widgets::pane::{Pane, text_line, wrap};
use crate::explorer::widgets::table::{Cell, Column, Table, cell, joined, toned};
use crate::explorer::window::{PAGE, Window};
use crate::money::grouped;

/// The screen.
#[derive(Debug, Default)]
pub struct Simulations {
    filter: SimulationFilter,
    window: Window<SimulationRow>,
    search: Search,
    /// The row that the next marked one is compared with.
    marked: Marked,
}

const COLUMNS: &[Column<'_>] = &[
    Column::text("scenario", 14).growing(2),
    Column::text("state", 13),
    Column::text("why", 12).rank(2),
    Column::number("iteration", 9).rank(3),
    Column::number("seed", 11).rank(5),
    Column::number("ticks", 11),
    Column::number("events", 10).rank(1),
    Column::number("cost", 14).rank(1),
    Column::number("settled", 8).rank(2),
    Column::text("started", 19).rank(4),
    Column::text("simulation id", 32).growing(1).rank(6),
];

fn cells(simulation: &SimulationRow, look: Look) -> Vec<Cell> {
    let (state, tone) = badge(simulation.status, look);
    let why = match (&simulation.agent, simulation.sample) {
        (Some(agent), Some(sample)) => format!("{} {agent} {sample}", simulation.purpose),
        (Some(agent), None) => format!("{} {agent}", simulation.purpose),
        (None, Some(sample)) => format!("{} {sample}", simulation.purpose),
        (None, None) => simulation.purpose.clone(),
    };
    let ticks = if simulation.ticks_stored == simulation.ticks {
        grouped(simulation.ticks)
    } else {
        format!("{} of {}", grouped(simulation.ticks_stored), grouped(simulation.ticks))
    };
    // The points of a sweep stand in the place of iterations, by their own numbers.
    let number = |index: u64| if simulation.is_of_sweep() { index.to_string() } else { iteration(index) };
    vec![
        cell(&simulation.title),
        toned(state, tone),
        cell(why),
        cell(simulation.iteration.map_or_else(String::new, number)),
        cell(simulation.seed.to_string()),
        cell(ticks),
        cell(grouped(simulation.events)),
        cell(money(simulation.cost)),
        cell(percent(simulation.settlement_rate)),
        cell(&simulation.started),
        cell(&simulation.id),
    ]
}

impl Simulations {
    /// The simulations that a filter lets through.
    pub fn new(filter: SimulationFilter) -> Self {
        Self { filter, ..Self::default() }
    }

    fn read(&mut self, page: Page<(i64, String)>, desk: &mut Desk<'_>) {
        let from = page.from.clone();
        let ticket = desk.ask(Slot::Main, Query::Simulations(self.filter.clone(), page));
        self.window.expect(ticket, from);
    }

    /// Marks a row; with a second one both are compared.
    fn mark(&mut self, desk: &mut Desk<'_>) {
        let selected = self.window.selected().map(|row| row.id.clone());
        if let Some((a, b)) = selected.and_then(|id| self.marked.take(id)) {
            desk.open(Screen::Compare(Compare::new(Couple::Simulations(a, b))));
        }
    }

    /// Shows what a filter lets through.
    fn show(&mut self, filter: SimulationFilter, desk: &mut Desk<'_>) {
        self.filter = filter;
        self.window = Window::default();
        self.enter(desk);
    }

    fn find(&mut self, forward: bool, desk: &mut Desk<'_>) {
        let text = |row: &SimulationRow| {
            format!("{} {} {} {} {}", row.id, row.title, row.purpose, row.status.word(), row.seed)
        };
        match self.search.next(self.window.rows(), self.window.at(), forward, text) {
            Ok(key) => {
                self.window.select(&key);
            }
            Err(problem) => desk.complain(problem),
        }
    }
}

impl View for Simulations {
    fn crumb(&self) -> String {
        match &self.filter {
            SimulationFilter { run: Some(_), iteration: Some(index), .. } => {
                format!("Iteration {}", iteration(*index))
            }
            SimulationFilter { run: Some(_), point: Some(point), .. } => format!("Point {point}"),
            SimulationFilter { run: Some(_), .. } => "Simulations of the run".into(),
            SimulationFilter { .. } => "Simulations".into(),
        }
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Simulations, Scope::Filtered, Scope::Lists, Scope::Search, Scope::Marks, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.read(self.window.again(), desk);
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        if let Some(needed) = self.window.motion(intent, count) {
            if let Some(from) = needed {
                self.read(Page { from, limit: PAGE }, desk);
            }
            return true;
        }
        match intent {
            Intent::Into => {
                if let Some(simulation) = self.window.selected() {
                    let replay = Replay::new(simulation.id.clone(), simulation.title.clone(), Seek::Tick(0));
                    desk.open(Screen::Replay(replay));
                }
            }
            Intent::OpenEvents => {
                if let Some(simulation) = self.window.selected() {
                    let events = Events::new(simulation.id.clone(), From::First);
                    desk.open(Screen::Events(events));
                }
            }
            Intent::OpenPolicy => {
                if let Some(row) = self.window.selected() {
                    let policy = PolicyOf::Simulated { simulation: row.id.clone(), bank: String::new() };
                    desk.open(Screen::Policy(Policy::new(None, policy)));
                }
            }
            Intent::Mark => self.mark(desk),
            Intent::Filter => {
                let typed = self.filter.typed();
                *desk.prompt = Some(Prompt::new(Purpose::Filter(FilterOf::Simulations), typed));
            }
            Intent::Sort => {
                let sort = Sort::next(self.filter.sort);
                self.show(SimulationFilter { sort, ..self.filter.clone() }, desk);
            }
            Intent::ClearFilter => self.show(SimulationFilter::default(), desk),
            Intent::Search => *desk.prompt = Some(Prompt::new(Purpose::Search, self.search.text())),
            Intent::NextMatch | Intent::PreviousMatch => self.find(intent == Intent::NextMatch, desk),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, desk: &mut Desk<'_>) -> bool {
        let rows = |answer| match answer {
            Answer::Simulations(batch) => Some(batch),
            _ => None,
        };
        self.window.answer(ticket, answer, rows, desk)
    }

    fn given(&mut self, purpose: Purpose, text: &str, desk: &mut Desk<'_>) {
        match purpose {
            Purpose::Search => {
                self.search.set(text);
                self.find(true, desk);
            }
            Purpose::Filter(_) => match SimulationFilter::parse(text) {
                Ok(filter) => self.show(filter, desk),
                Err(problem) => desk.complain(problem),
            },
            _ => {}
        }
    }

    fn filter(&self) -> Option<(FilterOf, String)> {
        Some((FilterOf::Simulations, self.filter.typed()))
    }

    fn export(&self) -> Option<Export> {
        Some(Export::Simulations(self.filter.clone()))
    }

    fn copyable(&self) -> Option<Copyable> {
        let simulation = self.window.selected()?;
        let id = simulation.id.clone();
        let row = joined(&cells(simulation, Look::default()));
        Some(Copyable { link: Link::Replay(id.clone(), 0, None), id, row })
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let selected = self.window.selected();
        let remark = selected.and_then(|row| row.error.as_deref()).unwrap_or_default();
        let mut remark = wrap(remark, usize::from(area.width.saturating_sub(2)));
        // At the floor of 80 × 24 there is room for every remark that the program makes.
        remark.truncate(usize::from(area.height / 2).max(1));
        let below = 1 + remark.len().max(1) as u16;
        let [list, detail] = stack(area, [area.height.saturating_sub(below), below]);
        let title = format!("Simulations ({}), costs in {UNIT}", grouped(self.window.total()));
        let marked = self.marked.note();
        let filter = self.filter.typed();
        let note = marked.as_deref().unwrap_or(&filter);
        let pane = Pane { number: 0, title: &title, note, focused: true };
        let inner = pane.draw(list, buffer, scene.look);
        let table = Table {
            columns: COLUMNS,
            rows: self.window.rows(),
            selected: self.window.at(),
            focused: true,
            view: self.window.view(),
            empty: self.window.placeholder(if self.filter.is_empty() {
                "No simulation here. L launches one."
            } else {
                "No simulation passes the filter. X shows all of them."
            }),
        };
        table.draw(inner, buffer, scene.look, |row| cells(row, scene.look));
        if let Some(row) = selected {
            let note = row.note.as_ref().map_or_else(String::new, |note| format!("  note: {note}"));
            let line = format!(" {}  started {}{note}", row.id, row.started);
            text_line(detail, 0, &line, Tone::Muted, buffer, scene.look);
            let tone = if row.status == Status::Completed { Tone::Warn } else { Tone::Bad };
            for (at, line) in (1..).zip(&remark) {
                text_line(detail, at, &format!(" {line}"), tone, buffer, scene.look);
            }
        }
    }
}
