//! The rows of experiments.

use duckdb::types::Value;
use duckdb::{Connection, params, params_from_iter};

use crate::persistence::Status;
use crate::persistence::experiment::{
    ExperimentEnd, ExperimentStart, ExperimentWrite, ExperimentWrites, IterationRecord, LiveEvent,
    PolicyEvaluation, SweepPoint,
};

/// Points of a sweep in one statement; each by itself costs some thirty times as much.
const POINTS_AT_ONCE: usize = 100;

/// Writes everything in its order, in the transaction of the connection.
pub(super) fn write(connection: &Connection, writes: &ExperimentWrites) -> duckdb::Result<()> {
    let run = writes.run_id.as_str();
    for together in writes.writes.chunk_by(|one, next| point(one).is_some() && point(next).is_some()) {
        let points: Vec<&SweepPoint> = together.iter().filter_map(point).collect();
        for points in points.chunks(POINTS_AT_ONCE) {
            insert_points(connection, run, points)?;
        }
        for write in together {
            write_one(connection, run, write)?;
        }
    }
    Ok(())
}

const fn point(write: &ExperimentWrite) -> Option<&SweepPoint> {
    match write {
        ExperimentWrite::SweepPoint(point) => Some(point),
        _ => None,
    }
}

fn write_one(connection: &Connection, run: &str, write: &ExperimentWrite) -> duckdb::Result<()> {
    match write {
        ExperimentWrite::Start(start) => insert_run(connection, run, start)?,
        ExperimentWrite::Config(config) => {
            connection.execute("UPDATE experiments SET config = ? WHERE run_id = ?", params![config, run])?;
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
        // Points are inserted together; simulations were taken out before the batch began.
        ExperimentWrite::SweepPoint(_) | ExperimentWrite::RemoveSimulation(_) => {}
        ExperimentWrite::End(end) => end_run(connection, run, end)?,
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

fn insert_points(connection: &Connection, run: &str, points: &[&SweepPoint]) -> duckdb::Result<()> {
    let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?)"; points.len()].join(", ");
    let text = |text: Option<&str>| text.map_or(Value::Null, |text| Value::Text(text.to_owned()));
    let values = points.iter().flat_map(|row| {
        [
            text(Some(run)),
            Value::UInt(row.point),
            Value::UInt(row.repetition),
            text(Some(&row.settings)),
            Value::UBigInt(row.rng_seed),
            text(Some(row.status.name())),
            text(row.simulation_id.as_deref()),
            text(row.figures.as_deref()),
            text(row.completed_at.map(|moment| moment.to_string()).as_deref()),
        ]
    });
    connection
        .prepare_cached(&format!("INSERT OR REPLACE INTO sweep_points VALUES {rows}"))?
        .execute(params_from_iter(values))?;
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
