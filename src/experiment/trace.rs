//! What one agent saw of a run, as text (spec 07, 22).
//!
//! Balances are told in settlements that the agent itself sent; those of other banks are left out, and
//! so are events that would name others.

use super::isolation::is_visible;
use crate::event::Event;
use crate::ids::{BankIdx, Names};

/// The line of an event for an agent; `None` if it may not see it or there is nothing to tell.
#[must_use]
pub fn line(event: &Event, agent: BankIdx, names: &Names) -> Option<String> {
    if !is_visible(event, agent) {
        return None;
    }
    payments(event, agent, names).or_else(|| own(event)).or_else(|| netting(event, names))
}

/// Payments on their way.
fn payments(event: &Event, agent: BankIdx, names: &Names) -> Option<String> {
    let bank = |bank: &BankIdx| names.bank(*bank);
    Some(match event {
        Event::Arrival { tx_id, sender_id, receiver_id, amount, deadline, priority, .. } => format!(
            "arrival {}: {} -> {}, {}, priority {priority}, deadline tick {deadline}",
            tx_id,
            bank(sender_id),
            bank(receiver_id),
            amount.0
        ),
        Event::RtgsSubmission { tx_id, sender, receiver, amount, .. } => {
            format!("submitted {}: {} -> {}, {}", tx_id, bank(sender), bank(receiver), amount.0)
        }
        Event::RtgsImmediateSettlement {
            tx_id,
            sender,
            receiver,
            amount,
            sender_balance_before,
            sender_balance_after,
        } => {
            let balance = if *sender == agent {
                format!(" (balance {} -> {})", sender_balance_before.0, sender_balance_after.0)
            } else {
                String::new()
            };
            format!(
                "settled at once {}: {} -> {}, {}{balance}",
                tx_id.name(names),
                bank(sender),
                bank(receiver),
                amount.0
            )
        }
        Event::Queue2LiquidityRelease { tx_id, sender, receiver, amount, queue_wait_ticks, .. } => format!(
            "settled from the queue {}: {} -> {}, {}, after {queue_wait_ticks} ticks",
            tx_id,
            bank(sender),
            bank(receiver),
            amount.0
        ),
        Event::QueuedRtgs { tx_id, .. } => {
            format!("queued for lack of liquidity {}", tx_id)
        }
        Event::RtgsWithdrawal { tx_id, .. } => {
            format!("withdrawn from the queue {}", tx_id)
        }
        Event::RtgsResubmission { tx_id, .. } => format!("resubmitted {}", tx_id),
        Event::TransactionWentOverdue { tx_id, remaining_amount, deadline_penalty_cost, .. } => format!(
            "overdue {}: {} unsettled, penalty {}",
            tx_id, remaining_amount.0, deadline_penalty_cost.0
        ),
        Event::OverdueTransactionSettled { tx_id, total_ticks_overdue, .. } => {
            format!("settles {total_ticks_overdue} ticks late {}", tx_id)
        }
        Event::PriorityEscalated { tx_id, original_priority, escalated_priority, .. } => {
            format!("priority of {} escalates {original_priority} -> {escalated_priority}", tx_id)
        }
        Event::PolicyHold { tx_id, .. } => format!("policy holds {}", tx_id),
        Event::PolicyDrop { tx_id, .. } => format!("policy drops {}", tx_id),
        Event::PolicySplit { tx_id, num_splits, .. } => {
            format!("policy splits {} into {num_splits}", tx_id)
        }
        Event::TransactionReprioritized { tx_id, old_priority, new_priority, .. } => {
            format!("policy sets the priority of {}: {old_priority} -> {new_priority}", tx_id)
        }
        _ => return None,
    })
}

/// The agent's own accounts.
fn own(event: &Event) -> Option<String> {
    Some(match event {
        Event::BankBudgetSet { max_value, .. } => format!("release budget {}", max_value.0),
        Event::CollateralPost { amount, new_total, .. } => {
            format!("collateral posted {}, now {}", amount.0, new_total.0)
        }
        Event::CollateralWithdraw { amount, new_total, .. } => {
            format!("collateral withdrawn {}, now {}", amount.0, new_total.0)
        }
        Event::CostAccrual { costs, .. } => {
            let names = ["overdraft", "delay", "collateral", "penalty", "split friction", "liquidity"];
            let charged: Vec<String> = names
                .iter()
                .zip(costs.kinds.kinds())
                .filter(|(_, cost)| cost.0 != 0)
                .map(|(name, cost)| format!("{name} {}", cost.0))
                .collect();
            if charged.is_empty() {
                return None;
            }
            format!("costs: {}", charged.join(", "))
        }
        Event::EndOfDay { day, .. } => format!("day {day} ends"),
        _ => return None,
    })
}

/// What settles against each other.
fn netting(event: &Event, names: &Names) -> Option<String> {
    Some(match event {
        Event::LsmBilateralOffset { agent_a, agent_b, amount_a, amount_b, .. } => format!(
            "settled in a pair: {} {} against {} {}",
            names.bank(*agent_a),
            amount_a.0,
            names.bank(*agent_b),
            amount_b.0
        ),
        Event::LsmCycleSettlement { agents, total_value, .. } => {
            let members: Vec<&str> = agents.iter().map(|bank| names.bank(*bank)).collect();
            format!("settled in a ring: {}, {} in all", members.join(" -> "), total_value.0)
        }
        _ => return None,
    })
}
