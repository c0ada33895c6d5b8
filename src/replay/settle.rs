//! Settlements: money moves, payments leave, parents follow their parts (spec 02, 5 to 14).

use super::Watch;
use super::error::Problem;
use super::payment::Place;
use super::state::State;
use super::table::Slot;
use crate::event::{Event, EventKind, SettlementId};
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;

const BALANCE: Problem = Problem::Overflow("a balance");

impl State {
    pub(super) fn apply_settlement(&mut self, event: &Event, watch: &mut impl Watch) -> Result<(), Problem> {
        let by = event.kind();
        match event {
            Event::RtgsImmediateSettlement {
                tx_id, sender, receiver, amount, sender_balance_before, ..
            } => {
                let balance = self.bank_mut(*sender)?.balance;
                Problem::differs("the sender's balance", balance, *sender_balance_before)?;
                let SettlementId::Payment(id) = tx_id else {
                    return self.transfer(*sender, *receiver, *amount);
                };
                let slot = self.between(*id, *sender, *receiver)?;
                self.leave_submissions(slot)?;
                self.settle(slot, *amount, by, watch)
            }
            Event::Queue2LiquidityRelease { tx_id, sender, receiver, amount, .. }
            | Event::RtgsQueue2Settle { tx_id, sender, receiver, amount, .. } => {
                self.sort_queue2();
                let slot = self.between(*tx_id, *sender, *receiver)?;
                self.leave_queue2(slot)?;
                self.settle(slot, *amount, by, watch)
            }
            Event::EntryDispositionOffset {
                incoming_tx_id,
                queued_tx_id,
                incoming_amount,
                queued_amount,
                ..
            } => {
                let incoming = self.open(*incoming_tx_id)?;
                self.leave_submissions(incoming)?;
                self.settle(incoming, *incoming_amount, by, watch)?;
                self.settle_queued(&[*queued_tx_id], &[*queued_amount], by, watch)
            }
            Event::LsmBilateralOffset { tx_ids, tx_amounts, .. }
            | Event::LsmCycleSettlement { tx_ids, tx_amounts, .. } => {
                self.sort_queue2();
                self.settle_queued(tx_ids, tx_amounts, by, watch)
            }
            _ => Ok(()),
        }
    }

    fn settle_queued(
        &mut self,
        ids: &[PaymentId],
        amounts: &[Cents],
        by: EventKind,
        watch: &mut impl Watch,
    ) -> Result<(), Problem> {
        if ids.len() != amounts.len() {
            let (expected, found) = (ids.len() as i128, amounts.len() as i128);
            return Err(Problem::Differs { figure: "the number of amounts", expected, found });
        }
        for (&id, &amount) in ids.iter().zip(amounts) {
            let slot = self.open(id)?;
            self.leave_queue2(slot)?;
            self.settle(slot, amount, by, watch)?;
        }
        Ok(())
    }

    /// Settles a payment that has just left its place: debit, outflow, credit now or deferred,
    /// then the parents.
    fn settle(
        &mut self,
        slot: Slot,
        amount: Cents,
        by: EventKind,
        watch: &mut impl Watch,
    ) -> Result<(), Problem> {
        let payment = self.payments.get(slot);
        let (sender, receiver, parent) = (payment.sender, payment.receiver, payment.parent);
        Problem::differs("the amount settled", payment.remaining, amount)?;
        let bank = self.bank_mut(sender)?;
        bank.balance = bank.balance.checked_sub(amount).ok_or(BALANCE)?;
        let overflow = Problem::Overflow("an outflow");
        bank.outflow = bank.outflow.checked_add(amount).ok_or(overflow)?;
        match bank.outflows.binary_search_by_key(&receiver, |(to, _)| *to) {
            Ok(at) => {
                let sent = &mut bank.outflows[at].1;
                *sent = sent.checked_add(amount).ok_or(overflow)?;
            }
            Err(at) => bank.outflows.insert(at, (receiver, amount)),
        }
        let deferred = self.rules.deferred_crediting;
        let bank = self.bank_mut(receiver)?;
        let credited = if deferred { &mut bank.pending_credit } else { &mut bank.balance };
        *credited = credited.checked_add(amount).ok_or(BALANCE)?;

        let now = self.tick;
        let payment = self.payments.get_mut(slot);
        let figures = payment.waiting_figures(now, &self.rules);
        payment.remaining = Cents::ZERO;
        payment.place = Place::Settled;
        payment.ended = Some(now);
        watch.settled(payment, by, figures);
        self.payments.forget(slot);
        self.settle_parents(parent, amount, watch)
    }

    /// The remaining amounts of all payments above fall by the part's (C22).
    fn settle_parents(
        &mut self,
        mut above: Option<PaymentId>,
        amount: Cents,
        watch: &mut impl Watch,
    ) -> Result<(), Problem> {
        while let Some(id) = above {
            let slot = self.open(id)?;
            let parent = self.payments.get(slot);
            above = parent.parent;
            if parent.place != Place::Split || parent.remaining < amount {
                let (expected, found) = (Place::Split, parent.place);
                return Err(Problem::Elsewhere { payment: id, expected, found });
            }
            let now = self.tick;
            let parent = self.payments.get_mut(slot);
            parent.remaining = parent.remaining.saturating_sub(amount);
            self.split.value -= i128::from(amount.0);
            if parent.remaining == Cents::ZERO {
                parent.ended = Some(now);
                watch.split_settled(parent, parent.waiting_figures(now, &self.rules));
                self.payments.detach(slot, &mut self.split);
                self.payments.forget(slot);
            }
        }
        Ok(())
    }

    /// Moves money at once, without a payment (direct transfers, scheduled settlements).
    pub(super) fn transfer(&mut self, from: BankIdx, to: BankIdx, amount: Cents) -> Result<(), Problem> {
        let sender = self.bank_mut(from)?;
        sender.balance = sender.balance.checked_sub(amount).ok_or(BALANCE)?;
        let receiver = self.bank_mut(to)?;
        receiver.balance = receiver.balance.checked_add(amount).ok_or(BALANCE)?;
        Ok(())
    }

    /// A bank receives the credits of the tick.
    pub(super) fn credit(&mut self, bank: BankIdx, amount: Cents) -> Result<(), Problem> {
        let bank = self.bank_mut(bank)?;
        Problem::differs("the deferred credit", bank.pending_credit, amount)?;
        bank.pending_credit = Cents::ZERO;
        bank.balance = bank.balance.checked_add(amount).ok_or(BALANCE)?;
        Ok(())
    }
}
