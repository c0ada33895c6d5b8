//! `experiment chart`: the costs of a run as a picture, or drawn in the terminal.

use std::path::{Path, PathBuf};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Widget as _};

use super::{command, open_recorded, recorded};
use crate::cli::args::ChartArgs;
use crate::cli::error::{CliError, say};
use crate::cli::output::Output;
use crate::experiment::analysis::chart::{ChartData, ChartPoint};
use crate::experiment::ids::file_stem;
use crate::finding::nearest;
use crate::money::Cents;
use crate::table::{left, render, right};

/// Columns and rows of a chart that no terminal limits.
const SIZE: (u16, u16) = (100, 24);

/// Draws the chart of a run.
pub fn chart(args: &ChartArgs) -> Result<(), CliError> {
    let reader = open_recorded(&args.db)?.reader()?;
    let run = recorded(&reader, &args.run_id)?;
    if run.experiment_type == "sweep" {
        let points = command(&["results", &run.run_id, "--points"], reader.database().path());
        return Err(CliError::Failed {
            message: format!("run `{}` is a sweep: it has points, and no costs that develop", run.run_id),
            hint: Some(format!("its figures: {points}")),
        });
    }
    let (agent, parameter) = (args.agent.as_deref(), args.parameter.as_deref());
    let data = ChartData::of_run(&reader, &run.run_id, agent, parameter)?;
    check(&data, &run.config)?;
    if args.text {
        return Ok(print(&data)?);
    }
    let path =
        args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.png", file_stem(&run.run_id))));
    let content = match ending(&path).as_deref() {
        Some("svg") => data.svg().into_bytes(),
        Some("png") => data.png().map_err(|error| CliError::failed(error.to_string()))?,
        _ => {
            let message = format!("`{}` ends in neither .png nor .svg", path.display());
            return Err(CliError::usage(message, "the ending of --output says what is drawn"));
        }
    };
    std::fs::write(&path, content)
        .map_err(|error| CliError::failed(format!("`{}` cannot be written: {error}", path.display())))?;
    say(&format!("chart written to {}", path.display()));
    Ok(())
}

fn ending(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}

/// A chart without points is refused, and so is a parameter that no policy has.
fn check(data: &ChartData, config: &str) -> Result<(), CliError> {
    let config: serde_json::Value = serde_json::from_str(config).unwrap_or_default();
    let agents = config["optimized_agents"].as_array().into_iter().flatten();
    let agents: Vec<&str> = agents.filter_map(|agent| agent.as_str()).collect();
    if let Some(agent) = &data.agent
        && !agents.contains(&agent.as_str())
    {
        let near = nearest(agent, agents.iter().copied());
        let hint = near.map_or_else(|| agents.join(", "), |near| format!("did you mean `{near}`?"));
        let message = format!("run `{}` does not optimise an agent `{agent}`", data.run_id);
        return Err(CliError::Failed { message, hint: Some(hint) });
    }
    if data.points.is_empty() {
        let what = data.agent.as_ref().map_or_else(String::new, |agent| format!(" of agent `{agent}`"));
        return Err(CliError::failed(format!("run `{}` has no costs{what} to draw yet", data.run_id)));
    }
    // The first point has a value whatever the parameter.
    let known = |point: &ChartPoint| point.parameter.is_some();
    let compared = data.points.iter().any(|point| point.old_cost.is_some());
    if let Some(parameter) = &data.parameter
        && !data.points.iter().skip(usize::from(compared)).any(known)
    {
        let message = format!("no policy of the run has a number as parameter `{parameter}`");
        return Err(CliError::failed(message));
    }
    Ok(())
}

fn print(data: &ChartData) -> std::io::Result<()> {
    let mut output = Output::new();
    let (width, height) = match crossterm::terminal::size() {
        Ok((width, height)) if output.is_terminal() => (width.clamp(40, 160), (height - 1).clamp(12, 40)),
        _ => SIZE,
    };
    output.text(&drawn(data, width, height))?;
    output.finish()
}

/// The chart as lines of text; values of a parameter stand in a table below.
fn drawn(data: &ChartData, width: u16, height: u16) -> String {
    let place = |iteration: u32, cents: i64| (f64::from(iteration), cents as f64 / 100.0);
    let all: Vec<(f64, f64)> = data.points.iter().map(|it| place(it.iteration, it.cost)).collect();
    let line = data.accepted_line();
    let accepted: Vec<(f64, f64)> =
        data.points.iter().zip(line).map(|(it, cost)| place(it.iteration, cost)).collect();
    let dataset = |points, marker, kind| Dataset::default().data(points).marker(marker).graph_type(kind);
    let series = vec![
        dataset(&accepted, Marker::Braille, GraphType::Line),
        dataset(&all, Marker::Dot, GraphType::Scatter),
    ];
    let (low, high) = data.cost_range().unwrap_or_default();
    let room = ((high - low) / 20).max(100);
    let bounds = [low.saturating_sub(room).max(low.min(0)), high.saturating_add(room)];
    let last = data.points.iter().map(|it| it.iteration).max().unwrap_or(0);
    let amount = |cents: i64| Cents(cents).to_string();
    let middle = bounds[0] / 2 + bounds[1] / 2;
    // Labels stand at equal distances.
    let middles = (last % 2 == 0 && last > 0).then(|| (last / 2).to_string());
    let labels: Vec<String> =
        ["0".to_owned()].into_iter().chain(middles).chain([last.max(1).to_string()]).collect();
    let chart = Chart::new(series)
        .x_axis(Axis::default().title("Iteration").bounds([0.0, f64::from(last.max(1))]).labels(labels))
        .y_axis(Axis::default().title("Cost ($)").bounds(bounds.map(|cents| cents as f64 / 100.0)).labels([
            amount(bounds[0]),
            amount(middle),
            amount(bounds[1]),
        ]))
        .style(Style::default())
        .legend_position(None);
    let area = Rect::new(0, 0, width, height.saturating_sub(3));
    let mut buffer = Buffer::empty(area);
    chart.render(area, &mut buffer);
    let mut text = format!("{}\n• all policies   ⠒⠒ accepted policies\n\n", data.title());
    for y in 0..area.height {
        let row: String = (0..area.width).map(|x| buffer[(x, y)].symbol()).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text + &values(data)
}

/// Iteration, cost and value of the parameter, if one was asked for.
fn values(data: &ChartData) -> String {
    let Some(parameter) = &data.parameter else { return String::new() };
    let row = |it: &ChartPoint| {
        vec![
            it.iteration.to_string(),
            Cents(it.cost).dollars(),
            it.parameter.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}")),
            if it.accepted { "accepted" } else { "rejected" }.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = data.points.iter().map(row).collect();
    format!("\n{}", render(&[right("Iteration"), right("Cost"), right(parameter), left("Policy")], &rows))
}
