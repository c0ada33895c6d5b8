//! A run as the database holds it, and the plan that it followed: from its row alone, no file is read
//! again (spec 06, 4.1; 07, 16.2 and 18).

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::file::{Experiment, LlmSettings, PersistLevel};
use super::proposers::{Chosen, ChosenKind, Environment, Replies, Wishes};
use super::runner::Plan;
use super::stream::StreamEvent;
use crate::finding::{Finding, Findings};
use crate::library::{self, Kind};
use crate::persistence::{ExperimentRow, PersistenceError, Reader, SimulationFilter, SimulationRow, Status};
use crate::scenario::{self, Format, NoFiles, Overrides, ScenarioFile};

/// The key of a run's configuration that says which other versions of the program went on with it.
pub const CONTINUED_BY: &str = "continued_by";

/// The key of a run's configuration that says that no baselines were to be measured.
pub const NO_BASELINES: &str = "no_baselines";

/// A recorded run.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    /// Its row.
    pub row: ExperimentRow,
    /// Its configuration.
    pub config: Map<String, Value>,
    /// Its events in order.
    pub events: Vec<StreamEvent>,
    /// Settlement rate and mean delay of its evaluations, by iteration.
    pub rates: Vec<(f64, f64)>,
    /// Its stored simulations.
    pub simulations: Vec<SimulationRow>,
}

/// What is to be otherwise in a new run of a recorded experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Master seed in decimal.
    pub seed: Option<String>,
    /// Proposer, as on the command line.
    pub proposer: Option<String>,
}

impl RecordedRun {
    /// Reads a run.
    ///
    /// # Errors
    /// There is no such run, the database cannot be read, or a row is nothing that this program wrote.
    pub fn read(reader: &Reader, run_id: &str) -> Result<Self, PersistenceError> {
        let row = reader.experiment(run_id)?.ok_or_else(|| reader.database().unknown_run(run_id))?;
        let corrupt = |reason: String| PersistenceError::Corrupt {
            what: format!("the record of run `{run_id}`"),
            reason,
        };
        let config = serde_json::from_str(&row.config)
            .map_err(|error| corrupt(format!("its configuration cannot be read: {error}")))?;
        let events = reader.live_events(run_id, None)?;
        let read = |row| {
            StreamEvent::from_row(row).ok_or_else(|| corrupt(format!("its event {} cannot be read", row.id)))
        };
        let events = events.iter().map(read).collect::<Result<_, _>>()?;
        let filter = SimulationFilter { run: Some(run_id.to_owned()), ..SimulationFilter::default() };
        let mut simulations = reader.simulations(&filter)?.rows;
        simulations.sort_by(|one, other| one.simulation_id.cmp(&other.simulation_id));
        let iterations = reader.iterations(run_id)?;
        let rates = iterations
            .iter()
            .map(|row| (row.settlement_rate.unwrap_or_default(), row.avg_delay.unwrap_or_default()));
        Ok(Self { row, config, events, rates: rates.collect(), simulations })
    }

    /// Whether it is a sweep.
    #[must_use]
    pub fn is_sweep(&self) -> bool {
        self.row.experiment_type == "sweep"
    }

    /// Whether no baselines were to be measured.
    #[must_use]
    pub fn is_without_baselines(&self) -> bool {
        self.config.get(NO_BASELINES) == Some(&Value::Bool(true))
    }

    /// The version of the program that wrote its last rows.
    #[must_use]
    pub fn version(&self) -> &str {
        let continued = self.config.get(CONTINUED_BY).and_then(|list| list.as_array()?.last());
        let version = continued.and_then(|last| last["engine_version"].as_str());
        version.unwrap_or(&self.row.engine_version)
    }

    /// Complete simulations: id to the hash of the scenario that was run.
    #[must_use]
    pub fn complete_simulations(&self) -> HashMap<String, String> {
        let complete = self.simulations.iter().filter(|row| row.status == Status::Completed);
        complete.map(|row| (row.simulation_id.clone(), row.config_hash.clone())).collect()
    }

    /// Ids of the simulations that did not come to their end.
    #[must_use]
    pub fn incomplete_simulations(&self) -> Vec<String> {
        let incomplete = self.simulations.iter().filter(|row| row.status != Status::Completed);
        incomplete.map(|row| row.simulation_id.clone()).collect()
    }

    /// The plan that the run followed, but for the changes. `read_wished` reads the script that a changed
    /// proposer names.
    ///
    /// # Errors
    /// What this program refuses, a language model without a key among it.
    pub fn plan(
        &self,
        changes: &Changes,
        environment: Environment<'_>,
        read_wished: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Plan, Findings> {
        let document = Document {
            text: &self.row.experiment_text,
            files: &self.row.experiment_files,
            scenario: &self.row.scenario_json,
            config: &self.config,
        };
        document.plan(changes, environment, read_wished)
    }
}

/// What a run was started with.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// The experiment file as it was written.
    pub text: &'a str,
    /// Further files as a JSON object, name as written to content.
    pub files: &'a str,
    /// The scenario as JSON.
    pub scenario: &'a str,
    /// The configuration of the run (16.2).
    pub config: &'a Map<String, Value>,
}

impl Document<'_> {
    /// The plan of the run, but for the changes; see [`RecordedRun::plan`].
    ///
    /// # Errors
    /// What this program refuses.
    pub fn plan(
        &self,
        changes: &Changes,
        environment: Environment<'_>,
        read_wished: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Plan, Findings> {
        let files = self.files()?;
        let stored = |name: &str| stored_file(&files, name);
        let mut experiment = self.experiment(&files)?;
        if let Some(seed) = &changes.seed {
            experiment.master_seed.clone_from(seed);
        }
        let word = |key: &str| self.config.get(key).and_then(Value::as_str);
        let (wishes, read): (_, &dyn Fn(&str) -> _) = match (&changes.proposer, word("proposer")) {
            (Some(proposer), _) => (Wishes { proposer: Some(proposer), model: None }, read_wished),
            (None, Some("llm")) => (Wishes { proposer: Some("llm"), model: word("model") }, &stored),
            (None, _) => (Wishes { proposer: word("model"), model: None }, &stored),
        };
        let proposer = Chosen::choose(&experiment, wishes, environment, &stored, read)
            .map_err(|finding| Findings(vec![finding]))?;
        self.prepare(experiment, proposer)
    }

    /// The plan of the run with the replies that a language model gave in it.
    ///
    /// # Errors
    /// What this program refuses.
    pub fn plan_with(&self, replies: Replies) -> Result<Plan, Findings> {
        let experiment = self.experiment(&self.files()?)?;
        self.prepare(experiment, Chosen { kind: ChosenKind::Recorded(replies), notice: None })
    }

    fn prepare(&self, experiment: Experiment, proposer: Chosen) -> Result<Plan, Findings> {
        let file = scenario_file_name(&experiment.scenario);
        Plan::prepare(experiment, self.scenario()?, &file, proposer)
    }

    fn files(&self) -> Result<HashMap<String, String>, Findings> {
        serde_json::from_str(self.files)
            .map_err(|error| refused("experiment_files", format!("cannot be read: {error}")))
    }

    fn experiment(&self, files: &HashMap<String, String>) -> Result<Experiment, Findings> {
        let (experiment, findings) = Experiment::read(self.text, &|name| stored_file(files, name));
        let mut experiment = experiment.ok_or(findings)?;
        self.apply_config(&mut experiment);
        Ok(experiment)
    }

    fn scenario(&self) -> Result<ScenarioFile, Findings> {
        let (scenario, findings) =
            scenario::read(self.scenario, Format::Json, &Overrides::default(), &NoFiles);
        scenario.ok_or(findings)
    }

    /// What options of the command line made of the file.
    fn apply_config(&self, experiment: &mut Experiment) {
        let at = |path: &str| {
            // A pointer begins with the separator.
            let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
            self.config.get(first)?.pointer(rest)
        };
        if let Some(seed) = at("master_seed").filter(|seed| !seed.is_null()) {
            experiment.master_seed = seed.as_str().map_or_else(|| seed.to_string(), str::to_owned);
        }
        let small = |value: &Value| value.as_u64().and_then(|count| u32::try_from(count).ok());
        if let Some(most) = at("convergence/max_iterations").and_then(small) {
            experiment.convergence.max_iterations = most;
        }
        if let Some(samples) = at("evaluation/num_samples") {
            experiment.evaluation.num_samples = small(samples);
        }
        let level = at("persist_simulations").and_then(Value::as_str);
        if let Some((_, level)) = PersistLevel::WORDS.iter().find(|(word, _)| Some(*word) == level) {
            experiment.persist_simulations = *level;
        }
        if let Some(thinking) = at("llm") {
            let llm = experiment.llm.get_or_insert_with(LlmSettings::default);
            llm.reasoning_effort = thinking["reasoning_effort"].as_str().map(str::to_owned);
            llm.thinking_budget = thinking["thinking_budget"].as_i64();
        }
    }
}

fn stored_file(files: &HashMap<String, String>, name: &str) -> Result<String, String> {
    files.get(name).cloned().ok_or_else(|| "the run has stored no such file".to_owned())
}

fn refused(place: &str, message: String) -> Findings {
    Findings(vec![Finding::error(place, None, message)])
}

/// The file name of a scenario that an experiment names.
fn scenario_file_name(path: &str) -> String {
    let of_library = library::name_in(path).and_then(|name| library::find_kind(Kind::Scenario, name).ok());
    match of_library {
        Some(asset) => asset.file.file_name().to_owned(),
        None => path.rsplit('/').next().unwrap_or(path).to_owned(),
    }
}
