//! What a run recorded, as far as its summary needs it: read from the database, or taken from what the
//! run writes where there is none.

use serde_json::{Map, Value};

use super::super::mapping;
use crate::experiment::acceptance::Refusal;
use crate::experiment::stream::EventKind;
use crate::persistence::{
    ExperimentWrite, ExperimentWrites, IterationRow, LiveEvent, PersistenceError, Reader, Status,
};

/// The rows of a run.
#[derive(Clone, Debug)]
pub struct Records {
    pub(super) run_id: String,
    pub(super) experiment: String,
    pub(super) config: Map<String, Value>,
    /// Whether payments of the scenario arrive by chance.
    pub(super) random: bool,
    pub(super) status: Status,
    pub(super) num_iterations: i64,
    pub(super) converged: bool,
    pub(super) reason: Option<String>,
    /// In order.
    pub(super) iterations: Vec<Evaluated>,
    /// By iteration.
    pub(super) comparisons: Vec<Judged>,
    /// Calls of the proposer.
    pub(super) calls: usize,
    pub(super) failures: Vec<Rejection>,
}

/// An iteration.
#[derive(Clone, Debug)]
pub(super) struct Evaluated {
    pub iteration: u32,
    pub costs: Map<String, Value>,
    pub total: i64,
    pub policies: Map<String, Value>,
    pub accepted: Map<String, Value>,
    pub settlement_rate: Option<f64>,
}

/// A comparison.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub iteration: u32,
    pub agent: String,
    pub accepted: bool,
    pub reason: String,
    pub old_cost: i64,
    pub new_cost: i64,
    pub interval: Option<(i64, i64)>,
}

/// Why a proposal was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// A check of the comparison refused it.
    Refused(Refusal),
    /// The reply held no policy.
    NoPolicy,
    /// The policy breaks the constraints, cannot be built, or failed in its comparison.
    Unusable,
    /// The proposer gave no reply.
    NoReply,
    /// It was taken, failed in a later run and was taken back.
    TakenBack,
}

impl Rejection {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.words(),
            Self::NoPolicy => "reply without a policy",
            Self::Unusable => "policy not allowed, or failed in its comparison",
            Self::NoReply => "no reply",
            Self::TakenBack => "taken, but failed in a later run",
        }
    }

    /// Of a call without a usable policy.
    fn of_call(replied: bool, error: &str) -> Self {
        match replied {
            false => Self::NoReply,
            true if error.starts_with("Failed to parse policy JSON") => Self::NoPolicy,
            true => Self::Unusable,
        }
    }
}

/// Nothing recorded yet.
impl Default for Records {
    fn default() -> Self {
        Self {
            run_id: String::new(),
            experiment: String::new(),
            config: Map::new(),
            random: false,
            status: Status::Running,
            num_iterations: 0,
            converged: false,
            reason: None,
            iterations: Vec::new(),
            comparisons: Vec::new(),
            calls: 0,
            failures: Vec::new(),
        }
    }
}

impl Records {
    /// The rows of a recorded run; `None` if there is none of this id.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub fn read(reader: &Reader, run_id: &str) -> Result<Option<Self>, PersistenceError> {
        let Some(run) = reader.experiment(run_id)? else { return Ok(None) };
        let judged = reader.evaluations(run_id, None)?.into_iter().map(|row| Judged {
            iteration: row.iteration,
            agent: row.agent_id,
            accepted: row.accepted,
            reason: row.acceptance_reason,
            old_cost: row.old_cost,
            new_cost: row.new_cost,
            interval: interval(row.confidence_interval_95.as_deref()),
        });
        let calls = reader.calls(run_id)?;
        let failed = calls
            .iter()
            .filter_map(|call| Some(Rejection::of_call(call.replied, call.parsing_error.as_deref()?)));
        let refused = reader.live_events_of(run_id, EventKind::PolicyRejected.name(), None)?;
        let taken_back = refused.iter().filter_map(|event| taken_back(&event.event_data));
        let failures = failed.chain(taken_back).collect();
        Ok(Some(Self {
            run_id: run.run_id,
            experiment: run.experiment_name,
            config: mapping(&run.config),
            random: is_random(&run.scenario_json),
            status: run.status,
            num_iterations: run.num_iterations,
            converged: run.converged,
            reason: run.convergence_reason,
            iterations: reader.iterations(run_id)?.iter().map(Evaluated::of_row).collect(),
            comparisons: judged.collect(),
            calls: calls.len(),
            failures,
        }))
    }

    /// Takes rows that the run writes.
    pub fn take(&mut self, writes: &ExperimentWrites) {
        writes.run_id().clone_into(&mut self.run_id);
        for change in writes.changes() {
            self.take_one(change);
        }
    }

    fn take_one(&mut self, change: &ExperimentWrite) {
        match change {
            ExperimentWrite::Start(start) => {
                self.experiment.clone_from(&start.experiment_name);
                self.config = mapping(&start.config);
                self.random = is_random(&start.scenario_json);
            }
            ExperimentWrite::IterationsStarted(number) => self.num_iterations = i64::from(*number),
            ExperimentWrite::Iteration(row) => self.iterations.push(Evaluated {
                iteration: row.iteration,
                costs: mapping(&row.costs_per_agent),
                total: row.total_cost,
                policies: mapping(&row.policies),
                accepted: mapping(&row.accepted_changes),
                settlement_rate: row.settlement_rate,
            }),
            ExperimentWrite::AcceptedChanges { iteration, accepted_changes } => {
                let row = self.iterations.iter_mut().find(|row| row.iteration == *iteration);
                row.into_iter().for_each(|row| row.accepted = mapping(accepted_changes));
            }
            ExperimentWrite::Evaluation(row) => self.comparisons.push(Judged {
                iteration: row.iteration,
                agent: row.agent_id.clone(),
                accepted: row.accepted,
                reason: row.acceptance_reason.clone(),
                old_cost: row.old_cost,
                new_cost: row.new_cost,
                interval: interval(row.confidence_interval_95.as_deref()),
            }),
            ExperimentWrite::Event(event) => {
                self.calls += usize::from(event.event_type == EventKind::Interaction.name());
                self.failures.extend(failure(event));
            }
            ExperimentWrite::End(end) => {
                self.status = end.status;
                self.num_iterations = i64::from(end.num_iterations);
                self.converged = end.converged;
                self.reason = Some(end.convergence_reason.clone());
                if let Some(config) = &end.config {
                    self.config = mapping(config);
                }
            }
            _ => {}
        }
    }
}

impl Evaluated {
    fn of_row(row: &IterationRow) -> Self {
        Self {
            iteration: row.iteration,
            costs: mapping(&row.costs_per_agent),
            total: row.total_cost,
            policies: mapping(&row.policies),
            accepted: mapping(&row.accepted_changes),
            settlement_rate: row.settlement_rate,
        }
    }
}

/// The failure that an event tells of: a call without a usable policy, or a policy that was taken back.
fn failure(event: &LiveEvent) -> Option<Rejection> {
    if event.event_type == EventKind::PolicyRejected.name() {
        return taken_back(&event.event_data);
    }
    if event.event_type != EventKind::Interaction.name() {
        return None;
    }
    let data = mapping(&event.event_data);
    let error = data.get("parsing_error")?.as_str()?;
    Some(Rejection::of_call(data.get("raw_response").is_some_and(|raw| !raw.is_null()), error))
}

/// A refusal without costs is that of a policy in force that failed in a run.
fn taken_back(event_data: &str) -> Option<Rejection> {
    mapping(event_data).get("old_cost")?.is_null().then_some(Rejection::TakenBack)
}

fn interval(json: Option<&str>) -> Option<(i64, i64)> {
    serde_json::from_str(json?).ok()
}

/// Whether a bank of the scenario has arrivals by chance.
fn is_random(scenario_json: &str) -> bool {
    let scenario = mapping(scenario_json);
    let mut banks = scenario.get("agents").and_then(Value::as_array).into_iter().flatten();
    let by_chance = |bank: &Value, key| bank.get(key).is_some_and(|arrivals| !arrivals.is_null());
    banks.any(|bank| by_chance(bank, "arrival_config") || by_chance(bank, "arrival_bands"))
}
