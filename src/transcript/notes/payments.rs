//! Arrivals, decisions about payments, priorities, and what reaches the settlement system.

use super::Notes;
use crate::event::{Event, RtgsPriority};
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;
use crate::replay::State;
use crate::transcript::page::cells;
use crate::transcript::words::{
    change, counted, deadline, hold_reason, mechanism, parties, priority, spaced,
};

/// The RTGS priority in words.
fn class(class: RtgsPriority) -> String {
    spaced(class.name())
}

impl Notes<'_> {
    pub(super) fn payment_event(&mut self, state: &State, event: &Event) {
        match event {
            Event::Arrival {
                tx_id,
                sender_id,
                receiver_id,
                amount,
                deadline: due,
                priority: level,
                parent_tx_id,
                ..
            } => {
                let part = parent_tx_id.map_or_else(String::new, |parent| format!("part of {parent}"));
                let parties = parties(self.names(), *sender_id, *receiver_id);
                self.arrivals.row(cells![tx_id, parties, amount, priority(*level), deadline(*due), part]);
            }
            Event::PolicySubmit { agent_id, tx_id } => self.decision(state, *agent_id, "submit", *tx_id, ""),
            Event::PolicyHold { agent_id, tx_id, reason } => {
                self.decision(state, *agent_id, "hold", *tx_id, &hold_reason(reason));
            }
            Event::PolicyDrop { agent_id, tx_id, reason } => {
                self.decision(state, *agent_id, "drop", *tx_id, &reason.to_lowercase());
            }
            Event::PolicySplit { agent_id, tx_id, num_splits, child_ids } => {
                let ids: Vec<_> = child_ids.iter().map(PaymentId::to_string).collect();
                let parts = format!("into {}: {}", counted(*num_splits, "part"), ids.join(", "));
                self.decision(state, *agent_id, "split", *tx_id, &parts);
            }
            Event::TransactionReprioritized { agent_id, tx_id, old_priority, new_priority } => {
                let bank = self.names().bank(*agent_id);
                self.reprioritised.row(cells![tx_id, bank, change(old_priority, new_priority)]);
            }
            Event::PriorityEscalated {
                tx_id,
                sender_id,
                original_priority,
                escalated_priority,
                ticks_until_deadline,
                boost_applied,
            } => {
                let bank = self.names().bank(*sender_id);
                let boosted = format!("{} (+{boost_applied})", change(original_priority, escalated_priority));
                let left = format!("{} left", counted(*ticks_until_deadline, "tick"));
                self.escalations.row(cells![tx_id, bank, boosted, left]);
            }
            _ => {}
        }
    }

    fn decision(&mut self, state: &State, bank: BankIdx, what: &str, id: PaymentId, note: &str) {
        let (receiver, amount) = state.payment(id).map_or((String::new(), String::new()), |payment| {
            (format!("→ {}", self.names().bank(payment.receiver)), payment.remaining.to_string())
        });
        self.decisions.row(bank, cells![what, id, receiver, amount, note]);
    }

    pub(super) fn system_event(&mut self, state: &State, event: &Event) {
        let names = self.names();
        match event {
            Event::RtgsSubmission { tx_id, sender, receiver, amount, internal_priority, rtgs_priority } => {
                let note = format!("{}, RTGS {}", priority(*internal_priority), class(*rtgs_priority));
                self.system.row(cells!["submitted", tx_id, parties(names, *sender, *receiver), amount, note]);
            }
            Event::RtgsWithdrawal { tx_id, original_rtgs_priority, .. } => {
                let note = format!("to queue 1, was RTGS {}", class(*original_rtgs_priority));
                self.system_row(state, "withdrawn", *tx_id, note);
            }
            Event::RtgsResubmission { tx_id, old_rtgs_priority, new_rtgs_priority, .. } => {
                let old = old_rtgs_priority.0.map_or_else(|| "none".to_owned(), class);
                let note = format!("RTGS priority declared: {}", change(old, class(*new_rtgs_priority)));
                self.system_row(state, "resubmitted", *tx_id, note);
            }
            Event::BilateralLimitExceeded {
                tx_id,
                sender,
                receiver,
                amount,
                current_bilateral_outflow,
                bilateral_limit,
            } => {
                let note = exceeded(*bilateral_limit, *current_bilateral_outflow, *amount);
                let note = format!("limit to {} {note}", names.bank(*receiver));
                self.system.row(cells![
                    "limit exceeded",
                    tx_id,
                    parties(names, *sender, *receiver),
                    amount,
                    note
                ]);
            }
            Event::MultilateralLimitExceeded {
                tx_id,
                amount,
                current_total_outflow,
                multilateral_limit,
                ..
            } => {
                let note = exceeded(*multilateral_limit, *current_total_outflow, *amount);
                self.system_row(state, "limit exceeded", *tx_id, format!("limit to all banks {note}"));
            }
            Event::AlgorithmExecution { algorithm, settlements, settled_value, result } => {
                let note = format!("{}, {}", counted(*settlements, "settlement"), spaced(result));
                self.system.row(cells!["report", mechanism(*algorithm), "", settled_value, note]);
            }
            _ => {}
        }
    }

    fn system_row(&mut self, state: &State, what: &str, id: PaymentId, note: String) {
        let mut row = cells![what];
        row.extend(self.open_payment(state, id));
        row.push(note);
        self.system.row(row);
    }
}

/// A limit, what was sent, and by how much the attempt goes beyond.
fn exceeded(limit: Cents, outflow: Cents, attempt: Cents) -> String {
    let excess = outflow.saturating_add(attempt).saturating_sub(limit);
    format!("{limit}, sent {outflow}, {excess} over it")
}
