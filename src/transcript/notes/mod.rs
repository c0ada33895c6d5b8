//! What the events of a tick say, gathered while they are folded: an event is noted with the state
//! before it, and where its effect is told, with the state after it.

mod banks;
mod payments;
mod settlement;

use super::page::{Page, Table, cells};
use super::words;
use crate::event::Event;
use crate::ids::{BankIdx, Names, PaymentId};
use crate::liquidity::Position;
use crate::replay::State;
use crate::scenario::{LsmAlgorithm, Scenario};
use crate::time::Tick;
use settlement::{Group, Settled};

/// The event-based sections of a tick.
#[derive(Debug)]
pub(super) struct Notes<'a> {
    scenario: &'a Scenario,
    tick: Tick,
    /// The bank of the filter: what it sends and receives is summed.
    bank: Option<BankIdx>,
    allocations: Table,
    scenario_events: Vec<String>,
    arrivals: Table,
    decisions: ByBank,
    registers: ByBank,
    budgets: ByBank,
    escalations: Table,
    reprioritised: Table,
    system: Table,
    immediate: Table,
    entry_offsets: Table,
    releases: Table,
    pairs: Table,
    rings: Table,
    settled: Settled,
    queued: Table,
    groups: Vec<Group>,
    deferred_credits: Table,
    collateral: ByBank,
    /// The sender's or owner's position before the event in progress.
    position: Option<Position>,
    newly_overdue: Table,
    overdue_settled: Table,
    day_end: Vec<String>,
    returns: Table,
}

/// Rows that are shown bank by bank, in order within a bank.
#[derive(Debug)]
struct ByBank {
    columns: &'static str,
    rows: Vec<(BankIdx, Vec<String>)>,
}

impl ByBank {
    const fn new(columns: &'static str) -> Self {
        Self { columns, rows: Vec::new() }
    }

    fn row(&mut self, bank: BankIdx, cells: Vec<String>) {
        self.rows.push((bank, cells));
    }

    fn write(&self, page: &mut Page, title: &str, names: &Names) {
        if self.rows.is_empty() {
            return;
        }
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|(bank, _)| *bank);
        let mut table = Table::new(self.columns);
        let mut above = None;
        for (bank, cells) in rows {
            if above != Some(*bank) {
                table.heading(names.bank(*bank));
                above = Some(*bank);
            }
            table.row(cells.clone());
        }
        page.section(title);
        page.table(1, &table);
    }
}

/// A section of one table, left out if it is empty.
fn section(page: &mut Page, title: &str, table: &Table) {
    if !table.is_empty() {
        page.section(title);
        page.table(1, table);
    }
}

/// A part of a section, left out if it is empty.
fn part(page: &mut Page, title: &str, table: &Table) {
    if !table.is_empty() {
        page.line(1, title);
        page.table(2, table);
    }
}

impl<'a> Notes<'a> {
    pub fn new(scenario: &'a Scenario, tick: Tick, bank: Option<BankIdx>) -> Self {
        Self {
            scenario,
            tick,
            bank,
            allocations: Table::new("<><"),
            scenario_events: Vec::new(),
            arrivals: Table::new("<<><<<"),
            decisions: ByBank::new("<<<><"),
            registers: ByBank::new("<<<"),
            budgets: ByBank::new("<"),
            escalations: Table::new("<<<<"),
            reprioritised: Table::new("<<<"),
            system: Table::new("<<<><"),
            immediate: Table::new("<<><"),
            entry_offsets: Table::new("<<><"),
            releases: Table::new("<<><"),
            pairs: Table::new("<>>"),
            rings: Table::new("<>>"),
            settled: Settled::default(),
            queued: Table::new("<<><"),
            groups: Vec::new(),
            deferred_credits: Table::new("<><"),
            collateral: ByBank::new("<><"),
            position: None,
            newly_overdue: Table::new("<<><<"),
            overdue_settled: Table::new("<<><"),
            day_end: Vec::new(),
            returns: Table::new("<><"),
        }
    }

    /// Notes an event that is about to be folded.
    pub fn before(&mut self, state: &State, event: &Event) {
        self.position = None;
        match event {
            Event::Arrival { .. }
            | Event::PolicySubmit { .. }
            | Event::PolicyHold { .. }
            | Event::PolicyDrop { .. }
            | Event::PolicySplit { .. }
            | Event::TransactionReprioritized { .. }
            | Event::PriorityEscalated { .. } => self.payment_event(state, event),
            Event::RtgsSubmission { .. }
            | Event::RtgsWithdrawal { .. }
            | Event::RtgsResubmission { .. }
            | Event::BilateralLimitExceeded { .. }
            | Event::MultilateralLimitExceeded { .. }
            | Event::AlgorithmExecution { .. } => self.system_event(state, event),
            Event::RtgsImmediateSettlement { .. }
            | Event::EntryDispositionOffset { .. }
            | Event::Queue2LiquidityRelease { .. }
            | Event::LsmBilateralOffset { .. }
            | Event::LsmCycleSettlement { .. } => self.settlement(state, event),
            Event::CollateralPost { agent_id, .. }
            | Event::CollateralWithdraw { agent_id, .. }
            | Event::CollateralTimerWithdrawn { agent_id, .. }
            | Event::CollateralTimerBlocked { agent_id, .. } => {
                self.position = Some(state.position(*agent_id));
            }
            // What stands in the way of it is known once it is queued.
            Event::QueuedRtgs { .. } => {}
            // Costs are told from the state.
            Event::CostAccrual { .. } => {}
            _ => self.bank_event(event),
        }
    }

    /// Notes what an event did.
    pub fn after(&mut self, state: &State, event: &Event) {
        match event {
            Event::QueuedRtgs { tx_id, .. } => self.queued(state, *tx_id),
            _ => {
                if let Some(before) = self.position.take() {
                    self.collateral_moved(state, event, &before);
                }
            }
        }
    }

    fn names(&self) -> &'a Names {
        &self.scenario.names
    }

    /// Number, parties and remaining amount of an open payment.
    fn open_payment(&self, state: &State, id: PaymentId) -> Vec<String> {
        match state.payment(id) {
            Some(payment) => {
                cells![id, words::parties(self.names(), payment.sender, payment.receiver), payment.remaining]
            }
            None => cells![id, "", ""],
        }
    }

    fn ring_word(&self) -> &'static str {
        if self.scenario.lsm.algorithm == LsmAlgorithm::BechSoramaki { "Group" } else { "Ring" }
    }

    pub fn write_scenario_events(&self, page: &mut Page) {
        if !self.scenario_events.is_empty() {
            page.section(&format!("Scenario events ({})", self.scenario_events.len()));
            for event in &self.scenario_events {
                page.line(1, event);
            }
        }
    }

    pub fn write_arrivals(&self, page: &mut Page) {
        section(page, &format!("Arrivals ({})", self.arrivals.len()), &self.arrivals);
    }

    pub fn write_decisions(&self, page: &mut Page) {
        let title = format!("Policy decisions ({})", self.decisions.rows.len());
        self.decisions.write(page, &title, self.names());
    }

    pub fn write_registers_and_budgets(&self, page: &mut Page) {
        self.registers.write(page, "Policy registers that changed", self.names());
        self.budgets.write(page, "Release budgets for this tick", self.names());
    }

    pub fn write_priorities(&self, page: &mut Page) {
        let (escalated, set) = (&self.escalations, &self.reprioritised);
        if escalated.is_empty() && set.is_empty() {
            return;
        }
        page.section(&format!("Priorities ({})", escalated.len() + set.len()));
        part(page, "raised because the deadline is near", escalated);
        part(page, "set by a policy", set);
    }

    pub fn write_system(&self, page: &mut Page) {
        section(page, "Settlement system", &self.system);
    }

    pub fn write_queued(&self, page: &mut Page) {
        section(page, &format!("Queued in queue 2 ({})", self.queued.len()), &self.queued);
    }

    pub fn write_deferred_credits(&self, page: &mut Page) {
        section(page, "Deferred credits", &self.deferred_credits);
    }

    pub fn write_collateral(&self, page: &mut Page) {
        self.collateral.write(page, "Collateral", self.names());
    }

    pub fn write_overdue(&self, page: &mut Page) {
        section(page, &format!("Newly overdue ({})", self.newly_overdue.len()), &self.newly_overdue);
        let title = format!("Overdue payments settled ({})", self.overdue_settled.len());
        section(page, &title, &self.overdue_settled);
    }

    pub fn write_day_start(&self, page: &mut Page) {
        let title = format!("Start of day {}: pool liquidity allocated", self.day());
        section(page, &title, &self.allocations);
    }

    pub fn write_day_end(&self, page: &mut Page) {
        for line in &self.day_end {
            page.section(line);
        }
        section(page, "Pool liquidity returned", &self.returns);
    }

    fn day(&self) -> u64 {
        self.scenario.calendar.day(self.tick).0
    }
}
