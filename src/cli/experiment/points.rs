//! Sweeps on the command line: what they vary, their table, how one ended (spec 07, 18.1).

use serde_json::{Value, json};

use super::command;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::table::{left, render, right};
use crate::experiment::file::Experiment;
use crate::experiment::runner::RunResult;
use crate::experiment::sweep::figures::Figure;
use crate::experiment::sweep::table::{self, Estimate, PointSummary, Record, summarise};
use crate::experiment::sweep::{Axis, Sweep};
use crate::persistence::{ExperimentRow, Reader};

/// The rows of `info` and `validate`: what is varied, and how often.
pub fn described(sweep: &Sweep) -> Vec<(&'static str, String)> {
    let axis = |axis: &Axis| {
        let values: Vec<String> = axis.values.iter().map(|value| table::setting(&value.to_json())).collect();
        ("Axis", format!("{} = {}", axis.target.label(), values.join(", ")))
    };
    let mut rows: Vec<(&'static str, String)> = sweep.vary.iter().map(axis).collect();
    rows.push(("Design", sweep.design.name().to_owned()));
    rows.push(("Points", sweep.points().unwrap_or(0).to_string()));
    rows.push(("Repetitions", sweep.repetitions.to_string()));
    let names: Vec<&str> = sweep.metrics.iter().map(|figure| figure.name()).collect();
    rows.push(("Figures", names.join(", ")));
    rows
}

/// `experiment results RUN_ID --points`.
pub fn results(run: &ExperimentRow, reader: &Reader, as_json: bool) -> Result<(), CliError> {
    if run.experiment_type != "sweep" {
        return Err(CliError::Failed {
            message: format!("run `{}` is no sweep and has no points", run.run_id),
            hint: Some(format!(
                "show its iterations with: {}",
                command(&["results", &run.run_id], reader.database().path())
            )),
        });
    }
    let metrics = table::metrics_of(&run.config);
    let rows = reader.sweep_points(&run.run_id)?;
    let points = summarise(rows.iter().map(Record::from), &metrics);
    let mut output = Output::new();
    if as_json {
        for point in &points {
            output.line(&point.to_json(&metrics).to_string())?;
        }
    } else {
        output.text(&text(&points, &metrics))?;
    }
    Ok(output.finish()?)
}

/// `experiment results RUN_ID` of a sweep.
pub fn summary(run: &ExperimentRow, reader: &Reader, as_json: bool) -> Result<(), CliError> {
    let rows = reader.sweep_points(&run.run_id)?;
    let points = summarise(rows.iter().map(Record::from), &[]);
    let count = |of: fn(&PointSummary) -> usize| points.iter().map(of).sum::<usize>();
    let (completed, failed) = (count(|point| point.completed), count(|point| point.failed));
    let reason = run.convergence_reason.as_deref();
    let mut output = Output::new();
    if as_json {
        let object = json!({
            "run_id": run.run_id, "status": run.status.name(), "reason": reason, "points": points.len(),
            "runs": rows.len(), "completed": completed, "failed": failed,
            "pending": rows.len() - completed - failed,
        });
        output.line(&object.to_string())?;
        return Ok(output.finish()?);
    }
    output.line(&format!("Run {} of {}, a sweep", run.run_id, run.experiment_name))?;
    output.line(&format!("  Status: {}", run.status))?;
    output.line(&format!("  Reason: {}", reason.unwrap_or("not ended yet")))?;
    output.line(&format!("  Points: {}", points.len()))?;
    output.line(&format!("  Runs: {completed} of {} completed, {failed} failed", rows.len()))?;
    let figures = command(&["results", &run.run_id, "--points"], reader.database().path());
    output.line(&format!("its figures: {figures}"))?;
    Ok(output.finish()?)
}

/// The points as a table: mean ± standard error. Figures that are 0 everywhere are named below it.
pub fn text(points: &[PointSummary], metrics: &[Figure]) -> String {
    let is_zero = |at: usize| {
        let mut estimates = points.iter().filter_map(|point| point.estimates[at]);
        estimates.clone().count() > 0 && estimates.all(|Estimate { mean, .. }| mean == 0.0)
    };
    let (zero, shown): (Vec<usize>, Vec<usize>) = (0..metrics.len()).partition(|at| is_zero(*at));
    let axes: Vec<&String> = points.first().map_or_else(Vec::new, |point| point.settings.keys().collect());
    let mut columns = vec![right("Point")];
    columns.extend(axes.iter().map(|axis| left(axis)));
    columns.push(left("Runs"));
    columns.extend(shown.iter().map(|at| right(metrics[*at].name())));
    let row = |point: &PointSummary| {
        let mut cells = vec![point.point.to_string()];
        cells.extend(point.settings.values().map(table::setting));
        cells.push(point.progress());
        cells.extend(shown.iter().map(|at| table::shown(metrics[*at], point.estimates[*at])));
        cells
    };
    let mut text = render(&columns, &points.iter().map(row).collect::<Vec<_>>());
    if !zero.is_empty() {
        let names: Vec<&str> = zero.iter().map(|at| metrics[*at].name()).collect();
        text.push_str(&format!("0 everywhere: {}\n", names.join(", ")));
    }
    for point in points {
        if let Some(error) = &point.error {
            text.push_str(&format!("point {} failed: {error}\n", point.point));
        }
    }
    text
}

/// What `experiment run` prints of a sweep that has ended.
pub fn report(result: &RunResult, experiment: &Experiment, output: &mut Output) -> Result<(), CliError> {
    let metrics = experiment.sweep.as_ref().map_or(&[][..], |sweep| &sweep.metrics);
    let points = summarise(result.sweep_points.iter().map(Record::from), metrics);
    output.line(&result.convergence_reason)?;
    output.text(&text(&points, metrics))?;
    Ok(())
}

/// The same as one line of JSON.
pub fn report_json(result: &RunResult, experiment: &Experiment) -> Value {
    let metrics = experiment.sweep.as_ref().map_or(&[][..], |sweep| &sweep.metrics);
    let points = summarise(result.sweep_points.iter().map(Record::from), metrics);
    let points: Vec<Value> = points.iter().map(|point| point.to_json(metrics)).collect();
    json!({
        "run_id": result.run_id, "status": result.status.name(), "reason": result.convergence_reason,
        "points": points,
    })
}

/// The error of a sweep in which some runs failed.
pub fn failure(result: &RunResult) -> Option<CliError> {
    let points = summarise(result.sweep_points.iter().map(Record::from), &[]);
    let error = points.iter().find_map(|point| point.error.clone())?;
    let failed: usize = points.iter().map(|point| point.failed).sum();
    Some(CliError::failed(format!("{failed} of {} runs failed: {error}", result.sweep_points.len())))
}
