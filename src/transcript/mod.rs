//! The transcript: what happened in a tick as text for people (spec 06, 7.6), and the result of a
//! simulation as tables (7.3).
//!
//! [`Transcript`] folds the events of every tick in its own [`Ledger`] and says what they did, so
//! that a running and a recorded simulation give the same text. [`Filter`] chooses the events that
//! are told; figures of the state are always shown.

mod day;
mod filter;
mod notes;
mod page;
mod result;
mod standing;
mod words;

use std::sync::Arc;

pub use filter::{Filter, FilterError, FilterOptions, Missing, Selection, TickRange};
pub use result::result_text;

use crate::event::Event;
use crate::metrics::Ledger;
use crate::replay::{FoldError, State};
use crate::scenario::Scenario;
use crate::time::{Day, Tick};
use notes::Notes;
use page::Page;

/// Tells tick by tick what happens in a simulation.
#[derive(Clone, Debug)]
pub struct Transcript {
    ledger: Ledger,
    selection: Selection,
    /// The first tick that the ledger has counted.
    since: Tick,
}

impl Transcript {
    /// A transcript from tick 0 on.
    #[must_use]
    pub fn new(scenario: Arc<Scenario>) -> Self {
        Self::of_ledger(Ledger::new(scenario))
    }

    /// A transcript that goes on where a ledger stands that has counted all ticks so far.
    #[must_use]
    pub fn of_ledger(ledger: Ledger) -> Self {
        let scenario = ledger.scenario();
        let selection = Filter::default().select(&scenario.names, scenario.calendar);
        Self { ledger, selection, since: Tick(0) }
    }

    /// A transcript that goes on after any whole tick. What is counted over a day or the run is
    /// counted from there on; the summary of its first day says so.
    #[must_use]
    pub fn from_state(state: State) -> Self {
        let since = state.tick();
        Self { since, ..Self::of_ledger(Ledger::starting_from(state)) }
    }

    /// The same transcript that tells only the events that pass a filter.
    #[must_use]
    pub fn with_filter(mut self, filter: &Filter) -> Self {
        let scenario = self.ledger.scenario();
        self.selection = filter.select(&scenario.names, scenario.calendar);
        self
    }

    /// The text of the next tick, ending with an empty line.
    ///
    /// # Errors
    ///
    /// A tick out of order, or an event that does not fit the state before it. The transcript is of
    /// no use afterwards.
    pub fn tick(&mut self, tick: Tick, events: &[Event]) -> Result<String, FoldError> {
        let scenario = self.ledger.scenario().clone();
        let mut notes = Notes::new(&scenario, tick, self.selection.bank());
        self.note_first_allocation(&mut notes, tick);
        self.ledger.begin_tick(tick)?;
        for event in events {
            let told = self.selection.matches(tick, event, &scenario.names);
            if told {
                notes.before(self.ledger.state(), event);
            }
            self.ledger.apply(event)?;
            if told {
                notes.after(self.ledger.state(), event);
            }
        }
        self.ledger.end_tick()?;
        Ok(self.page(tick, &notes))
    }

    /// Takes the events of the next tick without telling them.
    ///
    /// # Errors
    ///
    /// As [`Transcript::tick`].
    pub fn skip(&mut self, tick: Tick, events: &[Event]) -> Result<(), FoldError> {
        self.ledger.tick(tick, events).map(|_| ())
    }

    /// State and figures after the ticks so far.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The filter at work: it knows whom no event concerned.
    #[must_use]
    pub const fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The allocation before tick 0 has no event of its own (spec 05, 4): it is told like the others.
    fn note_first_allocation(&self, notes: &mut Notes<'_>, tick: Tick) {
        if tick != Tick(0) {
            return;
        }
        let state = self.ledger.state();
        let scenario = state.scenario();
        for (agent_id, bank) in scenario.names.banks().zip(&scenario.banks) {
            let allocation = Event::LiquidityAllocation {
                agent_id,
                day: Day(0),
                fraction: bank.fraction,
                amount: bank.allocation(),
                balance_after: state.position(agent_id).balance,
            };
            if bank.pool.is_some() && self.selection.passes(tick, &allocation, &scenario.names) {
                notes.before(state, &allocation);
            }
        }
    }

    /// The sections in their order.
    fn page(&self, tick: Tick, notes: &Notes<'_>) -> String {
        let state = self.ledger.state();
        let calendar = state.scenario().calendar;
        let mut page = Page::default();
        page.section(&format!(
            "=== Tick {tick} · day {}, tick {} of {} · amounts in currency units ===",
            calendar.day(tick),
            calendar.tick_in_day(tick),
            calendar.ticks_per_day
        ));
        notes.write_day_start(&mut page);
        notes.write_scenario_events(&mut page);
        notes.write_arrivals(&mut page);
        standing::near_deadline(&mut page, state, tick);
        notes.write_decisions(&mut page);
        notes.write_registers_and_budgets(&mut page);
        notes.write_priorities(&mut page);
        notes.write_system(&mut page);
        notes.write_settlements(&mut page);
        notes.write_queued(&mut page);
        notes.write_groups(&mut page);
        notes.write_deferred_credits(&mut page);
        notes.write_collateral(&mut page);
        notes.write_overdue(&mut page);
        standing::overdue(&mut page, state, tick);
        standing::banks(&mut page, state);
        standing::queues(&mut page, state);
        standing::costs(&mut page, state);
        standing::summary_line(&mut page, self.ledger.tick_figures());
        notes.write_day_end(&mut page);
        if calendar.closes_day(tick) {
            day::summary(&mut page, &self.ledger, tick, self.since);
        }
        let mut text = page.finish();
        text.push('\n');
        text
    }
}

/// The state after a whole tick: banks, queues, costs and overdue payments.
#[must_use]
pub fn state_text(state: &State) -> String {
    let mut page = Page::default();
    let Some(tick) = state.last_tick() else { return "=== Before the first tick ===\n".to_owned() };
    page.section(&format!("=== After tick {tick} · amounts in currency units ==="));
    standing::near_deadline(&mut page, state, tick);
    standing::overdue(&mut page, state, tick);
    standing::banks(&mut page, state);
    standing::queues(&mut page, state);
    standing::costs(&mut page, state);
    page.finish()
}

#[cfg(test)]
mod tests;
