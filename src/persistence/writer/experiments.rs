//! The rows of experiments.

use duckdb::{Connection, params};

use crate::persistence::Status;
use crate::persistence::experiment::{
    ExperimentEnd, ExperimentStart, ExperimentWrite, ExperimentWrites, IterationRecord, LiveEvent,
    PolicyEvaluation, SweepPoint,
};

/// Writes everything in its order, in the transaction of the connection.
pub(super) fn write(connection: &Connection, writes: &ExperimentWrites) -> duckdb::Result<()> {
    let run = writes.run_id.as_str();
    for write in &writes.writes {
        match write {
            ExperimentWrite::Start(start) => insert_run(connection, run, start)?,
            ExperimentWrite::Config(config) => {
                connection
                    .execute("UPDATE experiments SET config = ? WHERE run_id = ?", params![config, run])?;
            }
            ExperimentWrite::Resumed => {
                connection.execute(
                    "UPDATE experiments SET status = ?, completed_at = NULL, convergence_reason = NULL \
                     WHERE run_id = ?",
                    params![Status::Running.name(), run],
                )?;
            }
            ExperimentWrite::IterationsStarted(number) => {
                connection
                    .prepare_cached("UPDATE experiments SET num_iterations = ? WHERE run_id = ?")?
                    .execute(params![number, run])?;
            }
            ExperimentWrite::Iteration(iteration) => insert_iteration(connection, run, iteration)?,
            ExperimentWrite::AcceptedChanges { iteration, accepted_changes } => {
                connection
                    .prepare_cached(
                        "UPDATE experiment_iterations SET accepted_changes = ? \
                         WHERE run_id = ? AND iteration = ?",
                    )?
                    .execute(params![accepted_changes, run, iteration])?;
            }
            ExperimentWrite::Event(event) => insert_event(connection, run, event)?,
            ExperimentWrite::Evaluation(evaluation) => insert_evaluation(connection, run, evaluation)?,
            ExperimentWrite::SweepPoint(point) => insert_point(connection, run, point)?,
            // Taken out before the batch began.
            ExperimentWrite::RemoveSimulation(_) => {}
            ExperimentWrite::End(end) => end_run(connection, run, end)?,
        }
    }
    Ok(())
}

fn insert_run(connection: &Connection, run: &str, start: &ExperimentStart) -> duckdb::Result<()> {
    connection.execute(
        "INSERT INTO experiments (run_id, experiment_name, experiment_type, config, created_at, \
         num_iterations, converged, status, scenario_json, experiment_text, experiment_files, \
         engine_version) \
         VALUES (?, ?, ?, ?, ?, 0, false, ?, ?, ?, ?, ?)",
        params![
            run,
            start.experiment_name,
            start.experiment_type,
            start.config,
            start.created_at.to_string(),
            Status::Running.name(),
            start.scenario_json,
            start.experiment_text,
            start.experiment_files,
            env!("CARGO_PKG_VERSION")
        ],
    )?;
    Ok(())
}

fn insert_iteration(connection: &Connection, run: &str, row: &IterationRecord) -> duckdb::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO experiment_iterations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            run,
            row.iteration,
            row.costs_per_agent,
            row.total_cost,
            row.accepted_changes,
            row.policies,
            row.settlement_rate,
            row.avg_delay,
            row.timestamp.to_string()
        ])?;
    Ok(())
}

fn insert_event(connection: &Connection, run: &str, event: &LiveEvent) -> duckdb::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO experiment_events (run_id, iteration, event_type, event_data, timestamp) \
             VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![
            run,
            event.iteration,
            event.event_type,
            event.event_data,
            event.timestamp.to_string()
        ])?;
    Ok(())
}

fn insert_evaluation(connection: &Connection, run: &str, row: &PolicyEvaluation) -> duckdb::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO policy_evaluations \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            run,
            row.iteration,
            row.agent_id,
            row.evaluation_mode,
            row.proposed_policy,
            row.old_cost,
            row.new_cost,
            row.context_simulation_cost,
            row.accepted,
            row.acceptance_reason,
            row.delta_sum,
            row.num_samples,
            row.sample_details,
            row.scenario_seed,
            row.timestamp.to_string(),
            row.settlement_rate,
            row.avg_delay,
            row.cost_breakdown,
            row.cost_std_dev,
            row.confidence_interval_95,
            row.agent_stats
        ])?;
    Ok(())
}

fn insert_point(connection: &Connection, run: &str, row: &SweepPoint) -> duckdb::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO sweep_points VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            run,
            row.point,
            row.repetition,
            row.settings,
            row.rng_seed,
            row.status.name(),
            row.simulation_id,
            row.figures,
            row.completed_at.map(|moment| moment.to_string())
        ])?;
    Ok(())
}

fn end_run(connection: &Connection, run: &str, end: &ExperimentEnd) -> duckdb::Result<()> {
    connection.execute(
        "UPDATE experiments SET status = ?, config = coalesce(?, config), num_iterations = ?, converged = ?, \
         convergence_reason = ?, completed_at = ? WHERE run_id = ?",
        params![
            end.status.name(),
            end.config,
            end.num_iterations,
            end.converged,
            end.convergence_reason,
            end.completed_at.to_string(),
            run
        ],
    )?;
    Ok(())
}
