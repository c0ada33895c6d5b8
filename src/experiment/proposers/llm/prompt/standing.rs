//! Where the agent stands, how it came there, and what follows.

use std::cmp::Ordering;

use serde_json::Value;

use super::super::super::{Briefing, Request};
use super::percent;
use crate::experiment::analysis::diff;

/// Cost, settlement and samples.
pub fn figures(briefing: &Briefing) -> String {
    let mut lines = vec![
        format!("- cost: {} cents{}", briefing.cost, if briefing.sampled.is_some() { " (mean)" } else { "" }),
        format!("- settlement rate of its own payments: {}", percent(briefing.settlement_rate)),
        format!("- average delay of its own payments: {:.2} ticks", briefing.average_delay),
    ];
    if let Some(sampled) = &briefing.sampled {
        let (seed, cost) = sampled.cheapest;
        lines.push(format!("- {} samples; the cheapest has seed {seed} and costs {cost}", sampled.samples));
        let (seed, cost) = sampled.dearest;
        lines.push(format!("- the dearest has seed {seed} and costs {cost}"));
        if let Some(deviation) = sampled.deviation {
            lines.push(format!("- standard deviation of their costs: {deviation} cents"));
        }
    }
    if let Some(pool) = briefing.pool {
        lines.push(format!("- liquidity pool: {pool} cents; a run has {} ticks", briefing.ticks));
    }
    lines.join("\n")
}

/// Names of the kinds of costs, in their order.
const KINDS: [&str; 6] = [
    "overdraft",
    "delay",
    "collateral",
    "deadline and end-of-day penalties",
    "splitting",
    "liquidity brought in",
];

/// Costs with their share, the largest first.
fn shares(briefing: &Briefing) -> Vec<(&'static str, i64, f64)> {
    let total = briefing.costs.total().map_or(0, |total| total.0);
    let share = |cost: i64| if total > 0 { cost as f64 / total as f64 } else { 0.0 };
    let mut kinds: Vec<_> =
        KINDS.iter().zip(briefing.costs.kinds()).map(|(name, cost)| (*name, cost.0, share(cost.0))).collect();
    kinds.sort_by_key(|(_, cost, _)| std::cmp::Reverse(*cost));
    kinds
}

/// A share from which on it is high, and one from which on it is medium.
const HIGH: f64 = 0.40;
const MEDIUM: f64 = 0.20;

/// The table of costs.
pub fn breakdown(briefing: &Briefing) -> String {
    let over = match &briefing.sampled {
        Some(sampled) => format!("Cents over all {} samples.\n\n", sampled.samples),
        None => String::new(),
    };
    let rows: Vec<String> = shares(briefing)
        .into_iter()
        .map(|(name, cost, share)| {
            let rating = if share > HIGH {
                "high"
            } else if share > MEDIUM {
                "medium"
            } else {
                "low"
            };
            format!("| {name} | {cost} | {} | {rating} |", percent(share))
        })
        .collect();
    format!("{over}| kind | cents | share | rating |\n|---|---|---|---|\n{}", rows.join("\n"))
}

/// What shares and the last costs suggest.
pub fn guidance(request: &Request<'_>, briefing: &Briefing) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (name, cost, share) in shares(briefing) {
        if cost == 0 || share <= HIGH {
            continue;
        }
        let advice = match name {
            "liquidity brought in" => "liquidity brought in: try less, as long as payments settle in time",
            "delay" => "waiting: more liquidity, or an earlier release, would shorten it",
            "deadline and end-of-day penalties" => "penalties: more liquidity is cheaper than they are",
            "overdraft" => "overdraft: hold less urgent payments until money comes in",
            "collateral" => "collateral: post less of it, or for a shorter time",
            _ => "splitting: split fewer payments, or into fewer parts",
        };
        lines.push(format!("- Most of the cost is {advice}."));
    }
    if briefing.settlement_rate < request.min_settlement_rate {
        lines.push("- Too few payments settle: this has to be put right first.".to_owned());
    }
    if let [.., before, between, last] = request.history.costs.as_slice() {
        lines.push(format!(
            "- The last three costs were {before}, {between} and {last}: {}.",
            trend(*before, *between, *last)
        ));
    }
    if lines.is_empty() {
        lines.push(
            "- No kind of cost stands out: small steps in one parameter show where it falls.".to_owned(),
        );
    }
    lines.join("\n")
}

fn trend(before: i64, between: i64, last: i64) -> &'static str {
    match (between.cmp(&before), last.cmp(&between)) {
        (Ordering::Less, Ordering::Less) => "they fall, go on in this direction",
        (Ordering::Equal, Ordering::Less) => "the last one is lower, go on in this direction",
        (Ordering::Less, Ordering::Equal) => "they fell and stand still now, try something else",
        (Ordering::Equal, Ordering::Equal) => "they stand still, try something else",
        (Ordering::Greater, Ordering::Greater) => "they rise, go back",
        (Ordering::Equal, Ordering::Greater) => "the last one is higher, go back",
        (Ordering::Greater, Ordering::Equal) => "they rose and stay there, go back",
        (Ordering::Less, Ordering::Greater) | (Ordering::Greater, Ordering::Less) => {
            "they go up and down, take smaller steps"
        }
    }
}

/// What was tried and what came of it.
pub struct Past {
    rows: Vec<Row>,
    best: Option<usize>,
    /// Cost of the policy in force.
    now: i64,
}

struct Row {
    iteration: u32,
    accepted: bool,
    cost: i64,
    changes: String,
    parameters: String,
    reason: String,
}

impl Past {
    /// The agent's own comparisons; where nothing is compared, its evaluations.
    pub fn new(request: &Request<'_>, briefing: &Briefing) -> Self {
        let compared = request.history.comparisons.iter().map(|past| {
            let (shown, cost) =
                if past.accepted { (&past.policy, past.new_cost) } else { (&past.current, past.old_cost) };
            Row {
                iteration: past.iteration + 1,
                accepted: past.accepted,
                cost,
                changes: diff::text(&past.current, &past.policy),
                parameters: parameters(shown),
                reason: past.reason.clone(),
            }
        });
        let mut rows: Vec<Row> = compared.collect();
        if rows.is_empty() {
            rows = evaluated(request);
        }
        let best = (0..rows.len()).min_by_key(|place| rows[*place].cost);
        Self { rows, best, now: briefing.cost }
    }

    /// The whole history.
    pub fn table(&self) -> String {
        if self.rows.is_empty() {
            return "Nothing yet.".to_owned();
        }
        let rows = self.rows.iter().enumerate().map(|(place, row)| {
            let status = match row.accepted {
                true if self.best == Some(place) => "best",
                true => "kept",
                false => "rejected",
            };
            let changes =
                if row.changes.is_empty() { "none".to_owned() } else { row.changes.replace('\n', "; ") };
            let Row { iteration, cost, parameters, reason, .. } = row;
            format!("| {iteration} | {status} | {cost} | {changes} | {parameters} | {reason} |")
        });
        let rows: Vec<String> = rows.collect();
        format!(
            "A rejected row shows the cost and the parameters that stayed in force.\n\n\
             | iteration | status | cost | changes tried | parameters | reason |\n\
             |---|---|---|---|---|---|\n{}",
            rows.join("\n")
        )
    }

    /// The cost that is to be beaten.
    pub fn best(&self) -> String {
        let best = self.best.and_then(|place| self.rows.get(place));
        match best {
            Some(row) if row.cost < self.now => {
                format!("{} cents (the best so far, in iteration {})", row.cost, row.iteration)
            }
            _ => format!("{} cents (the policy in force)", self.now),
        }
    }
}

fn parameters(policy: &Value) -> String {
    policy.get("parameters").map_or_else(|| "none".to_owned(), Value::to_string)
}

fn evaluated(request: &Request<'_>) -> Vec<Row> {
    let history = request.history;
    let policies = history.policies.iter().zip(&history.costs).enumerate();
    policies
        .map(|(place, (policy, cost))| Row {
            iteration: place as u32 + 1,
            accepted: true,
            cost: *cost,
            changes: place
                .checked_sub(1)
                .map_or_else(String::new, |before| diff::text(&history.policies[before], policy)),
            parameters: parameters(policy),
            reason: "evaluated".to_owned(),
        })
        .collect()
}

/// Every parameter over the iterations.
pub fn trajectories(request: &Request<'_>) -> String {
    let policies = &request.history.policies;
    let mut names: Vec<&String> = Vec::new();
    for policy in policies {
        for name in policy.get("parameters").and_then(Value::as_object).into_iter().flat_map(|map| map.keys())
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let lines: Vec<String> = names
        .iter()
        .map(|name| {
            let values: Vec<String> = policies
                .iter()
                .map(|policy| {
                    let value = policy.get("parameters").and_then(|parameters| parameters.get(name.as_str()));
                    value.map_or_else(|| "-".to_owned(), Value::to_string)
                })
                .collect();
            format!("- {name}: {}", values.join(", "))
        })
        .collect();
    if lines.is_empty() { "There are none.".to_owned() } else { lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_three_costs_are_told_as_they_are() {
        assert_eq!(trend(2500, 2500, 2000), "the last one is lower, go on in this direction");
        assert_eq!(trend(2500, 2000, 2000), "they fell and stand still now, try something else");
        assert_eq!(trend(3, 2, 1), "they fall, go on in this direction");
        assert_eq!(trend(2, 2, 3), "the last one is higher, go back");
        assert_eq!(trend(1, 2, 1), "they go up and down, take smaller steps");
    }
}
