//! One run of an experiment, iteration by iteration: what it cost, what was proposed and why it was taken
//! or not, how costs and parameters went.

mod panes;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::conversation::Conversation;
use super::policy::Policy;
use super::simulations::Simulations;
use super::summary::Summary;
use super::sweep::Sweep;
use super::{Copyable, Focus, Screen, View};
use crate::explorer::awaiting::Awaiting;
use crate::explorer::desk::{Desk, Go, Scene};
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::look::Look;
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::rows::{
    BankInIteration, Export, IterationRow, Judgement, PolicyOf, Row as _, RunDetail, SimulationFilter,
};
use crate::explorer::widgets::table::joined;
use crate::explorer::widgets::text::Scroll;
use crate::explorer::window::Cursor;

const LIST: u8 = 1;
const CHART: u8 = 2;
const BANKS: u8 = 3;
const DETAIL: u8 = 4;

/// The screen.
#[derive(Debug)]
pub struct Iterations {
    run: String,
    name: String,
    detail: Option<Box<RunDetail>>,
    awaiting: Awaiting,
    focus: Focus,
    list: Cursor,
    banks: Cursor,
    about: Scroll,
    /// The chart shows the parameters of the selected bank instead of costs.
    parameters: bool,
}

impl Iterations {
    /// The iterations of a run.
    pub const fn new(run: String, name: String) -> Self {
        Self {
            run,
            name,
            detail: None,
            awaiting: Awaiting::new(),
            focus: Focus::of(4),
            list: Cursor::new(),
            banks: Cursor::new(),
            about: Scroll::new(),
            parameters: false,
        }
    }

    fn rows(&self) -> &[IterationRow] {
        self.detail.as_ref().map_or(&[], |detail| &detail.iterations)
    }

    fn selected(&self) -> Option<&IterationRow> {
        self.rows().get(self.list.at)
    }

    fn bank(&self) -> Option<&BankInIteration> {
        self.selected()?.banks.get(self.banks.at)
    }

    fn take(&mut self, detail: Option<Box<RunDetail>>) {
        if detail.is_none() {
            self.awaiting.fail(format!("there is no run `{}` here", self.run));
        }
        let at_end = self.list.at + 1 >= self.rows().len();
        let key = self.selected().map(IterationRow::key);
        self.detail = detail;
        let rows = self.rows().len();
        let at = key.and_then(|key| self.rows().iter().position(|row| row.key() == key));
        // Whoever looks at the newest iteration of a running experiment goes on doing so.
        self.list.at = if at_end { rows.saturating_sub(1) } else { at.unwrap_or(0) };
        let banks = self.selected().map_or(0, |row| row.banks.len());
        self.banks.at = self.banks.at.min(banks.saturating_sub(1));
    }

    fn open_simulations(&self, desk: &mut Desk<'_>) {
        let iteration = self.selected().map(|row| row.iteration);
        let filter =
            SimulationFilter { run: Some(self.run.clone()), iteration, ..SimulationFilter::default() };
        desk.open(Screen::Simulations(Simulations::new(filter)));
    }

    fn open_conversation(&self, desk: &mut Desk<'_>) {
        if let (Some(row), Some(bank)) = (self.selected(), self.bank()) {
            let screen = Conversation::new(self.run.clone(), row.iteration, bank.bank.clone());
            desk.open(Screen::Conversation(screen));
        }
    }

    /// The policy of the selected bank beside the one of the iteration before.
    fn open_policy(&self, desk: &mut Desk<'_>) {
        let (Some(row), Some(bank)) = (self.selected(), self.bank()) else { return };
        let of =
            |iteration| PolicyOf::Evaluated { run: self.run.clone(), iteration, bank: bank.bank.clone() };
        let before = row.iteration.checked_sub(1).map(of);
        desk.open(Screen::Policy(Policy::new(before, of(row.iteration))));
    }

    /// What was proposed beside the policy in force.
    fn open_proposal(&self, desk: &mut Desk<'_>) {
        let (Some(row), Some(bank)) = (self.selected(), self.bank()) else { return };
        let compared = bank.verdict.as_ref().is_some_and(|verdict| verdict.old_cost.is_some());
        if !compared {
            desk.complain(format!("no proposal of {} was compared in this iteration", bank.bank));
            return;
        }
        let (run, iteration) = (self.run.clone(), row.iteration);
        let in_force = PolicyOf::Evaluated { run: run.clone(), iteration, bank: bank.bank.clone() };
        let proposed = PolicyOf::Proposed { run, iteration, bank: bank.bank.clone() };
        desk.open(Screen::Policy(Policy::new(Some(in_force), proposed)));
    }

    fn motion(&mut self, intent: Intent, count: Option<u64>) -> bool {
        let banks = self.selected().map_or(0, |row| row.banks.len());
        let rows = self.rows().len();
        let moved = match self.focus.pane {
            BANKS => self.banks.motion(intent, count, banks),
            DETAIL => return self.about.motion(intent, count),
            _ => self.list.motion(intent, count, rows),
        };
        if moved {
            self.about.reset();
        }
        moved
    }
}

/// How many of the proposals of an iteration came to this end.
fn judged(row: &IterationRow, judgement: Judgement) -> usize {
    let verdicts = row.banks.iter().filter_map(|bank| bank.verdict.as_ref());
    verdicts.filter(|verdict| verdict.judgement == judgement).count()
}

impl View for Iterations {
    fn crumb(&self) -> String {
        self.name.clone()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Iterations, Scope::Lists, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.awaiting.ask(desk, Slot::Main, Query::Run(self.run.clone()));
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        if self.focus.intent(intent, count) || self.motion(intent, count) {
            return true;
        }
        match intent {
            Intent::Into => self.open_simulations(desk),
            Intent::OpenPolicy => self.open_policy(desk),
            Intent::OpenProposal => self.open_proposal(desk),
            Intent::OpenConversation => self.open_conversation(desk),
            Intent::OpenSummary => desk.open(Screen::Summary(Summary::new(self.run.clone()))),
            Intent::NextChart => self.parameters = !self.parameters,
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, desk: &mut Desk<'_>) -> bool {
        let Some(answer) = self.awaiting.arrived(ticket, answer) else { return false };
        match answer {
            Some(Answer::Run(detail)) => self.take(detail),
            // Whoever came here did not know that the run is a sweep.
            Some(Answer::Sweep(_)) => {
                let sweep = Sweep::new(self.run.clone(), self.name.clone());
                desk.go = Some(Go::Replace(Box::new(Screen::Sweep(sweep))));
            }
            _ => {}
        }
        true
    }

    fn export(&self) -> Option<Export> {
        Some(Export::Iterations(self.run.clone()))
    }

    fn copyable(&self) -> Option<Copyable> {
        let row = self.rows().get(self.list.at)?;
        let link = Link::Iteration(self.run.clone(), row.iteration);
        Some(Copyable { link, id: self.run.clone(), row: joined(&panes::cells(row, Look::default())) })
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        self.draw_panes(area, buffer, scene.look);
    }
}
