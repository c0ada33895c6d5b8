//! Runs of experiments, newest first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::compare::Compare;
use super::iterations::Iterations;
use super::jobs::JobsScreen;
use super::{Copyable, Screen, View, stack};
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::format::{UNIT, badge, duration, money, percent};
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::look::{Look, Tone};
use crate::explorer::marked::Marked;
use crate::explorer::message::{Answer, Page, Query, Slot, Ticket};
use crate::explorer::prompt::{Prompt, Purpose};
use crate::explorer::rows::{Couple, Kind, Plan, RunRow, Status};
use crate::explorer::search::Search;
use crate::explorer::widgets::pane::{Pane, text_line};
use crate::explorer::widgets::table::{Cell, Column, Table, cell, joined, toned};
use crate::explorer::window::{PAGE, Window};
use crate::money::grouped;

/// The screen.
#[derive(Debug, Default)]
pub struct Runs {
    window: Window<RunRow>,
    search: Search,
    /// The row that the next marked one is compared with.
    marked: Marked,
}

/// The columns of a list of runs.
pub const COLUMNS: &[Column<'_>] = &[
    Column::text("experiment", 14).growing(2),
    Column::text("state", 13),
    Column::number("iterations", 10),
    Column::number("first cost", 13).rank(3),
    Column::number("best cost", 12).rank(1),
    Column::number("saved", 7).rank(1),
    Column::number("settled", 8).rank(2),
    Column::text("proposer", 12).growing(1).rank(4),
    Column::text("mode", 22).rank(7),
    Column::number("duration", 12).rank(6),
    Column::text("started", 19).rank(5),
    Column::number("simulations", 11).rank(8),
    Column::number("events", 11).rank(9),
    Column::text("run id", 34).rank(10),
];

/// A run in these columns.
pub fn cells(run: &RunRow, look: Look) -> Vec<Cell> {
    let (state, tone) = badge(run.status, look);
    let iterations = match run.max_iterations {
        Some(most) => format!("{} of {most}", run.iterations),
        None => run.iterations.to_string(),
    };
    vec![
        cell(&run.name),
        toned(state, tone),
        cell(iterations),
        cell(money(run.first_cost)),
        cell(money(run.best_cost)),
        cell(percent(run.reduction)),
        cell(percent(run.settlement_rate)),
        cell(&run.proposer),
        cell(&run.mode),
        cell(run.seconds.map_or_else(String::new, duration)),
        cell(&run.started),
        cell(grouped(run.simulations)),
        cell(grouped(run.events)),
        cell(&run.id),
    ]
}

impl View for Runs {
    fn crumb(&self) -> String {
        "Runs".into()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Lists, Scope::Search, Scope::Marks, Scope::Runs, Scope::Everywhere]
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
                if let Some(run) = self.window.selected() {
                    desk.open(Screen::Iterations(Iterations::new(run.id.clone(), run.name.clone())));
                }
            }
            Intent::Mark => self.mark(desk),
            Intent::Resume => self.again(Kind::Resume, desk),
            Intent::Rerun => self.again(Kind::Rerun, desk),
            Intent::Search => *desk.prompt = Some(Prompt::new(Purpose::Search, self.search.text())),
            Intent::NextMatch | Intent::PreviousMatch => self.find(intent == Intent::NextMatch, desk),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, desk: &mut Desk<'_>) -> bool {
        let rows = |answer| match answer {
            Answer::Runs(batch) => Some(batch),
            _ => None,
        };
        self.window.answer(ticket, answer, rows, desk)
    }

    fn given(&mut self, purpose: Purpose, text: &str, desk: &mut Desk<'_>) {
        if purpose == Purpose::Search {
            self.search.set(text);
            self.find(true, desk);
        }
    }

    fn copyable(&self) -> Option<Copyable> {
        let run = self.window.selected()?;
        let row = joined(&cells(run, Look::default()));
        Some(Copyable { link: Link::Run(run.id.clone()), id: run.id.clone(), row })
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let [area, detail] = stack(area, [area.height.saturating_sub(2), 2]);
        let title = format!("Runs of experiments ({}), costs in {UNIT}", grouped(self.window.total()));
        let marked = self.marked.note();
        let note = marked.as_deref().unwrap_or_default();
        let pane = Pane { number: 0, title: &title, note, focused: true };
        let inner = pane.draw(area, buffer, scene.look);
        let table = Table {
            columns: COLUMNS,
            rows: self.window.rows(),
            selected: self.window.at(),
            focused: true,
            view: self.window.view(),
            empty: self.window.placeholder("No run yet: L launches an experiment."),
        };
        table.draw(inner, buffer, scene.look, |run| cells(run, scene.look));
        // What narrow lists leave out.
        if let Some(run) = self.window.selected() {
            let dot = scene.look.glyphs().dot;
            let took =
                run.seconds.map_or_else(String::new, |seconds| format!(" {dot} {}", duration(seconds)));
            let first = format!(" {}  started {}{took}", run.id, run.started);
            text_line(detail, 0, &first, Tone::Muted, buffer, scene.look);
            let (from, to) = (money(run.first_cost), money(run.best_cost));
            let mut parts = vec![run.mode.clone()];
            parts.extend((!run.proposer.is_empty()).then(|| run.proposer.clone()));
            parts.extend(run.first_cost.map(|_| format!("cost {from} to {to}")));
            let second = format!(" {}", parts.join(&format!(" {dot} ")));
            text_line(detail, 1, &second, Tone::Muted, buffer, scene.look);
        }
    }
}

impl Runs {
    fn read(&mut self, page: Page<String>, desk: &mut Desk<'_>) {
        let from = page.from.clone();
        let ticket = desk.ask(Slot::Main, Query::Runs(page));
        self.window.expect(ticket, from);
    }

    /// Lets the selected run go on, or runs its experiment once more, as a job.
    fn again(&self, kind: Kind, desk: &mut Desk<'_>) {
        let Some(run) = self.window.selected() else { return };
        let stopped = matches!(run.status, Status::Failed | Status::Cancelled | Status::Interrupted);
        if desk.read_only {
            desk.complain("the database is open for reading only: nothing can be run");
        } else if kind == Kind::Resume && !stopped {
            desk.complain(format!("the run is {}: there is nothing to go on with", run.status.word()));
        } else {
            let (source, title) = (run.id.clone(), run.name.clone());
            desk.say(format!("{} of {title} started", kind.word()));
            let plan = Plan { source, kind, title, seed: String::new(), ticks: None, experiment: None };
            desk.jobs.add(plan, desk.effects);
            desk.open(Screen::Jobs(JobsScreen::default()));
        }
    }

    /// Marks a row; with a second one both are compared.
    fn mark(&mut self, desk: &mut Desk<'_>) {
        let selected = self.window.selected().map(|row| row.id.clone());
        if let Some((a, b)) = selected.and_then(|id| self.marked.take(id)) {
            desk.open(Screen::Compare(Compare::new(Couple::Runs(a, b))));
        }
    }

    fn find(&mut self, forward: bool, desk: &mut Desk<'_>) {
        let text = |run: &RunRow| joined(&cells(run, Look::default()));
        match self.search.next(self.window.rows(), self.window.at(), forward, text) {
            Ok(key) => {
                self.window.select(&key);
            }
            Err(problem) => desk.complain(problem),
        }
    }
}
