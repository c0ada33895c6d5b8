//! Steps 6, 8 and 9: bank trees, order of queue 1, decisions about its payments (spec 02, 3; 04, 5).

use super::bank::Budget;
use super::facts::BankFacts;
use super::payments::{Place, Slot};
use super::splits::{Later, SplitPlan};
use super::{Simulation, TickFailure, TickResult};
use crate::event::{DeclaredPriority, Event, HoldReason, RtgsPriority, Text};
use crate::ids::BankIdx;
use crate::policy::{BankDecision, HoldCause, PaymentDecision, RegisterIdx};
use crate::scenario::{Escalation, Queue1Ordering};
use crate::time::Tick;

/// Most registers that a bank holds (spec 04, 7).
const MAX_REGISTERS: usize = 10;

/// Whether a decided payment keeps its place in queue 1.
enum Fate {
    Stays,
    Leaves,
}

impl Simulation {
    /// Step 6: the bank tree of each bank, applied at once.
    pub(super) fn bank_decisions(&mut self) -> TickResult {
        let scenario = self.scenario.clone();
        for (bank, config) in scenario.names.banks().zip(&scenario.banks) {
            if !config.policy.has_bank_tree() {
                continue;
            }
            let decision = config
                .policy
                .decide_bank(&BankFacts::for_bank(self, bank))
                .map_err(|error| TickFailure::Policy { bank: config.id.to_string(), error })?;
            match decision {
                BankDecision::None => {}
                BankDecision::Budget { max_value, focus, max_per_counterparty } => {
                    self.banks[bank.at()].budget = Some(Budget {
                        remaining: max_value,
                        focus: focus.clone(),
                        max_per_counterparty,
                        usage: Vec::new(),
                    });
                    self.events.push(Event::BankBudgetSet {
                        agent_id: bank,
                        max_value,
                        focus_counterparties: focus,
                        max_per_counterparty,
                    });
                }
                BankDecision::Register { register, value, add, reason, path } => {
                    if let Some(register) = register {
                        self.set_register(bank, register, value, add, reason, path);
                    }
                }
            }
        }
        Ok(())
    }

    /// Sets or adds to a register; one beyond the limit is ignored without an event.
    fn set_register(
        &mut self,
        bank: BankIdx,
        register: RegisterIdx,
        value: f64,
        add: bool,
        reason: Text,
        path: Text,
    ) {
        let index = usize::from(register.0);
        let registers = &mut self.banks[bank.at()].registers;
        let held = registers.iter().flatten().count();
        let old = registers[index];
        if old.is_none() && held >= MAX_REGISTERS {
            return;
        }
        let old_value = old.unwrap_or(0.0);
        let new_value = if add { old_value + value } else { value };
        registers[index] = Some(new_value);
        self.events.push(Event::StateRegisterSet {
            agent_id: bank,
            register_key: self.scenario.banks[bank.at()].policy.registers()[index].clone(),
            old_value,
            new_value,
            reason,
            decision_path: Some(path),
        });
    }

    /// Step 8: takes the list of banks with something in queue 1, escalates, sorts.
    pub(super) fn escalate_and_sort_queue1(&mut self) -> Vec<BankIdx> {
        let listed: Vec<BankIdx> =
            self.scenario.names.banks().filter(|bank| !self.banks[bank.at()].queue1.is_empty()).collect();
        if let Some(escalation) = self.scenario.settings.priority_escalation {
            self.escalate(escalation);
        }
        if self.scenario.settings.queue1_ordering == Queue1Ordering::PriorityDeadline {
            let payments = &self.payments;
            for bank in &listed {
                self.banks[bank.at()].queue1.sort_by_key(|slot| {
                    let payment = &payments[*slot];
                    (std::cmp::Reverse(payment.priority), payment.deadline)
                });
            }
        }
        listed
    }

    /// Spec 01, 12.2: all unsettled payments in creation order, those in no queue included.
    fn escalate(&mut self, Escalation { start_at_ticks, max_boost }: Escalation) {
        for slot in self.payments.in_creation_order() {
            let payment = &mut self.payments[slot];
            let left = payment.deadline.since(self.now);
            if left > start_at_ticks {
                continue;
            }
            let progress = if start_at_ticks == 0 { 1.0 } else { 1.0 - left as f64 / start_at_ticks as f64 };
            let boost = (f64::from(max_boost) * progress).round() as u64;
            let target = (u64::from(payment.original_priority) + boost).min(10) as u8;
            if target > payment.priority {
                payment.priority = target;
                self.events.push(Event::PriorityEscalated {
                    tx_id: payment.id,
                    sender_id: payment.sender,
                    original_priority: payment.original_priority,
                    escalated_priority: target,
                    ticks_until_deadline: left,
                    boost_applied: boost,
                });
            }
        }
    }

    /// Step 9: each listed bank judges all its payments on one state, then acts on them in order.
    pub(super) fn queue1_decisions(&mut self, listed: &[BankIdx]) -> TickResult {
        let mut decisions = Vec::new();
        for bank in listed {
            self.judge_queue1(*bank, &mut decisions)?;
            self.carry_out(*bank, &mut decisions)?;
        }
        Ok(())
    }

    fn judge_queue1(&self, bank: BankIdx, decisions: &mut Vec<(Slot, PaymentDecision)>) -> TickResult {
        let config = &self.scenario.banks[bank.at()];
        for slot in &self.banks[bank.at()].queue1 {
            if self.payments[*slot].held_until > self.now {
                continue;
            }
            let decision = config
                .policy
                .decide_payment(&BankFacts::for_payment(self, *slot))
                .map_err(|error| TickFailure::Policy { bank: config.id.to_string(), error })?;
            decisions.push((*slot, decision));
        }
        Ok(())
    }

    fn carry_out(&mut self, bank: BankIdx, decisions: &mut Vec<(Slot, PaymentDecision)>) -> TickResult {
        let mut held_back = Vec::new();
        let mut left = false;
        for (slot, decision) in decisions.drain(..) {
            if let Fate::Leaves = self.act(slot, decision, &mut held_back)? {
                let remaining = self.payments[slot].remaining;
                self.banks[bank.at()].queue1_value -= i128::from(remaining.0);
                left = true;
            }
        }
        let payments = &self.payments;
        let state = &mut self.banks[bank.at()];
        if left {
            state.queue1.retain(|slot| payments[*slot].place == Place::Queue1);
        }
        state.queue1_value +=
            held_back.iter().map(|slot| i128::from(payments[*slot].remaining.0)).sum::<i128>();
        state.queue1.append(&mut held_back);
        Ok(())
    }

    fn act(
        &mut self,
        slot: Slot,
        decision: PaymentDecision,
        held_back: &mut Vec<Slot>,
    ) -> Result<Fate, TickFailure> {
        match decision {
            PaymentDecision::Release { priority, timed_for } => {
                return Ok(self.release(slot, priority, timed_for));
            }
            PaymentDecision::Split { parts } => {
                return self.split_decided(slot, SplitPlan { parts, boost: 0, later: None }, held_back);
            }
            PaymentDecision::Stagger { parts, first_now, gap_ticks, priority_boost } => {
                let later = Some(Later { first_now, gap_ticks });
                return self.split_decided(
                    slot,
                    SplitPlan { parts, boost: priority_boost, later },
                    held_back,
                );
            }
            PaymentDecision::Drop => {
                self.drop_payment(slot);
                return Ok(Fate::Leaves);
            }
            PaymentDecision::Hold(cause) => {
                let ticks_remaining = self.payments[slot].deadline.since(self.now);
                self.hold(slot, hold_reason(cause, ticks_remaining));
            }
            PaymentDecision::Reprioritize(priority) => self.reprioritize(slot, priority),
            PaymentDecision::Withdraw => self.hold(slot, HoldReason::NotInQueue2(self.payments[slot].id)),
            PaymentDecision::Resubmit(class) => self.declare(slot, class),
        }
        Ok(Fate::Stays)
    }

    /// Spec 02, 3.1. A priority flag acts at once, whatever becomes of the release.
    fn release(&mut self, slot: Slot, priority: Option<u8>, timed_for: Option<Tick>) -> Fate {
        let old_priority = self.payments[slot].priority;
        if let Some(priority) = priority {
            self.payments[slot].priority = priority;
        }
        let changed = self.payments[slot].priority != old_priority;
        if timed_for.is_some_and(|tick| tick > self.now) {
            if changed {
                self.log_reprioritized(slot, old_priority);
            }
            return Fate::Stays;
        }
        let payment = &self.payments[slot];
        let (sender, receiver, amount) = (payment.sender, payment.receiver, payment.remaining);
        let receiver_id = self.scenario.names.bank(receiver);
        if let Some(budget) = &mut self.banks[sender.at()].budget {
            if !budget.allows(amount, receiver, receiver_id) {
                if changed {
                    self.log_reprioritized(slot, old_priority);
                }
                self.hold(slot, HoldReason::BudgetExhausted);
                return Fate::Stays;
            }
            budget.charge(amount, receiver);
        }
        let class = self.payments[slot].declared.unwrap_or(RtgsPriority::Normal);
        self.submit(slot, class);
        self.events.push(Event::PolicySubmit { agent_id: sender, tx_id: self.payments[slot].id });
        Fate::Leaves
    }

    /// The payment is handed to the settlement system.
    pub(super) fn submit(&mut self, slot: Slot, class: RtgsPriority) {
        let payment = &mut self.payments[slot];
        payment.class = class;
        payment.submitted = self.now;
        payment.place = Place::Submitted;
        self.events.push(Event::RtgsSubmission {
            tx_id: payment.id,
            sender: payment.sender,
            receiver: payment.receiver,
            amount: payment.remaining,
            internal_priority: payment.priority,
            rtgs_priority: class,
        });
        self.submissions.push(slot);
    }

    fn split_decided(
        &mut self,
        slot: Slot,
        plan: SplitPlan,
        held_back: &mut Vec<Slot>,
    ) -> Result<Fate, TickFailure> {
        if self.split(slot, plan, held_back)? {
            return Ok(Fate::Leaves);
        }
        self.hold(slot, HoldReason::SplitTooSmall);
        Ok(Fate::Stays)
    }

    fn hold(&mut self, slot: Slot, reason: HoldReason) {
        let payment = &self.payments[slot];
        self.events.push(Event::PolicyHold { agent_id: payment.sender, tx_id: payment.id, reason });
    }

    /// Spec 02, 3.2: a dropped payment is in no queue and costs nothing any more.
    fn drop_payment(&mut self, slot: Slot) {
        let payment = &mut self.payments[slot];
        payment.place = Place::Dropped;
        payment.overdue_since.get_or_insert(self.now);
        self.events.push(Event::PolicyDrop {
            agent_id: payment.sender,
            tx_id: payment.id,
            reason: self.words.expired_deadline.clone(),
        });
        // Only escalation ever looks at it again.
        if self.scenario.settings.priority_escalation.is_none() {
            self.payments.retire(slot);
        }
    }

    fn reprioritize(&mut self, slot: Slot, priority: u8) {
        let old_priority = std::mem::replace(&mut self.payments[slot].priority, priority);
        self.log_reprioritized(slot, old_priority);
    }

    fn log_reprioritized(&mut self, slot: Slot, old_priority: u8) {
        let payment = &self.payments[slot];
        self.events.push(Event::TransactionReprioritized {
            agent_id: payment.sender,
            tx_id: payment.id,
            old_priority,
            new_priority: payment.priority,
        });
    }

    /// The class of the next submission is declared (spec 02, 7.3).
    pub(super) fn declare(&mut self, slot: Slot, class: RtgsPriority) {
        let payment = &mut self.payments[slot];
        let old = payment.declared.replace(class);
        self.events.push(Event::RtgsResubmission {
            tx_id: payment.id,
            sender: payment.sender,
            old_rtgs_priority: DeclaredPriority(old),
            new_rtgs_priority: class,
        });
    }
}

fn hold_reason(cause: HoldCause, ticks_remaining: u64) -> HoldReason {
    match cause {
        HoldCause::InsufficientLiquidity => HoldReason::InsufficientLiquidity,
        HoldCause::AwaitingInflows => HoldReason::AwaitingInflows,
        HoldCause::LowPriority => HoldReason::LowPriority,
        HoldCause::NearDeadline => HoldReason::NearDeadline { ticks_remaining },
        HoldCause::Custom(text) => HoldReason::Other(text),
    }
}
