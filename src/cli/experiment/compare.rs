//! `experiment compare`: two recorded runs side by side.

use serde_json::{Value, json};

use super::open_recorded;
use crate::cli::args::CompareRunsArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::experiment::analysis::compare::{ComparedFigure, ComparedRun, Figures, RunComparison, SideBySide};
use crate::experiment::sweep::table::{Estimate, setting, shown};
use crate::money::Cents;
use crate::table::{left, render, right};

/// Compares two runs.
pub fn compare(args: &CompareRunsArgs) -> Result<(), CliError> {
    let reader = open_recorded(&args.db)?.reader()?;
    let comparison = RunComparison::of_runs(&reader, &args.run_a, &args.run_b)?;
    let mut output = Output::new();
    if args.json {
        output.line(&json!(comparison).to_string())?;
    } else {
        output.text(&text(&comparison))?;
    }
    Ok(output.finish()?)
}

fn text(comparison: &RunComparison) -> String {
    let RunComparison { a, b, settings, iterations, end, points } = comparison;
    let mut text = format!("a: {}\nb: {}\n\nSettings that differ\n", about(a), about(b));
    if settings.is_empty() {
        text.push_str("none\n");
    } else {
        let rows: Vec<Vec<String>> =
            settings.iter().map(|row| vec![row.setting.clone(), value(&row.a), value(&row.b)]).collect();
        text.push_str(&render(&[left("Setting"), left("a"), left("b")], &rows));
    }
    if a.converged.is_none() || b.converged.is_none() {
        text.push_str(&sweeps(a, b, points));
        return text;
    }
    text.push_str("\nIteration by iteration; differences are b - a\n");
    let numbered = iterations.iter().enumerate().map(|(at, row)| cells((at + 1).to_string(), row));
    let rows: Vec<Vec<String>> = numbered.chain([cells("end".to_owned(), end)]).collect();
    let columns = [
        right("Iteration"),
        right("Cost a"),
        right("Cost b"),
        right("Difference"),
        right("Settled a"),
        right("Settled b"),
        right("Difference"),
        right("Delay a"),
        right("Delay b"),
        right("Difference"),
    ];
    text.push_str(&render(&columns, &rows));
    text
}

/// The points of two sweeps; there is nothing else to hold against each other where a sweep is one of them.
fn sweeps(a: &ComparedRun, b: &ComparedRun, points: &[ComparedFigure]) -> String {
    if a.converged != b.converged {
        return "\nOne of them is a sweep and the other is none: no figures can be compared\n".to_owned();
    }
    // A figure that is 0 in both says nothing.
    let says = |row: &&ComparedFigure| [row.a, row.b].into_iter().flatten().any(|it| it.mean != 0.0);
    let row = |it: &ComparedFigure| {
        let settings = it.settings.iter().map(|(axis, value)| format!("{axis} = {}", setting(value)));
        let mean = |mean| Estimate { mean, error: None };
        let sign = it.difference.map_or("", plus);
        vec![
            settings.collect::<Vec<_>>().join(", "),
            it.figure.name().to_owned(),
            shown(it.figure, it.a),
            shown(it.figure, it.b),
            format!("{sign}{}", shown(it.figure, it.difference.map(mean))),
        ]
    };
    let rows: Vec<Vec<String>> = points.iter().filter(says).map(row).collect();
    let columns = [left("Settings"), left("Figure"), right("a"), right("b"), right("Difference")];
    format!("\nPoint by point; differences are b - a\n{}", render(&columns, &rows))
}

fn about(run: &ComparedRun) -> String {
    let what = match run.converged {
        Some(true) => "converged",
        Some(false) => "not converged",
        None => "a sweep",
    };
    format!("{} ({}, {}, {what})", run.run_id, run.experiment, run.status)
}

/// A setting on one line, cut where it is long.
fn value(value: &Value) -> String {
    const LONGEST: usize = 40;
    let text = match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.replace('\n', " "),
        other => other.to_string(),
    };
    super::list::shortened(&text, LONGEST)
}

fn cells(name: String, SideBySide { a, b, difference }: &SideBySide) -> Vec<String> {
    let mut cells = vec![name];
    cells.extend([a, b].map(|it| known(it.cost, |cost| Cents(cost).dollars())));
    cells.push(known(difference.cost, |cost| format!("{}{}", plus(cost as f64), Cents(cost))));
    let rate = |it: &Figures| known(it.settlement_rate, |rate| format!("{:.2}%", rate * 100.0));
    cells.extend([a, b].map(rate));
    let points = |rate: f64| format!("{}{:.2}", plus(rate), rate * 100.0);
    cells.push(known(difference.settlement_rate, points));
    cells.extend([a, b].map(|it| known(it.avg_delay, |delay| format!("{delay:.2}"))));
    cells.push(known(difference.avg_delay, |delay| format!("{}{delay:.2}", plus(delay))));
    cells
}

fn known<T>(figure: Option<T>, show: impl Fn(T) -> String) -> String {
    figure.map_or_else(|| "–".to_owned(), show)
}

const fn plus(difference: f64) -> &'static str {
    if difference > 0.0 { "+" } else { "" }
}
