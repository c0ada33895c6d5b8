//! Who proposes policies, and how one is chosen (spec 07, 10; X11).

mod script;
pub mod search;

use serde_json::Value;

use super::constraints::PolicyConstraints;
use super::evaluate::RunError;
use super::file::{Experiment, ProposerKey, ReadFile};
use crate::finding::Finding;
use crate::persistence::PolicyAuthor;

pub use script::Script;

/// Proposes a policy for one agent at a time.
pub trait Proposer {
    /// Answers one call. `evaluate` measures candidates as the comparison of this call would.
    ///
    /// # Errors
    /// The run was cancelled, or cannot go on.
    fn propose(&mut self, request: &Request<'_>, evaluate: &mut dyn Evaluate) -> Result<Answer, RunError>;
}

/// What a proposer is told in a call (X12: nothing about other agents).
#[derive(Debug)]
pub struct Request<'a> {
    /// The agent.
    pub agent: &'a str,
    /// Its policy in force.
    pub current: &'a Value,
    /// The iteration, from 0.
    pub iteration: u32,
    /// The call within the round, from 1.
    pub call: u32,
    /// What proposals may hold.
    pub constraints: &'a PolicyConstraints,
    /// The agent's own past.
    pub history: &'a AgentHistory,
    /// Whether the agent has a liquidity pool.
    pub has_pool: bool,
    /// Whether candidates are measured on samples, not by one run.
    pub by_samples: bool,
    /// Least settlement rate of an acceptable proposal.
    pub min_settlement_rate: f64,
    /// Root of all seeds, in decimal.
    pub master_seed: &'a str,
    /// Why the previous call of the round failed.
    pub last_error: Option<&'a str>,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A policy in force is to stay; no failure.
    Declined,
    /// A reply, with the policy read from it or why there is none.
    Reply {
        /// The reply as it came.
        raw: String,
        /// What was read.
        policy: Result<Value, String>,
    },
    /// No reply.
    Failed(String),
}

/// The agent's own past in this run.
#[derive(Clone, Debug, Default)]
pub struct AgentHistory {
    /// Its evaluated cost per iteration, in cents.
    pub costs: Vec<i64>,
    /// Its comparisons.
    pub comparisons: Vec<PastComparison>,
}

/// An earlier comparison of the agent.
#[derive(Clone, Debug, PartialEq)]
pub struct PastComparison {
    /// Iteration, from 0.
    pub iteration: u32,
    /// The proposal.
    pub policy: Value,
    /// Mean cost of the policy in force.
    pub old_cost: i64,
    /// Mean cost of the proposal.
    pub new_cost: i64,
    /// Whether it was accepted.
    pub accepted: bool,
    /// Which checks decided.
    pub reason: String,
}

/// Measures candidates of one agent in the iteration, without leaving a trace (10.5).
pub trait Evaluate {
    /// Cost and settlement rate of each candidate; `None` for one that cannot be measured:
    /// it cannot be built, it fails in a run, or the call's evaluations are used up.
    ///
    /// # Errors
    /// The run was cancelled, or cannot go on.
    fn evaluate(&mut self, candidates: &[Value]) -> Result<Vec<Option<Measured>>, RunError>;
}

/// What a candidate would cost its agent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Cost in cents, summed over the samples (one run: its cost).
    pub cost: i128,
    /// Settlement rate that the comparison would test.
    pub settlement_rate: f64,
}

/// Most evaluations in one call.
pub const MAX_EVALUATIONS: usize = 200;

/// The proposer of a run as it is shown and stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// Which kind.
    pub kind: ChosenKind,
    /// What the user should know about the choice.
    pub notice: Option<String>,
}

/// Kinds of proposers.
#[derive(Clone, Debug, PartialEq)]
pub enum ChosenKind {
    /// A script, read.
    Script {
        /// The file as written.
        file: String,
        /// Its content.
        script: Script,
    },
    /// The built-in search.
    Search,
}

impl Chosen {
    /// Chooses the proposer: the option of the command line, else the file's key, else its model.
    ///
    /// `option` is the value of `--proposer`, or of `--model`; `read_file` reads files named by the
    /// experiment, `read_option_file` those named by the option.
    ///
    /// # Errors
    /// A language model asked for by name, a word that names no proposer, a script that cannot be read.
    pub fn choose(
        experiment: &Experiment,
        option: Option<&str>,
        read_file: ReadFile<'_>,
        read_option_file: ReadFile<'_>,
    ) -> Result<Self, Finding> {
        let model = experiment.llm.as_ref().and_then(|llm| llm.model.as_deref());
        let proposes = experiment.policy_constraints.is_some();
        if let Some(word) = option {
            return match ProposerKey::parse(word) {
                Some(ProposerKey::Search) => Ok(Self::search(None)),
                Some(ProposerKey::Script(file)) => {
                    Self::script(file, "--proposer", proposes, read_option_file)
                }
                Some(ProposerKey::Llm) => Err(no_language_models("--proposer")),
                None if word.contains(':') => Err(no_language_models("--proposer")),
                None => Err(unknown_proposer(word)),
            };
        }
        match &experiment.proposer {
            Some(ProposerKey::Search) => Ok(Self::search(None)),
            Some(ProposerKey::Llm) => Err(no_language_models("proposer")),
            Some(ProposerKey::Script(file)) => Self::script(file.clone(), "proposer", proposes, read_file),
            None => match model {
                Some("search") => Ok(Self::search(None)),
                Some(model) => match model.strip_prefix("script:") {
                    Some(file) => Self::script(file.to_owned(), "llm.model", proposes, read_file),
                    None => Ok(Self::search(Some(format!(
                        "model `{model}` is not available in this version; the built-in search \
                         proposes instead"
                    )))),
                },
                None => Ok(Self::search(Some(
                    "the file names no model; the built-in search proposes policies".to_owned(),
                ))),
            },
        }
    }

    const fn search(notice: Option<String>) -> Self {
        Self { kind: ChosenKind::Search, notice }
    }

    /// A script is read only if anything is to be proposed.
    fn script(file: String, key: &str, proposes: bool, read_file: ReadFile<'_>) -> Result<Self, Finding> {
        let refuse = |reason: String| Finding::error(key, None, format!("script `{file}`: {reason}"));
        let script = if proposes {
            let text = read_file(&file).map_err(&refuse)?;
            Script::read(&text).map_err(|finding| refuse(finding.to_string()))?
        } else {
            Script::default()
        };
        Ok(Self { kind: ChosenKind::Script { file, script }, notice: None })
    }

    /// The word of `proposer` in rows and events.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.kind {
            ChosenKind::Script { .. } => "script",
            ChosenKind::Search => "search",
        }
    }

    /// The word of `model` in rows and events.
    #[must_use]
    pub fn model(&self) -> String {
        match &self.kind {
            ChosenKind::Script { file, .. } => format!("script:{file}"),
            ChosenKind::Search => "search".to_owned(),
        }
    }

    /// Whose policies they are.
    #[must_use]
    pub const fn author(&self) -> PolicyAuthor {
        match self.kind {
            ChosenKind::Script { .. } => PolicyAuthor::Script,
            ChosenKind::Search => PolicyAuthor::Search,
        }
    }

    /// A fresh proposer for a run.
    #[must_use]
    pub fn start(&self) -> Box<dyn Proposer + Send> {
        match &self.kind {
            ChosenKind::Script { script, .. } => Box::new(script.start()),
            ChosenKind::Search => Box::new(search::Search::default()),
        }
    }
}

fn no_language_models(key: &str) -> Finding {
    Finding::error(key, None, "language models are not available in this version")
        .with_hint("use `search` or `script:FILE`")
}

fn unknown_proposer(word: &str) -> Finding {
    Finding::error(
        "--proposer",
        None,
        format!("`{word}` is not `search`, `llm`, `script:FILE` or `provider:model`"),
    )
}
