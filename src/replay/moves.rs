//! How payments move between the places where they can stand (spec 00, C29).

use super::Watch;
use super::error::Problem;
use super::payment::{HeldBack, Payment, Place, Submission};
use super::state::State;
use super::table::Slot;
use crate::event::{Event, HoldReason, RtgsPriority, Text};
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;
use crate::time::Tick;

impl State {
    pub(super) fn arrival(&mut self, event: &Event, watch: &mut impl Watch) -> Result<(), Problem> {
        let Event::Arrival {
            tx_id,
            sender_id: sender,
            receiver_id: receiver,
            amount,
            deadline,
            priority,
            is_divisible,
            parent_tx_id: parent,
        } = *event
        else {
            return Ok(());
        };
        // Payments of the reference have random ids, in no order.
        let known = if self.rules.reference {
            self.payments.find(tx_id).is_some()
        } else {
            tx_id <= self.last_payment
        };
        if known {
            return Err(Problem::PaymentOutOfOrder(tx_id));
        }
        if sender == receiver {
            return Err(Problem::SameParties(tx_id));
        }
        if receiver.at() >= self.banks.len() {
            return Err(Problem::UnknownBank(receiver));
        }
        let now = self.tick;
        let (mut arrival, mut split_index) = (now, None);
        if let Some(parent) = parent {
            let slot = self.between(parent, sender, receiver)?;
            let parent = self.payments.get_mut(slot);
            (arrival, split_index) = (parent.arrival, Some(parent.parts));
            parent.parts = parent.parts.saturating_add(1);
        }
        self.bank_mut(sender)?;
        self.last_payment = tx_id;
        let payment = Payment {
            id: tx_id,
            sender,
            receiver,
            amount,
            remaining: amount,
            priority,
            original_priority: priority,
            is_divisible,
            arrival,
            deadline,
            parent,
            split_index,
            ..Payment::blank(now)
        };
        watch.arrived(&payment);
        self.queue1_len += 1;
        self.payments.insert(payment, &mut self.banks[sender.at()].queue1);
        Ok(())
    }

    pub(super) fn submission(
        &mut self,
        slot: Slot,
        amount: Cents,
        priority: u8,
        class: RtgsPriority,
    ) -> Result<(), Problem> {
        Problem::differs("the amount submitted", self.payments.get(slot).remaining, amount)?;
        self.leave_queue1(slot)?;
        let payment = self.payments.get_mut(slot);
        payment.priority = priority;
        payment.place = Place::Submitted;
        payment.submission = Some(Submission { class, tick: self.tick });
        self.payments.append(slot, &mut self.submitted);
        Ok(())
    }

    /// A full release counts against the budget of the tick (spec 03, 6).
    pub(super) fn charge_budget(&mut self, bank: BankIdx, id: PaymentId) -> Result<(), Problem> {
        let slot = self.sent_by(id, bank)?;
        let Payment { receiver, remaining, .. } = *self.payments.get(slot);
        let Some(budget) = &mut self.bank_mut(bank)?.budget else { return Ok(()) };
        budget.remaining = budget.remaining.saturating_sub(remaining);
        match budget.used.iter_mut().find(|(to, _)| *to == receiver) {
            Some((_, used)) => *used = used.saturating_add(remaining),
            None => budget.used.push((receiver, remaining)),
        }
        Ok(())
    }

    pub(super) fn hold(&mut self, bank: BankIdx, id: PaymentId, reason: &HoldReason) -> Result<(), Problem> {
        let slot = self.sent_by(id, bank)?;
        let payment = self.payments.get_mut(slot);
        payment.held_back = None;
        if payment.hold.as_ref() != Some(reason) {
            payment.hold = Some(reason.clone());
        }
        Ok(())
    }

    pub(super) fn drop(
        &mut self,
        bank: BankIdx,
        id: PaymentId,
        reason: &Text,
        watch: &mut impl Watch,
    ) -> Result<(), Problem> {
        let slot = self.sent_by(id, bank)?;
        self.leave_queue1(slot)?;
        self.mark_overdue(slot, self.tick);
        let payment = self.payments.get_mut(slot);
        payment.place = Place::Dropped;
        payment.ended = Some(self.tick);
        self.payments.append(slot, &mut self.dropped);
        watch.dropped(self.payments.get(slot), reason);
        Ok(())
    }

    pub(super) fn split_up(
        &mut self,
        bank: BankIdx,
        id: PaymentId,
        parts: &[PaymentId],
        watch: &mut impl Watch,
    ) -> Result<(), Problem> {
        let slot = self.sent_by(id, bank)?;
        self.leave_queue1(slot)?;
        self.payments.get_mut(slot).place = Place::Split;
        self.payments.append(slot, &mut self.split);
        self.hold_back(bank, parts)?;
        watch.split(self.payments.get(slot));
        Ok(())
    }

    /// The parts that were not submitted are held back, the k-th of them for k gaps (C13).
    pub(super) fn hold_back(&mut self, bank: BankIdx, parts: &[PaymentId]) -> Result<(), Problem> {
        let first_now = |slot: &Slot| self.payments.get(*slot).place != Place::Queue1;
        let slots = parts.iter().map(|id| self.open(*id)).collect::<Result<Vec<_>, _>>()?;
        let later = slots.iter().position(|slot| !first_now(slot)).unwrap_or(slots.len());
        let policy = self.scenario.banks.get(bank.at()).map(|bank| &bank.policy);
        let gap = policy.and_then(|policy| policy.stagger_gap(slots.len() as u64, later as u64));
        for (slot, rank) in slots[later..].iter().zip(1..) {
            let until = gap.map(|gap| self.tick.after(gap.max(1).saturating_mul(rank)));
            self.payments.get_mut(*slot).held_back = Some(HeldBack { rank, until });
        }
        Ok(())
    }

    pub(super) fn set_priority(&mut self, slot: Slot, priority: u8) -> Result<(), Problem> {
        let payment = self.payments.get_mut(slot);
        payment.count_until(self.tick, &self.rules);
        payment.priority = priority;
        if payment.place == Place::Queue1 {
            self.banks[payment.sender.at()].queue1.unsorted = true;
        }
        Ok(())
    }

    pub(super) fn withdrawal(&mut self, id: PaymentId, sender: BankIdx) -> Result<(), Problem> {
        let slot = self.sent_by(id, sender)?;
        self.leave_queue2(slot)?;
        self.payments.get_mut(slot).submission = None;
        self.enter_queue1(slot);
        Ok(())
    }

    /// Puts a payment that stands in no list at the back of its sender's queue 1.
    pub(super) fn enter_queue1(&mut self, slot: Slot) {
        let payment = self.payments.get_mut(slot);
        payment.place = Place::Queue1;
        let sender = payment.sender;
        self.queue1_len += 1;
        self.payments.append(slot, &mut self.banks[sender.at()].queue1);
    }

    pub(super) fn queued(&mut self, id: PaymentId, sender: BankIdx) -> Result<(), Problem> {
        let slot = self.sent_by(id, sender)?;
        self.leave_submissions(slot)?;
        self.enter_queue2(slot)
    }

    /// Puts a payment that stands in no list at the end of queue 2.
    pub(super) fn enter_queue2(&mut self, slot: Slot) -> Result<(), Problem> {
        let payment = self.payments.get_mut(slot);
        payment.place = Place::Queue2;
        payment.queue2_since = Some(self.tick);
        let (sender, value) = (payment.sender, i128::from(payment.remaining.0));
        self.payments.append(slot, &mut self.queue2);
        let bank = self.bank_mut(sender)?;
        bank.queue2_len += 1;
        bank.queue2_value += value;
        Ok(())
    }

    pub(super) fn went_overdue(
        &mut self,
        id: PaymentId,
        sender: BankIdx,
        penalty: Cents,
    ) -> Result<(), Problem> {
        let slot = self.sent_by(id, sender)?;
        self.mark_overdue(slot, self.tick);
        let payment = self.payments.get_mut(slot);
        payment.deadline_penalty = payment.deadline_penalty.saturating_add(penalty);
        Ok(())
    }

    pub(super) fn mark_overdue(&mut self, slot: Slot, since: Tick) {
        let payment = self.payments.get_mut(slot);
        if payment.overdue_since.is_none() {
            payment.count_until(self.tick, &self.rules);
            payment.overdue_since = Some(since);
        }
    }

    pub(super) fn leave_queue1(&mut self, slot: Slot) -> Result<(), Problem> {
        let sender = self.leave(slot, Place::Queue1)?;
        let payment = self.payments.get_mut(slot);
        (payment.hold, payment.held_back) = (None, None);
        let bank = self.bank_mut(sender)?;
        let mut list = bank.queue1;
        self.payments.detach(slot, &mut list);
        self.banks[sender.at()].queue1 = list;
        self.queue1_len -= 1;
        Ok(())
    }

    pub(super) fn leave_queue2(&mut self, slot: Slot) -> Result<(), Problem> {
        let sender = self.leave(slot, Place::Queue2)?;
        let payment = self.payments.get_mut(slot);
        payment.queue2_since = None;
        let value = i128::from(payment.remaining.0);
        self.payments.detach(slot, &mut self.queue2);
        let bank = self.bank_mut(sender)?;
        bank.queue2_len -= 1;
        bank.queue2_value -= value;
        Ok(())
    }

    pub(super) fn leave_submissions(&mut self, slot: Slot) -> Result<(), Problem> {
        self.leave(slot, Place::Submitted)?;
        self.payments.detach(slot, &mut self.submitted);
        Ok(())
    }

    /// Checks the place that a payment leaves and counts its time there.
    pub(super) fn leave(&mut self, slot: Slot, expected: Place) -> Result<BankIdx, Problem> {
        let payment = self.payments.get_mut(slot);
        if payment.place != expected {
            let (payment, found) = (payment.id, payment.place);
            return Err(Problem::Elsewhere { payment, expected, found });
        }
        payment.count_until(self.tick, &self.rules);
        Ok(payment.sender)
    }

    pub(super) fn open(&self, id: PaymentId) -> Result<Slot, Problem> {
        self.payments.find(id).ok_or(Problem::UnknownPayment(id))
    }

    pub(super) fn sent_by(&self, id: PaymentId, sender: BankIdx) -> Result<Slot, Problem> {
        let slot = self.open(id)?;
        if self.payments.get(slot).sender == sender { Ok(slot) } else { Err(Problem::OtherParties(id)) }
    }

    pub(super) fn between(&self, id: PaymentId, sender: BankIdx, receiver: BankIdx) -> Result<Slot, Problem> {
        let slot = self.sent_by(id, sender)?;
        if self.payments.get(slot).receiver == receiver { Ok(slot) } else { Err(Problem::OtherParties(id)) }
    }
}
