//! What a simulation of an experiment yields: costs, and how well payments settled (spec 07, 4).

use serde_json::{Map, Value, json};

use super::history::History;
use crate::costs::Costs;
use crate::event::{Event, SettlementId};
use crate::ids::{BankIdx, PaymentId};
use crate::time::Tick;

/// How well the original payments of somebody settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Original payments.
    pub total: u64,
    /// Those that settled, split ones by all their parts.
    pub settled: u64,
    /// Ticks from arrival to settlement, summed over those that settled.
    pub delay: u64,
}

impl Tally {
    /// Settled by all; 1.0 if there are none.
    #[must_use]
    pub fn rate(&self) -> f64 {
        if self.total == 0 { 1.0 } else { self.settled as f64 / self.total as f64 }
    }

    /// Mean ticks from arrival to settlement; 0.0 if none settled.
    #[must_use]
    pub fn average_delay(&self) -> f64 {
        if self.settled == 0 { 0.0 } else { self.delay as f64 / self.settled as f64 }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            total: self.total + other.total,
            settled: self.settled + other.settled,
            delay: self.delay + other.delay,
        }
    }
}

/// A finished simulation in figures; banks are indexed by [`BankIdx`] of its scenario.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Costs of each bank over the whole run.
    pub costs: Vec<Costs>,
    /// Own payments of each bank.
    pub tallies: Vec<Tally>,
    /// Its payments, where asked for.
    pub history: Option<History>,
    /// Events logged.
    pub events: u64,
}

impl Outcome {
    /// Total cost of a bank in cents.
    #[must_use]
    pub fn cost(&self, bank: BankIdx) -> i64 {
        // The engine refuses costs whose total would leave 64 bits.
        self.costs.get(bank.at()).and_then(Costs::total).map_or(0, |total| total.0)
    }

    /// The payments of the whole system.
    #[must_use]
    pub fn system(&self) -> Tally {
        self.tallies.iter().fold(Tally::default(), |sum, tally| sum.plus(tally))
    }
}

/// The costs of one bank by kind as they are stored, with their sum; kinds are summed over `runs`.
#[must_use]
pub fn breakdown<'a>(runs: impl IntoIterator<Item = &'a Costs>) -> Value {
    let mut sums = [0_i128; 6];
    for costs in runs {
        for (sum, kind) in sums.iter_mut().zip(costs.kinds()) {
            *sum += i128::from(kind.0);
        }
    }
    let names = [
        "liquidity_cost",
        "delay_cost",
        "collateral_cost",
        "deadline_penalty",
        "split_friction_cost",
        "liquidity_opportunity_cost",
    ];
    let mut members: Map<String, Value> =
        names.iter().zip(sums).map(|(name, sum)| ((*name).to_owned(), json!(held(sum)))).collect();
    members.insert("total_cost".to_owned(), json!(held(sums.iter().sum())));
    Value::Object(members)
}

/// A sum as 64-bit cents, held at the ends of the range.
fn held(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// Figures of a simulation from its events alone: while it runs, or from what is stored of it.
#[derive(Debug)]
pub struct OutcomeFold {
    payments: Vec<Progress>,
    costs: Vec<Costs>,
    tallies: Vec<Tally>,
    history: Option<History>,
    events: u64,
}

/// How far a payment is; payment n stands at n − 1.
#[derive(Clone, Copy, Debug)]
struct Progress {
    sender: BankIdx,
    arrival: Tick,
    parent: Option<PaymentId>,
    /// Parts announced less parts settled.
    open_parts: i64,
}

impl OutcomeFold {
    /// Before tick 0 of a simulation of so many banks, with a history or without.
    #[must_use]
    pub fn new(banks: usize, with_history: bool) -> Self {
        Self {
            payments: Vec::new(),
            costs: vec![Costs::ZERO; banks],
            tallies: vec![Tally::default(); banks],
            history: with_history.then(History::new),
            events: 0,
        }
    }

    /// Takes the events of a tick.
    pub fn tick(&mut self, tick: Tick, events: &[Event]) {
        for event in events {
            self.observe(tick, event);
            if let Some(history) = &mut self.history {
                history.observe(tick, event);
            }
        }
        self.events += events.len() as u64;
    }

    fn observe(&mut self, tick: Tick, event: &Event) {
        match event {
            Event::Arrival { sender_id, parent_tx_id, .. } => {
                if parent_tx_id.is_none() {
                    self.tallies[sender_id.at()].total += 1;
                }
                self.payments.push(Progress {
                    sender: *sender_id,
                    arrival: tick,
                    parent: *parent_tx_id,
                    open_parts: 0,
                });
            }
            Event::PolicySplit { tx_id, num_splits, .. } => {
                if let Some(payment) = self.payment(*tx_id) {
                    payment.open_parts += i64::try_from(*num_splits).unwrap_or(i64::MAX);
                }
            }
            Event::RtgsImmediateSettlement { tx_id: SettlementId::Payment(payment), .. }
            | Event::Queue2LiquidityRelease { tx_id: payment, .. } => self.settled(tick, *payment),
            Event::LsmBilateralOffset { tx_ids, .. } | Event::LsmCycleSettlement { tx_ids, .. } => {
                tx_ids.iter().for_each(|payment| self.settled(tick, *payment));
            }
            Event::EntryDispositionOffset { incoming_tx_id, queued_tx_id, .. } => {
                self.settled(tick, *incoming_tx_id);
                self.settled(tick, *queued_tx_id);
            }
            Event::CostAccrual { agent_id, costs } => {
                let sum = &mut self.costs[agent_id.at()];
                // The engine refuses costs that would leave 64 bits.
                *sum = sum.checked_add(&costs.kinds).unwrap_or(*sum);
            }
            _ => {}
        }
    }

    fn payment(&mut self, payment: PaymentId) -> Option<&mut Progress> {
        let place = usize::try_from(payment.0.checked_sub(1)?).ok()?;
        self.payments.get_mut(place)
    }

    /// A payment settled, and with the last part its parent, and so on upwards.
    fn settled(&mut self, tick: Tick, payment: PaymentId) {
        let Some(settled) = self.payment(payment).copied() else { return };
        let Some(parent) = settled.parent else {
            let tally = &mut self.tallies[settled.sender.at()];
            tally.settled += 1;
            tally.delay += tick.since(settled.arrival);
            return;
        };
        let Some(whole) = self.payment(parent) else { return };
        whole.open_parts -= 1;
        if whole.open_parts == 0 {
            self.settled(tick, parent);
        }
    }

    /// The figures of a simulation that has ended.
    #[must_use]
    pub fn finish(self) -> Outcome {
        Outcome { costs: self.costs, tallies: self.tallies, history: self.history, events: self.events }
    }
}
