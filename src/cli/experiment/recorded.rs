//! `experiment results` and `replay`: recorded runs.

use serde_json::{Value, json};

use super::live::{self, Details, dollars};
use crate::cli::args::VerboseOptions;
use crate::cli::error::{CliError, say};
use crate::cli::output::Output;
use crate::cli::table::{left, render, right};
use crate::money::Cents;
use crate::persistence::{Database, ExperimentRow, Reader, RunFilter, RunRow, Status};

/// Lists recorded runs, newest first.
pub fn list(
    database: &Database,
    experiment: Option<&str>,
    limit: usize,
    as_json: bool,
) -> Result<(), CliError> {
    let filter = RunFilter {
        experiment: experiment.map(str::to_owned),
        limit: (limit > 0).then_some(limit),
        ..RunFilter::default()
    };
    let reader = database.reader()?;
    let runs = reader.runs(&filter)?;
    let mut output = Output::new();
    let mut rows = Vec::new();
    for run in &runs {
        let converged = reader.experiment(&run.run_id)?.is_some_and(|experiment| experiment.converged);
        if as_json {
            output.line(&run_json(run, converged).to_string())?;
        } else {
            rows.push(run_cells(run, converged));
        }
    }
    if !as_json {
        let columns = [
            left("Run ID"),
            left("Experiment"),
            left("Status"),
            right("Final Cost"),
            right("Best Cost"),
            right("Iterations"),
            left("Converged"),
            left("Started"),
        ];
        output.text(&render(&columns, &rows))?;
        output.line(&format!("Showing {} run(s)", rows.len()))?;
    }
    Ok(output.finish()?)
}

fn money(cents: Option<i64>) -> String {
    cents.map_or_else(String::new, |cents| format!("${}", Cents(cents)))
}

fn run_cells(run: &RunRow, converged: bool) -> Vec<String> {
    vec![
        run.run_id.clone(),
        run.experiment_name.clone(),
        run.status.to_string(),
        money(run.final_cost),
        money(run.best_cost),
        run.num_iterations.to_string(),
        if converged { "yes" } else { "no" }.to_owned(),
        started(&run.created_at),
    ]
}

/// `YYYY-MM-DD HH:MM` of an ISO time.
fn started(iso: &str) -> String {
    iso.chars().take(16).collect::<String>().replace('T', " ")
}

fn run_json(run: &RunRow, converged: bool) -> Value {
    json!({
        "run_id": run.run_id, "experiment_name": run.experiment_name, "status": run.status.name(),
        "evaluation_mode": run.evaluation_mode, "proposer": run.proposer,
        "num_iterations": run.num_iterations, "converged": converged, "first_cost": run.first_cost,
        "final_cost": run.final_cost, "best_cost": run.best_cost, "reduction": run.reduction,
        "num_accepted": run.num_accepted, "num_evaluations": run.num_evaluations,
        "num_simulations": run.num_simulations, "num_events": run.num_events,
        "created_at": run.created_at, "completed_at": run.completed_at,
    })
}

fn recorded(run_id: &str, database: &Database, reader: &Reader) -> Result<ExperimentRow, CliError> {
    reader.experiment(run_id)?.ok_or_else(|| database.unknown_run(run_id).into())
}

/// Shows one run: what came of it, iteration by iteration.
pub fn summary(run_id: &str, database: &Database, as_json: bool) -> Result<(), CliError> {
    let reader = database.reader()?;
    let experiment = recorded(run_id, database, &reader)?;
    let iterations = reader.iterations(run_id)?;
    let mut output = Output::new();
    if as_json {
        let config: Value = serde_json::from_str(&experiment.config).unwrap_or(Value::Null);
        let totals: Vec<i64> = iterations.iter().map(|row| row.total_cost).collect();
        let object = json!({
            "run_id": run_id, "status": experiment.status.name(), "num_iterations": experiment.num_iterations,
            "converged": experiment.converged, "convergence_reason": experiment.convergence_reason,
            "final_cost": config["final_cost"], "final_costs": config["final_costs"],
            "final_policies": config["final_policies"], "best_cost": config["best_cost"],
            "best_costs": config["best_costs"], "best_policies": config["best_policies"],
            "best_iteration": config["best_iteration"], "iteration_history": totals,
        });
        output.line(&object.to_string())?;
        return Ok(output.finish()?);
    }
    output.line(&format!("Run {run_id} of {}", experiment.experiment_name))?;
    output.line(&format!("  Status: {}", experiment.status))?;
    let reason = experiment.convergence_reason.as_deref().unwrap_or("not ended yet");
    output.line(&format!("  Converged: {} ({reason})", if experiment.converged { "yes" } else { "no" }))?;
    output.line(&format!("  Final cost: {}", money(experiment.final_cost)))?;
    output.line(&format!("  Best cost: {}\n", money(experiment.best_cost)))?;
    let rows: Vec<Vec<String>> = iterations
        .iter()
        .map(|row| {
            vec![
                (row.iteration + 1).to_string(),
                money(Some(row.total_cost)),
                each(&row.costs_per_agent, dollars),
                each(&row.policies, fraction),
                accepted(&row.accepted_changes),
            ]
        })
        .collect();
    let columns = [right("Iteration"), right("Total"), left("Costs"), left("Fractions"), left("Accepted")];
    output.text(&render(&columns, &rows))?;
    Ok(output.finish()?)
}

/// `A x, B y` of a JSON mapping.
fn each(json: &str, show: impl Fn(&Value) -> String) -> String {
    let mapping: Value = serde_json::from_str(json).unwrap_or(Value::Null);
    let entries = mapping.as_object().into_iter().flatten();
    let shown: Vec<String> = entries.map(|(agent, value)| format!("{agent} {}", show(value))).collect();
    shown.join(", ")
}

fn fraction(policy: &Value) -> String {
    let fraction = &policy["parameters"]["initial_liquidity_fraction"];
    fraction.as_f64().map_or_else(|| "–".to_owned(), |fraction| format!("{fraction:.4}"))
}

fn accepted(json: &str) -> String {
    let flags: Value = serde_json::from_str(json).unwrap_or(Value::Null);
    let taken = flags.as_object().into_iter().flatten().filter(|(_, flag)| **flag == Value::Bool(true));
    taken.map(|(agent, _)| agent.clone()).collect::<Vec<_>>().join(", ")
}

/// Shows the stored events of a run through the formatter of the live view.
pub fn replay(
    run_id: &str,
    database: &Database,
    (start, end): (Option<u32>, Option<u32>),
    verbose: &VerboseOptions,
) -> Result<(), CliError> {
    let (first, last) = (start.unwrap_or(0), end.unwrap_or(u32::MAX));
    if first > last {
        return Err(CliError::failed(format!("the first iteration {first} lies behind the last one {last}")));
    }
    let reader = database.reader()?;
    let experiment = recorded(run_id, database, &reader)?;
    let details = Details::of(verbose);
    let mut output = Output::new();
    output.line(&format!("Run ID: {run_id}"))?;
    output.line(&format!("Experiment: {}", experiment.experiment_name))?;
    for event in reader.live_events(run_id, None)? {
        // Iterations are shown from 1.
        if !(first..=last).contains(&(event.iteration + 1)) {
            continue;
        }
        let data: Value = serde_json::from_str(&event.event_data).unwrap_or(Value::Null);
        if let Some(text) = live::text(&event.event_type, &data, details) {
            output.line(&text)?;
        }
    }
    output.line(&format!("Status: {}", experiment.status))?;
    output
        .line(&format!("Reason: {}", experiment.convergence_reason.as_deref().unwrap_or("not ended yet")))?;
    if let Some(cost) = experiment.final_cost {
        output.line(&format!("Final cost: ${}", Cents(cost)))?;
    }
    output.finish()?;
    if experiment.status == Status::Running {
        say("note: the run goes on");
    }
    Ok(())
}
