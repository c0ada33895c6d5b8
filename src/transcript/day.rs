//! The summary of a day.

use super::page::{Page, Table, cells};
use super::standing::cost_table;
use super::words::{percent, share, total};
use crate::costs::Costs;
use crate::metrics::Ledger;
use crate::money::{Cents, grouped};
use crate::replay::{Place, State};
use crate::time::Tick;

/// What became of the original payments that arrived in a day.
#[derive(Debug, Default)]
struct Open {
    count: u64,
    remaining: Cents,
    dropped: u64,
}

/// The summary after a day's last tick. Where counting began inside the day, `since` says when.
pub(super) fn summary(page: &mut Page, ledger: &Ledger, tick: Tick, since: Tick) {
    let state = ledger.state();
    let day = state.scenario().calendar.day(tick);
    let first = Tick(tick.0 - state.scenario().calendar.tick_in_day(tick)).max(since);
    let counted_from = if first == since && !state.scenario().calendar.opens_day(first) {
        format!(", counted from tick {first} on")
    } else {
        String::new()
    };
    page.section(&format!("Summary of day {day}{counted_from}"));
    page.table(1, &payments(ledger, first));
    let costs = state
        .banks()
        .iter()
        .fold(Costs::ZERO, |sum, bank| crate::replay::saturating_sum(&sum, &bank.day_costs));
    page.line(1, "costs by kind");
    page.table(2, &cost_table(&[("all banks", costs)]));
    page.line(1, "banks");
    page.table(2, &banks(state));
}

fn payments(ledger: &Ledger, first: Tick) -> Table {
    let figures = ledger.day_figures();
    let open = open_since(ledger.state(), first);
    let settled = figures.arrivals.saturating_sub(open.count);
    let settled_value = figures.arrived_value.saturating_sub(open.remaining);
    let mut table = Table::new("<>>>>");
    table.row(cells!["", "payments", "", "value", ""]);
    table.row(cells!["arrived", grouped(figures.arrivals), "", figures.arrived_value, ""]);
    let mut part = |name: &str, count: u64, value: Cents| {
        let (by_count, by_value) = (share(count, figures.arrivals), percent(value, figures.arrived_value));
        table.row(cells![name, grouped(count), by_count, value, by_value]);
    };
    part("of these settled", settled, settled_value);
    part("of these unsettled", open.count, open.remaining);
    if open.dropped > 0 {
        table.row(cells!["dropped among them", grouped(open.dropped), "", "", ""]);
    }
    table.row(cells![
        "settlements, parts counted",
        grouped(figures.settlements),
        "",
        figures.settled_value,
        ""
    ]);
    table.row(cells![
        "by pairs and rings",
        grouped(figures.lsm_releases),
        share(figures.lsm_releases, figures.settlements),
        figures.lsm_value,
        percent(figures.lsm_value, figures.settled_value)
    ]);
    table
}

/// The originals that arrived in the day and are not settled with all their parts.
fn open_since(state: &State, first: Tick) -> Open {
    let originals =
        state.open_payments().filter(|payment| payment.parent.is_none() && payment.arrival >= first);
    originals.fold(Open::default(), |open, payment| Open {
        count: open.count + 1,
        remaining: open.remaining.saturating_add(payment.remaining),
        dropped: open.dropped + u64::from(payment.place == Place::Dropped),
    })
}

fn banks(state: &State) -> Table {
    let names = &state.scenario().names;
    let mut table = Table::new("<>>>>>");
    table.row(cells!["", "balance", "credit line used", "queue 1", "queue 2", "costs"]);
    for bank in names.banks() {
        let position = state.position(bank);
        let costs = state.bank(bank).map_or(Cents::ZERO, |bank| total(&bank.day_costs));
        table.row(cells![
            names.bank(bank),
            position.balance,
            percent(position.credit_used(), position.credit_line()),
            grouped(state.queue1_len(bank) as u64),
            grouped(state.queue2_len(bank) as u64),
            costs
        ]);
    }
    table
}
