//! What the cost chart of a run shows (spec 07, 20.3).

use serde_json::Value;

use super::mapping;
use crate::persistence::{EvaluationRow, IterationRow, PersistenceError, Reader};

/// One point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChartPoint {
    /// Iteration; the first point of comparisons has 0, theirs count from 1.
    pub iteration: u32,
    /// Cost in cents.
    pub cost: i64,
    /// Whether the policy was accepted.
    pub accepted: bool,
    /// Value of the parameter that was asked for.
    pub parameter: Option<f64>,
    /// Cost of the policy in force, in cents.
    pub old_cost: Option<i64>,
}

/// The points of a run, of all agents or of one.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartData {
    /// The run.
    pub run_id: String,
    /// Only this agent.
    pub agent: Option<String>,
    /// Parameter whose value stands at the points.
    pub parameter: Option<String>,
    /// In order.
    pub points: Vec<ChartPoint>,
}

impl ChartData {
    /// Reads the points of a run: its comparisons, or, where none was made, its iterations.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub fn of_run(
        reader: &Reader,
        run_id: &str,
        agent: Option<&str>,
        parameter: Option<&str>,
    ) -> Result<Self, PersistenceError> {
        let comparisons = reader.evaluations(run_id, None)?;
        let points = if comparisons.is_empty() {
            reader.iterations(run_id)?.iter().filter_map(|row| evaluated(row, agent, parameter)).collect()
        } else {
            let of_agent = |row: &&EvaluationRow| agent.is_none_or(|agent| row.agent_id == agent);
            compared(comparisons.iter().filter(of_agent), parameter)
        };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(Self { run_id: run_id.to_owned(), agent: owned(agent), parameter: owned(parameter), points })
    }

    /// At every point the cost of the last accepted one so far, in cents.
    #[must_use]
    pub fn accepted_line(&self) -> Vec<i64> {
        let mut last = None;
        let mut line = Vec::with_capacity(self.points.len());
        for point in &self.points {
            if point.accepted {
                last = Some(point.cost);
            }
            line.push(last.unwrap_or(point.cost));
        }
        line
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> String {
        let agent = self.agent.as_ref().map_or_else(String::new, |agent| format!(" ({agent})"));
        format!("Cost Convergence - {}{agent}", self.run_id)
    }
}

/// The fraction that stands at the first point, whatever the parameter.
const FIRST_VALUE: f64 = 0.5;

fn compared<'a>(
    mut rows: impl Iterator<Item = &'a EvaluationRow>,
    parameter: Option<&str>,
) -> Vec<ChartPoint> {
    let Some(first) = rows.next() else { return Vec::new() };
    let start = ChartPoint {
        iteration: 0,
        cost: first.old_cost,
        accepted: true,
        parameter: parameter.map(|_| FIRST_VALUE),
        old_cost: None,
    };
    let point = |row: &EvaluationRow| ChartPoint {
        iteration: row.iteration + 1,
        cost: row.new_cost,
        accepted: row.accepted,
        parameter: parameter.and_then(|name| value(mapping(&row.proposed_policy).get("parameters")?, name)),
        old_cost: Some(row.old_cost),
    };
    std::iter::once(start).chain(std::iter::once(first).chain(rows).map(point)).collect()
}

fn evaluated(row: &IterationRow, agent: Option<&str>, parameter: Option<&str>) -> Option<ChartPoint> {
    let costs = mapping(&row.costs_per_agent);
    let cost = match agent {
        Some(agent) => costs.get(agent)?.as_i64()?,
        None => row.total_cost,
    };
    let of_policy = || value(mapping(&row.policies).get(agent?)?.get("parameters")?, parameter?);
    Some(ChartPoint {
        iteration: row.iteration,
        cost,
        accepted: true,
        parameter: of_policy(),
        old_cost: None,
    })
}

fn value(parameters: &Value, name: &str) -> Option<f64> {
    parameters.get(name)?.as_f64()
}
