//! Open payments in a slab, each in exactly one ordered list: every step costs the same,
//! however long the queues are.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::payment::Payment;
use crate::ids::PaymentId;

const NONE: u32 = u32::MAX;

/// A place in the slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(u32);

/// An ordered list of payments.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    head: u32,
    tail: u32,
    pub len: usize,
    /// Sum of the remaining amounts.
    pub value: i128,
    /// Something was appended or changed since the list was last sorted.
    pub unsorted: bool,
}

impl Default for List {
    fn default() -> Self {
        Self { head: NONE, tail: NONE, len: 0, value: 0, unsorted: false }
    }
}

#[derive(Clone, Debug)]
struct Entry {
    payment: Payment,
    previous: u32,
    next: u32,
}

/// Spreads running numbers over the table; they need no protection against collisions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u128(&mut self, number: u128) {
        // Of a running number the upper half is 0; of a random one either half would do.
        self.write_u64((number >> 64) as u64 ^ number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

/// All open payments.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
    free: Vec<u32>,
    index: HashMap<PaymentId, u32, BuildHasherDefault<NumberHasher>>,
    scratch: Vec<u32>,
}

impl Table {
    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn find(&self, id: PaymentId) -> Option<Slot> {
        self.index.get(&id).copied().map(Slot)
    }

    pub fn get(&self, slot: Slot) -> &Payment {
        &self.entries[slot.0 as usize].payment
    }

    pub fn get_mut(&mut self, slot: Slot) -> &mut Payment {
        &mut self.entries[slot.0 as usize].payment
    }

    /// Adds a payment at the end of a list.
    pub fn insert(&mut self, payment: Payment, list: &mut List) -> Slot {
        let id = payment.id;
        let entry = Entry { payment, previous: NONE, next: NONE };
        let slot = if let Some(slot) = self.free.pop() {
            self.entries[slot as usize] = entry;
            slot
        } else {
            self.entries.push(entry);
            (self.entries.len() - 1) as u32
        };
        self.index.insert(id, slot);
        self.append(Slot(slot), list);
        Slot(slot)
    }

    /// Forgets a payment that stands in no list any more.
    pub fn forget(&mut self, slot: Slot) {
        let payment = &mut self.entries[slot.0 as usize].payment;
        payment.hold = None;
        self.index.remove(&payment.id);
        self.free.push(slot.0);
    }

    /// Puts a payment that stands in no list at the end of one.
    pub fn append(&mut self, Slot(slot): Slot, list: &mut List) {
        let entry = &mut self.entries[slot as usize];
        entry.previous = list.tail;
        entry.next = NONE;
        list.value += i128::from(entry.payment.remaining.0);
        match list.tail {
            NONE => list.head = slot,
            tail => self.entries[tail as usize].next = slot,
        }
        list.tail = slot;
        list.len += 1;
        list.unsorted = true;
    }

    /// Takes a payment out of the list in which it stands.
    pub fn detach(&mut self, Slot(slot): Slot, list: &mut List) {
        let Entry { previous, next, ref payment } = self.entries[slot as usize];
        list.value -= i128::from(payment.remaining.0);
        match previous {
            NONE => list.head = next,
            previous => self.entries[previous as usize].next = next,
        }
        match next {
            NONE => list.tail = previous,
            next => self.entries[next as usize].previous = previous,
        }
        list.len -= 1;
    }

    /// The payments of a list, front to back.
    pub fn iter(&self, list: &List) -> impl Iterator<Item = &Payment> {
        let mut at = list.head;
        std::iter::from_fn(move || {
            let entry = self.entries.get(at as usize)?;
            at = entry.next;
            Some(&entry.payment)
        })
    }

    /// Sorts a list, stable.
    pub fn sort<K: Ord>(&mut self, list: &mut List, key: impl Fn(&Payment) -> K) {
        list.unsorted = false;
        let mut order = std::mem::take(&mut self.scratch);
        order.clear();
        let mut at = list.head;
        while let Some(entry) = self.entries.get(at as usize) {
            order.push(at);
            at = entry.next;
        }
        order.sort_by_key(|slot| key(&self.entries[*slot as usize].payment));
        let (mut previous, mut head) = (NONE, NONE);
        for &slot in &order {
            match previous {
                NONE => head = slot,
                previous => self.entries[previous as usize].next = slot,
            }
            self.entries[slot as usize].previous = previous;
            previous = slot;
        }
        if let Some(last) = self.entries.get_mut(previous as usize) {
            last.next = NONE;
        }
        (list.head, list.tail) = (head, previous);
        self.scratch = order;
    }
}
