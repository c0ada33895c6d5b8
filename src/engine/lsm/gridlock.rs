//! Gridlock resolution (Bech and Soramäki, *Gridlock resolution in interbank payment systems*, 2001;
//! spec 02, 12.7): the largest set of queued payments, each bank's a beginning of its own queue,
//! that can settle at one instant.

use std::collections::BTreeMap;

use super::super::payments::Slot;
use super::super::{Simulation, TickResult};
use super::LsmResult;
use super::group::Group;
use crate::ids::{BankIdx, PaymentId};

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
        let can_settle = self.affords(bank, net) && self.passes_limits_with(bank, sent);
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
        let positions: BTreeMap<PaymentId, usize> =
            self.queue2.iter().zip(0..).map(|(slot, at)| (self.payments[*slot].id, at)).collect();
        queued.sort_by_key(|slot| positions.get(&self.payments[*slot].id));
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::super::payments::{NewPayment, Place};
    use super::*;
    use crate::money::Cents;
    use crate::scenario::{self, Format, NoFiles, Overrides};
    use crate::time::Tick;

    /// Balances and credit lines of banks, and payments in queue order: sender, receiver, amount.
    #[derive(Clone, Debug)]
    struct Instance {
        banks: Vec<(i64, i64)>,
        payments: Vec<(usize, usize, i64)>,
    }

    fn instances() -> impl Strategy<Value = Instance> {
        let banks = prop::collection::vec((0_i64..12, 0_i64..6), 2..5);
        let payments = prop::collection::vec((0_usize..4, 1_usize..4, 1_i64..15), 1..10);
        (banks, payments).prop_map(|(banks, payments)| {
            let count = banks.len();
            let apart = |(sender, distance, amount): (usize, usize, i64)| {
                let sender = sender % count;
                (sender, (sender + 1 + (distance - 1) % (count - 1)) % count, amount)
            };
            Instance { banks, payments: payments.into_iter().map(apart).collect() }
        })
    }

    impl Instance {
        /// A simulation with these payments in queue 2 and nothing settled.
        fn queued(&self) -> Simulation {
            let bank = |(at, (balance, cap)): (usize, &(i64, i64))| {
                json!({"id": format!("B{at:04}"), "opening_balance": balance, "unsecured_cap": cap,
                    "policy": {"type": "Fifo"}})
            };
            let banks: Vec<Value> = self.banks.iter().enumerate().map(bank).collect();
            let text = json!({
                "simulation": {"ticks_per_day": 10, "num_days": 1, "rng_seed": 1},
                "lsm_config": {"algorithm": "bech_soramaki"}, "agents": banks,
            });
            let read = scenario::read(&text.to_string(), Format::Json, &Overrides::default(), &NoFiles);
            let mut simulation = Simulation::new(Arc::new(read.0.unwrap().resolve().unwrap()));
            for (sender, receiver, amount) in &self.payments {
                let slot = simulation.arrive(NewPayment {
                    sender: BankIdx(*sender as u32),
                    receiver: BankIdx(*receiver as u32),
                    amount: Cents(*amount),
                    deadline: Tick(9),
                    priority: 5,
                    is_divisible: false,
                });
                let bank = &mut simulation.banks[*sender];
                bank.queue1.retain(|queued| *queued != slot);
                bank.queue1_value -= i128::from(*amount);
                simulation.enqueue2(slot);
            }
            simulation
        }

        /// Settles what can be settled at one instant; which payments those were.
        fn resolve(&self, simulation: &mut Simulation) -> Vec<bool> {
            let slots = simulation.queue2.clone();
            simulation.resolve_gridlock(&mut LsmResult::default()).unwrap();
            slots.iter().map(|slot| simulation.payments[*slot].place != Place::Queue2).collect()
        }

        /// Whether no bank falls below its credit line when so many of each bank's first payments settle.
        fn is_feasible(&self, first: &[usize]) -> bool {
            let mut positions: Vec<i64> = self.banks.iter().map(|(balance, cap)| balance + cap).collect();
            let mut sent = vec![0; self.banks.len()];
            for (sender, receiver, amount) in &self.payments {
                sent[*sender] += 1;
                if sent[*sender] <= first[*sender] {
                    positions[*sender] -= amount;
                    positions[*receiver] += amount;
                }
            }
            positions.iter().all(|position| *position >= 0)
        }

        /// By bank the most first payments in any feasible choice, found by trying all.
        fn largest(&self) -> Vec<usize> {
            let mut counts = vec![0; self.banks.len()];
            self.payments.iter().for_each(|(sender, ..)| counts[*sender] += 1);
            let mut largest = vec![0; counts.len()];
            let mut choice = vec![0; counts.len()];
            loop {
                if self.is_feasible(&choice) {
                    largest.iter_mut().zip(&choice).for_each(|(most, taken)| *most = (*most).max(*taken));
                }
                let Some(bank) = (0..choice.len()).find(|bank| choice[*bank] < counts[*bank]) else {
                    return largest;
                };
                choice[bank] += 1;
                choice[..bank].fill(0);
            }
        }

        /// The same instance with its banks in another order.
        fn reversed(&self) -> Self {
            let last = self.banks.len() - 1;
            let banks = self.banks.iter().rev().copied().collect();
            let turned =
                |(sender, receiver, amount): &(usize, usize, i64)| (last - sender, last - receiver, *amount);
            Self { banks, payments: self.payments.iter().map(turned).collect() }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 4000, failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn it_settles_the_largest_set_once_and_in_whatever_order_of_banks(instance in instances()) {
            let mut simulation = instance.queued();
            let settled = instance.resolve(&mut simulation);
            // Each bank's settled payments are a beginning of its queue, and no choice settles more.
            let mut taken = vec![0; instance.banks.len()];
            let mut passed = vec![false; instance.banks.len()];
            for ((sender, ..), settled) in instance.payments.iter().zip(&settled) {
                prop_assert!(!(passed[*sender] && *settled), "a payment overtook another of its bank");
                passed[*sender] |= !settled;
                taken[*sender] += usize::from(*settled);
            }
            let largest = instance.largest();
            prop_assert!(instance.is_feasible(&largest), "the largest beginnings are feasible together");
            prop_assert_eq!(&taken, &largest);
            let events = simulation.events.len();
            simulation.resolve_gridlock(&mut LsmResult::default()).unwrap();
            prop_assert_eq!(simulation.events.len(), events, "a second time nothing is left to settle");
            let turned = instance.reversed();
            prop_assert_eq!(turned.resolve(&mut turned.queued()), settled);
        }
    }

    #[test]
    fn a_ring_of_a_thousand_banks_without_money_settles_at_one_instant() {
        let payments = (0..1000).map(|bank| (bank, (bank + 1) % 1000, 500)).collect();
        let ring = Instance { banks: vec![(0, 0); 1000], payments };
        let mut simulation = ring.queued();
        assert!(ring.resolve(&mut simulation).into_iter().all(|settled| settled));
        assert!(simulation.banks.iter().all(|bank| bank.balance == Cents::ZERO));
        let mut broken = ring;
        broken.payments.pop();
        assert!(broken.resolve(&mut broken.queued()).into_iter().all(|settled| !settled));
    }

    #[test]
    fn the_published_instance_settles_seven_payments() {
        let (a, b, c, d, e) = (0, 1, 2, 3, 4);
        let banks = [3, 4, 5, 4, 3].map(|balance| (balance, 0)).to_vec();
        let payments = [
            (a, b, 5),
            (b, c, 6),
            (b, c, 30),
            (c, d, 8),
            (c, e, 80),
            (d, e, 7),
            (a, c, 6),
            (e, a, 8),
            (e, b, 100),
            (d, a, 5),
        ];
        let published = Instance { banks, payments: payments.to_vec() };
        let mut simulation = published.queued();
        let settled = published.resolve(&mut simulation);
        let value: i64 = payments
            .iter()
            .zip(&settled)
            .filter(|(_, settled)| **settled)
            .map(|(payment, _)| payment.2)
            .sum();
        assert_eq!((settled.iter().filter(|settled| **settled).count(), value), (7, 45));
        let balances: Vec<i64> = simulation.banks.iter().map(|bank| bank.balance.0).collect();
        assert_eq!(balances, [5, 3, 9, 0, 2]);
    }
}
