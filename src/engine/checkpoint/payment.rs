//! The payments of a checkpoint.

use serde::{Deserialize, Serialize};

use super::PaymentName;
use crate::engine::Simulation;
use crate::engine::payments::{Payment, Payments, Place, Slot};
use crate::event::{RtgsPriority, Text};
use crate::ids::{Names, PaymentId};
use crate::money::Cents;
use crate::time::Tick;

/// A payment that has not settled.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedPayment {
    id: PaymentName,
    place: SavedPlace,
    sender: Text,
    receiver: Text,
    amount: Cents,
    remaining: Cents,
    arrival: Tick,
    deadline: Tick,
    priority: u8,
    original_priority: u8,
    overdue_since: Option<Tick>,
    parent: Option<PaymentName>,
    declared_rtgs_priority: Option<RtgsPriority>,
    rtgs_priority: RtgsPriority,
    submitted: Tick,
    queue2_entry: Tick,
    held_until: Tick,
}

/// Where a payment can stand between two ticks.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SavedPlace {
    Queue1,
    Queue2,
    Dropped,
    Split,
}

impl SavedPlace {
    /// Nothing is submitted or settled and still in the store when a tick is complete.
    const fn of(place: Place) -> Self {
        match place {
            Place::Queue1 => Self::Queue1,
            Place::Submitted | Place::Queue2 => Self::Queue2,
            Place::Settled | Place::Dropped => Self::Dropped,
            Place::Split => Self::Split,
        }
    }

    const fn place(self) -> Place {
        match self {
            Self::Queue1 => Place::Queue1,
            Self::Queue2 => Place::Queue2,
            Self::Dropped => Place::Dropped,
            Self::Split => Place::Split,
        }
    }
}

impl SavedPayment {
    pub fn of(simulation: &Simulation, payment: &Payment) -> Self {
        let Payment {
            id,
            sender,
            receiver,
            amount,
            remaining,
            arrival,
            deadline,
            priority,
            original_priority,
            overdue_since,
            parent,
            declared,
            class,
            submitted,
            queue2_entry,
            held_until,
            place,
        } = *payment;
        let names = simulation.scenario.names.ids();
        Self {
            id: PaymentName(id),
            place: SavedPlace::of(place),
            sender: names[sender.at()].clone(),
            receiver: names[receiver.at()].clone(),
            amount,
            remaining,
            arrival,
            deadline,
            priority,
            original_priority,
            overdue_since,
            parent: parent.map(|parent| PaymentName(simulation.payments[parent].id)),
            declared_rtgs_priority: declared,
            rtgs_priority: class,
            submitted,
            queue2_entry,
            held_until,
        }
    }

    fn restore(self, shelf: &Shelf, names: &Names) -> Result<Payment, String> {
        let id = self.id.0;
        let bank = |name: &Text| names.find(name).ok_or_else(|| format!("there is no bank `{name}`"));
        let parent = self.parent.map(|PaymentName(parent)| {
            let found = shelf.find(parent).map(|(_, slot)| slot);
            let split = found.filter(|slot| shelf.payments[*slot].place == Place::Split);
            split.ok_or_else(|| format!("payment `{id}` is a part of `{parent}`, which is not split"))
        });
        let (sender, receiver) = (bank(&self.sender)?, bank(&self.receiver)?);
        let is_possible = sender != receiver
            && self.remaining > Cents::ZERO
            && self.remaining <= self.amount
            && self.priority <= 10
            && self.original_priority <= 10;
        if !is_possible {
            return Err(format!("payment `{id}` is not possible"));
        }
        Ok(Payment {
            id,
            sender,
            receiver,
            amount: self.amount,
            remaining: self.remaining,
            arrival: self.arrival,
            deadline: self.deadline,
            priority: self.priority,
            original_priority: self.original_priority,
            overdue_since: self.overdue_since,
            parent: parent.transpose()?,
            declared: self.declared_rtgs_priority,
            class: self.rtgs_priority,
            submitted: self.submitted,
            queue2_entry: self.queue2_entry,
            held_until: self.held_until,
            place: self.place.place(),
        })
    }
}

/// The restored payments, found by their ids.
pub(super) struct Shelf {
    pub payments: Payments,
    /// In ascending order of the ids.
    places: Vec<(PaymentId, Slot)>,
}

impl Shelf {
    /// Takes payments in the order in which they came into being.
    pub fn new(saved: Vec<SavedPayment>, last: PaymentId, names: &Names) -> Result<Self, String> {
        let mut shelf = Self { payments: Payments::after(last), places: Vec::with_capacity(saved.len()) };
        for payment in saved {
            let id = payment.id.0;
            let in_order = shelf.places.last().is_none_or(|(before, _)| *before < id) && id <= last;
            if !in_order {
                return Err(format!("payment `{id}` is out of order"));
            }
            let payment = payment.restore(&shelf, names)?;
            let slot = shelf.payments.insert(payment);
            shelf.places.push((id, slot));
        }
        Ok(shelf)
    }

    pub const fn len(&self) -> usize {
        self.places.len()
    }

    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.places.iter().map(|(_, slot)| *slot)
    }

    /// Position in order and slot of a payment.
    pub fn find(&self, id: PaymentId) -> Option<(usize, Slot)> {
        let position = self.places.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some((position, self.places[position].1))
    }
}
