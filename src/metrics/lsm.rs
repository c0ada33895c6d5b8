//! Records of pairs and rings (spec 02, 18).

use std::cmp::Reverse;

use crate::event::Event;
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;
use crate::time::{Calendar, Day, Tick};

/// What settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LsmKind {
    /// A pair of banks.
    Bilateral,
    /// A ring, or a group of gridlock resolution.
    Multilateral,
}

impl LsmKind {
    /// The value of `cycle_type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bilateral => "bilateral",
            Self::Multilateral => "multilateral",
        }
    }
}

/// A pair or ring that settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LsmRecord {
    /// When.
    pub tick: Tick,
    /// Day of the tick.
    pub day: Day,
    /// Pair or ring.
    pub kind: LsmKind,
    /// Number of distinct banks.
    pub cycle_length: usize,
    /// The banks, the first repeated at the end.
    pub agents: Vec<BankIdx>,
    /// The payments.
    pub transactions: Vec<PaymentId>,
    /// Of a pair the smaller side, of a ring the sum of the settled amounts.
    pub settled_value: Cents,
    /// Sum of all amounts.
    pub total_value: Cents,
    /// Amounts, parallel to the payments.
    pub tx_amounts: Vec<Cents>,
    /// Received less sent, by bank in index order.
    pub net_positions: Vec<(BankIdx, Cents)>,
    /// Largest net outflow.
    pub max_net_outflow: Cents,
    /// The bank that has it; nobody if all nets are 0.
    pub max_net_outflow_agent: Option<BankIdx>,
}

/// The records of one tick, from its events, in their order.
#[must_use]
pub fn lsm_records(tick: Tick, events: &[Event], calendar: &Calendar) -> Vec<LsmRecord> {
    let day = calendar.day(tick);
    let mut records: Vec<_> = events.iter().filter_map(|event| record(tick, day, event)).collect();
    records.sort_by(|a, b| {
        let key = |r: &LsmRecord| (r.kind, Reverse(r.settled_value), Reverse(r.total_value));
        // Bank indices follow byte order, payment numbers creation order.
        key(a).cmp(&key(b)).then_with(|| (&a.agents, &a.transactions).cmp(&(&b.agents, &b.transactions)))
    });
    records
}

fn record(tick: Tick, day: Day, event: &Event) -> Option<LsmRecord> {
    match event {
        Event::LsmBilateralOffset { agent_a, agent_b, tx_ids, tx_amounts, amount_a, amount_b, amount } => {
            let (a, b) = (*agent_a, *agent_b);
            let net = amount_b.saturating_sub(*amount_a);
            let outflow = Cents(net.0.saturating_abs());
            let payer = if net < Cents::ZERO { a } else { b };
            Some(LsmRecord {
                tick,
                day,
                kind: LsmKind::Bilateral,
                cycle_length: 2,
                agents: vec![a, b, a],
                transactions: tx_ids.to_vec(),
                settled_value: *amount_a.min(amount_b),
                total_value: *amount,
                tx_amounts: tx_amounts.to_vec(),
                net_positions: vec![(a, net), (b, Cents::ZERO.saturating_sub(net))],
                max_net_outflow: outflow,
                max_net_outflow_agent: (outflow > Cents::ZERO).then_some(payer),
            })
        }
        Event::LsmCycleSettlement {
            agents,
            tx_amounts,
            total_value,
            net_positions,
            max_net_outflow,
            max_net_outflow_agent,
            tx_ids,
            ..
        } => {
            let mut nets: Vec<_> = agents.iter().copied().zip(net_positions.iter().copied()).collect();
            nets.sort_unstable_by_key(|(bank, _)| *bank);
            nets.dedup_by_key(|(bank, _)| *bank);
            Some(LsmRecord {
                tick,
                day,
                kind: LsmKind::Multilateral,
                cycle_length: nets.len(),
                agents: agents.to_vec(),
                transactions: tx_ids.to_vec(),
                settled_value: tx_amounts.iter().copied().fold(Cents::ZERO, Cents::saturating_add),
                total_value: *total_value,
                tx_amounts: tx_amounts.to_vec(),
                net_positions: nets,
                max_net_outflow: *max_net_outflow,
                max_net_outflow_agent: max_net_outflow_agent.0,
            })
        }
        _ => None,
    }
}
