//! Queue 2: its order, its pass, its view by sender (spec 02, 6).

use super::payments::{Place, Slot};
use super::{Simulation, TickFailure, TickResult};
use crate::event::{Event, Mechanism};
use crate::money::Cents;

/// What a pass settled.
#[derive(Clone, Copy, Default)]
pub(super) struct PassResult {
    pub settlements: u64,
    pub value: Cents,
}

impl Simulation {
    /// A submitted payment that could not settle goes to the end of queue 2.
    pub(super) fn enqueue2(&mut self, slot: Slot) {
        let payment = &mut self.payments[slot];
        payment.place = Place::Queue2;
        payment.queue2_entry = self.now;
        self.queue2_value += i128::from(payment.remaining.0);
        self.queue2.push(slot);
        self.events.push(Event::QueuedRtgs { tx_id: payment.id, sender_id: payment.sender });
    }

    /// Removes what no longer stands in queue 2.
    pub(super) fn compact_queue2(&mut self) {
        let payments = &self.payments;
        self.queue2.retain(|slot| payments[*slot].place == Place::Queue2);
    }

    /// A queue 2 payment settles; the entry leaves with the next compaction.
    pub(super) fn settle_queued(&mut self, slot: Slot) -> TickResult {
        self.queue2_value -= i128::from(self.payments[slot].remaining.0);
        self.settle(slot)
    }

    /// Step 12: by class, then tick of submission, if the scenario says so.
    pub(super) fn sort_queue2(&mut self) {
        if self.scenario.settings.priority_mode {
            let payments = &self.payments;
            self.queue2.sort_by_key(|slot| (payments[*slot].class, payments[*slot].submitted));
        }
    }

    /// Step 13: the pass and its report.
    pub(super) fn queue2_phase(&mut self) -> TickResult {
        let result = self.queue2_pass()?;
        self.report(Mechanism::Queue2, result.settlements, result.value);
        Ok(())
    }

    /// One pass, front to back (6.3). A failing entry does not block those behind it.
    pub(super) fn queue2_pass(&mut self) -> Result<PassResult, TickFailure> {
        let mut result = PassResult::default();
        for position in 0..self.queue2.len() {
            let slot = self.queue2[position];
            let payment = &mut self.payments[slot];
            if payment.is_past_deadline(self.now) {
                payment.overdue_since.get_or_insert(self.now);
            }
            let (sender, receiver, amount) = (payment.sender, payment.receiver, payment.remaining);
            if self.position(sender).can_pay(amount) && self.test_limits(sender, receiver, amount).passes() {
                self.release_from_queue2(slot)?;
                result.settlements += 1;
                let value = result.value.checked_add(amount);
                result.value = value.ok_or_else(|| self.overflow(sender, "the value settled in queue 2"))?;
            }
        }
        if result.settlements > 0 {
            self.compact_queue2();
        }
        Ok(result)
    }

    fn release_from_queue2(&mut self, slot: Slot) -> TickResult {
        let amount = self.payments[slot].remaining;
        self.settle_queued(slot)?;
        self.log_overdue_settled(slot, amount);
        let payment = &self.payments[slot];
        self.events.push(Event::Queue2LiquidityRelease {
            tx_id: payment.id,
            sender: payment.sender,
            receiver: payment.receiver,
            amount,
            queue_wait_ticks: self.now.since(payment.queue2_entry),
            release_reason: self.words.liquidity_available.clone(),
        });
        Ok(())
    }

    /// A mechanism's report about the tick, if the scenario asks for reports (13.1).
    pub(super) fn report(&mut self, algorithm: Mechanism, settlements: u64, settled_value: Cents) {
        if self.scenario.settings.algorithm_sequencing {
            let word = if settlements > 0 { &self.words.success } else { &self.words.no_progress };
            let result = word.clone();
            self.events.push(Event::AlgorithmExecution { algorithm, result, settlements, settled_value });
        }
    }

    /// The entries of each sender, in queue order, as policies and costs see them (2.2).
    pub(super) fn rebuild_queue2_view(&mut self) {
        for bank in &mut self.banks {
            bank.queue2_view.clear();
        }
        for slot in &self.queue2 {
            self.banks[self.payments[*slot].sender.at()].queue2_view.push(*slot);
        }
    }
}
