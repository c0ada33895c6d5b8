//! The payments of a run as one bank saw them, from its events (spec 07, 5).

use std::collections::HashMap;

use crate::event::{Event, SettlementId};
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;
use crate::time::Tick;

/// One payment of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which.
    pub payment: PaymentId,
    /// Who pays.
    pub sender: BankIdx,
    /// Who is paid.
    pub receiver: BankIdx,
    /// Amount in cents.
    pub amount: Cents,
    /// Priority, 0 to 10.
    pub priority: u8,
    /// Tick of arrival.
    pub arrival: Tick,
    /// Ticks from arrival to deadline (X1); negative for a part that was split off after it.
    pub deadline_offset: i64,
    /// Ticks from arrival to settlement, if it settled.
    pub settlement_offset: Option<u64>,
}

/// All payments of a run, parts included, in the order in which they came into being.
#[derive(Clone, Debug, Default)]
pub struct History {
    records: Vec<Record>,
    places: HashMap<PaymentId, usize>,
}

impl History {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event of the run.
    pub fn observe(&mut self, tick: Tick, event: &Event) {
        match event {
            Event::Arrival { tx_id, sender_id, receiver_id, amount, deadline, priority, .. } => {
                self.places.insert(*tx_id, self.records.len());
                self.records.push(Record {
                    payment: *tx_id,
                    sender: *sender_id,
                    receiver: *receiver_id,
                    amount: *amount,
                    priority: *priority,
                    arrival: tick,
                    deadline_offset: signed_distance(*deadline, tick),
                    settlement_offset: None,
                });
            }
            Event::RtgsImmediateSettlement { tx_id: SettlementId::Payment(payment), .. }
            | Event::Queue2LiquidityRelease { tx_id: payment, .. } => self.settle(tick, *payment),
            Event::LsmBilateralOffset { tx_ids, .. } | Event::LsmCycleSettlement { tx_ids, .. } => {
                tx_ids.iter().for_each(|payment| self.settle(tick, *payment));
            }
            Event::EntryDispositionOffset { incoming_tx_id, queued_tx_id, .. } => {
                self.settle(tick, *incoming_tx_id);
                self.settle(tick, *queued_tx_id);
            }
            _ => {}
        }
    }

    fn settle(&mut self, tick: Tick, payment: PaymentId) {
        if let Some(place) = self.places.get(&payment) {
            let record = &mut self.records[*place];
            record.settlement_offset = Some(tick.since(record.arrival));
        }
    }

    /// What a bank had to pay, in the order of arrival.
    #[must_use]
    pub fn outgoing(&self, bank: BankIdx) -> Vec<Record> {
        self.records.iter().filter(|record| record.sender == bank).cloned().collect()
    }

    /// What a bank was to be paid, in the order of arrival.
    #[must_use]
    pub fn incoming(&self, bank: BankIdx) -> Vec<Record> {
        self.records.iter().filter(|record| record.receiver == bank).cloned().collect()
    }
}

/// Ticks from `now` to `deadline`, held at the ends of the range.
fn signed_distance(deadline: Tick, now: Tick) -> i64 {
    let distance = i128::from(deadline.0) - i128::from(now.0);
    i64::try_from(distance).unwrap_or(if distance < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(number: u64, deadline: u64) -> Event {
        Event::Arrival {
            tx_id: PaymentId::numbered(number),
            sender_id: BankIdx(0),
            receiver_id: BankIdx(1),
            amount: Cents(100),
            deadline: Tick(deadline),
            priority: 5,
            is_divisible: false,
            parent_tx_id: None,
        }
    }

    #[test]
    fn a_part_split_off_after_its_deadline_has_a_negative_offset() {
        let mut history = History::new();
        history.observe(Tick(7), &arrival(1, 5));
        assert_eq!(history.outgoing(BankIdx(0))[0].deadline_offset, -2);
    }

    #[test]
    fn offsets_at_entry_settle_both_payments() {
        let mut history = History::new();
        history.observe(Tick(1), &arrival(1, 5));
        history.observe(Tick(2), &arrival(2, 5));
        let offset = Event::EntryDispositionOffset {
            incoming_tx_id: PaymentId(2),
            queued_tx_id: PaymentId(1),
            agent_a: BankIdx(0),
            agent_b: BankIdx(1),
            offset_amount: Cents(100),
            incoming_amount: Cents(100),
            queued_amount: Cents(100),
        };
        history.observe(Tick(3), &offset);
        let offsets: Vec<_> =
            history.incoming(BankIdx(1)).iter().map(|record| record.settlement_offset).collect();
        assert_eq!(offsets, [Some(2), Some(1)]);
    }
}
