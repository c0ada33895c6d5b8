//! How the proposer of a run is chosen: by the command line, else by the file (spec 07, 10.0; X11).

use super::llm::{Model, ModelError};
use super::replies::Replies;
use super::script::Script;
use super::{Proposer, search};
use crate::experiment::file::{Experiment, LlmSettings, ProposerKey, ReadFile};
use crate::experiment::policies::{DEFAULT_FRACTION, FRACTION, default_policy};
use crate::finding::{Finding, meant, nearest};
use crate::persistence::PolicyAuthor;

/// Looks a variable of the environment up: keys and addresses of language models.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is asked for beside the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'a> {
    /// `search`, `llm`, `script:FILE` or `provider:model`.
    pub proposer: Option<&'a str>,
    /// `provider:model`, or what else the key `llm.model` can name.
    pub model: Option<&'a str>,
}

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
    /// A language model with a key for it.
    Model(Model),
    /// What a language model answered in an earlier run.
    Recorded(Replies),
    /// Nobody is asked: a sweep.
    Nobody,
}

impl Chosen {
    /// Chooses the proposer: what is wished, else the file's key `proposer`, else its model.
    ///
    /// `read_file` reads files named by the experiment, `read_wished` those named by a wish.
    ///
    /// # Errors
    /// A word that names no proposer, a script that cannot be read, a language model asked for by name
    /// that is not known or for which there is no key.
    pub fn choose(
        experiment: &Experiment,
        wishes: Wishes<'_>,
        environment: Environment<'_>,
        read_file: ReadFile<'_>,
        read_wished: ReadFile<'_>,
    ) -> Result<Self, Finding> {
        if experiment.sweep.is_some() {
            return match wishes.proposer.or(wishes.model) {
                None => Ok(Self::nobody()),
                Some(word) => Err(no_proposer_in_a_sweep(word)),
            };
        }
        let choice = Choice { experiment, environment };
        let named = experiment.llm.as_ref().and_then(|llm| llm.model.as_deref());
        match (wishes.proposer, wishes.model) {
            (Some(word), Some(model)) if word != "llm" && word != model => Err(two_proposers(word, model)),
            (Some("script:"), _) | (None, Some("script:")) => Err(no_script()),
            (Some(word), model) => match ProposerKey::parse(word) {
                Some(ProposerKey::Search) => Ok(Self::search(None)),
                Some(ProposerKey::Script(file)) => choice.script(file, "--proposer", read_wished),
                Some(ProposerKey::Llm) => choice.model(model.or(named), "--proposer"),
                None if word.contains(':') => choice.model(Some(word), "--proposer"),
                None => Err(unknown_proposer(word)),
            },
            (None, Some(word)) => match ProposerKey::parse(word) {
                Some(ProposerKey::Search) => Ok(Self::search(None)),
                Some(ProposerKey::Script(file)) => choice.script(file, "--model", read_wished),
                _ => choice.model(Some(word), "--model"),
            },
            (None, None) => match &experiment.proposer {
                Some(ProposerKey::Search) => Ok(Self::search(None)),
                Some(ProposerKey::Llm) => choice.model(named, "proposer"),
                Some(ProposerKey::Script(file)) => choice.script(file.clone(), "proposer", read_file),
                None => choice.by_model(named, read_file),
            },
        }
    }

    /// Nobody is asked for proposals, in a sweep.
    #[must_use]
    pub const fn nobody() -> Self {
        Self { kind: ChosenKind::Nobody, notice: None }
    }

    const fn search(notice: Option<String>) -> Self {
        Self { kind: ChosenKind::Search, notice }
    }

    /// The word of `proposer` in rows and events.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.kind {
            ChosenKind::Script { .. } => "script",
            ChosenKind::Search => "search",
            ChosenKind::Model(_) | ChosenKind::Recorded(_) => "llm",
            ChosenKind::Nobody => "none",
        }
    }

    /// The word of `model` in rows and events.
    #[must_use]
    pub fn model(&self) -> String {
        match &self.kind {
            ChosenKind::Script { file, .. } => format!("script:{file}"),
            ChosenKind::Search => "search".to_owned(),
            ChosenKind::Model(model) => model.name(),
            ChosenKind::Recorded(replies) => replies.model.clone(),
            ChosenKind::Nobody => "none".to_owned(),
        }
    }

    /// Whose policies they are.
    #[must_use]
    pub const fn author(&self) -> PolicyAuthor {
        match self.kind {
            ChosenKind::Script { .. } => PolicyAuthor::Script,
            ChosenKind::Search => PolicyAuthor::Search,
            ChosenKind::Model(_) | ChosenKind::Recorded(_) => PolicyAuthor::Llm,
            ChosenKind::Nobody => PolicyAuthor::Init,
        }
    }

    /// Why nothing will ever come of asking, where that is known before the run.
    #[must_use]
    pub fn futility(&self, experiment: &Experiment, has_pool: &dyn Fn(&str) -> bool) -> Option<String> {
        if experiment.sweep.is_some() {
            return None;
        }
        let Some(constraints) = &experiment.policy_constraints else {
            return Some("nothing will be proposed: the file has no `policy_constraints`".to_owned());
        };
        if let ChosenKind::Script { file, script } = &self.kind {
            return for_nobody(file, script, &experiment.optimized_agents);
        }
        let stuck = |agent: &&String| {
            let policy = default_policy(agent, DEFAULT_FRACTION);
            !search::can_vary(constraints, &policy, has_pool(agent))
        };
        let stuck: Vec<&str> = experiment.optimized_agents.iter().filter(stuck).map(String::as_str).collect();
        (self.kind == ChosenKind::Search && !stuck.is_empty()).then(|| {
            format!(
                "the search has nothing to vary for {}: a parameter needs both bounds, or `allowed_values`, \
                 and an effect ({FRACTION} has one with a `liquidity_pool`); trees need `allowed_actions`",
                stuck.join(", ")
            )
        })
    }

    /// A fresh proposer for a run.
    ///
    /// # Errors
    /// A language model that cannot be spoken to from this machine.
    pub fn start(&self) -> Result<Box<dyn Proposer + Send>, String> {
        Ok(match &self.kind {
            ChosenKind::Script { script, .. } => Box::new(script.start()),
            ChosenKind::Search => Box::new(search::Search::default()),
            ChosenKind::Model(model) => Box::new(model.start()?),
            ChosenKind::Recorded(replies) => Box::new(replies.clone()),
            ChosenKind::Nobody => return Err("a sweep asks nobody for proposals".to_owned()),
        })
    }
}

fn no_proposer_in_a_sweep(word: &str) -> Finding {
    let message = format!("`{word}` has nothing to propose: a sweep varies settings and improves nothing");
    Finding::error("sweep", None, message).with_hint("leave --proposer and --model out")
}

/// What the choice depends on.
struct Choice<'a> {
    experiment: &'a Experiment,
    environment: Environment<'a>,
}

impl Choice<'_> {
    /// The model of the file decides: what is not there or cannot be used leaves it to the search.
    fn by_model(&self, named: Option<&str>, read_file: ReadFile<'_>) -> Result<Chosen, Finding> {
        let Some(word) = named else {
            let notice = "the file names no model; the built-in search proposes policies";
            return Ok(Chosen::search(Some(notice.to_owned())));
        };
        match ProposerKey::parse(word) {
            Some(ProposerKey::Search) => Ok(Chosen::search(None)),
            Some(ProposerKey::Script(file)) => self.script(file, "llm.model", read_file),
            _ => match self.find_model(word) {
                Ok(model) => Ok(Chosen { kind: ChosenKind::Model(model), notice: None }),
                Err(error) => {
                    Ok(Chosen::search(Some(format!("{error}; the built-in search proposes instead"))))
                }
            },
        }
    }

    /// A language model asked for by name.
    fn model(&self, name: Option<&str>, key: &str) -> Result<Chosen, Finding> {
        let Some(name) = name else {
            return Err(Finding::error(key, None, "`llm` needs a model")
                .with_hint("name one with `--model provider:name` or the key `llm.model`"));
        };
        let model = self.find_model(name).map_err(|error| {
            let finding = Finding::error(key, None, error.to_string());
            match error.hint() {
                Some(hint) => finding.with_hint(hint),
                None => finding,
            }
        })?;
        Ok(Chosen { kind: ChosenKind::Model(model), notice: None })
    }

    fn find_model(&self, name: &str) -> Result<Model, ModelError> {
        let defaults = LlmSettings::default();
        Model::find(name, self.experiment.llm.as_ref().unwrap_or(&defaults), self.environment)
    }

    /// A script is read only if anything is to be proposed.
    fn script(&self, file: String, key: &str, read_file: ReadFile<'_>) -> Result<Chosen, Finding> {
        let refuse = |reason: String| Finding::error(key, None, format!("script `{file}`: {reason}"));
        let script = if self.experiment.policy_constraints.is_some() {
            let text = read_file(&file).map_err(&refuse)?;
            Script::read(&text).map_err(|finding| refuse(finding.to_string()))?
        } else {
            Script::default()
        };
        Ok(Chosen { kind: ChosenKind::Script { file, script }, notice: None })
    }
}

/// A script with entries for agents that are not optimised: what they hold is never proposed.
fn for_nobody(file: &str, script: &Script, agents: &[String]) -> Option<String> {
    let known = || agents.iter().map(String::as_str);
    let strangers: Vec<String> = script
        .agents()
        .filter(|name| !known().any(|agent| agent == *name))
        .map(|name| format!("`{name}`{}", meant(nearest(name, known()))))
        .collect();
    let whose = strangers.join(", ");
    (!strangers.is_empty()).then(|| format!("script `{file}` has entries for no optimised agent: {whose}"))
}

fn two_proposers(word: &str, model: &str) -> Finding {
    let message = format!("--proposer `{word}` and --model `{model}` name two proposers");
    Finding::error("--proposer", None, message).with_hint("leave one of them out")
}

fn no_script() -> Finding {
    Finding::error("--proposer", None, "`script:` names no file").with_hint("name one: script:FILE")
}

fn unknown_proposer(word: &str) -> Finding {
    Finding::error(
        "--proposer",
        None,
        format!("`{word}` is not `search`, `llm`, `script:FILE` or `provider:model`"),
    )
}
