//! What a bank has while a simulation runs (spec 03, 2).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::arrivals::ArrivalState;
use super::payments::Slot;
use crate::costs::Costs;
use crate::event::Text;
use crate::ids::{BankIdx, PaymentId};
use crate::liquidity::Position;
use crate::money::Cents;
use crate::scenario::{Bank, Scenario};
use crate::time::Tick;

#[derive(Debug)]
pub(super) struct BankState {
    pub balance: Cents,
    pub posted: Cents,
    pub allocated: Cents,
    pub queue1: Vec<Slot>,
    /// Sum of the remaining amounts in queue 1.
    pub queue1_value: i128,
    /// Its payments in queue 2, in order, as of the end of the last settlement step (spec 02, 2.2).
    pub queue2_view: Vec<Slot>,
    pub timers: BTreeMap<Tick, Vec<Timer>>,
    pub budget: Option<Budget>,
    /// Registers of its policy by index; `None`: not set.
    pub registers: Vec<Option<f64>>,
    /// Sent today in all.
    pub outflow: Cents,
    /// Sent today per receiver that has a bilateral limit, parallel to the limits.
    pub limited_outflow: Vec<Cents>,
    pub costs: Costs,
    pub arrivals: ArrivalState,
    /// Credits of this tick that wait for its end (spec 02, 9).
    pub deferred: Deferred,
    /// Value of its original payments that arrived today, and how much of them has settled.
    pub today_arrived: i128,
    pub today_settled: i128,
}

/// A collateral timer (spec 03, 5.4).
#[derive(Clone, Debug)]
pub(super) struct Timer {
    pub amount: Cents,
    pub reason: Text,
    pub posted_at: Tick,
}

/// The release budget of a tick (spec 03, 6).
#[derive(Debug)]
pub(super) struct Budget {
    pub remaining: Cents,
    pub focus: Option<Arc<[Text]>>,
    pub max_per_counterparty: Option<Cents>,
    pub usage: Vec<(BankIdx, Cents)>,
}

#[derive(Debug, Default)]
pub(super) struct Deferred {
    pub amount: Cents,
    pub sources: Vec<PaymentId>,
}

impl BankState {
    pub fn new(scenario: &Scenario, index: BankIdx, bank: &Bank) -> Self {
        let allocated = bank.allocation();
        Self {
            balance: bank.opening_balance.saturating_add(allocated),
            posted: bank.posted_collateral,
            allocated,
            queue1: Vec::new(),
            queue1_value: 0,
            queue2_view: Vec::new(),
            timers: BTreeMap::new(),
            budget: None,
            registers: vec![None; bank.policy.registers().len()],
            outflow: Cents::ZERO,
            limited_outflow: vec![Cents::ZERO; bank.bilateral_limits.len()],
            costs: Costs::ZERO,
            arrivals: ArrivalState::new(scenario, index, bank),
            deferred: Deferred::default(),
            today_arrived: 0,
            today_settled: 0,
        }
    }

    pub fn position(&self, bank: &Bank) -> Position {
        Position {
            balance: self.balance,
            unsecured_cap: bank.unsecured_cap,
            posted: self.posted,
            haircut: bank.haircut,
        }
    }
}

impl Budget {
    /// Whether a release of this amount to this receiver is allowed.
    pub fn allows(&self, amount: Cents, receiver: BankIdx, receiver_id: &str) -> bool {
        let in_focus = self.focus.as_ref().is_none_or(|focus| focus.iter().any(|id| **id == *receiver_id));
        let below_limit = self.max_per_counterparty.is_none_or(|limit| {
            let used = self.used(receiver);
            i128::from(used.0) + i128::from(amount.0) <= i128::from(limit.0)
        });
        amount <= self.remaining && in_focus && below_limit
    }

    /// Takes an allowed release off the budget.
    pub fn charge(&mut self, amount: Cents, receiver: BankIdx) {
        self.remaining = self.remaining.saturating_sub(amount);
        match self.usage.iter_mut().find(|(bank, _)| *bank == receiver) {
            Some((_, used)) => *used = used.saturating_add(amount),
            None => self.usage.push((receiver, amount)),
        }
    }

    fn used(&self, receiver: BankIdx) -> Cents {
        self.usage.iter().find(|(bank, _)| *bank == receiver).map_or(Cents::ZERO, |(_, used)| *used)
    }
}
