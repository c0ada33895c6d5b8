//! The payments that have not settled (spec 01, 12.0).
//!
//! Settled payments leave the store at the end of their tick, so that its size follows
//! the queues and not the length of the run.

use crate::event::RtgsPriority;
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;
use crate::time::Tick;

/// A place in the store; valid while the payment is unsettled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Slot(u32);

/// Where a payment stands (P5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Queue1,
    Submitted,
    Queue2,
    Settled,
    Dropped,
    Split,
}

#[derive(Clone, Debug)]
pub(super) struct Payment {
    pub id: PaymentId,
    pub sender: BankIdx,
    pub receiver: BankIdx,
    pub amount: Cents,
    pub remaining: Cents,
    pub arrival: Tick,
    pub deadline: Tick,
    pub priority: u8,
    pub original_priority: u8,
    pub overdue_since: Option<Tick>,
    pub parent: Option<Slot>,
    pub declared: Option<RtgsPriority>,
    /// Class and tick of the submission; meaningful from submission on.
    pub class: RtgsPriority,
    pub submitted: Tick,
    pub queue2_entry: Tick,
    /// Tick in which a later part of a staggered split is first decided.
    pub held_until: Tick,
    pub place: Place,
}

impl Payment {
    /// A new original payment in queue 1.
    pub const fn original(new: NewPayment, id: PaymentId, now: Tick) -> Self {
        Self {
            id,
            sender: new.sender,
            receiver: new.receiver,
            amount: new.amount,
            remaining: new.amount,
            arrival: now,
            deadline: new.deadline,
            priority: new.priority,
            original_priority: new.priority,
            overdue_since: None,
            parent: None,
            declared: None,
            class: RtgsPriority::Normal,
            submitted: now,
            queue2_entry: now,
            held_until: now,
            place: Place::Queue1,
        }
    }

    pub const fn is_past_deadline(&self, now: Tick) -> bool {
        now.0 > self.deadline.0
    }
}

/// What comes into being.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewPayment {
    pub sender: BankIdx,
    pub receiver: BankIdx,
    pub amount: Cents,
    pub deadline: Tick,
    pub priority: u8,
    pub is_divisible: bool,
}

/// All unsettled payments, and those that settle in the current tick.
#[derive(Debug, Default)]
pub(super) struct Payments {
    slots: Vec<Payment>,
    free: Vec<Slot>,
    /// Slots to be freed at the end of the tick.
    retired: Vec<Slot>,
    last_id: u64,
}

impl Payments {
    /// No payments; the next one has the id after this one.
    pub fn after(last: PaymentId) -> Self {
        Self { last_id: last.number().unwrap_or(u64::MAX), ..Self::default() }
    }

    /// The id of the last payment that came into being; 0 before the first.
    pub const fn last_id(&self) -> PaymentId {
        PaymentId::numbered(self.last_id)
    }

    /// The id of the next payment.
    pub const fn next_id(&mut self) -> PaymentId {
        self.last_id += 1;
        PaymentId::numbered(self.last_id)
    }

    pub fn insert(&mut self, payment: Payment) -> Slot {
        match self.free.pop() {
            Some(slot) => {
                self[slot] = payment;
                slot
            }
            None => {
                self.slots.push(payment);
                Slot((self.slots.len() - 1) as u32)
            }
        }
    }

    /// Marks a payment as one that leaves the store with the tick.
    pub fn retire(&mut self, slot: Slot) {
        self.retired.push(slot);
    }

    /// Frees what was retired in the tick.
    pub fn sweep(&mut self) {
        self.free.append(&mut self.retired);
    }

    /// The unsettled payments in creation order, those included that stand in no queue.
    pub fn in_creation_order(&self) -> Vec<Slot> {
        let mut freed = vec![false; self.slots.len()];
        for slot in &self.free {
            freed[slot.0 as usize] = true;
        }
        let mut unsettled: Vec<Slot> = (0..self.slots.len() as u32)
            .map(Slot)
            .filter(|slot| !freed[slot.0 as usize] && self[*slot].place != Place::Settled)
            .collect();
        unsettled.sort_unstable_by_key(|slot| self[*slot].id);
        unsettled
    }
}

impl std::ops::Index<Slot> for Payments {
    type Output = Payment;

    fn index(&self, slot: Slot) -> &Payment {
        &self.slots[slot.0 as usize]
    }
}

impl std::ops::IndexMut<Slot> for Payments {
    fn index_mut(&mut self, slot: Slot) -> &mut Payment {
        &mut self.slots[slot.0 as usize]
    }
}
