//! Step 10: decisions about payments in queue 2; only withdrawing has an effect (spec 02, 7).

use super::Simulation;
use super::facts::BankFacts;
use super::payments::{Place, Slot};
use crate::event::{Event, RtgsPriority};
use crate::policy::PaymentDecision;

impl Simulation {
    /// All payments of the view are judged on one state, then the decisions are carried out in order.
    /// A policy that fails here holds the payment.
    pub(super) fn queue2_decisions(&mut self) {
        let mut taken_back: Vec<(Slot, Option<RtgsPriority>)> = Vec::new();
        for (bank, config) in self.banks.iter().zip(&self.scenario.banks) {
            if bank.queue2_view.is_empty() || !config.policy.acts_on_queue2() {
                continue;
            }
            for slot in &bank.queue2_view {
                match config.policy.decide_payment(&BankFacts::for_payment(self, *slot)) {
                    Ok(PaymentDecision::Withdraw) => taken_back.push((*slot, None)),
                    Ok(PaymentDecision::Resubmit(class)) => taken_back.push((*slot, Some(class))),
                    _ => {}
                }
            }
        }
        if taken_back.is_empty() {
            return;
        }
        for (slot, class) in taken_back {
            self.withdraw(slot);
            if let Some(class) = class {
                self.declare(slot, class);
            }
        }
        self.compact_queue2();
    }

    /// The payment goes to the back of its sender's queue 1 (C12).
    fn withdraw(&mut self, slot: Slot) {
        let payment = &mut self.payments[slot];
        payment.place = Place::Queue1;
        let value = i128::from(payment.remaining.0);
        self.queue2_value -= value;
        let bank = &mut self.banks[payment.sender.at()];
        bank.queue1.push(slot);
        bank.queue1_value += value;
        self.events.push(Event::RtgsWithdrawal {
            tx_id: payment.id,
            sender: payment.sender,
            original_rtgs_priority: payment.class,
        });
    }
}
