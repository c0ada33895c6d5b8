//! What can be exported, and which filters fit it.

use super::ExportFilter;
use crate::persistence::PersistenceError;
use crate::persistence::query::filter::{Conditions, text};
use crate::persistence::query::types::EventFilter;
use crate::persistence::schema::{self, Kind};

/// A kind of rows that can be exported: all columns of a table, and the samples inside of comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    /// Events of simulations.
    Events,
    /// Payments of simulations.
    Transactions,
    /// Daily metrics of simulations.
    Metrics,
    /// Simulations.
    Simulations,
    /// Iterations of runs.
    Iterations,
    /// Comparisons of runs.
    Evaluations,
    /// Samples of the comparisons of runs.
    Samples,
    /// Points of sweeps.
    SweepPoints,
}

/// Where rows come from.
pub(super) struct Source {
    /// A table, or a query in parentheses.
    pub rows: &'static str,
    /// The column by whose ids rows are chosen.
    pub id: &'static str,
    /// Columns in whose order they stand.
    pub order: &'static str,
}

const fn source(rows: &'static str, id: &'static str, order: &'static str) -> Source {
    Source { rows, id, order }
}

/// One row for every element of `sample_details` (4.4).
const SAMPLES: &str = "(SELECT run_id, iteration, agent_id, s.index AS sample, s.seed AS seed, \
     s.old_cost AS old_cost, s.new_cost AS new_cost, s.delta AS delta \
     FROM (SELECT run_id, iteration, agent_id, unnest(from_json(sample_details, \
     '[{\"index\": \"INTEGER\", \"seed\": \"UBIGINT\", \"old_cost\": \"BIGINT\", \"new_cost\": \"BIGINT\", \
     \"delta\": \"BIGINT\"}]')) AS s FROM policy_evaluations WHERE sample_details IS NOT NULL))";

const SAMPLE_COLUMNS: &[(&str, Kind)] = &[
    ("run_id", Kind::Text),
    ("iteration", Kind::Integer),
    ("agent_id", Kind::Text),
    ("sample", Kind::Integer),
    ("seed", Kind::Seed),
    ("old_cost", Kind::BigInt),
    ("new_cost", Kind::BigInt),
    ("delta", Kind::BigInt),
];

impl Exported {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Events,
        Self::Transactions,
        Self::Metrics,
        Self::Simulations,
        Self::Iterations,
        Self::Evaluations,
        Self::Samples,
        Self::SweepPoints,
    ];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Transactions => "transactions",
            Self::Metrics => "metrics",
            Self::Simulations => "simulations",
            Self::Iterations => "iterations",
            Self::Evaluations => "evaluations",
            Self::Samples => "samples",
            Self::SweepPoints => "sweep_points",
        }
    }

    pub(super) const fn source(self) -> Source {
        match self {
            Self::Events => source("simulation_events", "simulation_id", "simulation_id, sequence"),
            Self::Transactions => {
                source("transactions", "simulation_id", "simulation_id, arrival_tick, tx_id")
            }
            Self::Metrics => source("daily_agent_metrics", "simulation_id", "simulation_id, day, agent_id"),
            Self::Simulations => source("simulations", "simulation_id", "started_at, simulation_id"),
            Self::Iterations => source("experiment_iterations", "run_id", "run_id, iteration"),
            Self::Evaluations => source("policy_evaluations", "run_id", "run_id, iteration, agent_id"),
            Self::Samples => source(SAMPLES, "run_id", "run_id, iteration, agent_id, sample"),
            Self::SweepPoints => source("sweep_points", "run_id", "run_id, point, repetition"),
        }
    }

    /// Whether its ids are those of runs.
    #[must_use]
    pub const fn is_of_runs(self) -> bool {
        matches!(self, Self::Iterations | Self::Evaluations | Self::Samples | Self::SweepPoints)
    }

    /// The first part of a filter that its rows know nothing of, in a word.
    #[must_use]
    pub fn cannot_filter(self, filter: &EventFilter) -> Option<&'static str> {
        let EventFilter { tick, tick_min, tick_max, day, agent_id, tx_id, event_type, text, .. } = filter;
        let (bank, payment, ticks, days, others) = match self {
            Self::Events => (true, true, true, true, true),
            Self::Transactions => (true, true, true, true, false),
            Self::Metrics => (true, false, false, true, false),
            Self::Evaluations | Self::Samples => (true, false, false, false, false),
            Self::Simulations | Self::Iterations | Self::SweepPoints => (false, false, false, false, false),
        };
        [
            ("type of event", !others && event_type.is_some()),
            ("bank", !bank && agent_id.is_some()),
            ("payment", !payment && tx_id.is_some()),
            ("tick", !ticks && (tick.is_some() || tick_min.is_some() || tick_max.is_some())),
            ("day", !days && day.is_some()),
            ("text", !others && text.is_some()),
        ]
        .into_iter()
        .find_map(|(word, given)| given.then_some(word))
    }

    /// Its columns in order.
    pub(super) fn columns(self) -> Vec<(&'static str, Kind)> {
        match schema::table(self.source().rows) {
            Some(table) => table.columns.iter().map(|column| (column.name, column.kind)).collect(),
            None => SAMPLE_COLUMNS.to_vec(),
        }
    }

    /// The conditions that its rows have to meet.
    pub(super) fn conditions(self, filter: &ExportFilter) -> Result<Conditions, PersistenceError> {
        let EventFilter { tick, tick_min, tick_max, day, agent_id, tx_id, .. } = &filter.events;
        if let Some(word) = self.cannot_filter(&filter.events) {
            return Err(PersistenceError::Filter {
                message: format!("{} cannot be filtered by {word}", self.name()),
                hint: None,
            });
        }
        let mut conditions = match self {
            Self::Events => filter.events.conditions()?,
            _ => Conditions::default(),
        };
        conditions.any_of(self.source().id, &filter.ids);
        if self.is_of_runs() {
            conditions.text("run_id = ?", filter.run.as_deref());
        } else {
            conditions.of_run(filter.run.as_deref());
        }
        match self {
            Self::Transactions => {
                if let Some(bank) = agent_id {
                    conditions.add("(sender_id = ? OR receiver_id = ?)", [text(bank), text(bank)]);
                }
                if let Some(payment) = tx_id {
                    conditions.add("(tx_id = ? OR parent_tx_id = ?)", [text(payment), text(payment)]);
                }
                conditions.count("arrival_tick = ?", *tick);
                conditions.count("arrival_tick >= ?", *tick_min);
                conditions.count("arrival_tick <= ?", *tick_max);
                conditions.count("arrival_day = ?", *day);
            }
            Self::Metrics | Self::Evaluations | Self::Samples => {
                conditions.text("agent_id = ?", agent_id.as_deref());
                conditions.count("day = ?", *day);
            }
            Self::Events | Self::Simulations | Self::Iterations | Self::SweepPoints => {}
        }
        Ok(conditions)
    }
}
