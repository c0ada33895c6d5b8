//! Bilateral offsetting: all queued payments between two banks, or none (spec 02, 11).

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use super::super::payments::Slot;
use super::super::{Simulation, TickFailure};
use super::LsmResult;
use crate::event::Event;
use crate::ids::BankIdx;
use crate::money::Cents;

/// Two banks with queued payments in both directions; `a` comes first in byte order.
struct Pair {
    a: BankIdx,
    b: BankIdx,
    /// Its entries: a→b, then b→a, each in queue order.
    range: Range<usize>,
    a_to_b: i128,
    b_to_a: i128,
}

/// A queued payment by its pair, whether it goes from b to a, and its position in queue 2.
type Entry = (BankIdx, BankIdx, bool, usize);

impl Simulation {
    /// Settles every pair that can, largest release first. Returns whether one did.
    pub(super) fn bilateral_round(&mut self, result: &mut LsmResult) -> Result<bool, TickFailure> {
        let mut settled = false;
        let entries = self.by_pair();
        for pair in self.found_pairs(&entries) {
            if self.pair_can_settle(&pair) {
                let slot = |(_, _, _, position): &Entry| self.queue2[*position];
                let payments: Vec<Slot> = entries[pair.range.clone()].iter().map(slot).collect();
                self.settle_pair(&pair, &payments, result)?;
                settled = true;
            }
        }
        Ok(settled)
    }

    fn by_pair(&self) -> Vec<Entry> {
        let entry = |(position, slot): (usize, &Slot)| -> Entry {
            let payment = &self.payments[*slot];
            let (a, b) = (payment.sender.min(payment.receiver), payment.sender.max(payment.receiver));
            (a, b, payment.sender == b, position)
        };
        let mut entries: Vec<Entry> = self.queue2.iter().enumerate().map(entry).collect();
        entries.sort_unstable();
        entries
    }

    /// Pairs with payments in both directions, by release descending, then by their banks (11.1, 11.2).
    fn found_pairs(&self, entries: &[Entry]) -> Vec<Pair> {
        let mut pairs = Vec::new();
        let mut start = 0;
        for run in entries.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            let range = start..start + run.len();
            start = range.end;
            if run[0].2 != run[run.len() - 1].2 {
                pairs.push(self.pair(run, range));
            }
        }
        pairs.sort_unstable_by_key(|pair| (Reverse(pair.a_to_b.min(pair.b_to_a)), pair.a, pair.b));
        pairs
    }

    fn pair(&self, run: &[Entry], range: Range<usize>) -> Pair {
        let mut pair = Pair { a: run[0].0, b: run[0].1, range, a_to_b: 0, b_to_a: 0 };
        for (_, _, backward, position) in run {
            let value = i128::from(self.payments[self.queue2[*position]].remaining.0);
            *(if *backward { &mut pair.b_to_a } else { &mut pair.a_to_b }) += value;
        }
        pair
    }

    /// 11.3: the net payer can pay the difference, and both gross sums pass the limits.
    fn pair_can_settle(&self, pair: &Pair) -> bool {
        let net = pair.a_to_b - pair.b_to_a;
        let payer = if net > 0 { pair.a } else { pair.b };
        let affordable = net == 0 || i128::from(self.position(payer).available().0) >= net.abs();
        let passes =
            |sender, receiver, sum| self.test_limits(sender, receiver, Cents::saturating_from(sum)).passes();
        affordable && passes(pair.a, pair.b, pair.a_to_b) && passes(pair.b, pair.a, pair.b_to_a)
    }

    fn settle_pair(
        &mut self,
        pair: &Pair,
        payments: &[Slot],
        result: &mut LsmResult,
    ) -> Result<(), TickFailure> {
        let shown = |sum: i128| {
            i64::try_from(sum).map(Cents).map_err(|_| self.overflow(pair.a, "the value of an offset"))
        };
        let (amount_a, amount_b) = (shown(pair.a_to_b)?, shown(pair.b_to_a)?);
        let amount = shown(pair.a_to_b + pair.b_to_a)?;
        let amounts: Arc<[Cents]> = payments.iter().map(|slot| self.payments[*slot].remaining).collect();
        for slot in payments {
            self.settle_queued(*slot)?;
        }
        for (slot, amount) in payments.iter().zip(amounts.iter()) {
            self.log_overdue_settled(*slot, *amount);
        }
        self.counts.lsm_releases += payments.len() as u64;
        result.pairs += 1;
        let released = result.pairs_value.checked_add(amount_a.min(amount_b));
        result.pairs_value = released.ok_or_else(|| self.overflow(pair.a, "the value of the offsets"))?;
        self.events.push(Event::LsmBilateralOffset {
            agent_a: pair.a,
            agent_b: pair.b,
            tx_ids: payments.iter().map(|slot| self.payments[*slot].id).collect(),
            tx_amounts: amounts,
            amount_a,
            amount_b,
            amount,
        });
        Ok(())
    }
}
