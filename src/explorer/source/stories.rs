//! One payment, one bank, two of a kind; statements of the user.

use super::super::describe;
use super::super::format::{change, percent};
use super::super::rows::{
    BankDay, BankStory, Comparison, Counterparty, Couple, Divergence, Fact, Figure, PaymentStory, Place,
    SqlRows, run_figures,
};
use super::{DatabaseSource, event_row, with_hint};
use crate::money::{Cents, grouped};
use crate::persistence::{self as store, PersistenceError};

/// Runs, and simulations, that the palette offers.
const PLACES: usize = 2_000;
/// Rows of a statement that are shown.
const SQL_ROWS: usize = 10_000;

impl DatabaseSource {
    pub(super) fn payment(&self, simulation: &str, payment: &str) -> Result<PaymentStory, PersistenceError> {
        let story = self.reader.payment(simulation, payment)?;
        let events: Vec<_> = story.events.into_iter().map(event_row).collect();
        let facts = match &story.row {
            Some(row) => payment_facts(row),
            // While the simulation runs an open payment has no row: its arrival says what it is.
            None => {
                let arrival = events.iter().find(|event| event.kind == "Arrival");
                arrival.map_or_else(Vec::new, |event| describe::fields(&event.line))
            }
        };
        let part = |row: store::PaymentRow| (row.tx_id.clone(), Cents(row.amount), became(&row));
        Ok(PaymentStory { facts, parts: story.parts.into_iter().map(part).collect(), events })
    }

    pub(super) fn bank(&self, simulation: &str, bank: &str) -> Result<BankStory, PersistenceError> {
        let days = self.reader.daily_metrics(simulation, Some(bank))?;
        let mut facts = Vec::new();
        if let Some(costs) = self.reader.bank_costs(simulation)?.into_iter().find(|row| row.agent_id == bank)
        {
            facts.extend(cost_facts(&costs));
        }
        if let Some(delay) =
            self.reader.delays_by_bank(simulation)?.into_iter().find(|row| row.agent_id == bank)
        {
            facts.push(fact("settled payments", grouped(count(delay.num_settled))));
            facts.push(fact("mean delay", format!("{:.2} ticks", delay.avg_delay_ticks)));
            facts.push(fact("median delay", format!("{} ticks", delay.median_delay_ticks)));
            facts.push(fact("95th percentile", format!("{:.1} ticks", delay.p95_delay_ticks)));
            facts.push(fact("longest delay", format!("{} ticks", delay.max_delay_ticks)));
        }
        let used = self.reader.liquidity_used(simulation)?;
        let used = used.iter().filter(|row| row.agent_id == bank).map(|row| row.liquidity_used).max();
        facts.extend(used.map(|most| fact("liquidity used", Cents(most).to_string())));
        let posts: i64 = days.iter().map(|day| day.num_collateral_posts).sum();
        if posts > 0 {
            let peak = days.iter().map(|day| day.peak_posted_collateral).max().unwrap_or(0);
            facts.push(fact("collateral posted", format!("{posts} times, at most {}", Cents(peak))));
        }
        let counterparties = self.reader.counterparties(simulation, bank)?.into_iter().map(counterparty);
        Ok(BankStory {
            facts,
            days: days.iter().map(bank_day).collect(),
            counterparties: counterparties.collect(),
        })
    }

    pub(super) fn comparison(&self, couple: &Couple) -> Result<Comparison, String> {
        match couple {
            Couple::Runs(a, b) => {
                let run = |id: &String| {
                    let found = self.run(id).map_err(|error| with_hint(&error))?;
                    found.ok_or_else(|| format!("there is no run `{id}` here"))
                };
                let (run_a, run_b) = (run(a)?, run(b)?);
                let settings = self.reader.compare_runs(a, b).map_err(|error| with_hint(&error))?;
                let costs = [&run_a, &run_b].map(|run| run.iterations.iter().map(|row| row.total.0 as f64));
                Ok(Comparison {
                    figures: run_figures(&run_a, &run_b),
                    settings: settings.into_iter().map(setting).collect(),
                    divergence: None,
                    costs: costs.map(Iterator::collect),
                })
            }
            Couple::Simulations(a, b) => self.simulations_compared(a, b).map_err(|error| with_hint(&error)),
        }
    }

    fn simulations_compared(&self, a: &str, b: &str) -> Result<Comparison, PersistenceError> {
        let found = self.reader.compare(a, b)?;
        let (of_a, of_b) = (simulation_figures(&found.a), simulation_figures(&found.b));
        let figures = of_a.into_iter().zip(of_b).zip(&found.differences);
        let figures = figures.map(|(((name, a), (_, b)), (_, difference))| {
            let difference = shown_difference(name, *difference);
            Figure { name: name.to_owned(), a, b, difference }
        });
        Ok(Comparison {
            figures: figures.collect(),
            settings: found.settings.into_iter().map(setting).collect(),
            divergence: self.divergence(a, b)?,
            costs: [Vec::new(), Vec::new()],
        })
    }

    pub(super) fn divergence(&self, a: &str, b: &str) -> Result<Option<Divergence>, PersistenceError> {
        let found = self.reader.first_divergence(a, b)?;
        Ok(found.map(|found| Divergence {
            sequence: found.sequence,
            a: found.a.map(event_row),
            b: found.b.map(event_row),
        }))
    }

    /// Runs and simulations, newest first, and the banks of one simulation.
    pub(super) fn places(&self, simulation: Option<&str>) -> Result<Vec<Place>, PersistenceError> {
        let mut places = Vec::new();
        if let Some(id) = simulation {
            let scenario = self.reader.scenario(id)?;
            places.extend(scenario.names.banks().map(|bank| Place::Bank {
                simulation: id.to_owned(),
                bank: scenario.names.bank(bank).to_owned(),
            }));
        }
        let runs =
            self.reader.runs(&store::RunFilter { limit: Some(PLACES), ..store::RunFilter::default() })?;
        places.extend(runs.into_iter().map(|run| Place::Run { id: run.run_id, name: run.experiment_name }));
        let newest = store::SimulationFilter { limit: Some(PLACES), ..store::SimulationFilter::default() };
        places.extend(self.reader.simulations(&newest)?.rows.into_iter().map(|row| Place::Simulation {
            id: row.simulation_id,
            title: row.config_name,
            seed: row.rng_seed,
        }));
        Ok(places)
    }

    pub(super) fn statement(&self, text: &str) -> Result<SqlRows, PersistenceError> {
        let mut table = self.reader.sql_head(text, SQL_ROWS + 1)?;
        let cut = table.rows.len() > SQL_ROWS;
        table.rows.truncate(SQL_ROWS);
        let number = |at: usize| {
            let mut values = table.rows.iter().filter_map(|row| row.get(at));
            !table.rows.is_empty() && values.all(store::SqlValue::fits_numbers)
        };
        Ok(SqlRows {
            numbers: (0..table.columns.len()).map(number).collect(),
            rows: table.rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect(),
            columns: table.columns,
            cut,
        })
    }
}

fn fact(name: &str, value: impl Into<String>) -> Fact {
    (name.to_owned(), value.into())
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn setting((path, a, b): (String, Option<String>, Option<String>)) -> Figure {
    let shown = |value: Option<String>| value.unwrap_or_else(|| "absent".to_owned());
    Figure { name: path, a: shown(a), b: shown(b), difference: String::new() }
}

/// What became of a payment, in words.
fn became(row: &store::PaymentRow) -> String {
    match (row.place.as_str(), row.settlement_tick, row.drop_tick) {
        ("settled", Some(tick), _) => {
            let by = row.settled_by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
            format!("settled in tick {tick}{by}")
        }
        ("dropped", _, Some(tick)) => {
            let why = row.drop_reason.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
            format!("dropped in tick {tick}{why}")
        }
        ("split", ..) => "split into parts".to_owned(),
        ("queue1", ..) => "waits in queue 1".to_owned(),
        ("queue2", ..) => "waits in queue 2".to_owned(),
        (other, ..) => other.to_owned(),
    }
}

fn payment_facts(row: &store::PaymentRow) -> Vec<Fact> {
    let mut facts = vec![
        fact("payment", &*row.tx_id),
        fact("from, to", format!("{} > {}", row.sender_id, row.receiver_id)),
        fact("amount", Cents(row.amount).to_string()),
        fact("became", became(row)),
        fact("settled value", Cents(row.amount_settled).to_string()),
        fact("arrived", format!("tick {}, day {}", row.arrival_tick, row.arrival_day)),
        fact("deadline", format!("tick {}", row.deadline_tick)),
        fact("delay", format!("{} ticks", row.total_delay_ticks)),
        fact("in queue 1", format!("{} ticks", row.queue1_ticks)),
        fact("in queue 2", format!("{} ticks", row.queue2_ticks)),
        fact("delay cost", Cents(row.delay_cost).to_string()),
        fact("penalties", Cents(row.penalty_cost).to_string()),
    ];
    let priority = match row.priority == row.original_priority {
        true => row.priority.to_string(),
        false => format!("{}, at first {}", row.priority, row.original_priority),
    };
    facts.push(fact("priority", priority));
    facts.extend(row.rtgs_priority.as_ref().map(|priority| fact("sent as", &**priority)));
    facts.extend(row.overdue_since_tick.map(|tick| fact("overdue since", format!("tick {tick}"))));
    facts.extend(row.parent_tx_id.as_ref().map(|parent| fact("part of", &**parent)));
    if row.is_divisible {
        facts.push(fact("divisible", "yes"));
    }
    facts
}

fn cost_facts(row: &store::BankCostsRow) -> Vec<Fact> {
    let kinds = [
        ("cost in all", row.total_cost),
        ("liquidity", row.liquidity_cost),
        ("delay", row.delay_cost),
        ("collateral", row.collateral_cost),
        ("deadline penalties", row.deadline_penalty_cost),
        ("splitting", row.split_friction_cost),
        ("allocated liquidity", row.liquidity_opportunity_cost),
    ];
    let told = kinds.into_iter().enumerate().filter(|(place, (_, cents))| *place == 0 || *cents != 0);
    told.map(|(place, (name, cents))| {
        let name = if place == 0 { name.to_owned() } else { format!("  {name}") };
        (name, Cents(cents).to_string())
    })
    .collect()
}

fn bank_day(row: &store::DailyMetricsRow) -> BankDay {
    BankDay {
        day: row.day,
        opening: Cents(row.opening_balance),
        lowest: Cents(row.min_balance),
        highest: Cents(row.max_balance),
        closing: Cents(row.closing_balance),
        peak_line: Cents(row.peak_overdraft),
        arrived: count(row.num_arrivals),
        settled: count(row.num_settled),
        queue1_peak: count(row.queue1_peak_size),
        cost: Cents(row.total_cost),
    }
}

fn counterparty(row: store::CounterpartyRow) -> Counterparty {
    Counterparty {
        bank: row.agent_id,
        sent: count(row.num_sent),
        value_sent: Cents(row.value_sent),
        received: count(row.num_received),
        value_received: Cents(row.value_received),
    }
}

/// The figures of a simulation, in the order in which the comparison has their differences.
fn simulation_figures(summary: &store::SimulationSummary) -> Vec<(&'static str, String)> {
    vec![
        ("total cost", Cents(summary.total_cost_cents).to_string()),
        ("payments", grouped(count(summary.total_transactions))),
        ("settled payments", grouped(count(summary.total_settlements))),
        ("settlement rate", percent(Some(summary.settlement_rate))),
        ("settled by offsets and rings", grouped(count(summary.total_lsm_releases))),
        ("arrived value", Cents(summary.total_volume).to_string()),
        ("cost per day", Cents(summary.avg_daily_cost.round() as i64).to_string()),
        ("mean delay in ticks", format!("{:.2}", summary.avg_delay_ticks)),
        ("longest delay in ticks", summary.max_delay_ticks.to_string()),
        ("peak credit line use", Cents(summary.peak_overdraft).to_string()),
    ]
}

fn shown_difference(name: &str, difference: f64) -> String {
    if difference == 0.0 {
        return String::new();
    }
    match name {
        "total cost" | "arrived value" | "cost per day" | "peak credit line use" => {
            change(Cents(difference.round() as i64))
        }
        "settlement rate" => format!("{:+.1} %", difference * 100.0),
        "mean delay in ticks" => format!("{difference:+.2}"),
        _ => format!("{difference:+.0}"),
    }
}
