//! What came of a run, in one page: built from the recorded rows, rendered as text, Markdown or JSON
//! (spec 07, 20.4). Command line and explorer show the same.

mod records;
mod text;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::diff;
use crate::experiment::acceptance::Refusal;
use crate::experiment::policies::{FRACTION, fraction};
use crate::persistence::{PersistenceError, Reader, Status};
use records::{Evaluated, Judged};
pub use records::{Records, Rejection};

/// Fewer samples than these give wide intervals.
const MANY_SAMPLES: u64 = 30;

/// What came of a run. Money in cents, rates from 0 to 1, iterations from 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunSummary {
    /// The run.
    pub run_id: String,
    /// Name of the experiment.
    pub experiment: String,
    /// What the experiment says of itself.
    pub description: String,
    /// Where it stands.
    #[serde(serialize_with = "super::status_name")]
    pub status: Status,
    /// Iterations started.
    pub num_iterations: i64,
    /// Whether a criterion other than the cap ended it.
    pub converged: bool,
    /// Why it ended.
    pub reason: Option<String>,
    /// How policies were measured, e.g. `bootstrap`.
    pub mode: String,
    /// Samples of each measurement; 1 where it is a full run.
    pub samples: u64,
    /// Who proposed.
    pub proposer: String,
    /// With which model.
    pub model: String,
    /// Root of all seeds.
    pub master_seed: String,
    /// The optimised banks, in the order of the file.
    pub agents: Vec<AgentSummary>,
    /// The total at the start, at the end and at best; `None` before the first evaluation.
    pub total: Option<Path<i64>>,
    /// Iteration of the best total.
    pub best_iteration: Option<u32>,
    /// The last comparison in which a proposal was accepted.
    pub last_accepted: Option<AcceptedComparison>,
    /// Settled by all payments, in the first evaluation.
    pub settlement_start: Option<f64>,
    /// The same in the last one.
    pub settlement_end: Option<f64>,
    /// Whether every iteration measures on the same day, so that their totals can be compared.
    pub comparable: bool,
    /// What simple policies would have cost.
    pub baselines: Vec<Baseline>,
    /// Comparisons made.
    pub comparisons: usize,
    /// Times that a policy was replaced.
    pub accepted: usize,
    /// Calls of the proposer.
    pub calls: usize,
    /// Why proposals were not taken, and how often; the most frequent first.
    pub rejections: Vec<RejectionCount>,
    /// What to be careful about.
    pub cautions: Vec<Caution>,
}

/// A figure or policy at the start, at the end and at best.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Path<T> {
    /// In the first evaluation.
    pub start: T,
    /// In the last one.
    pub end: T,
    /// In the one with the least total.
    pub best: T,
}

/// An optimised bank.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentSummary {
    /// Its id.
    pub agent: String,
    /// Its cost.
    pub cost: Option<Path<i64>>,
    /// Parameters of its policies; null where a policy has no such parameter.
    pub parameters: Vec<(String, Path<Value>)>,
    /// Where else the policy at the end differs from that at the start, an entry for each tree or key.
    pub changed: Vec<Changed>,
}

/// A tree, or a key of another kind, in which two policies differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    /// The first path in it whose values differ.
    pub part: String,
    /// The value there at the start; null if there is none.
    pub start: Value,
    /// At the end.
    pub end: Value,
    /// Further paths in it whose values differ.
    pub more: usize,
}

/// A comparison in which the proposal was accepted. Costs are means over the samples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AcceptedComparison {
    /// Whose policy.
    pub agent: String,
    /// Iteration.
    pub iteration: u32,
    /// Under the policy before.
    pub old_cost: i64,
    /// Under the proposal.
    pub new_cost: i64,
    /// 95 % interval of the differences old − new, with at least two samples.
    pub interval: Option<(i64, i64)>,
}

/// What a simple policy for all optimised banks would have cost in the last iteration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// `start`, `fifo` or `constant`.
    pub name: String,
    /// Fraction of the pool.
    pub fraction: f64,
    /// Sum over the optimised banks.
    pub total_cost: i64,
    /// Settled by all payments.
    pub settlement_rate: f64,
}

/// How often proposals were not taken for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectionCount {
    /// The reason.
    #[serde(serialize_with = "rejection_words")]
    pub reason: Rejection,
    /// How often.
    pub count: usize,
}

/// What to be careful about.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "caution", rename_all = "snake_case")]
pub enum Caution {
    /// It has not come to its end.
    NotEnded,
    /// Payments arrive by chance, and each measurement rests on few samples.
    FewSamples {
        /// So many.
        samples: u64,
    },
    /// It ended without converging.
    NotConverged,
    /// No proposal was ever compared or taken: the policies are those of the start, and that the costs
    /// stand still says nothing.
    NothingProposed {
        /// Calls of the proposer.
        calls: usize,
        /// Those that got no reply.
        without_reply: usize,
        /// Those whose reply could not be used.
        unusable: usize,
    },
    /// Iterations measure on days or samples of their own, so that their totals cannot be compared.
    OtherDays,
    /// The policies at the end are not the best ones that were measured.
    FinalNotBest {
        /// Their total.
        end: i64,
        /// The total of the best ones.
        best: i64,
        /// When those were measured.
        iteration: u32,
    },
    /// Payments stay unsettled under the policies at the end.
    Unsettled {
        /// Settled by all.
        settlement_rate: f64,
    },
    /// A baseline is cheaper than the policies at the end, and settles as much.
    DearerThanBaseline {
        /// Its name.
        baseline: String,
        /// Its total.
        total_cost: i64,
    },
}

impl RunSummary {
    /// The summary of a recorded run; `None` if there is none of this id.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub fn of_run(reader: &Reader, run_id: &str) -> Result<Option<Self>, PersistenceError> {
        Ok(Records::read(reader, run_id)?.map(|records| Self::of_records(&records)))
    }

    /// The summary of what a run recorded.
    #[must_use]
    pub fn of_records(records: &Records) -> Self {
        let config = &records.config;
        let text = |pointer| at(config, pointer).map_or_else(String::new, plain);
        let mode = text(&["evaluation", "mode"]);
        let samples = at(config, &["evaluation", "num_samples"]).and_then(Value::as_u64).unwrap_or(1).max(1);
        let course = Course::of(records);
        let mut summary = Self {
            run_id: records.run_id.clone(),
            experiment: records.experiment.clone(),
            description: text(&["description"]).trim().to_owned(),
            status: records.status,
            num_iterations: records.num_iterations,
            converged: records.converged,
            reason: records.reason.clone(),
            samples: if mode == "bootstrap" { samples } else { 1 },
            mode,
            proposer: text(&["proposer"]),
            model: text(&["model"]),
            master_seed: text(&["master_seed"]),
            agents: agents(config).iter().map(|agent| of_agent(agent, course.as_ref())).collect(),
            total: course.as_ref().map(Course::totals),
            best_iteration: course.as_ref().map(|course| course.best_iteration),
            last_accepted: last_accepted(records),
            settlement_start: records.iterations.first().and_then(|row| row.settlement_rate),
            settlement_end: course.as_ref().and_then(|course| course.end.settlement_rate),
            comparable: !records.random && mode_is_one_day(config),
            baselines: baselines(config),
            comparisons: records.comparisons.len(),
            accepted: records.iterations.iter().map(replaced).sum(),
            calls: records.calls,
            rejections: rejections(records),
            cautions: Vec::new(),
        };
        summary.cautions = cautions(&summary, records, course.as_ref());
        summary
    }
}

/// Costs and policies of one evaluation.
#[derive(Clone, Copy)]
struct Standing<'a> {
    costs: &'a Map<String, Value>,
    policies: &'a Map<String, Value>,
    total: i64,
    settlement_rate: Option<f64>,
}

/// The evaluations that count.
struct Course<'a> {
    start: Standing<'a>,
    end: Standing<'a>,
    best: Standing<'a>,
    best_iteration: u32,
}

impl<'a> Course<'a> {
    fn of(records: &'a Records) -> Option<Self> {
        let measured = |row: &'a Evaluated| Standing {
            costs: &row.costs,
            policies: &row.policies,
            total: row.total,
            settlement_rate: row.settlement_rate,
        };
        let rows = &records.iterations;
        // The earliest of equals.
        let best = rows.iter().min_by_key(|row| row.total)?;
        let iteration = records.config.get("best_iteration").and_then(Value::as_u64);
        Some(Self {
            start: measured(rows.first()?),
            end: recorded(&records.config, "final").or_else(|| rows.last().map(measured))?,
            best: recorded(&records.config, "best").unwrap_or_else(|| measured(best)),
            best_iteration: iteration.and_then(|at| u32::try_from(at).ok()).unwrap_or(best.iteration),
        })
    }

    fn totals(&self) -> Path<i64> {
        Path { start: self.start.total, end: self.end.total, best: self.best.total }
    }
}

/// The result that stands in the configuration of a run that came to its end.
fn recorded<'a>(config: &'a Map<String, Value>, which: &str) -> Option<Standing<'a>> {
    let found = |key: &str| config.get(&format!("{which}_{key}"));
    Some(Standing {
        costs: found("costs")?.as_object()?,
        policies: found("policies")?.as_object()?,
        total: found("cost")?.as_i64()?,
        settlement_rate: found("settlement_rate").and_then(Value::as_f64),
    })
}

fn at<'a>(config: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(config.get(*first)?, |value, key| value.get(key)).filter(|value| !value.is_null())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn agents(config: &Map<String, Value>) -> Vec<String> {
    let agents = config.get("optimized_agents").and_then(Value::as_array).into_iter().flatten();
    agents.map(plain).collect()
}

fn of_agent(agent: &str, course: Option<&Course<'_>>) -> AgentSummary {
    let mut summary =
        AgentSummary { agent: agent.to_owned(), cost: None, parameters: Vec::new(), changed: Vec::new() };
    let Some(course) = course else { return summary };
    let cost = |standing: &Standing<'_>| standing.costs.get(agent).and_then(Value::as_i64);
    if let (Some(start), Some(end), Some(best)) = (cost(&course.start), cost(&course.end), cost(&course.best))
    {
        summary.cost = Some(Path { start, end, best });
    }
    let path = Path { start: &course.start, end: &course.end, best: &course.best };
    let policies = path.map(|standing| standing.policies.get(agent).cloned().unwrap_or(Value::Null));
    summary.parameters = parameters(&policies);
    let outside = |change: &diff::Change| {
        !["parameters", "policy_id", "version", FRACTION].iter().any(|key| {
            change.key.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let changes = diff::changes(&policies.start, &policies.end);
    summary.changed = by_part(changes.into_iter().filter(outside));
    summary
}

/// Changes, sorted by key, those of a tree taken together. Ids of nodes come last: they say least.
fn by_part(changes: impl Iterator<Item = diff::Change>) -> Vec<Changed> {
    let mut parts: Vec<(String, Vec<diff::Change>)> = Vec::new();
    for change in changes {
        let part = change.key.split('.').next().unwrap_or_default().to_owned();
        match parts.last_mut() {
            Some((last, list)) if *last == part => list.push(change),
            _ => parts.push((part, vec![change])),
        }
    }
    let first = |(_, mut list): (String, Vec<diff::Change>)| {
        list.sort_by_key(|change| change.key.ends_with("node_id"));
        let more = list.len().saturating_sub(1);
        let diff::Change { key, before, after } = list.into_iter().next()?;
        Some(Changed { part: key, start: before, end: after, more })
    };
    parts.into_iter().filter_map(first).collect()
}

impl<T> Path<T> {
    fn map<U>(self, mut to: impl FnMut(T) -> U) -> Path<U> {
        Path { start: to(self.start), end: to(self.end), best: to(self.best) }
    }
}

/// The fraction, then whatever else is a parameter of one of the policies.
fn parameters(policies: &Path<Value>) -> Vec<(String, Path<Value>)> {
    let Path { start, end, best } = policies;
    let mut names = vec![FRACTION];
    for policy in [start, end, best] {
        let own = policy.get("parameters").and_then(Value::as_object).into_iter().flatten();
        for (name, _) in own {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let value = |name: &str, policy: &Value| match policy.get("parameters").and_then(|own| own.get(name)) {
        Some(value) => value.clone(),
        None if name == FRACTION => Value::from(fraction(policy)),
        None => Value::Null,
    };
    let of = |name: &str| Path { start, end, best }.map(|policy| value(name, policy));
    names.iter().map(|name| ((*name).to_owned(), of(name))).collect()
}

/// The accepted comparison that was decided last: of the last iteration, by the order of the agents.
fn last_accepted(records: &Records) -> Option<AcceptedComparison> {
    let order = agents(&records.config);
    let place = |judged: &&Judged| (judged.iteration, order.iter().position(|agent| *agent == judged.agent));
    let last = records.comparisons.iter().filter(|judged| judged.accepted).max_by_key(place)?;
    Some(AcceptedComparison {
        agent: last.agent.clone(),
        iteration: last.iteration,
        old_cost: last.old_cost,
        new_cost: last.new_cost,
        interval: last.interval,
    })
}

fn baselines(config: &Map<String, Value>) -> Vec<Baseline> {
    let of = |(name, figures): (&String, &Value)| {
        Some(Baseline {
            name: name.clone(),
            fraction: figures.get("fraction")?.as_f64()?,
            total_cost: figures.get("total_cost")?.as_i64()?,
            settlement_rate: figures.get("settlement_rate")?.as_f64()?,
        })
    };
    config.get("baselines").and_then(Value::as_object).into_iter().flatten().filter_map(of).collect()
}

/// How many banks' policies were replaced in the round of an iteration.
fn replaced(row: &Evaluated) -> usize {
    row.accepted.values().filter(|flag| **flag == Value::Bool(true)).count()
}

fn rejections(records: &Records) -> Vec<RejectionCount> {
    let refused = records.comparisons.iter().filter(|judged| !judged.accepted);
    let refused = refused.filter_map(|judged| Refusal::of_reason(&judged.reason)).map(Rejection::Refused);
    let mut counts: BTreeMap<Rejection, usize> = BTreeMap::new();
    for rejection in refused.chain(records.failures.iter().copied()) {
        *counts.entry(rejection).or_default() += 1;
    }
    let mut counts: Vec<RejectionCount> =
        counts.into_iter().map(|(reason, count)| RejectionCount { reason, count }).collect();
    counts.sort_by_key(|row| std::cmp::Reverse(row.count));
    counts
}

fn cautions(summary: &RunSummary, records: &Records, course: Option<&Course<'_>>) -> Vec<Caution> {
    let mut cautions = Vec::new();
    let measured = summary.total.is_some();
    if summary.status != Status::Completed {
        cautions.push(Caution::NotEnded);
    } else if !summary.converged && measured {
        cautions.push(Caution::NotConverged);
    }
    cautions.extend(nothing_proposed(summary, records));
    if records.random && summary.samples < MANY_SAMPLES && measured {
        cautions.push(Caution::FewSamples { samples: summary.samples });
    }
    if !summary.comparable && records.iterations.len() > 1 {
        cautions.push(Caution::OtherDays);
    }
    if let (Some(course), true) = (course, summary.comparable)
        && course.best.total < course.end.total
        && course.best.policies != course.end.policies
    {
        let (end, best, iteration) = (course.end.total, course.best.total, course.best_iteration);
        cautions.push(Caution::FinalNotBest { end, best, iteration });
    }
    if let Some(settlement_rate) = summary.settlement_end.filter(|rate| *rate < 1.0) {
        cautions.push(Caution::Unsettled { settlement_rate });
    }
    cautions.extend(dearer_than(summary));
    cautions
}

/// Whether there were rounds, and nothing came of any of them that could be judged.
fn nothing_proposed(summary: &RunSummary, records: &Records) -> Option<Caution> {
    let rounds = records.iterations.len() > 1 || summary.status == Status::Completed;
    let nothing = rounds && summary.total.is_some() && summary.comparisons == 0 && summary.accepted == 0;
    let count = |of: fn(&Rejection) -> bool| records.failures.iter().filter(|it| of(it)).count();
    nothing.then(|| Caution::NothingProposed {
        calls: summary.calls,
        without_reply: count(|it| *it == Rejection::NoReply),
        unusable: count(|it| matches!(it, Rejection::NoPolicy | Rejection::Unusable)),
    })
}

/// Whether the mode measures by a full run, which is the same in every iteration unless payments arrive by
/// chance. Samples are drawn anew in every iteration.
fn mode_is_one_day(config: &Map<String, Value>) -> bool {
    at(config, &["evaluation", "mode"]) != Some(&Value::from("bootstrap"))
}

/// The cheapest baseline that beats the policies at the end.
fn dearer_than(summary: &RunSummary) -> Option<Caution> {
    let (end, settled) = (summary.total.as_ref()?.end, summary.settlement_end?);
    let better = summary.baselines.iter().filter(|it| it.total_cost < end && it.settlement_rate >= settled);
    let Baseline { name, total_cost, .. } = better.min_by_key(|it| it.total_cost)?;
    Some(Caution::DearerThanBaseline { baseline: name.clone(), total_cost: *total_cost })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls takes references")]
fn rejection_words<S: serde::Serializer>(reason: &Rejection, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(reason.words())
}
