//! How things stand at the end of a tick: sections that come from the state, not from events.

use super::page::{Page, Table, cells};
use super::words::{COST_KINDS, change, cost_kinds, counted, parties, percent, spaced, total};
use crate::costs::Costs;
use crate::ids::{BankIdx, Names};
use crate::metrics::TickFigures;
use crate::money::{Cents, grouped};
use crate::replay::{Payment, State, saturating_sum};
use crate::time::Tick;

/// How many ticks before its deadline a payment is shown as near it.
const NEAR_TICKS: u64 = 2;

/// All payments in a queue.
fn in_queues(state: &State) -> impl Iterator<Item = &Payment> {
    state.scenario().names.banks().flat_map(|bank| state.queue1(bank)).chain(state.queue2())
}

/// Payments in a queue whose deadline comes within the next two ticks.
pub(super) fn near_deadline(page: &mut Page, state: &State, tick: Tick) {
    let names = &state.scenario().names;
    let near = |payment: &&Payment| {
        !payment.is_overdue() && payment.deadline > tick && payment.deadline <= tick.after(NEAR_TICKS)
    };
    let mut payments: Vec<_> = in_queues(state).filter(near).collect();
    if payments.is_empty() {
        return;
    }
    payments.sort_by_key(|payment| (payment.deadline, payment.id));
    let mut table = Table::new("<<><");
    for payment in payments {
        let who = parties(names, payment.sender, payment.receiver);
        let left = format!("{} left", counted(payment.deadline.since(tick), "tick"));
        table.row(cells![payment.id, who, payment.remaining, left]);
    }
    page.section(&format!("Near their deadline ({})", table.len()));
    page.table(1, &table);
}

/// All overdue payments in a queue, longest overdue first.
pub(super) fn overdue(page: &mut Page, state: &State, tick: Tick) {
    let names = &state.scenario().names;
    let mut payments: Vec<_> =
        in_queues(state).filter_map(|payment| Some((payment.overdue_since?, payment))).collect();
    if payments.is_empty() {
        return;
    }
    payments.sort_by_key(|(since, payment)| (*since, payment.deadline, payment.id));
    let mut table = Table::new("<<>>>>>");
    table.row(cells!["", "", "remaining", "late by", "penalties", "delay", "cost"]);
    let mut sum = [Cents::ZERO; 4];
    for (_, payment) in &payments {
        let figures = state.waiting(payment);
        let cost = figures.penalty_cost.saturating_add(figures.delay_cost);
        let row = [payment.remaining, figures.penalty_cost, figures.delay_cost, cost];
        sum = std::array::from_fn(|at| sum[at].saturating_add(row[at]));
        let [remaining, penalties, delay, cost] = row;
        let who = parties(names, payment.sender, payment.receiver);
        let late = counted(tick.since(payment.deadline), "tick");
        table.row(cells![payment.id, who, remaining, late, penalties, delay, cost]);
    }
    let [remaining, penalties, delay, cost] = sum;
    table.row(cells!["all", "", remaining, "", penalties, delay, cost]);
    page.section(&format!("Overdue in a queue ({})", payments.len()));
    page.table(1, &table);
}

/// Money, credit and collateral of every bank, then its queues and its costs of the day.
pub(super) fn banks(page: &mut Page, state: &State) {
    let names = &state.scenario().names;
    let mut money = Table::new("<>>>>>><");
    money.row(cells!["", "balance", "credit line", "in use", "", "available", "collateral", ""]);
    let mut queues = Table::new("<>>>>><");
    queues.row(cells!["", "queue 1", "value", "queue 2", "value", "cost of day", "of which"]);
    for bank in names.banks() {
        let position = state.position(bank);
        let (line, used) = (position.credit_line(), position.credit_used());
        let mark = match used {
            Cents::ZERO => "",
            used if used > line => "overdrawn beyond the line",
            _ => "overdrawn",
        };
        money.row(cells![
            names.bank(bank),
            position.balance,
            line,
            used,
            percent(used, line),
            position.available(),
            position.posted,
            mark
        ]);
        let costs = state.bank(bank).map_or(Costs::ZERO, |bank| bank.day_costs);
        queues.row(cells![
            names.bank(bank),
            grouped(state.queue1_len(bank) as u64),
            state.queue1_value(bank),
            grouped(state.queue2_len(bank) as u64),
            state.queue2_value(bank),
            total(&costs),
            cost_kinds(&costs)
        ]);
    }
    page.section("Banks");
    page.table(1, &money);
    page.table(1, &queues);
}

/// The queues of banks whose balance changed or that have queued payments.
pub(super) fn queues(page: &mut Page, state: &State) {
    let names = &state.scenario().names;
    let mut queue2: Vec<Vec<(usize, &Payment)>> = vec![Vec::new(); names.len()];
    for (at, payment) in state.queue2().enumerate() {
        if let Some(own) = queue2.get_mut(payment.sender.at()) {
            own.push((at + 1, payment));
        }
    }
    let mut table = Table::new(">><<><<<");
    for (bank, own) in names.banks().zip(&queue2) {
        let moved = balance_change(state, bank);
        if moved.is_none() && own.is_empty() && state.queue1_len(bank) == 0 {
            continue;
        }
        let moved = moved.map_or_else(String::new, |moved| format!("balance {moved}; "));
        let sizes = format!(
            "queue 1: {}, queue 2: {} of {}",
            grouped(state.queue1_len(bank) as u64),
            grouped(own.len() as u64),
            grouped(state.queue2_total_len() as u64)
        );
        table.heading(&format!("{}: {moved}{sizes}", names.bank(bank)));
        for (at, payment) in state.queue1(bank).enumerate() {
            table.row(queue_row(names, "queue 1", at + 1, payment));
        }
        for (at, payment) in own {
            table.row(queue_row(names, "queue 2", *at, payment));
        }
    }
    if !table.is_empty() {
        page.section("Queues");
        page.table(1, &table);
    }
}

fn balance_change(state: &State, bank: BankIdx) -> Option<String> {
    let bank = state.bank(bank)?;
    (bank.changed && bank.before.balance != bank.balance).then(|| change(bank.before.balance, bank.balance))
}

fn queue_row(names: &Names, queue: &str, place: usize, payment: &Payment) -> Vec<String> {
    let mut notes = Vec::new();
    if payment.is_overdue() {
        notes.push("overdue".to_owned());
    }
    if let Some(submission) = payment.submission {
        notes.push(format!("RTGS {}", spaced(submission.class.name())));
    }
    if let Some(back) = held_back(payment) {
        notes.push(back);
    }
    cells![
        queue,
        place,
        payment.id,
        format!("→ {}", names.bank(payment.receiver)),
        payment.remaining,
        format!("priority {}", payment.priority),
        format!("deadline {}", payment.deadline),
        notes.join(", ")
    ]
}

fn held_back(payment: &Payment) -> Option<String> {
    let held = payment.held_back?;
    Some(match held.until {
        Some(until) => format!("held back until tick {until}"),
        None => format!("held back as later part {}", held.rank),
    })
}

/// Costs of the tick by bank and kind, and those of the day so far.
pub(super) fn costs(page: &mut Page, state: &State) {
    let names = &state.scenario().names;
    let of_tick = |bank: BankIdx| {
        let bank = state.bank(bank).filter(|bank| bank.changed)?;
        let costs = difference(&bank.run_costs, &bank.before.run_costs);
        (costs != Costs::ZERO).then_some(costs)
    };
    let rows: Vec<_> = names.banks().filter_map(|bank| Some((bank, of_tick(bank)?))).collect();
    if rows.is_empty() {
        return;
    }
    let all = rows.iter().fold(Costs::ZERO, |sum, (_, costs)| saturating_sum(&sum, costs));
    let day = state.banks().iter().fold(Costs::ZERO, |sum, bank| saturating_sum(&sum, &bank.day_costs));
    let mut named: Vec<_> = rows.iter().map(|(bank, costs)| (names.bank(*bank), *costs)).collect();
    named.push(("all banks", all));
    named.push(("day so far", day));
    page.section("Costs of the tick");
    page.table(1, &cost_table(&named));
}

/// Costs in rows, with the kinds that occur as columns.
pub(super) fn cost_table(rows: &[(&str, Costs)]) -> Table {
    let occurs: Vec<usize> = (0..COST_KINDS.len())
        .filter(|kind| rows.iter().any(|(_, costs)| costs.kinds()[*kind] != Cents::ZERO))
        .collect();
    let mut table = Table::new(&"<>>>>>>>"[..occurs.len() + 2]);
    let heads = |pick: fn(&(&'static str, &'static str)) -> &'static str, last: &str| {
        let kinds = occurs.iter().map(|kind| pick(&COST_KINDS[*kind]).to_owned());
        std::iter::once(String::new()).chain(kinds).chain([last.to_owned()]).collect::<Vec<_>>()
    };
    let upper = heads(|kind| kind.0, "");
    if upper.iter().any(|head| !head.is_empty()) {
        table.row(upper);
    }
    table.row(heads(|kind| kind.1, "total"));
    for (name, costs) in rows {
        let mut row = cells![name];
        row.extend(occurs.iter().map(|kind| costs.kinds()[*kind].to_string()));
        row.push(total(costs).to_string());
        table.row(row);
    }
    table
}

const fn difference(after: &Costs, before: &Costs) -> Costs {
    Costs {
        overdraft: after.overdraft.saturating_sub(before.overdraft),
        delay: after.delay.saturating_sub(before.delay),
        collateral: after.collateral.saturating_sub(before.collateral),
        penalty: after.penalty.saturating_sub(before.penalty),
        split_friction: after.split_friction.saturating_sub(before.split_friction),
        liquidity_opportunity: after.liquidity_opportunity.saturating_sub(before.liquidity_opportunity),
    }
}

/// The figures of the tick in a line.
pub(super) fn summary_line(page: &mut Page, figures: &TickFigures) {
    let TickFigures { tick, arrivals, settlements, lsm_releases, cost, queue1_size, queue2_size, .. } =
        figures;
    page.section(&format!(
        "Tick {tick}: {}, {}, {}; queue 1: {}, queue 2: {}; cost {cost}",
        counted(*arrivals, "arrival"),
        counted(*settlements, "settlement"),
        counted(*lsm_releases, "LSM release"),
        grouped(*queue1_size as u64),
        grouped(*queue2_size as u64)
    ));
}
