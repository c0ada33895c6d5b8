//! Running the simulations of an experiment: full runs and samples in the sandbox, all through the one
//! loop and, where they are stored, the one provider (spec 07, 4, 7 and 16.3; P4).

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::file::PersistLevel;
use super::ids::simulation_id;
use super::memory::Memory;
use super::outcome::{Outcome, OutcomeFold, Tally};
use super::policies::{AgentPolicy, messages};
use super::sampler::Sample;
use super::sandbox::Sandbox;
use super::sweep::figures::{FiguresFold, RunFigures};
use crate::costs::Costs;
use crate::engine::TickFailure;
use crate::event::Event;
use crate::ids::{BankIdx, Names};
use crate::persistence::{
    Database, DuckDbProvider, ExperimentContext, ExperimentWrites, PersistenceError, PolicyAuthor,
    PolicySnapshot, Purpose, SimulationStart, Ticket,
};
use crate::run::{self, CancelFlag, RunFailure, SimulationRequest, Storage, TickReport};
use crate::scenario::{Policy, Scenario, ScenarioFile};
use crate::time::Tick;

/// Why a simulation of an experiment has no outcome.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RunError {
    /// Somebody asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// A bank's policy failed while it ran.
    #[error("{message}")]
    Policy {
        /// Whose.
        bank: String,
        /// What the engine says.
        message: String,
    },
    /// Anything else that went wrong in the run.
    #[error("{0}")]
    Failed(String),
    /// It could not be stored.
    #[error(transparent)]
    Storage(#[from] PersistenceError),
}

impl RunError {
    /// A measurement, `None` if what was measured cannot run; that is no failure of who measures.
    ///
    /// # Errors
    /// What concerns more than the policy that is measured.
    pub fn measurable<T>(measured: Result<T, Self>) -> Result<Option<T>, Self> {
        match measured {
            Ok(measured) => Ok(Some(measured)),
            Err(Self::Policy { .. } | Self::Failed(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// An optimised agent.
#[derive(Clone, Debug)]
pub struct OptimizedAgent {
    /// Its id.
    pub id: String,
    /// Its place in the scenario.
    pub bank: BankIdx,
    /// Its sandbox.
    pub sandbox: Sandbox,
    /// Whether it has a liquidity pool.
    pub has_pool: bool,
}

/// Where a run's simulations are stored.
#[derive(Debug)]
pub struct Store {
    /// What stores them.
    pub provider: DuckDbProvider,
    /// Which of them.
    pub level: PersistLevel,
    /// File name of the scenario, without folder.
    pub scenario_file: String,
    /// Title of the scenario.
    pub scenario_name: String,
}

/// The place of a simulation, or of a batch of samples, in the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number, from 1.
    pub number: u64,
    /// Why it is run.
    pub purpose: Purpose,
    /// Iteration, from 0.
    pub iteration: u32,
}

/// A simulation that is to be stored.
struct Stored {
    number: u64,
    id: String,
    context: ExperimentContext,
}

/// A policy of one agent on one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleOutcome {
    /// The agent's costs.
    pub costs: Costs,
    /// Their sum, in cents.
    pub cost: i64,
    /// The agent's own payments.
    pub tally: Tally,
    /// Events of the run.
    pub events: u64,
}

/// Everything that simulations of one experiment share.
#[derive(Debug)]
pub struct Laboratory {
    scenario: ScenarioFile,
    agents: Vec<OptimizedAgent>,
    ticks: u64,
    run_id: String,
    store: Option<Store>,
    cancel: CancelFlag,
    tickets: Mutex<Vec<Ticket>>,
    /// Numbers and ids stored since the last mark, so that they can be taken back.
    stored: Mutex<Vec<(u64, String)>>,
    /// What is stored already, if the run goes on after an interruption.
    memory: Option<Memory>,
}

impl Laboratory {
    /// Prepares the simulations of a run.
    ///
    /// # Errors
    /// An optimised agent that is no bank of the scenario.
    pub fn new(
        scenario: ScenarioFile,
        agents: &[String],
        ticks: u64,
        run_id: &str,
        store: Option<Store>,
        cancel: CancelFlag,
    ) -> Result<Self, String> {
        let names = Names::new(scenario.agents.iter().map(|bank| bank.id.clone()));
        let sink = Policy::fifo().map_err(|findings| messages(&findings))?;
        let agents = agents
            .iter()
            .map(|id| {
                let unknown = || format!("the scenario has no bank `{id}`");
                Ok(OptimizedAgent {
                    id: id.clone(),
                    bank: names.find(id).ok_or_else(unknown)?,
                    sandbox: Sandbox::new(&scenario, id, ticks, &sink).ok_or_else(unknown)?,
                    has_pool: scenario.agent(id).is_some_and(|bank| bank.liquidity_pool.is_some()),
                })
            })
            .collect::<Result<Vec<_>, String>>()?;
        let (tickets, stored) = (Mutex::default(), Mutex::default());
        let run_id = run_id.to_owned();
        Ok(Self { scenario, agents, ticks, run_id, store, cancel, tickets, stored, memory: None })
    }

    /// The same with what is stored of the run already.
    #[must_use]
    pub fn remembering(mut self, memory: Option<Memory>) -> Self {
        self.memory = memory;
        self
    }

    /// The optimised agents in their order.
    #[must_use]
    pub fn agents(&self) -> &[OptimizedAgent] {
        &self.agents
    }

    /// The scenario as read.
    #[must_use]
    pub const fn scenario(&self) -> &ScenarioFile {
        &self.scenario
    }

    /// Ticks of every simulation.
    #[must_use]
    pub const fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Whether somebody asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// The scenario with a policy for each optimised agent, and a seed.
    #[must_use]
    pub fn full_scenario(&self, policies: &[AgentPolicy], seed: u64) -> ScenarioFile {
        let mut scenario = self.scenario.clone();
        scenario.seed = seed;
        for (agent, policy) in self.agents.iter().zip(policies) {
            if let Ok(bank) = scenario.agent_mut(&agent.id) {
                policy.apply_to(bank);
            }
        }
        scenario
    }

    /// Whether a policy can be built into the scenario for an agent.
    ///
    /// # Errors
    /// The messages of the check.
    pub fn check(&self, agent: usize, policy: &AgentPolicy) -> Result<(), String> {
        let mut scenario = self.scenario.clone();
        if let Ok(bank) = scenario.agent_mut(&self.agents[agent].id) {
            policy.apply_to(bank);
        }
        scenario.resolve().map(|_| ()).map_err(|findings| messages(&findings))
    }

    /// Whether simulations of a place are stored.
    #[must_use]
    pub fn stores(&self, place: &Place, in_sandbox: bool) -> bool {
        let level = self.store.as_ref().map_or(PersistLevel::None, |store| store.level);
        let primary = !in_sandbox && !matches!(place.purpose, Purpose::Old | Purpose::New);
        match level {
            PersistLevel::None => false,
            PersistLevel::Primary => primary,
            PersistLevel::All => true,
        }
    }

    /// A full run; it is stored if its place is one that is stored.
    ///
    /// # Errors
    /// Why it has no outcome.
    pub fn full_run(
        &self,
        policies: &[AgentPolicy],
        seed: u64,
        with_history: bool,
        place: Option<(&Place, Option<usize>)>,
    ) -> Result<Outcome, RunError> {
        let scenario = self.full_scenario(policies, seed);
        let authors: Vec<(&str, PolicyAuthor)> = self
            .agents
            .iter()
            .map(|agent| agent.id.as_str())
            .zip(policies.iter().map(AgentPolicy::author))
            .collect();
        let stored = place.filter(|(place, _)| self.stores(place, false)).map(|(place, compared)| {
            let compared = compared.map(|agent| self.agents[agent].id.clone());
            self.context(place, compared, None)
        });
        self.simulate(&scenario, with_history, stored, &authors)
    }

    /// A full run that leaves no trace but what `see` makes of its events.
    ///
    /// # Errors
    /// Why it came to no end.
    pub fn watch(
        &self,
        policies: &[AgentPolicy],
        seed: u64,
        see: &mut dyn FnMut(Tick, &Event, &Names),
    ) -> Result<(), RunError> {
        let file = self.full_scenario(policies, seed);
        let scenario = resolved(&file)?;
        let mut observer = |report: &TickReport<'_>| {
            report.events.iter().for_each(|event| see(report.tick, event, &scenario.names));
        };
        self.run(&file, &scenario, None, &[], &mut observer)
    }

    /// A run of a point of a sweep; it is stored if its place is one that is stored.
    ///
    /// # Errors
    /// Why it has no figures.
    pub fn sweep_run(
        &self,
        file: &ScenarioFile,
        place: &Place,
        repetition: u32,
    ) -> Result<RunFigures, RunError> {
        let scenario = resolved(file)?;
        let stored = self.stores(place, false).then(|| {
            let Stored { number, id, context } = self.context(place, None, None);
            Stored { number, id, context: ExperimentContext { sample: Some(repetition), ..context } }
        });
        let mut fold = FiguresFold::new(&scenario);
        let mut fault = None;
        let mut observer = |report: &TickReport<'_>| {
            if fault.is_none() {
                fault = fold.tick(report.tick, report.events).err();
            }
        };
        self.run(file, &scenario, stored, &[], &mut observer)?;
        match fault {
            None => Ok(fold.finish()),
            Some(fault) => Err(RunError::Failed(format!("the events do not fit together: {fault}"))),
        }
    }

    /// A policy of an agent on all its samples, in sample order whatever the number of workers.
    ///
    /// # Errors
    /// The error of the first sample that has no outcome.
    pub fn batch(
        &self,
        agent: usize,
        samples: &[Sample],
        policy: &AgentPolicy,
        place: Option<&Place>,
    ) -> Result<Vec<SampleOutcome>, RunError> {
        let place = place.filter(|place| self.stores(place, true));
        let outcomes: Vec<Result<SampleOutcome, RunError>> =
            samples.par_iter().map(|sample| self.sample_run(agent, sample, policy, place)).collect();
        outcomes.into_iter().collect()
    }

    /// A policy of an agent on one sample.
    ///
    /// # Errors
    /// Why it has no outcome.
    pub fn sample_run(
        &self,
        agent: usize,
        sample: &Sample,
        policy: &AgentPolicy,
        place: Option<&Place>,
    ) -> Result<SampleOutcome, RunError> {
        let agent = &self.agents[agent];
        let scenario = agent.sandbox.scenario(sample, policy);
        let stored = place.map(|place| self.context(place, Some(agent.id.clone()), Some(sample.index)));
        let outcome = self.simulate(&scenario, false, stored, &[(&agent.id, policy.author())])?;
        let bank = agent.sandbox.bank();
        Ok(SampleOutcome {
            costs: outcome.costs[bank.at()],
            cost: outcome.cost(bank),
            tally: outcome.tallies[bank.at()],
            events: outcome.events,
        })
    }

    fn context(&self, place: &Place, agent: Option<String>, sample: Option<usize>) -> Stored {
        let context = ExperimentContext {
            run_id: self.run_id.clone(),
            iteration: place.iteration,
            purpose: place.purpose,
            agent,
            sample: sample.and_then(|sample| u32::try_from(sample).ok()),
        };
        let id = simulation_id(&self.run_id, place.number, place.purpose, sample);
        Stored { number: place.number, id, context }
    }

    fn simulate(
        &self,
        file: &ScenarioFile,
        with_history: bool,
        stored: Option<Stored>,
        authors: &[(&str, PolicyAuthor)],
    ) -> Result<Outcome, RunError> {
        let scenario = resolved(file)?;
        if let (Some(memory), Some(Stored { number, id, .. })) = (&self.memory, &stored)
            && let Some(outcome) = memory.recall(id, &file.to_json(), &scenario, with_history)?
        {
            locked(&self.stored).push((*number, id.clone()));
            return Ok(outcome);
        }
        let mut fold = OutcomeFold::new(scenario.banks.len(), with_history);
        let mut observer = |report: &TickReport<'_>| fold.tick(report.tick, report.events);
        self.run(file, &scenario, stored, authors, &mut observer)?;
        Ok(fold.finish())
    }

    /// The one way in which a run of an experiment is simulated.
    fn run(
        &self,
        file: &ScenarioFile,
        scenario: &Arc<Scenario>,
        place: Option<Stored>,
        authors: &[(&str, PolicyAuthor)],
        observer: &mut dyn run::Observer,
    ) -> Result<(), RunError> {
        if self.cancel.is_cancelled() {
            return Err(RunError::Cancelled);
        }
        let mut storage = None;
        if let (Some(store), Some(Stored { number, id, context })) = (&self.store, place) {
            locked(&self.stored).push((number, id.clone()));
            let start = SimulationStart {
                simulation_id: id,
                scenario: Arc::clone(scenario),
                config_json: file.to_json().into(),
                config_file: store.scenario_file.clone(),
                config_name: store.scenario_name.clone(),
                description: None,
                num_ticks: self.ticks,
                experiment: Some(context),
                policies: snapshots(file, authors),
            };
            storage = Some(Storage { provider: &store.provider, start, checkpoint_every: None });
        }
        let request = SimulationRequest { scenario: Arc::clone(scenario), ticks: self.ticks };
        let finished = run::simulate(&request, storage, observer, &self.cancel)?;
        if let Some(ticket) = finished.ticket {
            locked(&self.tickets).push(ticket);
        }
        match finished.outcome {
            run::Outcome::Completed => Ok(()),
            run::Outcome::Cancelled => Err(RunError::Cancelled),
            run::Outcome::Failed(failure) => Err(failed(&failure)),
        }
    }

    /// Forgets which simulations were stored before now.
    pub fn mark(&self) {
        locked(&self.stored).clear();
    }

    /// The simulations with this number or a later one that were stored since the last mark.
    #[must_use]
    pub fn stored_since_mark(&self, number: u64) -> Vec<String> {
        let stored = std::mem::take(&mut *locked(&self.stored));
        stored.into_iter().filter(|(of_id, _)| *of_id >= number).map(|(_, id)| id).collect()
    }

    /// Simulations with this number or a later one that are remembered and were not asked for; they are
    /// no longer remembered then.
    #[must_use]
    pub fn leftovers(&self, number: u64) -> Vec<String> {
        self.memory.as_ref().map_or_else(Vec::new, |memory| memory.forget_from(&self.run_id, number))
    }

    /// Commits rows with the simulations that ended before, in one commit: what is handed over meanwhile
    /// is left to the next one.
    ///
    /// # Errors
    /// Why something of it could not be.
    pub fn commit(&self, database: &Database, writes: ExperimentWrites) -> Result<(), PersistenceError> {
        let tickets = std::mem::take(&mut *locked(&self.tickets));
        database.commit(writes)?.wait()?;
        Ticket::wait_all(tickets)
    }
}

fn resolved(file: &ScenarioFile) -> Result<Arc<Scenario>, RunError> {
    file.resolve().map(Arc::new).map_err(|findings| RunError::Failed(messages(&findings)))
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What these mutexes guard are lists that are whole at any moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The policy of every bank with whoever it comes from.
fn snapshots(file: &ScenarioFile, authors: &[(&str, PolicyAuthor)]) -> Vec<PolicySnapshot> {
    file.agents
        .iter()
        .map(|bank| PolicySnapshot {
            agent: bank.id.to_string(),
            policy_json: bank.policy.to_node().to_json_text().into(),
            created_by: authors
                .iter()
                .find(|(agent, _)| *agent == &*bank.id)
                .map_or(PolicyAuthor::Init, |(_, author)| *author),
        })
        .collect()
}

fn failed(failure: &RunFailure) -> RunError {
    let message = failure.to_string();
    match failure {
        RunFailure::Engine(error) => match &error.cause {
            TickFailure::Policy { bank, .. } | TickFailure::TooManyParts { bank, .. } => {
                RunError::Policy { bank: bank.clone(), message }
            }
            TickFailure::Overflow { .. } => RunError::Failed(message),
        },
        RunFailure::Panic { .. } => RunError::Failed(message),
    }
}
