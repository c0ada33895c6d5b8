//! The result of a simulation as `run` prints it (spec 06, 7.3).

use std::fmt::Write as _;

use super::ledger::Ledger;
use super::totals::Totals;
use crate::costs::Costs;
use crate::event::Text;
use crate::ids::BankIdx;
use crate::money::Cents;
use crate::replay::State;
use crate::text::{write_float, write_quoted};

/// How the simulation was run; what the events do not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimulationSummary {
    /// Name of the scenario's file, without folder.
    pub config_file: String,
    /// Seed.
    pub seed: u64,
    /// Ticks in a day.
    pub ticks_per_day: u64,
    /// Days.
    pub num_days: u64,
    /// Complete ticks.
    pub ticks_executed: u64,
    /// `completed`, `failed`, `cancelled` and so on.
    pub status: String,
    /// Wall time of the loop in seconds.
    pub duration_seconds: f64,
    /// Events logged.
    pub event_count: u64,
    /// Digest of the events, when stored or asked for.
    pub event_digest: Option<String>,
    /// Id, when stored.
    pub simulation_id: Option<String>,
    /// Database, when stored.
    pub database: Option<String>,
    /// First and last tick of a replay of a part.
    pub replay_range: Option<(u64, u64)>,
}

/// A bank's part of the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSummary {
    /// Its id.
    pub id: Text,
    /// Balance at the end.
    pub final_balance: Cents,
    /// Posted collateral.
    pub posted_collateral: Cents,
    /// Entries of its queue 1.
    pub queue1_size: usize,
    /// Its entries in queue 2.
    pub queue2_size: usize,
    /// Costs of the whole run.
    pub costs: Costs,
}

/// The result of a simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// How it was run.
    pub simulation: SimulationSummary,
    /// Totals.
    pub metrics: Totals,
    /// Banks in byte order.
    pub agents: Vec<AgentSummary>,
    /// Costs of all banks.
    pub costs: Costs,
}

impl AgentSummary {
    pub(super) fn all(state: &State) -> Vec<Self> {
        let summary = |bank: BankIdx| {
            let now = state.bank(bank)?;
            Some(Self {
                id: state.scenario().banks.get(bank.at())?.id.clone(),
                final_balance: now.balance,
                posted_collateral: now.posted,
                queue1_size: state.queue1_len(bank),
                queue2_size: state.queue2_len(bank),
                costs: now.run_costs,
            })
        };
        state.scenario().names.banks().filter_map(summary).collect()
    }

    fn write(&self, out: &mut String) {
        out.push_str("{\"id\":");
        write_quoted(&self.id, out);
        let _ = write!(
            out,
            ",\"final_balance\":{},\"posted_collateral\":{},\"queue1_size\":{},\"queue2_size\":{},\"costs\":",
            self.final_balance.0, self.posted_collateral.0, self.queue1_size, self.queue2_size
        );
        write_costs(&self.costs, out);
        out.push('}');
    }
}

impl SimulationSummary {
    /// Ticks by duration, 0 if it took no time; not rounded.
    #[must_use]
    pub fn ticks_per_second(&self) -> f64 {
        if self.duration_seconds > 0.0 { self.ticks_executed as f64 / self.duration_seconds } else { 0.0 }
    }

    fn write(&self, out: &mut String) {
        out.push_str("{\"config_file\":");
        write_quoted(&self.config_file, out);
        let _ = write!(
            out,
            ",\"seed\":{},\"ticks_per_day\":{},\"num_days\":{},\"ticks_executed\":{},\"status\":",
            self.seed, self.ticks_per_day, self.num_days, self.ticks_executed
        );
        write_quoted(&self.status, out);
        out.push_str(",\"duration_seconds\":");
        write_float(rounded(self.duration_seconds, 1000.0), out);
        out.push_str(",\"ticks_per_second\":");
        write_float(rounded(self.ticks_per_second(), 100.0), out);
        let _ = write!(out, ",\"event_count\":{}", self.event_count);
        let texts = [
            ("event_digest", &self.event_digest),
            ("simulation_id", &self.simulation_id),
            ("database", &self.database),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                let _ = write!(out, ",\"{key}\":");
                write_quoted(value, out);
            }
        }
        if let Some((from, to)) = self.replay_range {
            let ticks = to.saturating_sub(from).saturating_add(1);
            let _ = write!(out, ",\"replay_range\":\"{from}-{to}\",\"ticks_replayed\":{ticks}");
        }
        out.push('}');
    }
}

impl Summary {
    /// The result of what a ledger has seen.
    #[must_use]
    pub fn new(simulation: SimulationSummary, ledger: &Ledger) -> Self {
        Self {
            simulation,
            metrics: ledger.totals(),
            agents: ledger.agents(),
            costs: ledger.state().run_costs(),
        }
    }

    /// One JSON object on one line, without a line feed.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\"simulation\":");
        self.simulation.write(&mut out);
        out.push_str(",\"metrics\":");
        write_metrics(&self.metrics, &mut out);
        out.push_str(",\"agents\":[");
        for (position, agent) in self.agents.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            agent.write(&mut out);
        }
        out.push_str("],\"costs\":");
        write_costs(&self.costs, &mut out);
        out.push_str(",\"performance\":{\"ticks_per_second\":");
        write_float(rounded(self.simulation.ticks_per_second(), 100.0), &mut out);
        out.push_str("}}");
        out
    }
}

fn write_metrics(totals: &Totals, out: &mut String) {
    let _ = write!(
        out,
        "{{\"total_arrivals\":{},\"total_settlements\":{},\"total_lsm_releases\":{},\"settlement_rate\":",
        totals.total_arrivals, totals.total_settlements, totals.total_lsm_releases
    );
    write_float(totals.settlement_rate(), out);
    out.push_str(",\"avg_delay_ticks\":");
    write_float(totals.avg_delay_ticks, out);
    let _ = write!(
        out,
        ",\"max_delay_ticks\":{},\"queue1_total_size\":{},\"queue2_total_size\":{},\"peak_overdraft\":{},\
         \"agents_in_overdraft\":{}",
        totals.max_delay_ticks,
        totals.queue1_total_size,
        totals.queue2_total_size,
        totals.peak_overdraft.0,
        totals.agents_in_overdraft
    );
    let _ = write!(
        out,
        ",\"arrived_value\":{},\"settled_value\":{},\"queued_value\":{},\"dropped_value\":{}}}",
        totals.arrived_value.0, totals.settled_value.0, totals.queued_value.0, totals.dropped_value.0
    );
}

/// Appends the costs as the result shows them: the six kinds and their total.
pub fn write_costs(costs: &Costs, out: &mut String) {
    let total = costs.kinds().into_iter().fold(Cents::ZERO, Cents::saturating_add);
    let _ = write!(
        out,
        "{{\"liquidity_cost\":{},\"collateral_cost\":{},\"delay_cost\":{},\"split_friction_cost\":{},\
         \"deadline_penalty\":{},\"liquidity_opportunity_cost\":{},\"total_cost\":{}}}",
        costs.overdraft.0,
        costs.collateral.0,
        costs.delay.0,
        costs.split_friction.0,
        costs.penalty.0,
        costs.liquidity_opportunity.0,
        total.0
    );
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
