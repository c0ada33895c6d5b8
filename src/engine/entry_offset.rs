//! Offsetting at entry: a submitted payment settles against a queued one (spec 02, 13.2, C23).

use super::payments::{Place, Slot};
use super::{Simulation, TickFailure};
use crate::event::Event;
use crate::money::Cents;

impl Simulation {
    /// Settles the incoming payment together with the first fitting queued payment of the other
    /// direction. Returns whether there was one.
    pub(super) fn offset_at_entry(&mut self, incoming: Slot) -> Result<bool, TickFailure> {
        let Some(queued) = self.counterpart(incoming) else { return Ok(false) };
        let incoming_amount = self.payments[incoming].remaining;
        let queued_amount = self.payments[queued].remaining;
        self.settle(incoming)?;
        self.settle_queued(queued)?;
        self.compact_queue2();
        self.log_overdue_settled(incoming, incoming_amount);
        self.log_overdue_settled(queued, queued_amount);
        let payment = &self.payments[incoming];
        self.events.push(Event::EntryDispositionOffset {
            incoming_tx_id: payment.id,
            queued_tx_id: self.payments[queued].id,
            agent_a: payment.sender,
            agent_b: payment.receiver,
            offset_amount: incoming_amount.min(queued_amount),
            incoming_amount,
            queued_amount,
        });
        Ok(true)
    }

    fn counterpart(&self, incoming: Slot) -> Option<Slot> {
        let payment = &self.payments[incoming];
        let (sender, receiver, p) = (payment.sender, payment.receiver, payment.remaining);
        self.queue2.iter().copied().find(|slot| {
            let queued = &self.payments[*slot];
            let q = queued.remaining;
            queued.place == Place::Queue2
                && (queued.sender, queued.receiver) == (receiver, sender)
                && self.test_limits(receiver, sender, q).passes()
                && match p.cmp(&q) {
                    std::cmp::Ordering::Equal => true,
                    std::cmp::Ordering::Greater => self.position(sender).can_pay(Cents(p.0 - q.0)),
                    std::cmp::Ordering::Less => self.position(receiver).can_pay(Cents(q.0 - p.0)),
                }
        })
    }
}
