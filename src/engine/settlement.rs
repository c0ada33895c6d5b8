//! Step 11, and how a payment settles wherever it does (spec 02, 5, 8 and 9).

use super::payments::{Place, Slot};
use super::{Direction, Simulation, TickResult};
use crate::event::{Event, SettlementId};
use crate::ids::BankIdx;
use crate::money::Cents;

/// What the limits of a sender say about an amount (spec 02, 8.2).
#[derive(Clone, Copy)]
pub(super) struct LimitTest {
    /// Outflow so far and limit, if the bilateral limit refuses.
    pub bilateral: Option<(Cents, Cents)>,
    /// Outflow so far and limit, if the multilateral limit refuses.
    pub multilateral: Option<(Cents, Cents)>,
}

impl LimitTest {
    pub const fn passes(self) -> bool {
        self.bilateral.is_none() && self.multilateral.is_none()
    }
}

impl Simulation {
    /// Step 11: every submission settles, is offset at entry, or goes to queue 2.
    pub(super) fn settle_submissions(&mut self) -> TickResult {
        let mut submissions = std::mem::take(&mut self.submissions);
        for slot in submissions.drain(..) {
            self.settle_or_queue(slot)?;
        }
        self.submissions = submissions;
        Ok(())
    }

    fn settle_or_queue(&mut self, slot: Slot) -> TickResult {
        let payment = &self.payments[slot];
        let (sender, receiver, amount) = (payment.sender, payment.receiver, payment.remaining);
        let limits = self.test_limits(sender, receiver, amount);
        self.log_exceeded(slot, limits);
        if limits.passes() {
            if self.position(sender).can_pay(amount) {
                return self.settle_immediately(slot);
            }
            if self.scenario.settings.entry_disposition_offsetting && self.offset_at_entry(slot)? {
                return Ok(());
            }
        }
        self.enqueue2(slot);
        Ok(())
    }

    fn settle_immediately(&mut self, slot: Slot) -> TickResult {
        let payment = &self.payments[slot];
        let (id, sender, receiver, amount) =
            (payment.id, payment.sender, payment.receiver, payment.remaining);
        let before = self.banks[sender.at()].balance;
        self.settle(slot)?;
        self.log_overdue_settled(slot, amount);
        self.events.push(Event::RtgsImmediateSettlement {
            tx_id: SettlementId::Payment(id),
            sender,
            receiver,
            amount,
            sender_balance_before: before,
            sender_balance_after: before.saturating_sub(amount),
        });
        Ok(())
    }

    fn log_exceeded(&mut self, slot: Slot, limits: LimitTest) {
        let payment = &self.payments[slot];
        let (tx_id, sender, amount) = (payment.id, payment.sender, payment.remaining);
        if let Some((current_bilateral_outflow, bilateral_limit)) = limits.bilateral {
            self.events.push(Event::BilateralLimitExceeded {
                tx_id,
                sender,
                receiver: payment.receiver,
                amount,
                current_bilateral_outflow,
                bilateral_limit,
            });
        }
        if let Some((current_total_outflow, multilateral_limit)) = limits.multilateral {
            self.events.push(Event::MultilateralLimitExceeded {
                tx_id,
                sender,
                amount,
                current_total_outflow,
                multilateral_limit,
            });
        }
    }

    /// Tests an amount, beyond what is planned already, against the limits of its sender.
    pub(super) fn test_limits(&self, sender: BankIdx, receiver: BankIdx, amount: Cents) -> LimitTest {
        let bank = &self.banks[sender.at()];
        let config = &self.scenario.banks[sender.at()];
        let exceeds = |outflow: Cents, limit: Cents| {
            (i128::from(outflow.0) + i128::from(amount.0) > i128::from(limit.0)).then_some((outflow, limit))
        };
        let bilateral = config
            .bilateral_limits
            .iter()
            .zip(&bank.limited_outflow)
            .find(|((limited, _), _)| *limited == receiver)
            .and_then(|((_, limit), outflow)| exceeds(*outflow, *limit));
        let multilateral = config.multilateral_limit.and_then(|limit| exceeds(bank.outflow, limit));
        LimitTest { bilateral, multilateral }
    }

    /// The payment settles at its full remaining amount, without any test: debit, outflow,
    /// credit now or at the end of the tick, parents of parts updated (C22).
    pub(super) fn settle(&mut self, slot: Slot) -> TickResult {
        let payment = &mut self.payments[slot];
        let (id, sender, receiver, amount) =
            (payment.id, payment.sender, payment.receiver, payment.remaining);
        payment.remaining = Cents::ZERO;
        payment.place = Place::Settled;
        self.payments.retire(slot);
        self.book(sender, amount, Direction::Debit)?;
        self.count_outflow(sender, receiver, amount)?;
        if self.scenario.settings.deferred_crediting {
            let sum = self.banks[receiver.at()].deferred.amount.checked_add(amount);
            let sum = sum.ok_or_else(|| self.overflow(receiver, "the deferred credit"))?;
            let deferred = &mut self.banks[receiver.at()].deferred;
            deferred.sources.push(id);
            deferred.amount = sum;
        } else {
            self.book(receiver, amount, Direction::Credit)?;
        }
        self.count_settlement(slot, amount);
        Ok(())
    }

    fn count_outflow(&mut self, sender: BankIdx, receiver: BankIdx, amount: Cents) -> TickResult {
        let limits = &self.scenario.banks[sender.at()].bilateral_limits;
        let bank = &mut self.banks[sender.at()];
        if let Some(position) = limits.iter().position(|(limited, _)| *limited == receiver) {
            // Never above the total, which is checked below.
            let outflow = &mut bank.limited_outflow[position];
            *outflow = outflow.saturating_add(amount);
        }
        match bank.outflow.checked_add(amount) {
            Some(total) => bank.outflow = total,
            None => return Err(self.overflow(sender, "the outflow of the day")),
        }
        Ok(())
    }

    fn count_settlement(&mut self, slot: Slot, amount: Cents) {
        self.counts.settlements += 1;
        let (original, done) = self.settle_upwards(slot, amount);
        let payment = &self.payments[original];
        let calendar = self.scenario.calendar;
        if calendar.day(payment.arrival) == calendar.day(self.now) {
            self.banks[payment.sender.at()].today_settled += i128::from(amount.0);
        }
        if done {
            let delay = self.now.since(payment.arrival);
            self.totals.settled_originals += 1;
            self.totals.delay_sum += u128::from(delay);
            self.totals.max_delay = self.totals.max_delay.max(delay);
        }
    }

    /// Logged directly before the event of the settlement of a payment marked overdue (C14).
    pub(super) fn log_overdue_settled(&mut self, slot: Slot, settled_amount: Cents) {
        let payment = &self.payments[slot];
        let Some(since) = payment.overdue_since else { return };
        let rates = &self.scenario.cost_rates;
        let ticks = self.now.since(since);
        // A mark of this very tick was never charged.
        let charged = since < self.now;
        let penalty = rates.deadline_penalty.for_amount(payment.amount);
        let estimate = settled_amount.0 as f64
            * rates.delay_cost_per_tick_per_cent
            * rates.overdue_delay_multiplier
            * ticks as f64;
        self.events.push(Event::OverdueTransactionSettled {
            tx_id: payment.id,
            sender_id: payment.sender,
            receiver_id: payment.receiver,
            amount: payment.amount,
            settled_amount,
            deadline_tick: payment.deadline,
            overdue_since_tick: since,
            total_ticks_overdue: ticks,
            deadline_penalty_cost: if charged { penalty } else { Cents::ZERO },
            estimated_delay_cost: if charged { Cents(estimate.round() as i64) } else { Cents::ZERO },
        });
    }

    /// Step 16: credits of the tick reach their receivers, in byte order (spec 02, 9).
    pub(super) fn apply_deferred_credits(&mut self) -> TickResult {
        if !self.scenario.settings.deferred_crediting {
            return Ok(());
        }
        for bank in self.scenario.names.banks() {
            let deferred = std::mem::take(&mut self.banks[bank.at()].deferred);
            if deferred.sources.is_empty() {
                continue;
            }
            self.book(bank, deferred.amount, Direction::Credit)?;
            self.events.push(Event::DeferredCreditApplied {
                agent_id: bank,
                amount: deferred.amount,
                source_transactions: deferred.sources.into(),
            });
        }
        Ok(())
    }
}
