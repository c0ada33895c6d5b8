//! What each event does to the state (spec 00, C29; 05, 4).

use super::Watch;
use super::bank::Budget;
use super::error::{FoldError, Problem};
use super::state::State;
use crate::event::{Event, SettlementId};
use crate::money::Cents;
use crate::time::Tick;

impl State {
    /// Folds the events of one whole tick.
    ///
    /// # Errors
    ///
    /// A tick out of order, or an event that does not fit the state before it.
    pub fn apply_tick(&mut self, tick: Tick, events: &[Event]) -> Result<(), FoldError> {
        self.apply_tick_watched(tick, events, &mut ())
    }

    /// Folds the events of one whole tick and tells what happens to payments.
    ///
    /// # Errors
    ///
    /// As [`State::apply_tick`].
    pub fn apply_tick_watched(
        &mut self,
        tick: Tick,
        events: &[Event],
        watch: &mut impl Watch,
    ) -> Result<(), FoldError> {
        self.begin_tick(tick)?;
        for event in events {
            self.apply_watched(event, watch)?;
        }
        self.end_tick()
    }

    /// Begins a tick: budgets are unlimited again, a new day's costs start at nothing.
    ///
    /// # Errors
    ///
    /// A tick out of order, or one that is begun already.
    pub fn begin_tick(&mut self, tick: Tick) -> Result<(), FoldError> {
        if self.in_tick {
            return Err(self.error(Problem::TickBounds { open: true }));
        }
        if tick != self.tick {
            return Err(self.error(Problem::TickOutOfOrder { expected: self.tick, found: tick }));
        }
        for bank in self.changed.drain(..) {
            let bank = &mut self.banks[bank.at()];
            bank.changed = false;
            bank.budget = None;
        }
        if tick.0 > 0 && self.scenario.calendar.opens_day(tick) {
            for bank in &mut self.banks {
                bank.day_costs = crate::costs::Costs::ZERO;
            }
        }
        self.in_tick = true;
        self.queue1_sorted = !self.rules.sorts_queue1;
        Ok(())
    }

    /// Folds the next event of the tick in progress.
    ///
    /// # Errors
    ///
    /// No tick was begun, or the event does not fit the state before it.
    pub fn apply(&mut self, event: &Event) -> Result<(), FoldError> {
        self.apply_watched(event, &mut ())
    }

    /// Folds the next event and tells what happens to payments.
    ///
    /// # Errors
    ///
    /// As [`State::apply`].
    pub fn apply_watched(&mut self, event: &Event, watch: &mut impl Watch) -> Result<(), FoldError> {
        if !self.in_tick {
            return Err(self.error(Problem::TickBounds { open: false }));
        }
        if !self.queue1_sorted && !precedes_queue1_sort(event) {
            self.sort_queues1();
        }
        let applied = if self.rules.reference {
            self.apply_reported(event, watch)
        } else {
            self.apply_event(event, watch)
        };
        applied.map_err(|problem| self.error(problem))?;
        self.sequence += 1;
        Ok(())
    }

    /// Folds an event of the reference, whatever it says.
    fn apply_reported(&mut self, event: &Event, watch: &mut impl Watch) -> Result<(), Problem> {
        let fitted = self.fit(event);
        self.tolerate(fitted)?;
        let applied = self.apply_event(event, watch);
        if let Err(Problem::UnknownPayment(_)) = applied {
            let settled = self.settle_unknown(event);
            self.tolerate(settled)?;
        }
        self.tolerate(applied)
    }

    /// Ends the tick in progress.
    ///
    /// # Errors
    ///
    /// No tick was begun, or something that must end within a tick is left over.
    pub fn end_tick(&mut self) -> Result<(), FoldError> {
        if !self.in_tick {
            return Err(self.error(Problem::TickBounds { open: false }));
        }
        if !self.queue1_sorted {
            self.sort_queues1();
        }
        self.sort_queue2();
        if self.rules.reference {
            let closed = self.close_gaps();
            self.tolerate(closed).map_err(|problem| self.error(problem))?;
        }
        if self.submitted.len > 0 {
            return Err(self.error(Problem::LeftSubmitted(self.submitted.len)));
        }
        for at in 0..self.changed.len() {
            let idx = self.changed[at];
            let bank = &mut self.banks[idx.at()];
            if bank.pending_credit != Cents::ZERO {
                let amount = bank.pending_credit;
                return Err(self.error(Problem::NotCredited { bank: idx, amount }));
            }
            // A timer of this tick that was set after the timers' step never fires (spec 03, 5.4).
            let now = self.tick;
            bank.timers.retain(|timer| timer.due > now);
        }
        self.in_tick = false;
        self.tick = self.tick.after(1);
        Ok(())
    }

    /// Every queue 1 in the order of `priority_deadline` (spec 01, 12.1).
    fn sort_queues1(&mut self) {
        self.queue1_sorted = true;
        for bank in &mut self.banks {
            if bank.queue1.unsorted {
                self.payments.sort(&mut bank.queue1, |payment| {
                    (std::cmp::Reverse(payment.priority), payment.deadline)
                });
            }
        }
    }

    /// Queue 2 in the order of `priority_mode` (spec 02, 6.2).
    pub(super) fn sort_queue2(&mut self) {
        if self.rules.sorts_queue2 && self.queue2.unsorted {
            self.payments.sort(&mut self.queue2, |payment| {
                payment.submission.map(|submission| (submission.class, submission.tick))
            });
        }
    }

    fn apply_event(&mut self, event: &Event, watch: &mut impl Watch) -> Result<(), Problem> {
        match event {
            Event::Arrival { .. } => self.arrival(event, watch),
            Event::RtgsSubmission { tx_id, sender, receiver, amount, internal_priority, rtgs_priority } => {
                let slot = self.between(*tx_id, *sender, *receiver)?;
                self.submission(slot, *amount, *internal_priority, *rtgs_priority)
            }
            Event::PolicySubmit { agent_id, tx_id } => self.charge_budget(*agent_id, *tx_id),
            Event::PolicyHold { agent_id, tx_id, reason } => self.hold(*agent_id, *tx_id, reason),
            Event::PolicyDrop { agent_id, tx_id, reason } => self.drop(*agent_id, *tx_id, reason, watch),
            Event::PolicySplit { agent_id, tx_id, child_ids, .. } => {
                self.split_up(*agent_id, *tx_id, child_ids, watch)
            }
            Event::TransactionReprioritized { agent_id, tx_id, old_priority, new_priority } => {
                let slot = self.sent_by(*tx_id, *agent_id)?;
                let payment = self.payments.get_mut(slot);
                payment.held_back = None;
                let (expected, found) = (payment.priority.into(), (*old_priority).into());
                if expected != found {
                    return Err(Problem::Differs { figure: "the old priority", expected, found });
                }
                self.set_priority(slot, *new_priority)
            }
            Event::PriorityEscalated { tx_id, sender_id, escalated_priority, .. } => {
                let slot = self.sent_by(*tx_id, *sender_id)?;
                self.set_priority(slot, *escalated_priority)
            }
            Event::RtgsWithdrawal { tx_id, sender, .. } => self.withdrawal(*tx_id, *sender),
            Event::RtgsResubmission { tx_id, sender, new_rtgs_priority, .. } => {
                let slot = self.sent_by(*tx_id, *sender)?;
                let payment = self.payments.get_mut(slot);
                (payment.declared, payment.held_back) = (Some(*new_rtgs_priority), None);
                Ok(())
            }
            Event::QueuedRtgs { tx_id, sender_id } => self.queued(*tx_id, *sender_id),
            Event::TransactionWentOverdue { tx_id, sender_id, deadline_penalty_cost, .. } => {
                self.went_overdue(*tx_id, *sender_id, *deadline_penalty_cost)
            }
            Event::OverdueTransactionSettled { tx_id, sender_id, overdue_since_tick, .. } => {
                let slot = self.sent_by(*tx_id, *sender_id)?;
                self.mark_overdue(slot, *overdue_since_tick);
                Ok(())
            }
            _ => self.apply_to_banks(event, watch),
        }
    }

    fn apply_to_banks(&mut self, event: &Event, watch: &mut impl Watch) -> Result<(), Problem> {
        match event {
            Event::RtgsImmediateSettlement { .. }
            | Event::EntryDispositionOffset { .. }
            | Event::Queue2LiquidityRelease { .. }
            | Event::RtgsQueue2Settle { .. }
            | Event::LsmBilateralOffset { .. }
            | Event::LsmCycleSettlement { .. } => self.apply_settlement(event, watch),
            Event::DeferredCreditApplied { agent_id, amount, .. } => self.credit(*agent_id, *amount),
            Event::BankBudgetSet { agent_id, max_value, focus_counterparties, max_per_counterparty } => {
                self.bank_mut(*agent_id)?.budget = Some(Budget {
                    max_value: *max_value,
                    remaining: *max_value,
                    focus: focus_counterparties.as_ref().map(|focus| focus.to_vec()),
                    max_per_counterparty: *max_per_counterparty,
                    used: Vec::new(),
                });
                Ok(())
            }
            Event::StateRegisterSet { agent_id, register_key, new_value, reason, decision_path, .. } => {
                let resets = decision_path.is_none() && **reason == *"eod_reset";
                self.register(*agent_id, register_key, (!resets).then_some(*new_value))
            }
            Event::CollateralPost { agent_id, amount, reason, new_total, auto_withdraw_tick } => {
                self.collateral(*agent_id, amount.0.into(), *new_total)?;
                self.set_timer(*agent_id, *amount, reason, *auto_withdraw_tick)
            }
            Event::CollateralWithdraw { agent_id, amount, new_total, .. } => {
                self.collateral(*agent_id, -i128::from(amount.0), *new_total)
            }
            Event::CollateralTimerWithdrawn { agent_id, amount, new_total, .. } => {
                self.timer_done(*agent_id)?;
                self.collateral(*agent_id, -i128::from(amount.0), *new_total)
            }
            Event::CollateralTimerBlocked { agent_id, .. } => self.timer_done(*agent_id),
            Event::Settlement { sender_id, receiver_id, amount } => {
                self.transfer(*sender_id, *receiver_id, *amount)
            }
            Event::CostAccrual { agent_id, costs } => {
                let bank = self.bank_mut(*agent_id)?;
                let overflow = Problem::Overflow("a total of costs");
                bank.day_costs = bank.day_costs.checked_add(&costs.kinds).ok_or(overflow)?;
                bank.run_costs = bank.run_costs.checked_add(&costs.kinds).ok_or(overflow)?;
                Ok(())
            }
            Event::EndOfDay { unsettled_count, .. } => {
                let (expected, found) =
                    ((self.queue1_len + self.queue2.len) as i128, i128::from(*unsettled_count));
                if expected != found {
                    let figure = "the number of queued payments";
                    self.tolerate(Err(Problem::Differs { figure, expected, found }))?;
                }
                for bank in &mut self.banks {
                    bank.outflow = Cents::ZERO;
                    bank.outflows.clear();
                }
                Ok(())
            }
            Event::LiquidityAllocation { agent_id, amount, balance_after, .. } => {
                self.pool(*agent_id, amount.0.into(), *amount, *balance_after)
            }
            Event::LiquidityReturn { agent_id, amount, balance_after } => {
                self.pool(*agent_id, -i128::from(amount.0), Cents::ZERO, *balance_after)
            }
            Event::ScenarioEventExecuted { details_json, .. } => self.scenario_event(details_json),
            // Limits exceeded and reports of mechanisms change nothing; all others are above.
            _ => Ok(()),
        }
    }
}

/// Whether an event comes before the sort of queue 1 in its tick (C29). Of those that may
/// come on either side none moves a payment in queue 1 or its priority after the sort.
const fn precedes_queue1_sort(event: &Event) -> bool {
    match event {
        Event::Arrival { parent_tx_id, .. } => parent_tx_id.is_none(),
        Event::RtgsImmediateSettlement { tx_id, .. } => matches!(tx_id, SettlementId::Scheduled { .. }),
        Event::ScenarioEventExecuted { .. }
        | Event::LiquidityAllocation { .. }
        | Event::CollateralPost { .. }
        | Event::CollateralWithdraw { .. }
        | Event::CollateralTimerWithdrawn { .. }
        | Event::CollateralTimerBlocked { .. }
        | Event::BankBudgetSet { .. }
        | Event::StateRegisterSet { .. }
        | Event::PriorityEscalated { .. } => true,
        _ => false,
    }
}
