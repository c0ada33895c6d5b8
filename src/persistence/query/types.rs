//! Filters and rows of all queries (spec 06, 5). Fields of rows are named as the columns.

use serde_json::{Map, Value, json};

use super::row::rows;
use crate::persistence::{Moment, Purpose, Status};

/// Which simulations; everything given holds together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimulationFilter {
    /// Only these; none: all.
    pub ids: Vec<String>,
    /// Started before this moment.
    pub before: Option<Moment>,
    /// Run of an experiment.
    pub run: Option<String>,
    /// Iteration of the run, from 0.
    pub iteration: Option<u32>,
    /// Why it was run.
    pub purpose: Option<Purpose>,
    /// Anything but this was it run for.
    pub except: Option<Purpose>,
    /// Where it stands.
    pub status: Option<Status>,
    /// Title of the scenario (`config_name`) or its file name.
    pub scenario: Option<String>,
    /// Seed.
    pub seed: Option<u64>,
    /// Occurs, whatever the case, in id, title, file name or description.
    pub text: Option<String>,
    /// Page by key: rows behind the one with this start and id.
    pub after: Option<(Moment, String)>,
    /// Page by key: rows ahead of the one with this start and id, the nearest ones if there are more than
    /// the limit.
    pub ahead_of: Option<(Moment, String)>,
    /// Most rows; `None`: all.
    pub limit: Option<usize>,
}

/// Rows of a list with the number of all matches.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<Row> {
    /// The rows of the page.
    pub rows: Vec<Row>,
    /// Matches without limit, offset and page key.
    pub total: u64,
}

/// Which way a list goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Oldest first: `tick_asc`.
    #[default]
    Ascending,
    /// Newest first: `tick_desc`.
    Descending,
}

/// Which events of a simulation (5.2); everything given holds together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Exact tick.
    pub tick: Option<u64>,
    /// First tick.
    pub tick_min: Option<u64>,
    /// Last tick.
    pub tick_max: Option<u64>,
    /// Exact day.
    pub day: Option<u64>,
    /// The bank in any role.
    pub agent_id: Option<String>,
    /// The payment in any role.
    pub tx_id: Option<String>,
    /// One type or several, separated by commas.
    pub event_type: Option<String>,
    /// Occurs, whatever the case, in type, details, bank or payment.
    pub text: Option<String>,
    /// Page by key: events with a larger sequence.
    pub after_sequence: Option<u64>,
    /// Page by key: events with a smaller sequence.
    pub before_sequence: Option<u64>,
    /// Events in a page: 100 if not given, 1 to 1000.
    pub limit: Option<i64>,
    /// Events to leave out in front.
    pub offset: Option<i64>,
    /// Which way.
    pub sort: Sort,
}

/// Events of a simulation with the number of all matches.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPage {
    /// The events.
    pub events: Vec<EventRow>,
    /// Matches without limit, offset and page key.
    pub total: u64,
    /// The limit that was used.
    pub limit: u64,
    /// The offset that was used.
    pub offset: u64,
    /// What was asked for.
    pub filters: EventFilter,
}

/// Which runs of experiments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Name of the experiment.
    pub experiment: Option<String>,
    /// `generic` or `sweep`.
    pub experiment_type: Option<String>,
    /// Where it stands.
    pub status: Option<Status>,
    /// Most rows; `None`: all.
    pub limit: Option<usize>,
}

/// Which payments of a simulation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Sender or receiver.
    pub bank: Option<String>,
    /// `pending`, `overdue`, `settled` or `dropped`.
    pub status: Option<String>,
    /// `queue1`, `queue2`, `settled`, `dropped` or `split`.
    pub place: Option<String>,
    /// Occurs, whatever the case, in the id, a bank or the reason of a drop.
    pub text: Option<String>,
    /// Page by key: payments behind the one with this arrival tick and id.
    pub after: Option<(u64, String)>,
    /// Most rows; `None`: all.
    pub limit: Option<usize>,
}

rows! {
    /// A row of `simulations` without the scenario's text.
    SimulationRow {
        simulation_id: String, config_file: String, config_name: String, description: Option<String>,
        config_hash: String, rng_seed: u64, ticks_per_day: u64, num_days: u64, num_agents: u64,
        num_ticks: u64,
        status: Status, experiment_run_id: Option<String>, experiment_iteration: Option<u32>,
        experiment_purpose: Option<String>, experiment_agent: Option<String>, experiment_sample: Option<u32>,
        purpose: Purpose, started_at: Moment, ended_at: Option<Moment>, last_tick: Option<u64>,
        event_count: u64,
        event_digest: String, total_arrivals: Option<i64>, total_settlements: Option<i64>,
        total_lsm_releases: Option<i64>, total_cost_cents: Option<i64>, arrived_value: Option<i64>,
        settled_value: Option<i64>, queued_value: Option<i64>, dropped_value: Option<i64>,
        avg_delay_ticks: Option<f64>, max_delay_ticks: Option<i64>, peak_overdraft: Option<i64>,
        duration_seconds: Option<f64>, ticks_per_second: Option<f64>, error: Option<String>,
        engine_version: String,
    }

    /// A row of `simulation_events`.
    EventRow {
        simulation_id: String, sequence: u64, tick: u64, day: u64, event_type: String,
        agent_id: Option<String>,
        tx_id: Option<String>, agents: Vec<String>, tx_ids: Vec<String>, details: String, created_at: Moment,
        event_timestamp: Moment,
    }

    /// A row of `transactions`.
    PaymentRow {
        simulation_id: String, tx_id: String, sender_id: String, receiver_id: String, amount: i64,
        priority: i64,
        original_priority: i64, is_divisible: bool, arrival_tick: u64, arrival_day: u64, deadline_tick: u64,
        settlement_tick: Option<u64>, settlement_day: Option<u64>, settled_by: Option<String>, status: String,
        place: String, overdue_since_tick: Option<u64>, drop_tick: Option<u64>, drop_reason: Option<String>,
        amount_settled: i64, queue1_ticks: u64, queue2_ticks: u64, total_delay_ticks: u64, delay_cost: i64,
        penalty_cost: i64, parent_tx_id: Option<String>, split_index: Option<u64>,
        rtgs_priority: Option<String>,
        rtgs_submission_tick: Option<u64>, declared_rtgs_priority: Option<String>,
    }

    /// A row of `daily_agent_metrics`.
    DailyMetricsRow {
        simulation_id: String, agent_id: String, day: u64, opening_balance: i64, closing_balance: i64,
        min_balance: i64, max_balance: i64, unsecured_cap: i64, peak_overdraft: i64,
        opening_posted_collateral: i64, closing_posted_collateral: i64, peak_posted_collateral: i64,
        collateral_capacity: i64, num_collateral_posts: i64, num_collateral_withdrawals: i64,
        num_arrivals: i64,
        num_sent: i64, num_received: i64, num_settled: i64, num_dropped: i64, queue1_peak_size: i64,
        queue1_eod_size: i64, liquidity_cost: i64, delay_cost: i64, collateral_cost: i64,
        split_friction_cost: i64, deadline_penalty_cost: i64, liquidity_opportunity_cost: i64,
        total_cost: i64,
    }

    /// A row of `policy_snapshots`.
    PolicySnapshotRow {
        simulation_id: String, agent_id: String, snapshot_day: u64, snapshot_tick: u64, policy_hash: String,
        policy_json: String, created_by: String,
    }

    /// A row of `run_overview`.
    RunRow {
        run_id: String, experiment_name: String, evaluation_mode: Option<String>, proposer: Option<String>,
        status: Status, num_iterations: i64, first_cost: Option<i64>, final_cost: Option<i64>,
        best_cost: Option<i64>, reduction: Option<f64>, num_accepted: i64, num_evaluations: i64,
        num_simulations: i64, num_events: i64, created_at: String, completed_at: Option<String>,
    }

    /// A row of `experiments`; JSON columns as text.
    ExperimentRow {
        run_id: String, experiment_name: String, experiment_type: String, config: String, created_at: String,
        completed_at: Option<String>, num_iterations: i64, converged: bool,
        convergence_reason: Option<String>,
        status: Status, scenario_json: String, experiment_text: String, experiment_files: String,
        engine_version: String, evaluation_mode: Option<String>, proposer: Option<String>,
        model: Option<String>,
        persist_simulations: Option<String>, master_seed: Option<String>, final_cost: Option<i64>,
        best_cost: Option<i64>, best_iteration: Option<i32>,
    }

    /// A row of `experiment_iterations`; JSON columns as text.
    IterationRow {
        run_id: String, iteration: u32, costs_per_agent: String, total_cost: i64, accepted_changes: String,
        policies: String, settlement_rate: Option<f64>, avg_delay: Option<f64>, timestamp: String,
    }

    /// A row of `experiment_events`; JSON columns as text.
    LiveEventRow {
        id: i64, run_id: String, iteration: u32, event_type: String, event_data: String, timestamp: String,
    }

    /// A row of `policy_evaluations`; JSON columns as text.
    EvaluationRow {
        run_id: String, iteration: u32, agent_id: String, evaluation_mode: String, proposed_policy: String,
        old_cost: i64, new_cost: i64, context_simulation_cost: i64, accepted: bool, acceptance_reason: String,
        delta_sum: i64, num_samples: i64, sample_details: Option<String>, scenario_seed: Option<i64>,
        timestamp: String, settlement_rate: Option<f64>, avg_delay: Option<f64>,
        cost_breakdown: Option<String>,
        cost_std_dev: Option<i64>, confidence_interval_95: Option<String>, agent_stats: Option<String>,
    }

    /// A call of a proposer without what was said.
    CallRow {
        iteration: u32, agent_id: String, call: i64, model: String, replied: bool,
        parsing_error: Option<String>, prompt_tokens: i64, completion_tokens: i64, latency_seconds: f64,
    }

    /// What lists of runs show beside the overview.
    RunMarksRow {
        run_id: String, max_iterations: Option<i64>, settlement_rate: Option<f64>, milliseconds: Option<i64>,
    }

    /// A row of `sweep_points`; JSON columns as text.
    SweepPointRow {
        run_id: String, point: u32, repetition: u32, settings: String, rng_seed: u64, status: String,
        simulation_id: Option<String>, figures: Option<String>, completed_at: Option<String>,
    }

    /// How far a sweep is.
    SweepProgressRow {
        run_id: String, ended: i64, runs: i64,
    }

    /// A row of `settlement_by_day`: original payments by day of arrival.
    SettlementDayRow {
        day: u64, num_arrivals: i64, num_settled: i64, settlement_rate: f64, arrived_value: i64,
        settled_value: i64,
    }

    /// A row of `delay_by_bank`: settled original payments by sender.
    BankDelayRow {
        agent_id: String, num_settled: i64, avg_delay_ticks: f64, median_delay_ticks: f64,
        p95_delay_ticks: f64, max_delay_ticks: i64,
    }

    /// A row of `liquidity_used`.
    LiquidityUsedRow {
        agent_id: String, day: u64, liquidity_used: i64, value_sent: i64, value_received: i64,
    }

    /// A row of `lsm_share`.
    LsmShareRow {
        day: u64, num_settled: i64, settled_value: i64, num_lsm: i64, lsm_value: i64, lsm_share: f64,
    }

    /// Costs of a bank over the whole run, in cents.
    BankCostsRow {
        agent_id: String, liquidity_cost: i64, delay_cost: i64, collateral_cost: i64,
        deadline_penalty_cost: i64,
        split_friction_cost: i64, liquidity_opportunity_cost: i64, total_cost: i64,
    }

    /// What a bank paid to another one and was paid by it, in cents and settled payments, parts included.
    CounterpartyRow {
        agent_id: String, num_sent: i64, value_sent: i64, num_received: i64, value_received: i64,
    }

    /// Costs of a day, in cents.
    DayCostsRow {
        day: u64, total_cost: i64, liquidity_cost: i64, delay_cost: i64, collateral_cost: i64,
        deadline_penalty_cost: i64, split_friction_cost: i64, liquidity_opportunity_cost: i64,
    }

    /// Figures of a tick (02, 16), from its events.
    TickFiguresRow {
        tick: u64, num_arrivals: i64, num_settlements: i64, num_lsm_releases: i64, total_cost: i64,
        num_events: i64,
    }

    /// Costs of a bank in two simulations, one kind on one day, in cents.
    BankDayDifference {
        day: u64, kind: String, cost_a: i64, cost_b: i64, difference: i64,
    }

    /// What `db info` says of a table.
    TableRows {
        name: String, rows: i64,
    }
}

/// Keys of events that stand beside their details too (5.2).
const COPIES: [&str; 5] = ["sender_id", "receiver_id", "amount", "deadline", "priority"];

impl EventRow {
    /// The event's id in the whole file.
    #[must_use]
    pub fn event_id(&self) -> String {
        format!("{}:{}", self.simulation_id, self.sequence)
    }

    /// The event as one JSON object: its columns, the details as an object, and copies of what they say of
    /// a payment (5.2).
    #[must_use]
    pub fn to_json(&self) -> Value {
        let details: Map<String, Value> = serde_json::from_str(&self.details).unwrap_or_default();
        let mut event = json!({
            "event_id": self.event_id(), "simulation_id": self.simulation_id, "sequence": self.sequence,
            "tick": self.tick, "day": self.day, "event_timestamp": self.event_timestamp.to_string(),
            "created_at": self.created_at.to_string(), "event_type": self.event_type,
            "agent_id": self.agent_id, "tx_id": self.tx_id, "agents": self.agents, "tx_ids": self.tx_ids,
        });
        for key in COPIES {
            if let Some(value) = details.get(key) {
                event[key] = value.clone();
            }
        }
        event["details"] = details.into();
        event
    }
}

/// Summary of a simulation (5.1): its row, absent totals as 0, and what follows from them.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the figures are explained in the specification")]
pub struct SimulationSummary {
    pub row: SimulationRow,
    pub total_ticks: u64,
    pub total_transactions: i64,
    pub total_settlements: i64,
    pub total_lsm_releases: i64,
    pub total_cost_cents: i64,
    pub total_volume: i64,
    pub settlement_rate: f64,
    pub avg_daily_cost: f64,
    pub avg_delay_ticks: f64,
    pub max_delay_ticks: i64,
    pub peak_overdraft: i64,
}

/// Summary of the events of a simulation (5.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventSummary {
    /// Events stored.
    pub total_events: u64,
    /// First tick with an event.
    pub first_tick: Option<u64>,
    /// Last tick with an event.
    pub last_tick: Option<u64>,
    /// Ticks stored.
    pub total_ticks: u64,
    /// Days begun.
    pub total_days: u64,
    /// Events by type, most frequent first, then by name.
    pub event_type_counts: Vec<(String, u64)>,
    /// Banks named, in byte order.
    pub agents: Vec<String>,
    /// `Arrival` events.
    pub num_transactions: u64,
}

/// One payment with everything that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentStory {
    /// Its row; absent while it is open and its simulation runs.
    pub row: Option<PaymentRow>,
    /// Rows of its parts.
    pub parts: Vec<PaymentRow>,
    /// All events that concern it, in order.
    pub events: Vec<EventRow>,
}

/// Two simulations side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulationComparison {
    /// Settings that differ: key path, value in a, value in b, as JSON; `None` where absent.
    pub settings: Vec<(String, Option<String>, Option<String>)>,
    /// Summary of a.
    pub a: SimulationSummary,
    /// Summary of b.
    pub b: SimulationSummary,
    /// Differences b − a by name of the figure.
    pub differences: Vec<(&'static str, f64)>,
}

/// The first place where two simulations differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// The sequence.
    pub sequence: u64,
    /// The event of a, unless a has ended.
    pub a: Option<EventRow>,
    /// The event of b, unless b has ended.
    pub b: Option<EventRow>,
}

/// A value that a statement of the user gave.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// NULL.
    Null,
    /// True or false.
    Flag(bool),
    /// Any integer.
    Integer(i128),
    /// A number with a point, not exact.
    Float(f64),
    /// Any other number, exactly.
    Decimal(String),
    /// Text, and everything else as text: times in ISO form.
    Text(String),
    /// A list or a structure, as JSON.
    Json(String),
}

impl SqlValue {
    /// Whether it is a number, or could be one.
    #[must_use]
    pub const fn fits_numbers(&self) -> bool {
        matches!(self, Self::Null | Self::Integer(_) | Self::Float(_) | Self::Decimal(_))
    }
}

/// Rows of a statement of the user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SqlTable {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<SqlValue>>,
}

/// How much is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Runs of experiments.
    pub runs: u64,
    /// Simulations.
    pub simulations: u64,
    /// Events of all simulations.
    pub events: u64,
}

/// What `db info` shows.
#[derive(Clone, Debug, PartialEq)]
pub struct DatabaseInfo {
    /// The file.
    pub path: std::path::PathBuf,
    /// Its size in bytes, the write-ahead log included.
    pub size: u64,
    /// Version of the layout.
    pub layout: i32,
    /// Version of DuckDB.
    pub duckdb: String,
    /// Rows by table, in the order of the registry.
    pub tables: Vec<TableRows>,
    /// Simulations by status.
    pub simulations: Vec<(Status, u64)>,
    /// Stored events.
    pub events: u64,
    /// The simulations with the most events: id and number.
    pub largest: Vec<(String, u64)>,
}
