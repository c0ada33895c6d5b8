//! Payments that settle together at one instant: a ring, or a group of the gridlock resolution
//! (spec 02, 12.4).

use std::sync::Arc;

use super::super::payments::{Place, Slot};
use super::super::{Simulation, TickFailure, TickResult};
use super::LsmResult;
use crate::event::{Event, OptionalBank};
use crate::ids::BankIdx;
use crate::money::Cents;

/// Payments and their banks, the first bank not repeated.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub banks: Vec<BankIdx>,
    pub payments: Vec<Slot>,
    pub total: i128,
}

impl Simulation {
    /// A group with the sum of its payments.
    pub(super) fn group(&self, banks: Vec<BankIdx>, payments: Vec<Slot>) -> Group {
        let total = payments.iter().map(|slot| i128::from(self.payments[*slot].remaining.0)).sum();
        Group { banks, payments, total }
    }

    /// Whether all payments are still queued, all net payers can pay, and no limit refuses.
    pub(super) fn group_can_settle(&self, group: &Group) -> bool {
        group.payments.iter().all(|slot| self.payments[*slot].place == Place::Queue2)
            && group.banks.iter().zip(self.nets(group)).all(|(bank, net)| self.affords(*bank, net))
            && group.banks.iter().all(|bank| self.passes_limits_with(*bank, &group.payments))
    }

    /// Whether a bank can pay what it sends beyond what it receives at the same instant.
    pub(super) fn affords(&self, bank: BankIdx, net: i128) -> bool {
        net >= 0 || i128::from(self.position(bank).available().0) >= -net
    }

    /// Received less sent within the group, parallel to its banks.
    fn nets(&self, group: &Group) -> Vec<i128> {
        let mut by_bank: Vec<(BankIdx, usize)> = group.banks.iter().copied().zip(0..).collect();
        by_bank.sort_unstable();
        let place = |bank: BankIdx| by_bank.binary_search_by_key(&bank, |(member, _)| *member);
        let mut nets = vec![0_i128; group.banks.len()];
        for slot in &group.payments {
            let payment = &self.payments[*slot];
            for (bank, sign) in [(payment.sender, -1), (payment.receiver, 1)] {
                if let Ok(found) = place(bank) {
                    nets[by_bank[found].1] += sign * i128::from(payment.remaining.0);
                }
            }
        }
        nets
    }

    /// Whether the sender's limits allow all of its payments among these. Each would be tested with
    /// the counters as they stand after those before it (C21); amounts being positive, the sums say the same.
    pub(super) fn passes_limits_with(&self, sender: BankIdx, payments: &[Slot]) -> bool {
        let (bank, config) = (&self.banks[sender.at()], &self.scenario.banks[sender.at()]);
        let sent = |to: Option<BankIdx>| -> i128 {
            payments
                .iter()
                .map(|slot| &self.payments[*slot])
                .filter(|payment| payment.sender == sender && to.is_none_or(|bank| payment.receiver == bank))
                .map(|payment| i128::from(payment.remaining.0))
                .sum()
        };
        let within = |outflow: Cents, sum: i128, limit: Cents| {
            sum == 0 || i128::from(outflow.0) + sum <= i128::from(limit.0)
        };
        config.multilateral_limit.is_none_or(|limit| within(bank.outflow, sent(None), limit))
            && config
                .bilateral_limits
                .iter()
                .zip(&bank.limited_outflow)
                .all(|((receiver, limit), outflow)| within(*outflow, sent(Some(*receiver)), *limit))
    }

    /// Settles all payments in order, without tests, and logs them as one ring.
    pub(super) fn settle_group(&mut self, group: &Group, result: &mut LsmResult) -> TickResult {
        let first = group.banks[0];
        let shown =
            |sum: i128, figure| i64::try_from(sum).map(Cents).map_err(|_| self.overflow(first, figure));
        let total_value = shown(group.total, "the value of a ring")?;
        let nets = self.nets(group).into_iter().map(|net| shown(net, "the net position in a ring"));
        let mut net_positions = nets.collect::<Result<Vec<Cents>, TickFailure>>()?;
        let (max_net_outflow, payer) = largest_outflow(&group.banks, &net_positions);
        net_positions.push(net_positions[0]);
        let tx_amounts: Arc<[Cents]> =
            group.payments.iter().map(|slot| self.payments[*slot].remaining).collect();
        for slot in &group.payments {
            self.settle_queued(*slot)?;
        }
        for (slot, amount) in group.payments.iter().zip(tx_amounts.iter()) {
            self.log_overdue_settled(*slot, *amount);
        }
        self.counts.lsm_releases += group.payments.len() as u64;
        result.rings += 1;
        let value = result.rings_value.checked_add(total_value);
        result.rings_value = value.ok_or_else(|| self.overflow(first, "the value of the rings"))?;
        self.events.push(Event::LsmCycleSettlement {
            agents: group.banks.iter().copied().chain([first]).collect(),
            tx_amounts,
            total_value,
            net_positions: net_positions.into(),
            max_net_outflow,
            max_net_outflow_agent: OptionalBank(payer),
            tx_ids: group.payments.iter().map(|slot| self.payments[*slot].id).collect(),
            cycle_value: total_value,
        });
        Ok(())
    }
}

/// The largest net outflow and the bank that has it, among equals the last in byte order.
fn largest_outflow(banks: &[BankIdx], nets: &[Cents]) -> (Cents, Option<BankIdx>) {
    let outflows = banks.iter().zip(nets).map(|(bank, net)| (Cents::ZERO.saturating_sub(*net), *bank));
    match outflows.max() {
        Some((outflow, bank)) if outflow > Cents::ZERO => (outflow, Some(bank)),
        _ => (Cents::ZERO, None),
    }
}
