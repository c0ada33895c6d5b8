//! What one agent may see of a run (spec 07, 22; X12).

use crate::event::Event;
use crate::ids::BankIdx;

/// Whether an event may be shown to an agent, or to whoever proposes its policy.
#[must_use]
pub fn is_visible(event: &Event, agent: BankIdx) -> bool {
    match event {
        Event::Arrival { sender_id, receiver_id, .. } | Event::Settlement { sender_id, receiver_id, .. } => {
            *sender_id == agent || *receiver_id == agent
        }
        Event::RtgsImmediateSettlement { sender, receiver, .. }
        | Event::RtgsSubmission { sender, receiver, .. }
        | Event::Queue2LiquidityRelease { sender, receiver, .. }
        | Event::RtgsQueue2Settle { sender, receiver, .. } => *sender == agent || *receiver == agent,
        Event::RtgsWithdrawal { sender, .. }
        | Event::RtgsResubmission { sender, .. }
        | Event::BilateralLimitExceeded { sender, .. }
        | Event::MultilateralLimitExceeded { sender, .. } => *sender == agent,
        Event::PolicySubmit { agent_id, .. }
        | Event::PolicyHold { agent_id, .. }
        | Event::PolicyDrop { agent_id, .. }
        | Event::PolicySplit { agent_id, .. }
        | Event::TransactionReprioritized { agent_id, .. }
        | Event::CollateralPost { agent_id, .. }
        | Event::CollateralWithdraw { agent_id, .. }
        | Event::CollateralTimerWithdrawn { agent_id, .. }
        | Event::CollateralTimerBlocked { agent_id, .. }
        | Event::StateRegisterSet { agent_id, .. }
        | Event::BankBudgetSet { agent_id, .. }
        | Event::CostAccrual { agent_id, .. } => *agent_id == agent,
        Event::TransactionWentOverdue { sender_id, .. }
        | Event::OverdueTransactionSettled { sender_id, .. }
        | Event::PriorityEscalated { sender_id, .. }
        | Event::QueuedRtgs { sender_id, .. } => *sender_id == agent,
        Event::LsmBilateralOffset { agent_a, agent_b, .. }
        | Event::EntryDispositionOffset { agent_a, agent_b, .. } => *agent_a == agent || *agent_b == agent,
        Event::LsmCycleSettlement { agents, .. } => agents.contains(&agent),
        Event::EndOfDay { .. } | Event::ScenarioEventExecuted { .. } | Event::AlgorithmExecution { .. } => {
            true
        }
        Event::LiquidityAllocation { .. }
        | Event::LiquidityReturn { .. }
        | Event::DeferredCreditApplied { .. }
        | Event::Unread(_) => false,
    }
}
