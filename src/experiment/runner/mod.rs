//! Running an experiment from its start to its end (spec 07, 9 and 14).

mod baselines;
mod compare;
mod ending;
mod journal;
mod measure;
mod numbers;
mod resume;
mod round;
#[cfg(test)]
mod tests;
mod workbench;

use std::hash::{BuildHasher, Hasher};
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::convergence::{Detector, PolicyStability};
use super::file::{Experiment, Mode};
use super::ids;
use super::laboratory::{Laboratory, RunError, Store};
use super::policies::{AgentPolicy, DEFAULT_FRACTION, default_policy};
use super::proposers::{AgentHistory, Chosen, ChosenKind, Proposer};
use super::recorded::{CONTINUED_BY, NO_BASELINES};
use super::stream::{EventKind, StreamEvent};
use super::sweep::{self, Points};
use crate::finding::{Finding, Findings, meant, nearest};
use crate::persistence::{
    Database, ExperimentStart, ExperimentWrites, Moment, PersistenceError, PolicyAuthor, Purpose, Status,
    SweepPoint, check_id,
};
use crate::run::CancelFlag;
use crate::scenario::ScenarioFile;
pub use baselines::EVALUATIONS as BASELINE_EVALUATIONS;
use journal::Journal;
use measure::{Context, Evaluation};
pub use resume::{Past, resume};

/// An experiment that passed every check that is made before anything runs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The experiment.
    pub experiment: Experiment,
    /// Its scenario, as read.
    pub scenario: ScenarioFile,
    /// File name of the scenario, without folder.
    pub scenario_file: String,
    /// Title of the scenario.
    pub scenario_name: String,
    /// Who proposes.
    pub proposer: Chosen,
}

/// How an experiment is run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Run id; a new one if none is given.
    pub run_id: Option<String>,
    /// Threads for simulations; as many as there are processors if none is given. No result depends on it.
    pub workers: Option<usize>,
    /// Leave out what simple policies would have cost, which is measured at the end (spec 07, 20.4).
    pub no_baselines: bool,
}

impl RunOptions {
    /// The threads for simulations.
    pub(in crate::experiment) fn threads(&self) -> Result<rayon::ThreadPool, ExperimentError> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.workers.unwrap_or(0))
            .build()
            .map_err(|error| ExperimentError::Threads(error.to_string()))
    }
}

/// Sees a run while it goes on.
pub trait Observer: Send {
    /// The run begins; where there is a database, its row is committed.
    fn started(&mut self, _run_id: &str) {}
    /// An event that was recorded before a run was interrupted that now goes on.
    fn recalled(&mut self, _event: &StreamEvent) {}
    /// A live event; where there is a database, it is committed.
    fn event(&mut self, _event: &StreamEvent) {}
    /// Rows that nothing stores, where there is no database.
    fn unstored(&mut self, _rows: &ExperimentWrites) {}
    /// A simulation, or a batch of samples, is done.
    fn simulation(&mut self, _note: &SimulationNote) {}
    /// A piece of a language model's reply for an agent in one of its calls; the whole reply follows as
    /// an event.
    fn heard(&mut self, _agent: &str, _call: u32, _piece: &str) {}
    /// So many runs of a sweep had ended before it was interrupted; it now goes on.
    fn recalled_points(&mut self, _number: u64) {}
    /// A run of a sweep has ended; where there is a database, its row is committed.
    fn point(&mut self, _note: &PointNote) {}
}

/// Nobody watches.
impl Observer for () {}

/// A simulation that is done, or a batch of samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulationNote {
    /// Its id; of a batch that of its first sample.
    pub id: String,
    /// Why it was run.
    pub purpose: Purpose,
    /// Iteration, from 0.
    pub iteration: u32,
    /// Samples of a batch; 0 for a full run.
    pub samples: usize,
    /// Whether it is stored.
    pub stored: bool,
}

/// A run of a sweep that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointNote {
    /// Number of the combination, from 0.
    pub point: u32,
    /// From 0.
    pub repetition: u32,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// Policies of the optimised agents with their costs in one evaluation.
#[derive(Clone, Debug)]
pub struct Standing {
    /// By agent, in the order of the file.
    pub policies: Vec<AgentPolicy>,
    /// Cost of each, in cents.
    pub costs: Vec<i64>,
    /// Their sum.
    pub total: i64,
    /// Settlement rate of the payments that were measured.
    pub settlement_rate: f64,
    /// Their mean delay in ticks.
    pub average_delay: f64,
    /// Iteration of the evaluation, from 0.
    pub iteration: u32,
}

/// What came of a run (spec 07, 14).
#[derive(Clone, Debug)]
pub struct RunResult {
    /// Its id.
    pub run_id: String,
    /// Completed, failed or cancelled.
    pub status: Status,
    /// Iterations started.
    pub num_iterations: u32,
    /// Whether a criterion other than the cap ended it.
    pub converged: bool,
    /// Why it ended.
    pub convergence_reason: String,
    /// Optimised agents, in the order of the file.
    pub agents: Vec<String>,
    /// The last evaluation.
    pub last: Option<Standing>,
    /// The evaluation with the least total, the earliest of equals.
    pub best: Option<Standing>,
    /// Totals, one for each iteration.
    pub iteration_history: Vec<i64>,
    /// The rows of a sweep, by repetition, then by point; nothing else of the above is its result.
    pub sweep_points: Vec<SweepPoint>,
}

/// Why an experiment could not be run, or its end not be recorded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExperimentError {
    /// It is refused before anything runs.
    #[error("the experiment cannot be run")]
    Refused(Findings),
    /// What it writes cannot be stored.
    #[error(transparent)]
    Storage(#[from] PersistenceError),
    /// It came to its end already.
    #[error("run `{0}` is completed; there is nothing to go on with")]
    Completed(String),
    /// It has not ended.
    #[error("run `{0}` is running")]
    Running(String),
    /// Another version of the program wrote it.
    #[error(
        "run `{run}` was recorded by version {version}, this is version {}",
        env!("CARGO_PKG_VERSION")
    )]
    OtherVersion {
        /// The run.
        run: String,
        /// The version that wrote its last rows.
        version: String,
    },
    /// Its threads could not be started.
    #[error("no threads for simulations: {0}")]
    Threads(String),
}

impl ExperimentError {
    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Completed(run) => {
                Some(format!("`payment-sim experiment rerun {run}` runs the experiment once more"))
            }
            Self::OtherVersion { run, .. } => Some(format!(
                "`payment-sim experiment resume {run} --force` goes on all the same, and the record says so"
            )),
            Self::Storage(error) => error.hint(),
            Self::Refused(_) | Self::Running(_) | Self::Threads(_) => None,
        }
    }
}

impl Plan {
    /// Checks that the experiment can be run on the scenario.
    ///
    /// # Errors
    /// An optimised agent that is no bank of the scenario, or one that cannot have the default policy;
    /// an axis of a sweep that names no setting, a point that is no scenario.
    pub fn prepare(
        experiment: Experiment,
        scenario: ScenarioFile,
        scenario_file: &str,
        proposer: Chosen,
    ) -> Result<Self, Findings> {
        if let Some(sweep) = &experiment.sweep {
            Points::new(sweep, &scenario, &experiment.files).check().map_err(|mut findings| {
                experiment.place_findings(&mut findings);
                findings
            })?;
        }
        let mut findings = Findings::default();
        for (index, id) in experiment.optimized_agents.iter().enumerate() {
            if scenario.agent(id).is_none() {
                let known: Vec<&str> = scenario.agents.iter().map(|bank| &*bank.id).collect();
                let near = nearest(id, known);
                let message = format!("the scenario has no bank `{id}`{}", meant(near));
                findings.push(Finding::error(format!("optimized_agents[{index}]"), None, message));
            }
        }
        if findings.has_errors() {
            return Err(findings);
        }
        let title = scenario_file.rsplit_once('.').map_or(scenario_file, |(stem, _)| stem).to_owned();
        let scenario_file = scenario_file.to_owned();
        let plan = Self { experiment, scenario, scenario_file, scenario_name: title, proposer };
        plan.laboratory("", None, CancelFlag::default())
            .and_then(|lab| {
                let policies = plan.default_policies()?;
                policies.iter().enumerate().try_for_each(|(agent, policy)| lab.check(agent, policy))
            })
            .map_err(|message| Findings(vec![Finding::error("optimized_agents", None, message)]))?;
        Ok(plan)
    }

    /// What the user should know of the proposer before the run.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        let has_pool =
            |agent: &str| self.scenario.agent(agent).is_some_and(|bank| bank.liquidity_pool.is_some());
        let futility = self.proposer.futility(&self.experiment, &has_pool);
        self.proposer.notice.iter().cloned().chain(futility).collect()
    }

    fn default_policies(&self) -> Result<Vec<AgentPolicy>, String> {
        let build = |agent: &String| {
            AgentPolicy::build(default_policy(agent, DEFAULT_FRACTION), PolicyAuthor::Default)
        };
        self.experiment.optimized_agents.iter().map(build).collect()
    }

    pub(in crate::experiment) fn laboratory(
        &self,
        run_id: &str,
        store: Option<Store>,
        cancel: CancelFlag,
    ) -> Result<Laboratory, String> {
        let Experiment { optimized_agents, evaluation, .. } = &self.experiment;
        Laboratory::new(self.scenario.clone(), optimized_agents, evaluation.ticks, run_id, store, cancel)
    }

    pub(in crate::experiment) fn store(&self, database: &Database) -> Result<Store, PersistenceError> {
        Ok(Store {
            provider: database.provider()?,
            level: self.experiment.persist_simulations,
            scenario_file: self.scenario_file.clone(),
            scenario_name: self.scenario_name.clone(),
        })
    }

    /// The resolved experiment as stored with a run, without its result.
    pub(in crate::experiment) fn config(&self) -> Map<String, Value> {
        self.experiment.to_config(self.proposer.name(), &self.proposer.model())
    }

    /// Every further file that the experiment uses besides the scenario: name as written to content.
    pub(in crate::experiment) fn files(&self) -> Value {
        let mut files: Map<String, Value> =
            self.experiment.files.iter().map(|(name, text)| (name.clone(), json!(text))).collect();
        if let ChosenKind::Script { file, script } = &self.proposer.kind {
            files.insert(file.clone(), json!(script.text));
        }
        Value::Object(files)
    }
}

/// A run that goes on.
struct Run<'a> {
    plan: &'a Plan,
    lab: Laboratory,
    journal: Journal<'a>,
    proposer: Box<dyn Proposer + Send>,
    /// For each agent the policies that were in force, the present one last.
    policies: Vec<Vec<AgentPolicy>>,
    histories: Vec<AgentHistory>,
    /// The context run of the iteration, in bootstrap mode.
    context: Option<Rc<Context>>,
    /// Whether simple policies are measured at the end.
    with_baselines: bool,
    next_number: u64,
    /// Number of the first simulation whose step is not recorded.
    open_from: Option<u64>,
    detector: Detector,
    stability: PolicyStability,
    num_iterations: u32,
    /// Iterations that had started before an interruption.
    iterations_before: u32,
    /// Settlement rate and mean delay of the evaluations that are recorded, by iteration.
    rates: Vec<(f64, f64)>,
    /// Other versions of the program that went on with the run; null if there was none.
    continued_by: Value,
    totals: Vec<i64>,
    last: Option<Standing>,
    best: Option<Standing>,
    /// Calls of the proposer in the whole run.
    calls: u64,
    /// Tokens of all calls.
    tokens: u64,
}

/// How the loop ended.
struct Ended {
    converged: bool,
    reason: String,
}

/// Runs an experiment to its end, whatever that is; a run that failed or was cancelled has a result too.
///
/// # Errors
/// What is refused before anything runs, and a database that cannot be written.
pub fn run(
    plan: &Plan,
    options: &RunOptions,
    database: Option<&Database>,
    observer: &mut dyn Observer,
    cancel: &CancelFlag,
) -> Result<RunResult, ExperimentError> {
    let run_id = options.run_id.clone().unwrap_or_else(|| new_run_id(&plan.experiment.name));
    check_id("run", &run_id)?;
    carry_out(plan, options, &run_id, database, observer, cancel, None)
}

/// Runs an experiment, or goes on with a run of it.
fn carry_out(
    plan: &Plan,
    options: &RunOptions,
    run_id: &str,
    database: Option<&Database>,
    observer: &mut dyn Observer,
    cancel: &CancelFlag,
    past: Option<Past>,
) -> Result<RunResult, ExperimentError> {
    if plan.experiment.sweep.is_some() {
        return sweep::run(plan, options, run_id, database, observer, cancel);
    }
    let threads = options.threads()?;
    let with_baselines = !options.no_baselines;
    let refused =
        |message: String| ExperimentError::Refused(Findings(vec![Finding::error("", None, message)]));
    let store = database.map(|database| plan.store(database)).transpose()?;
    let lab = plan.laboratory(run_id, store, cancel.clone()).map_err(refused)?;
    let policies = plan.default_policies().map_err(refused)?;
    let proposer = plan.proposer.start().map_err(refused)?;
    threads.install(|| match past {
        None => {
            let journal = Journal::new(run_id.to_owned(), database, observer, Vec::new());
            Run { with_baselines, ..Run::new(plan, lab, proposer, policies, journal) }.go()
        }
        Some(Past { events, memory, iterations, rates, continued_by }) => {
            let lab = lab.remembering(Some(memory));
            let journal = Journal::new(run_id.to_owned(), database, observer, events);
            let run = Run::new(plan, lab, proposer, policies, journal);
            Run { with_baselines, iterations_before: iterations, rates, continued_by, ..run }.go()
        }
    })
}

/// A run id of now.
#[must_use]
pub fn new_run_id(name: &str) -> String {
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    ids::run_id(name, &Moment::now().format("%Y%m%d-%H%M%S"), random as u32)
}

impl<'a> Run<'a> {
    fn new(
        plan: &'a Plan,
        lab: Laboratory,
        proposer: Box<dyn Proposer + Send>,
        policies: Vec<AgentPolicy>,
        journal: Journal<'a>,
    ) -> Self {
        let Experiment { optimized_agents, evaluation, convergence, .. } = &plan.experiment;
        let thresholds = convergence.thresholds;
        let detector = match evaluation.mode {
            Mode::Bootstrap => Detector::bootstrap(thresholds),
            _ => Detector::stability(thresholds),
        };
        Self {
            plan,
            lab,
            journal,
            proposer,
            histories: policies.iter().map(|_| AgentHistory::default()).collect(),
            policies: policies.into_iter().map(|policy| vec![policy]).collect(),
            context: None,
            with_baselines: true,
            next_number: 1,
            open_from: None,
            detector,
            stability: PolicyStability::new(optimized_agents, thresholds.window),
            num_iterations: 0,
            iterations_before: 0,
            rates: Vec::new(),
            continued_by: Value::Null,
            totals: Vec::new(),
            last: None,
            best: None,
            calls: 0,
            tokens: 0,
        }
    }

    fn go(mut self) -> Result<RunResult, ExperimentError> {
        self.start()?;
        let (status, ended) = match self.iterate() {
            Ok(ended) => (Status::Completed, ended),
            Err(RunError::Cancelled) => {
                (Status::Cancelled, Ended { converged: false, reason: "Cancelled".to_owned() })
            }
            Err(error) => {
                let ended = Ended { converged: false, reason: format!("Failed: {error}") };
                if let RunError::Storage(cause) = error {
                    // What can still be written is: the next opening finds the run interrupted otherwise.
                    let _ = self.end(Status::Failed, &ended);
                    return Err(cause.into());
                }
                (Status::Failed, ended)
            }
        };
        self.end(status, &ended)?;
        Ok(RunResult {
            run_id: self.journal.run_id().to_owned(),
            status,
            num_iterations: self.num_iterations,
            converged: ended.converged,
            convergence_reason: ended.reason,
            agents: self.plan.experiment.optimized_agents.clone(),
            last: self.last,
            best: self.best,
            iteration_history: self.totals,
            sweep_points: Vec::new(),
        })
    }

    fn config(&self) -> Map<String, Value> {
        let mut config = self.plan.config();
        if !self.with_baselines {
            config.insert(NO_BASELINES.to_owned(), json!(true));
        }
        if !self.continued_by.is_null() {
            config.insert(CONTINUED_BY.to_owned(), self.continued_by.clone());
        }
        config
    }

    fn start(&mut self) -> Result<(), PersistenceError> {
        let Plan { experiment, scenario, .. } = self.plan;
        let config = Value::Object(self.config()).to_string();
        if !self.journal.is_live() {
            self.journal.writes().resumed().config(config);
            self.journal.begin(&self.lab)?;
            self.emit_start();
            return self.commit();
        }
        self.journal.writes().start(ExperimentStart {
            experiment_name: experiment.name.clone(),
            experiment_type: "generic",
            config,
            scenario_json: scenario.to_json(),
            experiment_text: experiment.text.clone(),
            experiment_files: self.plan.files().to_string(),
            created_at: Moment::now(),
        });
        self.emit_start();
        self.journal.begin(&self.lab)
    }

    fn emit_start(&mut self) {
        let Plan { experiment, proposer, .. } = self.plan;
        let data = json!({
            "experiment_name": experiment.name,
            "evaluation_mode": experiment.evaluation.mode.name(),
            "num_samples": experiment.evaluation.num_samples,
            "max_iterations": experiment.convergence.max_iterations,
            "proposer": proposer.name(),
            "model": proposer.model(),
        });
        self.journal.emit(StreamEvent::new(0, EventKind::ExperimentStart, data));
    }

    /// The loop of spec 07, 9.
    fn iterate(&mut self) -> Result<Ended, RunError> {
        let max_iterations = self.plan.experiment.convergence.max_iterations;
        let temporal = self.plan.experiment.evaluation.mode == Mode::DeterministicTemporal;
        let mut iteration = 0;
        loop {
            self.num_iterations = iteration + 1;
            self.journal.writes().iterations_started(iteration + 1);
            let context = self.context(iteration)?;
            let evaluation = self.evaluate(iteration, Purpose::Eval, context.as_deref())?;
            self.record(iteration, &evaluation, context.as_deref())?;
            let criterion = self.detector.record(evaluation.total as f64);
            let ended = match criterion {
                Some(reason) => Some(Ended { converged: true, reason }),
                None if iteration + 1 >= max_iterations => {
                    let reason = format!("Max iterations reached ({max_iterations})");
                    Some(Ended { converged: false, reason })
                }
                None => None,
            };
            let round = match ended {
                Some(_) => round::Round::idle(self.policies.len()),
                None => self.round(iteration, &evaluation, context.as_deref())?,
            };
            self.end_iteration(iteration, &evaluation, &round)?;
            if let Some(ended) = ended {
                return Ok(ended);
            }
            if temporal && self.stability.all_stable() {
                self.closing_evaluation(iteration, &evaluation)?;
                return Ok(Ended { converged: true, reason: "policy_stability".to_owned() });
            }
            iteration += 1;
        }
    }

    /// The policies in force.
    fn in_force(&self) -> Vec<AgentPolicy> {
        self.policies.iter().filter_map(|stack| stack.last().cloned()).collect()
    }

    fn consider(&mut self, iteration: u32, evaluation: &Evaluation) {
        let standing = Standing {
            policies: evaluation.policies.clone(),
            costs: evaluation.costs.clone(),
            total: evaluation.total,
            settlement_rate: evaluation.settlement_rate,
            average_delay: evaluation.average_delay,
            iteration,
        };
        if self.best.as_ref().is_none_or(|best| standing.total < best.total) {
            self.best = Some(standing.clone());
        }
        self.last = Some(standing);
    }
}
