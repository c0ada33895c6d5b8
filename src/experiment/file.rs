//! The experiment file: every key with its default, checked and typed (spec 07, 1).

mod read;

use serde_json::{Map, Value, json};

use super::acceptance::Criteria;
pub use super::asking::{DEFAULT_MAX_RETRIES, LlmSettings, MAX_TOKENS, ProposerKey};
use super::constraints::PolicyConstraints;
use super::convergence::Thresholds;
use super::sweep::Sweep;
use crate::document::{self, Report};
use crate::finding::Findings;
pub use read::MAX_SAMPLES;

/// An experiment as its file describes it. Fields may be changed before it is run, e.g. by options of
/// the command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Part of run ids and listings.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Path of the scenario as written, relative to the folder of the experiment file.
    pub scenario: String,
    /// How policies are measured and accepted.
    pub evaluation: Evaluation,
    /// When the run ends.
    pub convergence: Convergence,
    /// Settings of language models.
    pub llm: Option<LlmSettings>,
    /// The proposer that the file names.
    pub proposer: Option<ProposerKey>,
    /// Agents to improve, in this order.
    pub optimized_agents: Vec<String>,
    /// What proposals may hold; without it nothing is proposed.
    pub policy_constraints: Option<PolicyConstraints>,
    /// Legacy key without effect.
    pub constraints: String,
    /// Texts for the prompts of agents.
    pub prompts: Option<PromptTexts>,
    /// Where to store the run.
    pub output: Option<Output>,
    /// Which simulations are stored (X10).
    pub persist_simulations: PersistLevel,
    /// Root of all seeds, in decimal.
    pub master_seed: String,
    /// What is varied, in an experiment that improves nothing; agents and convergence mean nothing then.
    pub sweep: Option<Sweep>,
    /// The file as it was written.
    pub text: String,
    /// Further files that it uses besides the scenario: name as written, content.
    pub files: Vec<(String, String)>,
}

/// The block `evaluation` (1.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Ticks of every simulation, full runs and sandbox alike.
    pub ticks: u64,
    /// How policies are compared.
    pub mode: Mode,
    /// Bootstrap samples as written; see [`Evaluation::samples`].
    pub num_samples: Option<u32>,
    /// What a proposal must satisfy.
    pub criteria: Criteria,
}

impl Evaluation {
    /// Samples of a bootstrap evaluation: none and 0 count as 1.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.num_samples.unwrap_or(1).max(1) as usize
    }

    /// Whether policies are measured on samples, not by full runs.
    #[must_use]
    pub fn uses_samples(&self) -> bool {
        self.mode == Mode::Bootstrap && self.samples() > 1
    }
}

/// How policies are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// On samples of a context run.
    Bootstrap,
    /// By full runs, written `deterministic`.
    Deterministic,
    /// The same, written `deterministic-pairwise`.
    DeterministicPairwise,
    /// Not at all: every proposal is taken.
    DeterministicTemporal,
}

impl Mode {
    const WORDS: [(&'static str, Self); 4] = [
        ("bootstrap", Self::Bootstrap),
        ("deterministic", Self::Deterministic),
        ("deterministic-pairwise", Self::DeterministicPairwise),
        ("deterministic-temporal", Self::DeterministicTemporal),
    ];

    /// The word of the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, mode)| *mode == self).map_or("", |(name, _)| name)
    }
}

/// The block `convergence` (1.3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convergence {
    /// Most iterations.
    pub max_iterations: u32,
    /// What the detectors go by.
    pub thresholds: Thresholds,
    /// Shown only.
    pub improvement_threshold: f64,
}

/// Texts that go into prompts (1.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptTexts {
    /// For everybody, stripped.
    pub all: String,
    /// Agent to its text, stripped.
    pub agents: Vec<(String, String)>,
}

impl PromptTexts {
    /// The text for an agent, if there is any.
    #[must_use]
    pub fn text_for(&self, agent: &str) -> Option<String> {
        let own = self.agents.iter().find(|(name, _)| name == agent).map_or("", |(_, text)| text);
        let parts: Vec<&str> = [self.all.as_str(), own].into_iter().filter(|part| !part.is_empty()).collect();
        (!parts.is_empty()).then(|| parts.join("\n\n"))
    }

    fn or_none(self) -> Option<Self> {
        let any = !self.all.is_empty() || self.agents.iter().any(|(_, text)| !text.is_empty());
        any.then_some(self)
    }
}

/// The block `output` (1.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Folder, relative to the working directory.
    pub directory: String,
    /// File in it.
    pub database: String,
    /// Whether to show details.
    pub verbose: bool,
}

/// Which simulations of an experiment are stored (16.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PersistLevel {
    /// None.
    None,
    /// Context, evaluation and closing runs.
    Primary,
    /// Also the runs of comparisons and of the sandbox.
    All,
}

impl PersistLevel {
    /// Words of files and options.
    pub const WORDS: [(&'static str, Self); 3] =
        [("none", Self::None), ("primary", Self::Primary), ("all", Self::All)];

    /// The word of the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, level)| *level == self).map_or("", |(name, _)| name)
    }
}

/// Reads another file that the experiment names, by its path as written; the reason if it cannot be read.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;

impl Experiment {
    /// Reads an experiment file. `None` if a finding is an error.
    pub fn read(text: &str, read_file: ReadFile<'_>) -> (Option<Self>, Findings) {
        let root = match document::parse_yaml(text) {
            Ok(root) => root,
            Err(finding) => return (None, Findings(vec![finding])),
        };
        let report = Report::default();
        let experiment = read::read_root(&root, text, read_file, &report);
        let findings = report.into_findings();
        (experiment.filter(|_| !findings.has_errors()), findings)
    }

    /// Calls for one agent in one round.
    #[must_use]
    pub fn max_retries(&self) -> u32 {
        self.llm.as_ref().map_or(DEFAULT_MAX_RETRIES, |llm| llm.max_retries)
    }

    /// The resolved experiment as stored with a run (16.2), without its result.
    #[must_use]
    pub fn to_config(&self, proposer: &str, model: &str) -> Map<String, Value> {
        let Criteria { min_settlement_rate, require_significance, max_variation } = self.evaluation.criteria;
        let Thresholds { stability, window, variation, regret } = self.convergence.thresholds;
        let seed =
            self.master_seed.parse::<u64>().map_or_else(|_| json!(self.master_seed), |seed| json!(seed));
        let mut config = json!({
            "name": self.name,
            "description": self.description,
            "scenario_path": self.scenario,
            "master_seed": seed,
            "evaluation": {
                "mode": self.evaluation.mode.name(),
                "ticks": self.evaluation.ticks,
                "num_samples": self.evaluation.num_samples,
                "acceptance": {
                    "min_settlement_rate": min_settlement_rate,
                    "require_statistical_significance": require_significance,
                    "max_coefficient_of_variation": max_variation,
                },
            },
            "convergence": {
                "max_iterations": self.convergence.max_iterations,
                "stability_threshold": stability,
                "stability_window": window,
                "improvement_threshold": self.convergence.improvement_threshold,
                "cv_threshold": variation,
                "regret_threshold": regret,
            },
            "optimized_agents": self.optimized_agents,
            "proposer": proposer,
            "model": model,
            "persist_simulations": self.persist_simulations.name(),
        });
        if let Some(sweep) = &self.sweep {
            config["sweep"] = sweep.to_json();
        }
        let Value::Object(mut config) = config else { return Map::new() };
        if self.sweep.is_some() {
            config.retain(|key, _| !IMPROVING.contains(&key.as_str()));
        }
        // Options may give these; the file alone does not tell.
        if let Some(LlmSettings { reasoning_effort: effort, thinking_budget: budget, .. }) = &self.llm
            && (effort.is_some() || budget.is_some())
        {
            config.insert("llm".to_owned(), json!({"reasoning_effort": effort, "thinking_budget": budget}));
        }
        config
    }

    /// Gives findings about the experiment the places of their paths in its file.
    pub fn place_findings(&self, findings: &mut Findings) {
        if let Ok(root) = document::parse_yaml(&self.text) {
            root.place_findings(findings);
        }
    }
}

/// What the stored form of a sweep does not have.
const IMPROVING: [&str; 4] = ["convergence", "optimized_agents", "proposer", "model"];
