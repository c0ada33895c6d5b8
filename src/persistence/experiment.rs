//! The rows of experiments (spec 06, 4) and how they are committed: what belongs together
//! is collected in [`ExperimentWrites`] and committed at once, never before the ends of
//! the simulations that were handed over earlier.

use super::{Moment, Status};

/// A new row of `experiments`.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentStart {
    /// Name in the file.
    pub experiment_name: String,
    /// `generic` or `sweep`.
    pub experiment_type: &'static str,
    /// The resolved experiment as JSON (07, 16.2).
    pub config: String,
    /// The scenario as resolved, before any policy of the run was applied, as JSON.
    pub scenario_json: String,
    /// The experiment file as it was written.
    pub experiment_text: String,
    /// Further files: name as written to content, as a JSON object.
    pub experiment_files: String,
    /// When it started.
    pub created_at: Moment,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentEnd {
    /// How; not [`Status::Running`].
    pub status: Status,
    /// The resolved experiment with its result as JSON; `None` leaves what is there.
    pub config: Option<String>,
    /// Iterations started.
    pub num_iterations: u32,
    /// Whether a criterion other than the cap ended it.
    pub converged: bool,
    /// Why it ended.
    pub convergence_reason: String,
    /// When.
    pub completed_at: Moment,
}

/// A row of `experiment_iterations`.
#[derive(Clone, Debug, PartialEq)]
pub struct IterationRecord {
    /// From 0.
    pub iteration: u32,
    /// Bank to cents, as JSON.
    pub costs_per_agent: String,
    /// Total in cents.
    pub total_cost: i64,
    /// Bank to whether its policy was replaced, as JSON.
    pub accepted_changes: String,
    /// Bank to the policy that was evaluated, as JSON.
    pub policies: String,
    /// Of the evaluation where measured.
    pub settlement_rate: Option<f64>,
    /// Mean delay in ticks where measured.
    pub avg_delay: Option<f64>,
    /// When the evaluation ended.
    pub timestamp: Moment,
}

/// A row of `experiment_events`.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveEvent {
    /// Iteration it belongs to, from 0.
    pub iteration: u32,
    /// Kind (07, 15).
    pub event_type: &'static str,
    /// Its fields, as JSON.
    pub event_data: String,
    /// When it was emitted.
    pub timestamp: Moment,
}

/// A row of `policy_evaluations`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the columns are explained in the schema's registry")]
pub struct PolicyEvaluation {
    pub iteration: u32,
    pub agent_id: String,
    pub evaluation_mode: &'static str,
    pub proposed_policy: String,
    pub old_cost: i64,
    pub new_cost: i64,
    pub context_simulation_cost: i64,
    pub accepted: bool,
    pub acceptance_reason: String,
    pub delta_sum: i64,
    pub num_samples: u32,
    pub sample_details: Option<String>,
    pub scenario_seed: Option<i64>,
    pub timestamp: Moment,
    pub settlement_rate: Option<f64>,
    pub avg_delay: Option<f64>,
    pub cost_breakdown: Option<String>,
    pub cost_std_dev: Option<i64>,
    pub confidence_interval_95: Option<String>,
    pub agent_stats: Option<String>,
}

/// A row of `sweep_points`; replaces one with the same point and repetition.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepPoint {
    /// Number of the combination, from 0.
    pub point: u32,
    /// From 0.
    pub repetition: u32,
    /// What was varied to its value, as JSON.
    pub settings: String,
    /// Its seed.
    pub rng_seed: u64,
    /// How far it is.
    pub status: SweepPointStatus,
    /// Its simulation, if stored.
    pub simulation_id: Option<String>,
    /// Totals of the run, as JSON.
    pub figures: Option<String>,
    /// When it was done.
    pub completed_at: Option<Moment>,
}

/// How far a point of a sweep is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepPointStatus {
    /// Not run yet.
    Pending,
    /// Run to its end.
    Completed,
    /// Its run failed.
    Failed,
}

impl SweepPointStatus {
    /// The status of a stored name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        [Self::Pending, Self::Completed, Self::Failed].into_iter().find(|status| status.name() == name)
    }

    /// The name as stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

/// Rows of one run that are committed together.
#[derive(Clone, Debug)]
pub struct ExperimentWrites {
    pub(super) run_id: String,
    pub(super) writes: Vec<ExperimentWrite>,
}

/// One change of the rows of a run.
#[derive(Clone, Debug)]
pub enum ExperimentWrite {
    /// The row of the run.
    Start(ExperimentStart),
    /// The run goes on.
    Resumed,
    /// The resolved experiment as JSON, in place of the one that is stored.
    Config(String),
    /// So many iterations have started.
    IterationsStarted(u32),
    /// An iteration was evaluated.
    Iteration(IterationRecord),
    /// The round of an iteration is over.
    AcceptedChanges {
        /// From 0.
        iteration: u32,
        /// Bank to whether its policy was replaced, as JSON.
        accepted_changes: String,
    },
    /// A live event.
    Event(LiveEvent),
    /// A comparison was decided.
    Evaluation(Box<PolicyEvaluation>),
    /// A point of a sweep.
    SweepPoint(SweepPoint),
    /// A simulation is taken back.
    RemoveSimulation(String),
    /// The run has ended.
    End(ExperimentEnd),
}

impl ExperimentWrites {
    /// Nothing yet, for a run.
    #[must_use]
    pub fn new(run_id: impl Into<String>) -> Self {
        Self { run_id: run_id.into(), writes: Vec::new() }
    }

    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The run.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The changes in their order.
    #[must_use]
    pub fn changes(&self) -> &[ExperimentWrite] {
        &self.writes
    }

    /// Whether the run begins with them.
    pub(super) fn starts(&self) -> bool {
        self.writes.iter().any(|write| matches!(write, ExperimentWrite::Start(_)))
    }

    /// Whether the run goes on with them after it had ended.
    pub(super) fn resumes(&self) -> bool {
        self.writes.iter().any(|write| matches!(write, ExperimentWrite::Resumed))
    }

    /// Simulations to be taken back.
    pub(super) fn removed(&self) -> impl Iterator<Item = &str> {
        self.writes.iter().filter_map(|write| match write {
            ExperimentWrite::RemoveSimulation(id) => Some(id.as_str()),
            _ => None,
        })
    }

    fn push(&mut self, write: ExperimentWrite) -> &mut Self {
        self.writes.push(write);
        self
    }

    /// The row of the run, with status `running`.
    pub fn start(&mut self, start: ExperimentStart) -> &mut Self {
        self.push(ExperimentWrite::Start(start))
    }

    /// The run goes on: status `running` again, no end.
    pub fn resumed(&mut self) -> &mut Self {
        self.push(ExperimentWrite::Resumed)
    }

    /// The resolved experiment as JSON, in place of the one that is stored.
    pub fn config(&mut self, config: impl Into<String>) -> &mut Self {
        self.push(ExperimentWrite::Config(config.into()))
    }

    /// So many iterations have started.
    pub fn iterations_started(&mut self, num_iterations: u32) -> &mut Self {
        self.push(ExperimentWrite::IterationsStarted(num_iterations))
    }

    /// An iteration was evaluated.
    pub fn iteration(&mut self, iteration: IterationRecord) -> &mut Self {
        self.push(ExperimentWrite::Iteration(iteration))
    }

    /// The round of an iteration is over: which banks' policies were replaced, as JSON.
    pub fn accepted_changes(&mut self, iteration: u32, accepted_changes: String) -> &mut Self {
        self.push(ExperimentWrite::AcceptedChanges { iteration, accepted_changes })
    }

    /// A live event.
    pub fn event(&mut self, event: LiveEvent) -> &mut Self {
        self.push(ExperimentWrite::Event(event))
    }

    /// A comparison was decided.
    pub fn evaluation(&mut self, evaluation: PolicyEvaluation) -> &mut Self {
        self.push(ExperimentWrite::Evaluation(Box::new(evaluation)))
    }

    /// A point of a sweep.
    pub fn sweep_point(&mut self, point: SweepPoint) -> &mut Self {
        self.push(ExperimentWrite::SweepPoint(point))
    }

    /// Takes a simulation of the run back, with everything that belongs to it; its id is
    /// free again (07, 9.4).
    pub fn remove_simulation(&mut self, simulation_id: impl Into<String>) -> &mut Self {
        self.push(ExperimentWrite::RemoveSimulation(simulation_id.into()))
    }

    /// The run has ended.
    pub fn end(&mut self, end: ExperimentEnd) -> &mut Self {
        self.push(ExperimentWrite::End(end))
    }
}
