//! Events of the reference: the fold takes them as they are and makes the state fit them (spec 06, 8.1).
//!
//! They do not say everything: payments that a queue retry settles have no event, a logged pair need not
//! have settled, a withdrawn payment stands in no queue. So an event can name a payment that the fold has
//! elsewhere, or a balance that the events before do not give. Then the event is believed, and the place
//! is counted as a doubt.

use super::error::{FoldError, Problem};
use super::payment::Place;
use super::state::State;
use super::table::Slot;
use crate::event::{Event, SettlementId};
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;

/// Where the events of a simulation did not fit together, so that balances and queues are uncertain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// How often.
    pub count: u64,
    /// The first time, unless it lies before the snapshot from which the fold began.
    pub first: Option<FoldError>,
}

impl State {
    /// Where events of the reference did not fit together; nothing for simulations of our own.
    #[must_use]
    pub const fn doubts(&self) -> &Doubts {
        &self.doubts
    }

    pub(super) fn doubt(&mut self, problem: Problem) {
        self.doubts.count += 1;
        if self.doubts.count == 1 {
            self.doubts.first = Some(self.error(problem));
        }
    }

    /// What is an error in a simulation of our own is a doubt in one of the reference.
    pub(super) fn tolerate(&mut self, found: Result<(), Problem>) -> Result<(), Problem> {
        match found {
            Err(problem) if self.rules.reference => {
                self.doubt(problem);
                Ok(())
            }
            found => found,
        }
    }

    /// Makes the state fit an event of the reference that comes next.
    pub(super) fn fit(&mut self, event: &Event) -> Result<(), Problem> {
        match event {
            Event::RtgsSubmission { tx_id, amount, .. } => self.bring(*tx_id, Place::Queue1, Some(*amount)),
            Event::PolicyDrop { tx_id, .. } | Event::PolicySplit { tx_id, .. } => {
                self.bring(*tx_id, Place::Queue1, None)
            }
            Event::QueuedRtgs { tx_id, .. } => self.bring(*tx_id, Place::Submitted, None),
            Event::RtgsWithdrawal { tx_id, .. } => self.bring(*tx_id, Place::Queue2, None),
            Event::RtgsImmediateSettlement { tx_id, sender, amount, sender_balance_before, .. } => {
                self.believe(*sender, *sender_balance_before)?;
                match tx_id {
                    SettlementId::Payment(id) => self.bring(*id, Place::Submitted, Some(*amount)),
                    SettlementId::Scheduled { .. } => Ok(()),
                }
            }
            Event::Queue2LiquidityRelease { tx_id, amount, .. }
            | Event::RtgsQueue2Settle { tx_id, amount, .. } => {
                self.bring(*tx_id, Place::Queue2, Some(*amount))
            }
            Event::LsmBilateralOffset { tx_ids, tx_amounts, .. }
            | Event::LsmCycleSettlement { tx_ids, tx_amounts, .. } => tx_ids
                .iter()
                .zip(tx_amounts.iter())
                .try_for_each(|(id, amount)| self.bring(*id, Place::Queue2, Some(*amount))),
            _ => self.fit_bank(event),
        }
    }

    fn fit_bank(&mut self, event: &Event) -> Result<(), Problem> {
        match event {
            Event::LiquidityAllocation { agent_id, amount, balance_after, .. } => {
                self.believe(*agent_id, balance_after.saturating_sub(*amount))
            }
            Event::LiquidityReturn { agent_id, amount, balance_after } => {
                self.believe(*agent_id, balance_after.saturating_add(*amount))
            }
            Event::DeferredCreditApplied { agent_id, amount, .. } => {
                let pending = self.bank_mut(*agent_id)?.pending_credit;
                self.tolerate(Problem::differs("the deferred credit", pending, *amount))?;
                self.bank_mut(*agent_id)?.pending_credit = *amount;
                Ok(())
            }
            Event::CollateralPost { agent_id, amount, new_total, .. } => {
                self.believe_posted(*agent_id, new_total.saturating_sub(*amount))
            }
            Event::CollateralWithdraw { agent_id, amount, new_total, .. }
            | Event::CollateralTimerWithdrawn { agent_id, amount, new_total, .. } => {
                self.believe_posted(*agent_id, new_total.saturating_add(*amount))
            }
            Event::TransactionReprioritized { tx_id, old_priority, .. } => {
                let Some(slot) = self.payments.find(*tx_id) else { return Ok(()) };
                self.set_priority(slot, *old_priority)
            }
            _ => Ok(()),
        }
    }

    fn believe(&mut self, bank: BankIdx, balance: Cents) -> Result<(), Problem> {
        let known = self.bank_mut(bank)?.balance;
        self.tolerate(Problem::differs("the balance", known, balance))?;
        self.bank_mut(bank)?.balance = balance;
        Ok(())
    }

    fn believe_posted(&mut self, bank: BankIdx, posted: Cents) -> Result<(), Problem> {
        let known = self.bank_mut(bank)?.posted;
        self.tolerate(Problem::differs("posted collateral", known, posted))?;
        self.bank_mut(bank)?.posted = posted;
        Ok(())
    }

    /// Brings an open payment to where the next event takes it from, with the amount that it says.
    fn bring(&mut self, id: PaymentId, place: Place, amount: Option<Cents>) -> Result<(), Problem> {
        let Some(slot) = self.payments.find(id) else { return Ok(()) };
        let found = self.payments.get(slot).place;
        let remaining = self.payments.get(slot).remaining;
        let amount = amount.unwrap_or(remaining);
        if found == place && remaining == amount {
            return Ok(());
        }
        if found != place {
            self.doubt(Problem::Elsewhere { payment: id, expected: place, found });
        }
        self.tolerate(Problem::differs("the remaining amount", remaining, amount))?;
        self.take_out(slot, found)?;
        let payment = self.payments.get_mut(slot);
        (payment.remaining, payment.ended) = (amount, None);
        self.put_in(slot, place)
    }

    fn take_out(&mut self, slot: Slot, place: Place) -> Result<(), Problem> {
        match place {
            Place::Queue1 => self.leave_queue1(slot),
            Place::Queue2 => self.leave_queue2(slot),
            Place::Submitted => self.leave_submissions(slot),
            Place::Dropped => {
                self.payments.detach(slot, &mut self.dropped);
                Ok(())
            }
            Place::Split => {
                self.payments.detach(slot, &mut self.split);
                Ok(())
            }
            Place::Settled => Ok(()),
        }
    }

    fn put_in(&mut self, slot: Slot, place: Place) -> Result<(), Problem> {
        match place {
            Place::Queue2 => self.enter_queue2(slot),
            Place::Submitted => {
                self.payments.get_mut(slot).place = place;
                self.payments.append(slot, &mut self.submitted);
                Ok(())
            }
            _ => {
                self.enter_queue1(slot);
                Ok(())
            }
        }
    }

    /// Moves the money of a settlement whose payment never came into being, as far as the events say.
    pub(super) fn settle_unknown(&mut self, event: &Event) -> Result<(), Problem> {
        match event {
            Event::RtgsImmediateSettlement { sender, receiver, amount, .. }
            | Event::Queue2LiquidityRelease { sender, receiver, amount, .. }
            | Event::RtgsQueue2Settle { sender, receiver, amount, .. } => {
                self.transfer(*sender, *receiver, *amount)
            }
            _ => Ok(()),
        }
    }

    /// What is left over at the end of a tick of the reference: submissions wait in queue 2, and credits
    /// that no event applies are applied.
    pub(super) fn close_gaps(&mut self) -> Result<(), Problem> {
        let left: Vec<PaymentId> = self.submissions().map(|payment| payment.id).collect();
        for id in left {
            let slot = self.open(id)?;
            self.doubt(Problem::LeftSubmitted(1));
            self.leave_submissions(slot)?;
            self.enter_queue2(slot)?;
        }
        for at in 0..self.changed.len() {
            let bank = self.changed[at];
            let amount = self.bank_mut(bank)?.pending_credit;
            if amount != Cents::ZERO {
                self.doubt(Problem::NotCredited { bank, amount });
                self.credit(bank, amount)?;
            }
        }
        Ok(())
    }
}
