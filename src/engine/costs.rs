//! Step 17: what each bank is charged for the tick (spec 03, 8).

use super::payments::Slot;
use super::{Simulation, TickResult};
use crate::costs::Costs;
use crate::event::{CostsField, Event};
use crate::ids::BankIdx;
use crate::money::Cents;
use crate::rates::{DelayWeights, hdiv, scaled_rate};
use crate::scenario::Scenario;

/// The scenario's rates as integers, computed once.
#[derive(Debug)]
pub(super) struct Tariff {
    overdraft: u128,
    collateral: u128,
    liquidity: u128,
    delay: DelayWeights,
}

impl Tariff {
    pub fn new(scenario: &Scenario) -> Self {
        let rates = &scenario.cost_rates;
        Self {
            overdraft: scaled_rate(rates.overdraft_bps_per_tick, 1000.0),
            collateral: scaled_rate(rates.collateral_cost_per_tick_bps, 1_000_000.0),
            liquidity: scaled_rate(rates.liquidity_cost_per_tick_bps, 1_000_000.0),
            delay: DelayWeights::new(rates),
        }
    }
}

impl Simulation {
    /// Bank by bank: payments that went overdue, then the costs of the tick.
    pub(super) fn accrue_costs(&mut self) -> TickResult {
        for bank in self.scenario.names.banks() {
            let penalty = self.mark_overdue(bank)?;
            let state = &self.banks[bank.at()];
            let costs = Costs {
                overdraft: per_10m(Cents::ZERO.saturating_sub(state.balance), self.tariff.overdraft, 1),
                delay: self.delay_cost(bank),
                collateral: per_10m(state.posted, self.tariff.collateral, 1000),
                penalty,
                split_friction: Cents::ZERO,
                liquidity_opportunity: per_10m(state.allocated, self.tariff.liquidity, 1000),
            };
            if costs != Costs::ZERO {
                let total = self.charge(bank, &costs)?;
                self.events
                    .push(Event::CostAccrual { agent_id: bank, costs: CostsField { kinds: costs, total } });
            }
        }
        Ok(())
    }

    /// 8.1: payments of queue 1 past their deadline, then those of queue 2 marked in this tick.
    /// Returns the deadline penalties.
    fn mark_overdue(&mut self, bank: BankIdx) -> Result<Cents, super::TickFailure> {
        let now = self.now;
        let state = &self.banks[bank.at()];
        let is_new = |slot: &&Slot| {
            let payment = &self.payments[**slot];
            payment.is_past_deadline(now) && payment.overdue_since.is_none_or(|since| since == now)
        };
        let queue1 = state.queue1.iter().filter(is_new);
        let queue2 = state.queue2_view.iter().filter(is_new);
        let newly: Vec<Slot> = queue1.chain(queue2).copied().collect();
        let mut penalties = Cents::ZERO;
        for slot in newly {
            let payment = &mut self.payments[slot];
            payment.overdue_since = Some(now);
            let penalty = self.scenario.cost_rates.deadline_penalty.for_amount(payment.amount);
            self.events.push(Event::TransactionWentOverdue {
                tx_id: payment.id,
                sender_id: payment.sender,
                receiver_id: payment.receiver,
                amount: payment.amount,
                remaining_amount: payment.remaining,
                deadline_tick: payment.deadline,
                ticks_overdue: now.since(payment.deadline),
                deadline_penalty_cost: penalty,
            });
            let sum = penalties.checked_add(penalty);
            penalties = sum.ok_or_else(|| self.overflow(bank, "the deadline penalties"))?;
        }
        Ok(penalties)
    }

    /// 8.3: one rounding for the whole bank and tick.
    fn delay_cost(&self, bank: BankIdx) -> Cents {
        let delay = &self.tariff.delay;
        if delay.rate == 0 {
            return Cents::ZERO;
        }
        let state = &self.banks[bank.at()];
        let contributions = state.queue1.iter().chain(&state.queue2_view).map(|slot| {
            let payment = &self.payments[*slot];
            delay.contribution(payment.remaining, payment.overdue_since.is_some(), payment.priority)
        });
        delay.cost(contributions.fold(0, u128::saturating_add))
    }
}

/// A share of an amount at a scaled rate in basis points; nothing below 0.
fn per_10m(amount: Cents, rate: u128, precision: u128) -> Cents {
    let base = u128::try_from(amount.0).unwrap_or(0);
    hdiv(base.saturating_mul(rate), 10_000_000 * precision)
}
