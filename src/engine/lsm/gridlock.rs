//! Gridlock resolution (Bech and Soramäki, *Gridlock resolution in interbank payment systems*, 2001;
//! spec 02, 12.7): the largest set of queued payments, each bank's a beginning of its own queue,
//! that can settle at one instant.

use std::collections::BTreeMap;

use super::super::payments::Slot;
use super::super::{Simulation, TickResult};
use super::LsmResult;
use super::group::Group;
use crate::ids::BankIdx;

/// The payments that are still in the set, and what they mean for each bank.
#[derive(Default)]
struct Candidates {
    /// By sender, in queue order; the last one leaves first.
    sent: BTreeMap<BankIdx, Vec<Slot>>,
    /// By bank: received less sent.
    nets: BTreeMap<BankIdx, i128>,
}

impl Simulation {
    /// Takes payments away from short banks until nobody is short, then settles what remains.
    pub(super) fn resolve_gridlock(&mut self, result: &mut LsmResult) -> TickResult {
        let mut set = self.whole_queue();
        let mut suspects: Vec<BankIdx> = set.sent.keys().copied().collect();
        while let Some(bank) = suspects.pop() {
            while self.is_short(&set, bank) {
                suspects.extend(self.take_last(&mut set, bank));
            }
        }
        for group in self.connected_groups(&set) {
            self.settle_group(&group, result)?;
        }
        self.compact_queue2();
        Ok(())
    }

    fn whole_queue(&self) -> Candidates {
        let mut set = Candidates::default();
        for slot in &self.queue2 {
            let payment = &self.payments[*slot];
            let amount = i128::from(payment.remaining.0);
            set.sent.entry(payment.sender).or_default().push(*slot);
            *set.nets.entry(payment.sender).or_default() -= amount;
            *set.nets.entry(payment.receiver).or_default() += amount;
        }
        set
    }

    fn is_short(&self, set: &Candidates, bank: BankIdx) -> bool {
        let sent = set.sent.get(&bank).map_or(&[][..], Vec::as_slice);
        let net = set.nets.get(&bank).copied().unwrap_or(0);
        let affordable = net >= 0 || i128::from(self.position(bank).available().0) >= -net;
        let can_settle = affordable && self.passes_limits_with(bank, sent);
        !sent.is_empty() && !can_settle
    }

    /// The bank's last payment leaves the set; its receiver, returned, may now be short.
    fn take_last(&self, set: &mut Candidates, bank: BankIdx) -> Option<BankIdx> {
        let slot = set.sent.get_mut(&bank)?.pop()?;
        let payment = &self.payments[slot];
        let amount = i128::from(payment.remaining.0);
        *set.nets.entry(bank).or_default() += amount;
        *set.nets.entry(payment.receiver).or_default() -= amount;
        Some(payment.receiver)
    }

    /// Payments connected by common banks, group after group by the first payment in queue order.
    fn connected_groups(&self, set: &Candidates) -> Vec<Group> {
        let mut queued: Vec<Slot> = set.sent.values().flatten().copied().collect();
        let positions: BTreeMap<u64, usize> =
            self.queue2.iter().zip(0..).map(|(slot, at)| (self.payments[*slot].id.0, at)).collect();
        queued.sort_by_key(|slot| positions.get(&self.payments[*slot].id.0));
        let mut leaders = Leaders { of: (0..self.banks.len()).collect() };
        for slot in &queued {
            let payment = &self.payments[*slot];
            leaders.join(payment.sender, payment.receiver);
        }
        let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
        let mut groups: Vec<(Vec<BankIdx>, Vec<Slot>)> = Vec::new();
        for slot in queued {
            let payment = &self.payments[slot];
            let number = *numbers.entry(leaders.find(payment.sender.at())).or_insert(groups.len());
            if number == groups.len() {
                groups.push((Vec::new(), Vec::new()));
            }
            groups[number].0.extend([payment.sender, payment.receiver]);
            groups[number].1.push(slot);
        }
        groups
            .into_iter()
            .map(|(mut banks, payments)| {
                banks.sort_unstable();
                banks.dedup();
                self.group(banks, payments)
            })
            .collect()
    }
}

/// Groups of banks: each bank leads to the one that stands for its group.
struct Leaders {
    of: Vec<usize>,
}

impl Leaders {
    fn find(&mut self, bank: usize) -> usize {
        let mut current = bank;
        while self.of[current] != current {
            // Halving the path keeps later look-ups short.
            self.of[current] = self.of[self.of[current]];
            current = self.of[current];
        }
        current
    }

    fn join(&mut self, one: BankIdx, other: BankIdx) {
        let (one, other) = (self.find(one.at()), self.find(other.at()));
        self.of[other] = one;
    }
}
