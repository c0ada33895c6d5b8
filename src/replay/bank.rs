//! A bank as the events so far describe it.

use serde::{Deserialize, Serialize};

use super::table::List;
use crate::costs::Costs;
use crate::event::Text;
use crate::ids::BankIdx;
use crate::money::Cents;
use crate::time::Tick;

/// The figures of a bank that no formula derives; queues and derived figures are asked of
/// [`State`](super::State).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BankState {
    /// Balance.
    pub balance: Cents,
    /// Posted collateral.
    pub posted: Cents,
    /// By how much the unsecured cap differs from the scenario's; only the reference changes it.
    pub cap_change: Cents,
    /// Pool liquidity allocated for the day.
    pub allocated: Cents,
    /// Costs of the day.
    pub day_costs: Costs,
    /// Costs of the run.
    pub run_costs: Costs,
    /// Collateral timers not due yet, in the order in which they were set.
    pub timers: Vec<Timer>,
    /// Registers of its policy, in byte order of their names.
    pub registers: Vec<(Text, f64)>,
    /// Release budget of the tick; `None` is unlimited.
    pub budget: Option<Budget>,
    /// Sent today in all.
    pub outflow: Cents,
    /// Sent today, by receiver in index order.
    pub outflows: Vec<(BankIdx, Cents)>,
    /// Credits of the tick that are applied at its end (deferred crediting).
    pub pending_credit: Cents,
    /// Its figures before the last change of the tick in which `changed` was set.
    pub before: Before,
    /// Whether an event of the current or last tick changed it.
    pub changed: bool,
    #[serde(skip)]
    pub(super) queue1: List,
    #[serde(skip)]
    pub(super) queue2_len: usize,
    #[serde(skip)]
    pub(super) queue2_value: i128,
}

/// The figures of a bank before the current or last tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Balance.
    pub balance: Cents,
    /// Posted collateral.
    pub posted: Cents,
    /// Entries of its queue 1.
    pub queue1_len: usize,
    /// Its entries in queue 2.
    pub queue2_len: usize,
    /// Costs of the run by kind.
    pub run_costs: Costs,
}

/// Collateral that goes back by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// When.
    pub due: Tick,
    /// How much was posted.
    pub amount: Cents,
    /// Why it was posted.
    pub reason: Text,
    /// When it was posted.
    pub posted_at: Tick,
}

/// A release budget (spec 03, 6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// As set.
    pub max_value: Cents,
    /// What is left of it.
    pub remaining: Cents,
    /// Receivers to which alone something is released; `None`: all.
    pub focus: Option<Vec<Text>>,
    /// Most to one receiver.
    pub max_per_counterparty: Option<Cents>,
    /// Released so far, by receiver.
    pub used: Vec<(BankIdx, Cents)>,
}

impl BankState {
    /// Sent today to a receiver.
    #[must_use]
    pub fn outflow_to(&self, receiver: BankIdx) -> Cents {
        match self.outflows.binary_search_by_key(&receiver, |(bank, _)| *bank) {
            Ok(at) => self.outflows[at].1,
            Err(_) => Cents::ZERO,
        }
    }

    /// The value of a register; 0 if it is not set.
    #[must_use]
    pub fn register(&self, name: &str) -> f64 {
        match self.registers.binary_search_by(|(key, _)| (**key).cmp(name)) {
            Ok(at) => self.registers[at].1,
            Err(_) => 0.0,
        }
    }

    pub(super) fn note_change(&mut self) {
        self.before = Before {
            balance: self.balance,
            posted: self.posted,
            queue1_len: self.queue1.len,
            queue2_len: self.queue2_len,
            run_costs: self.run_costs,
        };
        self.changed = true;
    }
}
