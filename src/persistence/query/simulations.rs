//! Lists and summaries of simulations (spec 06, 5.1 and 5.4).

use duckdb::params_from_iter;

use super::filter::{Conditions, limit, moment, text};
use super::types::{Page, PolicySnapshotRow, SimulationFilter, SimulationRow, SimulationSummary};
use super::{Reader, row::TypedRow};
use crate::persistence::reference::REFERENCE;
use crate::persistence::{PersistenceError, Status};

impl Reader {
    /// Simulations, newest first, then by id; paged by key, with the number of all.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, a query that was cancelled. So with all queries.
    pub fn simulations(&self, filter: &SimulationFilter) -> Result<Page<SimulationRow>, PersistenceError> {
        let mut conditions = self.simulation_conditions(filter);
        let (all, values) = conditions.finish();
        let total =
            self.one(&format!("SELECT count(*) FROM simulations {all}"), params_from_iter(values), |row| {
                row.get(0)
            })?;
        if let Some((started_at, id)) = &filter.after {
            conditions.add(
                "(started_at < ? OR (started_at = ? AND simulation_id > ?))",
                [moment(*started_at), moment(*started_at), text(id)],
            );
        }
        if let Some((started_at, id)) = &filter.ahead_of {
            conditions.add(
                "(started_at > ? OR (started_at = ? AND simulation_id < ?))",
                [moment(*started_at), moment(*started_at), text(id)],
            );
        }
        let (page, values) = conditions.finish();
        let backwards = filter.ahead_of.is_some();
        let order =
            if backwards { "started_at, simulation_id DESC" } else { "started_at DESC, simulation_id" };
        let rest = format!("FROM simulations {page} ORDER BY {order}{}", limit(filter.limit));
        let mut rows = self.rows(&rest, params_from_iter(values))?;
        if backwards {
            rows.reverse();
        }
        Ok(Page { rows: self.as_shown(rows), total: total.unwrap_or(0) })
    }

    fn simulation_conditions(&self, filter: &SimulationFilter) -> Conditions {
        let mut conditions = Conditions::default();
        conditions.any_of("simulation_id", &filter.ids);
        if let Some(before) = filter.before {
            conditions.add("started_at < ?", [moment(before)]);
        }
        conditions.text("experiment_run_id = ?", filter.run.as_deref());
        conditions.count("experiment_iteration = ?", filter.iteration.map(u64::from));
        conditions.text("purpose = ?", filter.purpose.map(|purpose| purpose.name()));
        conditions.text("purpose <> ?", filter.except.map(|purpose| purpose.name()));
        if let Some(status) = filter.status {
            self.status_condition(status, &mut conditions);
        }
        if let Some(scenario) = &filter.scenario {
            conditions.add("(config_name = ? OR config_file = ?)", [text(scenario), text(scenario)]);
        }
        conditions.count("rng_seed = ?", filter.seed);
        let columns = ["simulation_id", "config_name", "config_file", "description"];
        conditions.occurs(&columns, filter.text.as_deref());
        conditions
    }

    /// In a file that nobody writes, what is `running` is interrupted (2.2).
    pub(super) fn status_condition(&self, status: Status, conditions: &mut Conditions) {
        let stored = match status {
            Status::Interrupted if !self.database.is_writable() => "('interrupted', 'running')",
            Status::Running if !self.database.is_writable() => "('')",
            _ => return conditions.text("status = ?", Some(status.name())),
        };
        conditions.add(format!("status IN {stored}"), []);
    }

    pub(super) fn shown_status(&self, status: Status) -> Status {
        let dead = status == Status::Running && !self.database.is_writable();
        if dead { Status::Interrupted } else { status }
    }

    fn as_shown(&self, mut rows: Vec<SimulationRow>) -> Vec<SimulationRow> {
        for row in &mut rows {
            row.status = self.shown_status(row.status);
        }
        rows
    }

    /// The summary of a simulation; nothing if there is none of that id.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn summary(&self, simulation_id: &str) -> Result<Option<SimulationSummary>, PersistenceError> {
        let rows = self.rows("FROM simulations WHERE simulation_id = ?", [simulation_id])?;
        Ok(self.as_shown(rows).into_iter().next().map(SimulationSummary::of))
    }

    /// The scenario's text of a simulation (`config_json`).
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn config_json(&self, simulation_id: &str) -> Result<Option<String>, PersistenceError> {
        self.one("SELECT config_json FROM simulations WHERE simulation_id = ?", [simulation_id], |row| {
            row.get(0)
        })
    }

    /// Whether the reference recorded a simulation (8.4).
    pub(super) fn is_of_reference(&self, simulation_id: &str) -> Result<bool, PersistenceError> {
        let query = "SELECT engine_version = ? FROM simulations WHERE simulation_id = ?";
        Ok(self.one(query, [REFERENCE, simulation_id], |row| row.get(0))?.unwrap_or(false))
    }

    /// Simulations that have ended and whose totals were not computed.
    pub(in crate::persistence) fn without_totals(&self) -> Result<Vec<String>, PersistenceError> {
        self.list(
            "SELECT simulation_id FROM simulations WHERE status <> 'running' AND total_cost_cents IS NULL \
             ORDER BY started_at, simulation_id",
            [],
            |row| row.get(0),
        )
    }

    /// The policies of a simulation by tick and bank, of one bank if one is given.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn policies(
        &self,
        simulation_id: &str,
        bank: Option<&str>,
    ) -> Result<Vec<PolicySnapshotRow>, PersistenceError> {
        let mut conditions = Conditions::default();
        conditions.text("simulation_id = ?", Some(simulation_id));
        conditions.text("agent_id = ?", bank);
        let (all, values) = conditions.finish();
        let rest = format!("FROM policy_snapshots {all} ORDER BY snapshot_tick, agent_id");
        self.rows(&rest, params_from_iter(values))
    }

    /// The policy of a bank that is in force at a tick.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn policy_at(
        &self,
        simulation_id: &str,
        bank: &str,
        tick: u64,
    ) -> Result<Option<PolicySnapshotRow>, PersistenceError> {
        let history = self.policies(simulation_id, Some(bank))?;
        Ok(history.into_iter().rfind(|policy| policy.snapshot_tick <= tick))
    }
}

impl SimulationSummary {
    /// What follows from the row.
    #[must_use]
    pub fn of(row: SimulationRow) -> Self {
        let total_transactions = row.total_arrivals.unwrap_or(0);
        let total_settlements = row.total_settlements.unwrap_or(0);
        let total_cost_cents = row.total_cost_cents.unwrap_or(0);
        let rate =
            if total_transactions == 0 { 0.0 } else { total_settlements as f64 / total_transactions as f64 };
        Self {
            total_ticks: row.num_ticks,
            total_transactions,
            total_settlements,
            total_lsm_releases: row.total_lsm_releases.unwrap_or(0),
            total_cost_cents,
            total_volume: row.arrived_value.unwrap_or(0),
            settlement_rate: rate,
            avg_daily_cost: total_cost_cents as f64 / row.num_days.max(1) as f64,
            avg_delay_ticks: row.avg_delay_ticks.unwrap_or(0.0),
            max_delay_ticks: row.max_delay_ticks.unwrap_or(0),
            peak_overdraft: row.peak_overdraft.unwrap_or(0),
            row,
        }
    }
}

/// The select list of a row type behind an alias.
pub(super) fn columns_of<R: TypedRow>(alias: &str) -> String {
    let columns: Vec<String> = R::COLUMNS.split(", ").map(|column| format!("{alias}.{column}")).collect();
    columns.join(", ")
}
