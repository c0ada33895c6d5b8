//! What happens to banks: pools, scenario events, registers, budgets, collateral, overdue payments.

use super::Notes;
use crate::event::{Effect, Event, Text};
use crate::ids::{BankIdx, PaymentId};
use crate::liquidity::Position;
use crate::money::Cents;
use crate::policy::REGISTER_PREFIX;
use crate::replay::State;
use crate::transcript::page::cells;
use crate::transcript::words::{change, counted, deadline, number, parties, priority, spaced};

impl Notes<'_> {
    pub(super) fn bank_event(&mut self, event: &Event) {
        let names = self.names();
        match event {
            Event::ScenarioEventExecuted { details_json, .. } => {
                let line = self.effect(details_json);
                self.scenario_events.push(line);
            }
            Event::LiquidityAllocation { agent_id, fraction, amount, balance_after, .. } => {
                let note = format!("{} of the pool; balance {balance_after}", share(*fraction));
                self.allocations.row(cells![names.bank(*agent_id), amount, note]);
            }
            Event::LiquidityReturn { agent_id, amount, balance_after } => {
                let note = format!("balance {balance_after}");
                self.returns.row(cells![names.bank(*agent_id), amount, note]);
            }
            Event::StateRegisterSet {
                agent_id,
                register_key,
                old_value,
                new_value,
                reason,
                decision_path,
            } => {
                // Not a number is the same before and after.
                let changed = old_value != new_value && !(old_value.is_nan() && new_value.is_nan());
                if changed {
                    let key = register_key.strip_prefix(REGISTER_PREFIX).unwrap_or(register_key);
                    let values = change(number(*old_value), number(*new_value));
                    self.registers.row(*agent_id, cells![key, values, why(reason, decision_path.as_ref())]);
                }
            }
            Event::BankBudgetSet { agent_id, max_value, focus_counterparties, max_per_counterparty } => {
                let budget = budget(*max_value, focus_counterparties.as_deref(), *max_per_counterparty);
                self.budgets.row(*agent_id, vec![budget]);
            }
            Event::DeferredCreditApplied { agent_id, amount, source_transactions } => {
                let from: Vec<_> = source_transactions.iter().map(PaymentId::to_string).collect();
                let note = format!("from {}", from.join(", "));
                self.deferred_credits.row(cells![names.bank(*agent_id), amount, note]);
            }
            Event::TransactionWentOverdue { .. } | Event::OverdueTransactionSettled { .. } => {
                self.overdue_event(event);
            }
            Event::EndOfDay { day, unsettled_count, total_penalties } => {
                let unsettled = counted(*unsettled_count, "payment");
                let line = format!("End of day {day}: {unsettled} unsettled, penalties {total_penalties}");
                self.day_end.push(line);
            }
            _ => {}
        }
    }

    fn overdue_event(&mut self, event: &Event) {
        let names = self.names();
        match event {
            Event::TransactionWentOverdue {
                tx_id,
                sender_id,
                receiver_id,
                remaining_amount,
                deadline_tick,
                deadline_penalty_cost,
                ..
            } => {
                let (who, penalty) =
                    (parties(names, *sender_id, *receiver_id), format!("penalty {deadline_penalty_cost}"));
                let due = deadline(*deadline_tick);
                self.newly_overdue.row(cells![tx_id, who, remaining_amount, due, penalty]);
            }
            Event::OverdueTransactionSettled {
                tx_id,
                sender_id,
                receiver_id,
                settled_amount,
                total_ticks_overdue,
                deadline_penalty_cost,
                estimated_delay_cost,
                ..
            } => {
                let note = format!(
                    "overdue for {}, penalty {deadline_penalty_cost}, estimated delay cost \
                     {estimated_delay_cost}",
                    counted(*total_ticks_overdue, "tick")
                );
                let who = parties(names, *sender_id, *receiver_id);
                self.overdue_settled.row(cells![tx_id, who, settled_amount, note]);
            }
            _ => {}
        }
    }

    /// A scenario event in a sentence.
    fn effect(&self, effect: &Effect) -> String {
        let bank = |bank: &BankIdx| self.names().bank(*bank);
        let pair = |from: &BankIdx, to: &BankIdx| parties(self.names(), *from, *to);
        match effect {
            Effect::DirectTransfer { amount, from, to } => {
                format!("direct transfer {}: {amount}", pair(from, to))
            }
            Effect::CustomArrival { amount, deadline, from, is_divisible, priority: level, to, tx_id } => {
                let divisible = if *is_divisible { ", divisible" } else { "" };
                let level = priority(*level);
                let who = pair(from, to);
                format!(
                    "scheduled payment {tx_id} {who}: {amount}, {level}, due in tick {deadline}{divisible}"
                )
            }
            Effect::CollateralAdjustment { agent, delta, new_total } => {
                let sign = if *delta > Cents::ZERO { "+" } else { "" };
                let now = match new_total {
                    Some(new_total) => format!("posted now {new_total}"),
                    None => "in its unsecured cap".to_owned(),
                };
                format!("collateral adjustment of {}: {sign}{delta}, {now}", bank(agent))
            }
            Effect::GlobalArrivalRate { multiplier } => {
                format!("arrival rates of all banks: {} × their base rates", number(*multiplier))
            }
            Effect::AgentArrivalRate { agent, multiplier, new_rate, old_rate } => {
                let rates = change(number(*old_rate), number(*new_rate));
                format!("arrival rate of {} × {}: {rates}", bank(agent), number(*multiplier))
            }
            Effect::CounterpartyWeight { agent, auto_balance_others, counterparty, new_weight } => {
                let balance = if *auto_balance_others { ", balancing of the others asked for" } else { "" };
                let weight = number(*new_weight);
                let who = pair(agent, counterparty);
                format!("weight of a receiver {who}: {weight}{balance}")
            }
            Effect::DeadlineWindow { max_multiplier, min_multiplier } => {
                let factor = |name: &str, factor: &Option<f64>| {
                    factor.map(|factor| format!("{name} × {}", number(factor)))
                };
                let ends = [factor("shortest", min_multiplier), factor("longest", max_multiplier)];
                let ends: Vec<_> = ends.into_iter().flatten().collect();
                format!("deadline windows: {}", ends.join(", "))
            }
            Effect::ScheduledSettlement { amount, from, settled, to } => {
                let outcome = if *settled { "settled" } else { "not settled, insufficient liquidity" };
                format!("scheduled settlement {}: {amount}, {outcome}", pair(from, to))
            }
        }
    }

    /// A movement of collateral with what it does to the bank's credit.
    pub(super) fn collateral_moved(&mut self, state: &State, event: &Event, before: &Position) {
        let posted =
            |tick: &crate::time::Tick, reason: &Text| format!("posted in tick {tick} for {}", spaced(reason));
        let (bank, what, amount, note) = match event {
            Event::CollateralPost { agent_id, amount, reason, auto_withdraw_tick, .. } => {
                let back = auto_withdraw_tick.map(|tick| format!(", goes back in tick {tick}"));
                (*agent_id, "posted", amount, spaced(reason) + &back.unwrap_or_default())
            }
            Event::CollateralWithdraw { agent_id, amount, reason, .. } => {
                (*agent_id, "withdrawn", amount, spaced(reason))
            }
            Event::CollateralTimerWithdrawn { agent_id, amount, original_reason, posted_at_tick, .. } => {
                (*agent_id, "withdrawn by timer", amount, posted(posted_at_tick, original_reason))
            }
            Event::CollateralTimerBlocked {
                agent_id,
                requested_amount,
                reason,
                original_reason,
                posted_at_tick,
            } => {
                let note = format!("{}, {}", posted(posted_at_tick, original_reason), blocked(reason));
                (*agent_id, "kept by timer", requested_amount, note)
            }
            _ => return,
        };
        let after = state.position(bank);
        let effect = if after == *before {
            format!("; total {}", after.posted)
        } else {
            format!(
                "; total {}, credit line {}, headroom {}",
                change(before.posted, after.posted),
                change(before.credit_line(), after.credit_line()),
                change(before.headroom(), after.headroom())
            )
        };
        self.collateral.row(bank, cells![what, amount, note + &effect]);
    }
}

/// Why a timer did not withdraw; the event's text has its amounts in cents (spec 03, 5.4).
fn blocked(reason: &str) -> String {
    let Some((_, figures)) = reason.split_once("No headroom available for withdrawal: ") else {
        return reason.to_owned();
    };
    let figure = |figure: &str| {
        let (name, cents) = figure.split_once('=')?;
        let amount = Cents(cents.parse().ok()?);
        Some(match name {
            "credit_used" => format!("credit in use {amount}"),
            "allowed_limit" => format!("credit line {amount}"),
            other => format!("{other} {amount}"),
        })
    };
    let figures: Option<Vec<_>> = figures.split(", ").map(figure).collect();
    figures.map_or_else(|| reason.to_owned(), |figures| format!("no headroom for it: {}", figures.join(", ")))
}

fn why(reason: &str, path: Option<&Text>) -> String {
    match path {
        Some(path) => format!("{}; {path}", spaced(reason)),
        None if reason == "eod_reset" => "end of day".to_owned(),
        None => spaced(reason),
    }
}

fn budget(max_value: Cents, focus: Option<&[Text]>, per_receiver: Option<Cents>) -> String {
    let to = match focus {
        None => "to any bank".to_owned(),
        Some([]) => "to no bank".to_owned(),
        Some(focus) => format!("only to {}", focus.join(", ")),
    };
    let each = per_receiver.map_or_else(String::new, |most| format!(", at most {most} to each"));
    format!("at most {max_value} {to}{each}")
}

fn share(fraction: f64) -> String {
    format!("{:.1} %", fraction * 100.0)
}
