//! `experiment compare`: two recorded runs side by side.

use serde_json::{Value, json};

use super::open_recorded;
use crate::cli::args::CompareRunsArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::experiment::analysis::compare::{ComparedRun, Figures, RunComparison, SideBySide};
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
    let RunComparison { a, b, settings, iterations, end } = comparison;
    let mut text = format!("a: {}\nb: {}\n\nSettings that differ\n", about(a), about(b));
    if settings.is_empty() {
        text.push_str("none\n");
    } else {
        let rows: Vec<Vec<String>> =
            settings.iter().map(|row| vec![row.setting.clone(), value(&row.a), value(&row.b)]).collect();
        text.push_str(&render(&[left("Setting"), left("a"), left("b")], &rows));
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

fn about(run: &ComparedRun) -> String {
    let converged = if run.converged { "converged" } else { "not converged" };
    format!("{} ({}, {}, {converged})", run.run_id, run.experiment, run.status)
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
