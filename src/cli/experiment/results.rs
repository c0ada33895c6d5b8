//! `experiment results`: recorded runs.

use serde_json::{Value, json};

use super::live::{dollars, word};
use super::{open_recorded, points, recorded};
use crate::cli::args::ResultsArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::table::{left, render, right};
use crate::document::shortened;
use crate::experiment::analysis::summary::RunSummary;
use crate::experiment::policies::fraction_given;
use crate::experiment::recorded::CONTINUED_BY;
use crate::finding::{meant, nearest};
use crate::money::Cents;
use crate::persistence::{ExperimentRow, IterationRow, Reader, RunFilter, RunRow};

/// Lists recorded runs, or summarises one.
pub fn results(args: &ResultsArgs) -> Result<(), CliError> {
    let database = open_recorded(&args.db)?;
    let reader = database.reader()?;
    match &args.run_id {
        Some(run_id) => summary(run_id, &reader, args),
        None => list(&reader, args),
    }
}

/// Runs, newest first.
fn list(reader: &Reader, args: &ResultsArgs) -> Result<(), CliError> {
    let filter = RunFilter {
        experiment: args.experiment.clone(),
        experiment_type: args.kind.clone(),
        limit: (args.limit > 0).then_some(args.limit),
        ..RunFilter::default()
    };
    check_type(args.kind.as_deref(), reader)?;
    let mut output = Output::new();
    let mut rows = Vec::new();
    for run in reader.runs(&filter)? {
        let Some(experiment) = reader.experiment(&run.run_id)? else { continue };
        if args.json {
            output.line(&run_json(&run, &experiment).to_string())?;
        } else {
            rows.push(run_cells(&run, &experiment));
        }
    }
    if !args.json {
        let columns = [
            left("Run ID"),
            left("Experiment"),
            left("Type"),
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

/// A type that no run has is refused, unless it is one that a run could have.
fn check_type(kind: Option<&str>, reader: &Reader) -> Result<(), CliError> {
    const TYPES: [&str; 2] = ["generic", "sweep"];
    let Some(kind) = kind.filter(|kind| !TYPES.contains(kind)) else { return Ok(()) };
    let of_type =
        RunFilter { experiment_type: Some(kind.to_owned()), limit: Some(1), ..RunFilter::default() };
    if !reader.runs(&of_type)?.is_empty() {
        return Ok(());
    }
    let near = meant(nearest(kind, TYPES));
    Err(CliError::usage(
        format!("no run is of type `{}`{near}", shortened(kind)),
        "types are generic, which improves policies, and sweep",
    ))
}

fn money(cents: Option<i64>) -> String {
    cents.map_or_else(String::new, |cents| Cents(cents).dollars())
}

fn run_cells(run: &RunRow, experiment: &ExperimentRow) -> Vec<String> {
    // A sweep improves nothing that could converge.
    let is_sweep = experiment.experiment_type == "sweep";
    let converged = match experiment.converged {
        _ if is_sweep => "–",
        true => "yes",
        false => "no",
    };
    vec![
        run.run_id.clone(),
        run.experiment_name.clone(),
        experiment.experiment_type.clone(),
        run.status.to_string(),
        money(run.final_cost),
        money(run.best_cost),
        if is_sweep { "–".to_owned() } else { run.num_iterations.to_string() },
        converged.to_owned(),
        started(&run.created_at),
    ]
}

/// `YYYY-MM-DD HH:MM` of an ISO time.
fn started(iso: &str) -> String {
    iso.chars().take(16).collect::<String>().replace('T', " ")
}

fn run_json(run: &RunRow, experiment: &ExperimentRow) -> Value {
    let converged = (experiment.experiment_type != "sweep").then_some(experiment.converged);
    json!({
        "run_id": run.run_id, "experiment_name": run.experiment_name,
        "experiment_type": experiment.experiment_type,
        "status": run.status.name(),
        "evaluation_mode": run.evaluation_mode, "proposer": run.proposer,
        "num_iterations": run.num_iterations, "converged": converged, "first_cost": run.first_cost,
        "final_cost": run.final_cost, "best_cost": run.best_cost, "reduction": run.reduction,
        "num_accepted": run.num_accepted, "num_evaluations": run.num_evaluations,
        "num_simulations": run.num_simulations, "num_events": run.num_events,
        "created_at": run.created_at, "completed_at": run.completed_at,
    })
}

/// Shows one run: what came of it.
fn summary(run_id: &str, reader: &Reader, args: &ResultsArgs) -> Result<(), CliError> {
    let experiment = recorded(reader, run_id)?;
    if args.points {
        return points::results(&experiment, reader, args.json);
    }
    if experiment.experiment_type == "sweep" {
        return points::summary(&experiment, reader, args.json);
    }
    let summary = RunSummary::of_run(reader, run_id)?.ok_or_else(|| reader.database().unknown_run(run_id))?;
    let iterations = reader.iterations(run_id)?;
    let mut output = Output::new();
    if args.json {
        let object = result_json(&experiment, &iterations, &summary);
        output.line(&object.to_string())?;
    } else if args.markdown {
        output.text(&summary.markdown())?;
    } else {
        output.text(&summary.text())?;
        for line in continuations(&experiment) {
            output.line(&line)?;
        }
        output.line("\nIteration by iteration")?;
        output.text(&course(&iterations))?;
    }
    Ok(output.finish()?)
}

/// Which other versions of the program went on with the run.
fn continuations(experiment: &ExperimentRow) -> Vec<String> {
    let config: Value = serde_json::from_str(&experiment.config).unwrap_or(Value::Null);
    let entries = config[CONTINUED_BY].as_array().cloned().unwrap_or_default();
    let told = |entry: &Value| {
        let (version, events) = (word(&entry["engine_version"]), &entry["after_events"]);
        let first = &experiment.engine_version;
        format!("  Begun by version {first}, continued by {version} behind event {events}")
    };
    entries.iter().map(told).collect()
}

/// The result as spec 07, 14 has it, with the summary.
fn result_json(experiment: &ExperimentRow, iterations: &[IterationRow], summary: &RunSummary) -> Value {
    let config: Value = serde_json::from_str(&experiment.config).unwrap_or(Value::Null);
    let totals: Vec<i64> = iterations.iter().map(|row| row.total_cost).collect();
    json!({
        "run_id": experiment.run_id, "status": experiment.status.name(),
        "num_iterations": experiment.num_iterations,
        "converged": experiment.converged, "convergence_reason": experiment.convergence_reason,
        "final_cost": config["final_cost"], "final_costs": config["final_costs"],
        "final_policies": config["final_policies"], "best_cost": config["best_cost"],
        "best_costs": config["best_costs"], "best_policies": config["best_policies"],
        "best_iteration": config["best_iteration"], "iteration_history": totals,
        "baselines": config["baselines"], "summary": summary,
    })
}

fn course(iterations: &[IterationRow]) -> String {
    let row = |row: &IterationRow| {
        vec![
            (row.iteration + 1).to_string(),
            money(Some(row.total_cost)),
            each(&row.costs_per_agent, dollars),
            each(&row.policies, fraction),
            accepted(&row.accepted_changes),
        ]
    };
    let columns = [right("Iteration"), right("Total"), left("Costs"), left("Fractions"), left("Accepted")];
    let rows: Vec<Vec<String>> = iterations.iter().map(row).collect();
    render(&columns, &rows).lines().map(|line| format!("  {line}\n")).collect()
}

/// `A x, B y` of a JSON mapping.
fn each(json: &str, show: impl Fn(&Value) -> String) -> String {
    let mapping: Value = serde_json::from_str(json).unwrap_or(Value::Null);
    let entries = mapping.as_object().into_iter().flatten();
    let shown: Vec<String> = entries.map(|(agent, value)| format!("{agent} {}", show(value))).collect();
    shown.join(", ")
}

fn fraction(policy: &Value) -> String {
    let given = fraction_given(policy).and_then(Value::as_f64);
    given.map_or_else(|| "–".to_owned(), |fraction| format!("{fraction:.4}"))
}

fn accepted(json: &str) -> String {
    let flags: Value = serde_json::from_str(json).unwrap_or(Value::Null);
    let taken = flags.as_object().into_iter().flatten().filter(|(_, flag)| **flag == Value::Bool(true));
    taken.map(|(agent, _)| agent.clone()).collect::<Vec<_>>().join(", ")
}
