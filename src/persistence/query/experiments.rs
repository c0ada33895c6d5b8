//! Runs of experiments (spec 06, 5.4).

use duckdb::params_from_iter;

use super::Reader;
use super::filter::{Conditions, limit};
use super::types::{
    CallRow, EvaluationRow, ExperimentRow, IterationRow, LiveEventRow, RunFilter, RunMarksRow, RunRow,
    SweepPointRow, SweepProgressRow,
};
use crate::persistence::PersistenceError;

impl Reader {
    /// Runs, newest first.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, PersistenceError> {
        let mut conditions = Conditions::default();
        conditions.text("experiment_name = ?", filter.experiment.as_deref());
        let of_type = "run_id IN (SELECT run_id FROM experiments WHERE experiment_type = ?)";
        conditions.text(of_type, filter.experiment_type.as_deref());
        if let Some(status) = filter.status {
            self.status_condition(status, &mut conditions);
        }
        let (all, values) = conditions.finish();
        let rest = format!("FROM run_overview {all} ORDER BY created_at DESC, run_id{}", limit(filter.limit));
        let mut rows: Vec<RunRow> = self.rows(&rest, params_from_iter(values))?;
        for row in &mut rows {
            row.status = self.shown_status(row.status);
        }
        Ok(rows)
    }

    /// The overview of one run.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn run(&self, run_id: &str) -> Result<Option<RunRow>, PersistenceError> {
        let row = self.rows::<RunRow>("FROM run_overview WHERE run_id = ?", [run_id])?.into_iter().next();
        Ok(row.map(|row| RunRow { status: self.shown_status(row.status), ..row }))
    }

    /// The row of a run with all its documents.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn experiment(&self, run_id: &str) -> Result<Option<ExperimentRow>, PersistenceError> {
        let rows = self.rows::<ExperimentRow>("FROM experiments WHERE run_id = ?", [run_id])?;
        let row = rows.into_iter().next();
        Ok(row.map(|row| ExperimentRow { status: self.shown_status(row.status), ..row }))
    }

    /// The iterations of a run in order.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn iterations(&self, run_id: &str) -> Result<Vec<IterationRow>, PersistenceError> {
        self.rows("FROM experiment_iterations WHERE run_id = ? ORDER BY iteration", [run_id])
    }

    /// The comparisons of a run by iteration and bank, of one bank if one is given.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn evaluations(
        &self,
        run_id: &str,
        bank: Option<&str>,
    ) -> Result<Vec<EvaluationRow>, PersistenceError> {
        let mut conditions = Conditions::default();
        conditions.text("run_id = ?", Some(run_id));
        conditions.text("agent_id = ?", bank);
        let (all, values) = conditions.finish();
        let rest = format!("FROM policy_evaluations {all} ORDER BY iteration, agent_id");
        self.rows(&rest, params_from_iter(values))
    }

    /// The live events of a run behind an id, in order.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn live_events(
        &self,
        run_id: &str,
        after: Option<i64>,
    ) -> Result<Vec<LiveEventRow>, PersistenceError> {
        self.rows(
            "FROM experiment_events WHERE run_id = ? AND id > ? ORDER BY id",
            duckdb::params![run_id, after.unwrap_or(i64::MIN)],
        )
    }

    /// The live events of one type, of one iteration if one is given, in order.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn live_events_of(
        &self,
        run_id: &str,
        event_type: &str,
        iteration: Option<u32>,
    ) -> Result<Vec<LiveEventRow>, PersistenceError> {
        let mut conditions = Conditions::default();
        conditions.text("run_id = ?", Some(run_id));
        conditions.text("event_type = ?", Some(event_type));
        conditions.count("iteration = ?", iteration.map(u64::from));
        let (all, values) = conditions.finish();
        self.rows(&format!("FROM experiment_events {all} ORDER BY id"), params_from_iter(values))
    }

    /// The calls of the proposer in a run, in order, without prompts and replies.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn calls(&self, run_id: &str) -> Result<Vec<CallRow>, PersistenceError> {
        self.rows(
            "FROM (SELECT id, iteration, event_data->>'$.agent_id' AS agent_id, \
             coalesce(CAST(event_data->>'$.call' AS BIGINT), row_number() OVER (PARTITION BY iteration, \
             event_data->>'$.agent_id' ORDER BY id)) AS call, coalesce(event_data->>'$.model', '') AS model, \
             (event_data->>'$.raw_response') IS NOT NULL AS replied, \
             event_data->>'$.parsing_error' AS parsing_error, \
             coalesce(CAST(event_data->>'$.prompt_tokens' AS BIGINT), 0) AS prompt_tokens, \
             coalesce(CAST(event_data->>'$.completion_tokens' AS BIGINT), 0) AS completion_tokens, \
             coalesce(CAST(event_data->>'$.latency_seconds' AS DOUBLE), 0) AS latency_seconds \
             FROM experiment_events WHERE run_id = ? AND event_type = 'llm_interaction') ORDER BY id",
            [run_id],
        )
    }

    /// The cap on iterations, the last settlement rate and the duration of these runs, of all if none
    /// are given; one that is not over lasts until its last iteration.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn run_marks(&self, runs: &[String]) -> Result<Vec<RunMarksRow>, PersistenceError> {
        let mut conditions = Conditions::default();
        conditions.any_of("run_id", runs);
        let (wanted, values) = conditions.finish();
        let rest = format!(
            "FROM (WITH wanted AS (FROM experiments {wanted}) SELECT run_id, \
             TRY_CAST(config->>'$.convergence.max_iterations' AS BIGINT) AS max_iterations, settlement_rate, \
             date_diff('millisecond', TRY_CAST(created_at AS TIMESTAMP), \
             TRY_CAST(coalesce(completed_at, last) AS TIMESTAMP)) AS milliseconds FROM wanted \
             LEFT JOIN (SELECT run_id, arg_max(settlement_rate, iteration) AS settlement_rate, \
             max(timestamp) AS last FROM experiment_iterations SEMI JOIN wanted USING (run_id) \
             GROUP BY run_id) USING (run_id))",
        );
        self.rows(&rest, params_from_iter(values))
    }

    /// How many runs of each sweep have ended.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn sweep_progress(&self) -> Result<Vec<SweepProgressRow>, PersistenceError> {
        self.rows(
            "FROM (SELECT run_id, count(*) FILTER (status <> 'pending') AS ended, count(*) AS runs \
             FROM sweep_points GROUP BY run_id)",
            [],
        )
    }

    /// The points of a sweep in order.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn sweep_points(&self, run_id: &str) -> Result<Vec<SweepPointRow>, PersistenceError> {
        self.rows("FROM sweep_points WHERE run_id = ? ORDER BY point, repetition", [run_id])
    }
}
