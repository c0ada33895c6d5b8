//! The state and what can be asked of it.

use std::sync::Arc;

use super::bank::BankState;
use super::error::{FoldError, Problem};
use super::fit::Doubts;
use super::payment::{Payment, WaitingFigures};
use super::rules::Rules;
use super::table::{List, Table};
use crate::costs::Costs;
use crate::ids::{BankIdx, PaymentId};
use crate::liquidity::Position;
use crate::money::Cents;
use crate::scenario::{Bank, Scenario};
use crate::time::Tick;

/// Everything that the scenario and the events so far say: banks, queues and all payments
/// that are not settled.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) scenario: Arc<Scenario>,
    pub(super) rules: Rules,
    /// The tick in progress, or the next one.
    pub(super) tick: Tick,
    pub(super) in_tick: bool,
    /// Queue 1 has been sorted in this tick.
    pub(super) queue1_sorted: bool,
    pub(super) sequence: u64,
    pub(super) last_payment: PaymentId,
    pub(super) banks: Vec<BankState>,
    /// Banks changed in the current or last tick, in the order of their first change.
    pub(super) changed: Vec<BankIdx>,
    pub(super) payments: Table,
    pub(super) queue1_len: usize,
    pub(super) queue2: List,
    pub(super) submitted: List,
    pub(super) dropped: List,
    pub(super) split: List,
    pub(super) doubts: Doubts,
}

impl State {
    /// The state before tick 0: opening balances with the first allocation of pool liquidity (C7),
    /// and posted collateral.
    #[must_use]
    pub fn new(scenario: Arc<Scenario>) -> Self {
        let bank = |bank: &Bank| BankState {
            balance: bank.opening_balance.saturating_add(bank.allocation()),
            posted: bank.posted_collateral,
            allocated: bank.allocation(),
            ..BankState::default()
        };
        Self {
            rules: Rules::of(&scenario),
            tick: Tick(0),
            in_tick: false,
            queue1_sorted: false,
            sequence: 0,
            last_payment: PaymentId(0),
            banks: scenario.banks.iter().map(bank).collect(),
            changed: Vec::new(),
            payments: Table::default(),
            queue1_len: 0,
            queue2: List::default(),
            submitted: List::default(),
            dropped: List::default(),
            split: List::default(),
            doubts: Doubts::default(),
            scenario,
        }
    }

    /// The scenario.
    #[must_use]
    pub const fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    /// The tick in progress; between two ticks the next one.
    #[must_use]
    pub const fn tick(&self) -> Tick {
        self.tick
    }

    /// Whether a tick was begun and not ended.
    #[must_use]
    pub const fn in_tick(&self) -> bool {
        self.in_tick
    }

    /// The last complete tick.
    #[must_use]
    pub fn last_tick(&self) -> Option<Tick> {
        self.tick.0.checked_sub(1).map(Tick)
    }

    /// Number of events folded: the sequence of the next one.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// All banks in byte order of their ids: index them by [`BankIdx`].
    #[must_use]
    pub fn banks(&self) -> &[BankState] {
        &self.banks
    }

    /// A bank.
    #[must_use]
    pub fn bank(&self, bank: BankIdx) -> Option<&BankState> {
        self.banks.get(bank.at())
    }

    /// The banks whose figures an event of the current or last tick changed, in byte order.
    pub fn changed_banks(&self) -> impl Iterator<Item = BankIdx> + '_ {
        self.scenario.names.banks().zip(&self.banks).filter_map(|(idx, bank)| bank.changed.then_some(idx))
    }

    /// The same banks in the order of their first change.
    #[must_use]
    pub fn changed_unordered(&self) -> &[BankIdx] {
        &self.changed
    }

    /// The figures of a bank from which its liquidity follows; nothing for an unknown bank.
    #[must_use]
    pub fn position(&self, bank: BankIdx) -> Position {
        match (self.scenario.banks.get(bank.at()), self.banks.get(bank.at())) {
            (Some(fixed), Some(now)) => Position {
                balance: now.balance,
                unsecured_cap: fixed.unsecured_cap.saturating_add(now.cap_change),
                posted: now.posted,
                haircut: fixed.haircut,
            },
            _ => Position {
                balance: Cents::ZERO,
                unsecured_cap: Cents::ZERO,
                posted: Cents::ZERO,
                haircut: 0.0,
            },
        }
    }

    /// An open payment; settled ones are forgotten.
    #[must_use]
    pub fn payment(&self, id: PaymentId) -> Option<&Payment> {
        self.payments.find(id).map(|slot| self.payments.get(slot))
    }

    /// Number of the payment that came into being last; 0 before the first.
    #[must_use]
    pub const fn last_payment(&self) -> PaymentId {
        self.last_payment
    }

    /// How many payments are open.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.payments.len()
    }

    /// All open payments: every queue 1 by bank, submissions, queue 2, dropped and split ones.
    pub fn open_payments(&self) -> impl Iterator<Item = &Payment> {
        let queues1 = self.banks.iter().flat_map(|bank| self.payments.iter(&bank.queue1));
        let others = [&self.submitted, &self.queue2, &self.dropped, &self.split];
        queues1.chain(others.into_iter().flat_map(|list| self.payments.iter(list)))
    }

    /// Queue 1 of a bank, front to back; empty for an unknown bank.
    pub fn queue1(&self, bank: BankIdx) -> impl Iterator<Item = &Payment> {
        self.banks.get(bank.at()).into_iter().flat_map(|bank| self.payments.iter(&bank.queue1))
    }

    /// Queue 2, front to back.
    pub fn queue2(&self) -> impl Iterator<Item = &Payment> {
        self.payments.iter(&self.queue2)
    }

    /// The payments that a bank sends in queue 2, in queue order.
    pub fn queue2_of(&self, bank: BankIdx) -> impl Iterator<Item = &Payment> {
        self.queue2().filter(move |payment| payment.sender == bank)
    }

    /// The payments submitted in this tick and not tried yet, in order.
    pub fn submissions(&self) -> impl Iterator<Item = &Payment> {
        self.payments.iter(&self.submitted)
    }

    /// Dropped payments, in the order of their drops.
    pub fn dropped(&self) -> impl Iterator<Item = &Payment> {
        self.payments.iter(&self.dropped)
    }

    /// Split payments with parts that are not settled, in the order of their splits.
    pub fn split(&self) -> impl Iterator<Item = &Payment> {
        self.payments.iter(&self.split)
    }

    /// Entries of a bank's queue 1.
    #[must_use]
    pub fn queue1_len(&self, bank: BankIdx) -> usize {
        self.bank(bank).map_or(0, |bank| bank.queue1.len)
    }

    /// Value in a bank's queue 1, held at the end of the range.
    #[must_use]
    pub fn queue1_value(&self, bank: BankIdx) -> Cents {
        self.bank(bank).map_or(Cents::ZERO, |bank| Cents::saturating_from(bank.queue1.value))
    }

    /// Entries of queue 2 that a bank sends.
    #[must_use]
    pub fn queue2_len(&self, bank: BankIdx) -> usize {
        self.bank(bank).map_or(0, |bank| bank.queue2_len)
    }

    /// Value that a bank sends in queue 2, held at the end of the range.
    #[must_use]
    pub fn queue2_value(&self, bank: BankIdx) -> Cents {
        self.bank(bank).map_or(Cents::ZERO, |bank| Cents::saturating_from(bank.queue2_value))
    }

    /// Entries of all queues 1.
    #[must_use]
    pub const fn queue1_total_len(&self) -> usize {
        self.queue1_len
    }

    /// Entries of queue 2.
    #[must_use]
    pub const fn queue2_total_len(&self) -> usize {
        self.queue2.len
    }

    /// Value of queue 2, held at the end of the range.
    #[must_use]
    pub fn queue2_total_value(&self) -> Cents {
        Cents::saturating_from(self.queue2.value)
    }

    /// What waiting has cost a payment up to the last complete tick.
    #[must_use]
    pub fn waiting(&self, payment: &Payment) -> WaitingFigures {
        payment.waiting_figures(self.tick, &self.rules)
    }

    /// The delay cost shown for an overdue payment if it settled in a tick (spec 03, 10.3 and 13.3);
    /// nothing for one that is not overdue.
    #[must_use]
    pub fn estimated_delay_cost(&self, payment: &Payment, tick: Tick) -> Cents {
        let rates = &self.scenario.cost_rates;
        payment.overdue_since.map_or(Cents::ZERO, |since| {
            let per_tick = payment.remaining.0 as f64
                * rates.delay_cost_per_tick_per_cent
                * rates.overdue_delay_multiplier;
            Cents((per_tick * tick.since(since) as f64).round() as i64)
        })
    }

    /// Costs of the run over all banks, kind by kind, held at the end of the range.
    #[must_use]
    pub fn run_costs(&self) -> Costs {
        self.banks.iter().fold(Costs::ZERO, |sum, bank| saturating_sum(&sum, &bank.run_costs))
    }

    /// The bank for an event, noted as changed in this tick.
    pub(super) fn bank_mut(&mut self, bank: BankIdx) -> Result<&mut BankState, Problem> {
        let state = self.banks.get_mut(bank.at()).ok_or(Problem::UnknownBank(bank))?;
        if !state.changed {
            state.note_change();
            self.changed.push(bank);
        }
        Ok(state)
    }

    pub(super) fn error(&self, problem: Problem) -> FoldError {
        FoldError { sequence: self.sequence, tick: self.tick, problem }
    }
}

/// Kind by kind sum, each held at the end of the range.
pub(crate) const fn saturating_sum(a: &Costs, b: &Costs) -> Costs {
    Costs {
        overdraft: a.overdraft.saturating_add(b.overdraft),
        delay: a.delay.saturating_add(b.delay),
        collateral: a.collateral.saturating_add(b.collateral),
        penalty: a.penalty.saturating_add(b.penalty),
        split_friction: a.split_friction.saturating_add(b.split_friction),
        liquidity_opportunity: a.liquidity_opportunity.saturating_add(b.liquidity_opportunity),
    }
}
