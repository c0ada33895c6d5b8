//! The state as policies see it: each field is computed when a tree asks for it (spec 04, 3).

use super::Simulation;
use super::bank::BankState;
use super::payments::{Payment, Place, Slot};
use crate::ids::BankIdx;
use crate::liquidity::Position;
use crate::money::Cents;
use crate::policy::{Facts, Field};
use crate::scenario::Bank;

/// What one evaluation of a tree reads. The state does not change while it lives.
pub(super) struct BankFacts<'a> {
    simulation: &'a Simulation,
    bank: BankIdx,
    payment: Option<Slot>,
    /// Amounts for which the deadline and the end-of-day penalty are shown.
    penalty_amounts: (Cents, Cents),
}

impl<'a> BankFacts<'a> {
    /// For the payment tree.
    pub fn for_payment(simulation: &'a Simulation, slot: Slot) -> Self {
        let payment = &simulation.payments[slot];
        let penalty_amounts = (payment.amount, payment.remaining);
        Self { simulation, bank: payment.sender, payment: Some(slot), penalty_amounts }
    }

    /// For a collateral tree: penalties are those of a payment of 1 cent.
    pub const fn for_collateral(simulation: &'a Simulation, bank: BankIdx) -> Self {
        Self { simulation, bank, payment: None, penalty_amounts: (Cents(1), Cents(1)) }
    }

    /// For the bank tree: penalties are those of nothing.
    pub const fn for_bank(simulation: &'a Simulation, bank: BankIdx) -> Self {
        Self { simulation, bank, payment: None, penalty_amounts: (Cents(0), Cents(0)) }
    }

    fn state(&self) -> &BankState {
        &self.simulation.banks[self.bank.at()]
    }

    fn config(&self) -> &Bank {
        &self.simulation.scenario.banks[self.bank.at()]
    }

    fn position(&self) -> Position {
        self.simulation.position(self.bank)
    }

    fn queue1_value(&self) -> Cents {
        Cents::saturating_from(self.state().queue1_value)
    }
}

impl Facts for BankFacts<'_> {
    fn field(&self, field: Field) -> f64 {
        if let Some(value) = self.payment_field(field) {
            return value;
        }
        let position = self.position();
        let config = self.config();
        let rates = &self.simulation.scenario.cost_rates;
        match field {
            Field::Balance => cents(position.balance),
            Field::UnsecuredCap => cents(position.unsecured_cap),
            Field::CreditUsed => cents(position.credit_used()),
            Field::IsUsingCredit => flag(position.balance < Cents::ZERO),
            Field::CreditHeadroom => cents(position.credit_headroom()),
            Field::AllowedOverdraftLimit => cents(position.credit_line()),
            Field::OverdraftHeadroom => cents(position.headroom()),
            Field::AvailableLiquidity => cents(position.available()),
            Field::LiquidityPressure => position.pressure(),
            Field::PostedCollateral => cents(position.posted),
            Field::MaxCollateralCapacity => cents(config.collateral_capacity),
            Field::RemainingCollateralCapacity => {
                cents(position.remaining_capacity(config.collateral_capacity))
            }
            Field::CollateralUtilization => ratio(cents(position.posted), cents(config.collateral_capacity)),
            Field::CollateralHaircut => position.haircut,
            Field::RequiredCollateralForUsage => cents(position.required_collateral(Cents::ZERO)),
            Field::ExcessCollateral => cents(position.withdrawable(Cents::ZERO)),
            Field::OverdraftUtilization => {
                ratio(cents(position.credit_used()), cents(position.credit_line()))
            }
            Field::CostOverdraftBpsPerTick => rates.overdraft_bps_per_tick,
            Field::CostDelayPerTickPerCent => rates.delay_cost_per_tick_per_cent,
            Field::CostCollateralBpsPerTick => rates.collateral_cost_per_tick_bps,
            Field::CostSplitFriction => cents(rates.split_friction_cost),
            Field::CostDeadlinePenalty => cents(rates.deadline_penalty.for_amount(self.penalty_amounts.0)),
            Field::CostEodPenalty => cents(rates.eod_penalty.for_amount(self.penalty_amounts.1)),
            Field::Register(register) => {
                self.state().registers.get(usize::from(register.0)).copied().flatten().unwrap_or(0.0)
            }
            queue_or_time => {
                self.queue_field(queue_or_time).unwrap_or_else(|| self.time_field(queue_or_time))
            }
        }
    }
}

impl BankFacts<'_> {
    /// Fields of 3.2; `None` for all others, and without a payment.
    fn payment_field(&self, field: Field) -> Option<f64> {
        let payment: &Payment = &self.simulation.payments[self.payment?];
        let now = self.simulation.now;
        let rates = &self.simulation.scenario.cost_rates;
        Some(match field {
            Field::Amount => cents(payment.amount),
            Field::RemainingAmount => cents(payment.remaining),
            Field::SettledAmount => cents(payment.amount.saturating_sub(payment.remaining)),
            Field::ArrivalTick => count(payment.arrival.0),
            Field::DeadlineTick => count(payment.deadline.0),
            Field::Priority => f64::from(payment.priority),
            Field::IsSplit => flag(payment.parent.is_some()),
            Field::IsPastDeadline => flag(payment.is_past_deadline(now)),
            Field::IsOverdue => flag(payment.overdue_since.is_some()),
            Field::OverdueDuration => count(payment.overdue_since.map_or(0, |since| now.since(since))),
            Field::TicksToDeadline => (i128::from(payment.deadline.0) - i128::from(now.0)) as f64,
            Field::QueueAge => count(now.since(payment.arrival)),
            Field::IsInQueue2 => flag(payment.place == Place::Queue2),
            Field::CostDelayThisTxOneTick => cents(payment.remaining) * rates.delay_cost_per_tick_per_cent,
            Field::CostOverdraftThisAmountOneTick => {
                (rates.overdraft_bps_per_tick / 10_000.0) * cents(payment.remaining)
            }
            _ => return None,
        })
    }

    /// Fields of 3.4; `None` for all others.
    fn queue_field(&self, field: Field) -> Option<f64> {
        let simulation = self.simulation;
        let nearest =
            || self.state().queue2_view.iter().map(|slot| simulation.payments[*slot].deadline).min();
        Some(match field {
            Field::OutgoingQueueSize => size(self.state().queue1.len()),
            Field::Queue1TotalValue => cents(self.queue1_value()),
            Field::Queue1LiquidityGap => cents(self.position().gap(self.queue1_value())),
            Field::Headroom => cents(self.position().available().saturating_sub(self.queue1_value())),
            Field::Queue2Size => size(simulation.queue2.len()),
            Field::RtgsQueueValue => cents(Cents::saturating_from(simulation.queue2_value)),
            Field::Queue2CountForAgent => size(self.state().queue2_view.len()),
            Field::Queue2NearestDeadline => nearest().map_or(count(u64::MAX), |deadline| count(deadline.0)),
            Field::TicksToNearestQueue2Deadline => {
                nearest().map_or(f64::INFINITY, |deadline| count(deadline.since(simulation.now)))
            }
            Field::TotalAgents => size(simulation.banks.len()),
            Field::SystemQueue2PressureIndex => {
                pressure_index(size(simulation.queue2.len()), size(simulation.banks.len()))
            }
            _ => return None,
        })
    }

    /// Fields of 3.7; only these are left.
    fn time_field(&self, field: Field) -> f64 {
        let calendar = self.simulation.scenario.calendar;
        let (now, in_day) = (self.simulation.now, calendar.tick_in_day(self.simulation.now));
        let progress = count(in_day) / count(calendar.ticks_per_day);
        let throughput = || ratio(self.state().today_settled as f64, self.state().today_arrived as f64);
        match field {
            Field::CurrentTick => count(now.0),
            Field::SystemTicksPerDay => count(calendar.ticks_per_day),
            Field::SystemCurrentDay => count(calendar.day(now).0),
            Field::SystemTickInDay => count(in_day),
            Field::TicksRemainingInDay => count(calendar.ticks_per_day - in_day - 1),
            Field::DayProgressFraction => progress,
            Field::IsEodRush => flag(progress >= self.simulation.scenario.settings.eod_rush_threshold),
            Field::MyThroughputFractionToday => throughput(),
            Field::ThroughputGap => throughput() - progress,
            // Payment fields in a tree without a payment are refused by the checker.
            _ => 0.0,
        }
    }
}

/// 0 for an empty queue 2, else a logistic curve that starts just above one half (3.4).
fn pressure_index(queued: f64, banks: f64) -> f64 {
    if queued == 0.0 {
        return 0.0;
    }
    let load = queued / (10.0 * banks);
    1.0 / (1.0 + libm::exp(-2.0 * load))
}

const fn cents(amount: Cents) -> f64 {
    amount.0 as f64
}

const fn count(number: u64) -> f64 {
    number as f64
}

const fn size(number: usize) -> f64 {
    number as f64
}

const fn flag(set: bool) -> f64 {
    if set { 1.0 } else { 0.0 }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}
