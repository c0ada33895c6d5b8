//! The result of a simulation as tables (spec 06, 7.3).

use super::page::{Page, Table, cells};
use super::standing::cost_table;
use super::words::percent;
use crate::metrics::{SimulationSummary, Summary, Totals};
use crate::money::{Cents, grouped};

/// The result for people: the same figures as its JSON, amounts in currency units.
#[must_use]
pub fn result_text(summary: &Summary) -> String {
    let mut page = Page::default();
    page.section("Simulation");
    page.table(1, &simulation(&summary.simulation));
    page.section("Payments (amounts in currency units)");
    page.table(1, &payments(&summary.metrics));
    page.section("System");
    page.table(1, &system(&summary.metrics));
    page.section("Banks");
    page.table(1, &banks(summary));
    page.section("Costs by bank and kind");
    let mut rows: Vec<_> = summary.agents.iter().map(|agent| (&*agent.id, agent.costs)).collect();
    rows.push(("all banks", summary.costs));
    page.table(1, &cost_table(&rows));
    page.finish()
}

fn simulation(run: &SimulationSummary) -> Table {
    let mut table = Table::new("<<");
    table.row(cells!["scenario", run.config_file]);
    table.row(cells!["seed", run.seed]);
    let length = format!("{} × {} ticks", grouped(run.num_days), grouped(run.ticks_per_day));
    table.row(cells!["days", length]);
    table.row(cells!["ticks executed", grouped(run.ticks_executed)]);
    table.row(cells!["status", run.status]);
    let speed = run.ticks_per_second();
    table.row(cells!["duration", format!("{:.3} s, {speed:.2} ticks per second", run.duration_seconds)]);
    table.row(cells!["events", grouped(run.event_count)]);
    let stored = [
        ("event digest", &run.event_digest),
        ("simulation id", &run.simulation_id),
        ("database", &run.database),
    ];
    for (name, value) in stored {
        if let Some(value) = value {
            table.row(cells![name, value]);
        }
    }
    if let Some((from, to)) = run.replay_range {
        let ticks = grouped(to.saturating_sub(from).saturating_add(1));
        table.row(cells!["replayed", format!("ticks {from}-{to} ({ticks})")]);
    }
    table
}

fn payments(totals: &Totals) -> Table {
    let mut table = Table::new("<>>>>");
    let share_of_value = |value: Cents| percent(value, totals.arrived_value);
    table.row(cells!["", "payments", "", "value", ""]);
    table.row(cells!["arrived", grouped(totals.total_arrivals), "", totals.arrived_value, ""]);
    table.row(cells![
        "settled",
        grouped(totals.total_settlements),
        format!("{:.1} %", totals.settlement_rate() * 100.0),
        totals.settled_value,
        share_of_value(totals.settled_value)
    ]);
    let queued = totals.queued_value;
    table.row(cells!["queued", "", "", queued, share_of_value(queued)]);
    let dropped = totals.dropped_value;
    table.row(cells!["dropped", "", "", dropped, share_of_value(dropped)]);
    table
}

fn system(totals: &Totals) -> Table {
    let mut table = Table::new("<>");
    table.row(cells!["LSM releases", grouped(totals.total_lsm_releases)]);
    table.row(cells!["mean delay in ticks", format!("{:.2}", totals.avg_delay_ticks)]);
    table.row(cells!["longest delay in ticks", grouped(totals.max_delay_ticks)]);
    table.row(cells!["payments in queues 1", grouped(totals.queue1_total_size as u64)]);
    table.row(cells!["payments in queue 2", grouped(totals.queue2_total_size as u64)]);
    table.row(cells!["largest overdraft", totals.peak_overdraft]);
    table.row(cells!["banks in overdraft", grouped(totals.agents_in_overdraft as u64)]);
    table
}

fn banks(summary: &Summary) -> Table {
    let mut table = Table::new("<>>>>");
    table.row(cells!["", "final balance", "collateral", "queue 1", "queue 2"]);
    for agent in &summary.agents {
        table.row(cells![
            agent.id,
            agent.final_balance,
            agent.posted_collateral,
            grouped(agent.queue1_size as u64),
            grouped(agent.queue2_size as u64)
        ]);
    }
    table
}
