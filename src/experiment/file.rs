//! The experiment file: every key with its default, checked and typed (spec 07, 1).

use serde_json::{Map, Number, Value, json};

use super::acceptance::Criteria;
pub use super::asking::{DEFAULT_MAX_RETRIES, LlmSettings, MAX_TOKENS, ProposerKey};
use super::constraints::{ParameterKind, ParameterRule, PolicyConstraints};
use super::convergence::Thresholds;
use super::policies::TREES;
use super::sweep::{self, Sweep};
use crate::document::{self, Bound, Item, Node, Reader, Report};
use crate::finding::{Finding, Findings, meant, nearest};

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
        let experiment = read_root(&root, text, read_file, &report);
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

/// Presence of required keys is looked at before anything else.
fn required_keys_are_there(root: &Node, report: &Report) -> bool {
    const REQUIRED: [&str; 5] = ["name", "scenario", "evaluation", "convergence", "optimized_agents"];
    let required = if root.get("sweep").is_some() { &REQUIRED[..3] } else { &REQUIRED[..] };
    let missing: Vec<String> =
        required.iter().filter(|key| root.get(key).is_none()).map(|key| format!("'{key}'")).collect();
    if !missing.is_empty() {
        report.error("", format!("Missing required fields: [{}]", missing.join(", ")));
    }
    missing.is_empty()
}

fn read_root(root: &Node, text: &str, read_file: ReadFile<'_>, report: &Report) -> Option<Experiment> {
    let mut file = Reader::root(root, report)?;
    if !required_keys_are_there(root, report) {
        return None;
    }
    let mut files = Vec::new();
    let sweep = file
        .item("sweep")
        .map(|item| sweeps_only(&mut file).and_then(|()| sweep::read(&item, read_file, &mut files)));
    let name = file.required("name", non_empty);
    let description = file.or("description", String::new(), Item::text);
    let scenario = file.required("scenario", non_empty);
    let evaluation = file.required("evaluation", read_evaluation);
    let nothing = Node::map([]);
    let convergence = match sweep {
        Some(_) => read_convergence(Item::new(&nothing, "convergence", report)),
        None => file.required("convergence", read_convergence),
    };
    let llm = file.nullable("llm", |item| read_llm(item, read_file, &mut files));
    let proposer = file.nullable("proposer", read_proposer);
    let optimized_agents = match sweep {
        Some(_) => Some(Vec::new()),
        None => file.required("optimized_agents", read_agents),
    };
    let policy_constraints = file.nullable("policy_constraints", read_constraints);
    let constraints = file.or("constraints", String::new(), Item::text);
    let named = file.item("prompt_customization");
    let prompts = match named.filter(|item| !item.node.is_null()) {
        Some(item) => {
            read_prompts(&item, optimized_agents.as_deref().unwrap_or_default()).map(PromptTexts::or_none)
        }
        None if root.get("prompt_customization").is_some() => Some(None),
        None => Some(legacy_prompts(llm.as_ref())),
    };
    let output = file.nullable("output", read_output);
    let persist =
        file.or("persist_simulations", PersistLevel::Primary, |item| item.one_of(&PersistLevel::WORDS));
    let master_seed = file.or("master_seed", "42".to_owned(), |item| read_master_seed(&item));
    file.finish();
    if constraints.as_ref().is_some_and(|path| !path.is_empty()) && policy_constraints == Some(None) {
        report.warning(
            "constraints",
            "`constraints` has no effect; nothing is proposed without `policy_constraints`",
        );
    }
    Some(Experiment {
        name: name?,
        description: description?,
        scenario: scenario?,
        evaluation: evaluation?,
        convergence: convergence?,
        llm: llm?,
        proposer: proposer?,
        optimized_agents: optimized_agents?,
        policy_constraints: policy_constraints?,
        constraints: constraints?,
        prompts: prompts?,
        output: output?,
        persist_simulations: persist?,
        master_seed: master_seed?,
        sweep: sweep.map_or(Some(None), |sweep| sweep.map(Some))?,
        text: text.to_owned(),
        files,
    })
}

/// A sweep improves nothing: keys that say how are refused beside it.
fn sweeps_only(file: &mut Reader<'_>) -> Option<()> {
    let refused = sweep::REFUSED_KEYS.map(|key| (key, file.item(key)));
    for (key, item) in &refused {
        if let Some(item) = item {
            item.error(format!("`{key}` is not allowed beside `sweep`, which improves nothing"));
        }
    }
    refused.iter().all(|(_, item)| item.is_none()).then_some(())
}

fn non_empty(item: Item<'_>) -> Option<String> {
    let text = item.str()?;
    if text.trim().is_empty() {
        item.error("must not be empty");
        return None;
    }
    Some(text.to_owned())
}

fn read_evaluation(item: Item<'_>) -> Option<Evaluation> {
    let mut block = item.mapping()?;
    let ticks = block.required("ticks", |item| item.unsigned(1..=i64::MAX as u64));
    let mode = block.or("mode", Mode::Bootstrap, |item| item.one_of(&Mode::WORDS));
    let num_samples = match block.item("num_samples") {
        None => Some(Some(10)),
        Some(item) if item.node.is_null() => Some(None),
        Some(item) => small(&item, 0).map(Some),
    };
    let default = Criteria { min_settlement_rate: 0.95, require_significance: false, max_variation: None };
    let criteria = block.or("acceptance", default, read_criteria);
    block.finish();
    Some(Evaluation { ticks: ticks?, mode: mode?, num_samples: num_samples?, criteria: criteria? })
}

/// A count from `least` up to a million, the most that a run can be asked for.
fn small(item: &Item<'_>, least: u64) -> Option<u32> {
    item.unsigned(least..=1_000_000).and_then(|count| u32::try_from(count).ok())
}

fn read_criteria(item: Item<'_>) -> Option<Criteria> {
    let mut block = item.mapping()?;
    let floor = block.or("min_settlement_rate", 0.95, |item| item.float(Bound::Within(0.0, 1.0)));
    let significance = block.or("require_statistical_significance", false, Item::boolean);
    let variation = block.nullable("max_coefficient_of_variation", |item| item.float(Bound::AtLeast(0.0)));
    block.finish();
    Some(Criteria {
        min_settlement_rate: floor?,
        require_significance: significance?,
        max_variation: variation?,
    })
}

fn read_convergence(item: Item<'_>) -> Option<Convergence> {
    let mut block = item.mapping()?;
    let not_negative = |item: Item<'_>| item.float(Bound::AtLeast(0.0));
    let max_iterations = block.or("max_iterations", 50, |item| small(&item, 1));
    let stability = block.or("stability_threshold", 0.05, not_negative);
    let window = block.or("stability_window", 5, |item| small(&item, 1));
    let improvement = block.or("improvement_threshold", 0.01, |item| item.float(Bound::Any));
    let variation = block.or("cv_threshold", 0.03, not_negative);
    let regret = block.or("regret_threshold", 0.10, not_negative);
    block.finish();
    let thresholds = Thresholds {
        stability: stability?,
        window: window? as usize,
        variation: variation?,
        regret: regret?,
    };
    Some(Convergence { max_iterations: max_iterations?, thresholds, improvement_threshold: improvement? })
}

fn read_llm(
    item: Item<'_>,
    read_file: ReadFile<'_>,
    files: &mut Vec<(String, String)>,
) -> Option<LlmSettings> {
    let mut block = item.mapping()?;
    let model = block.nullable("model", non_empty);
    let temperature = block.or("temperature", 0.0, |item| item.float(Bound::AtLeast(0.0)));
    let max_retries = block.or("max_retries", DEFAULT_MAX_RETRIES, |item| small(&item, 1));
    let timeout = block.or("timeout_seconds", 120.0, |item| item.float(Bound::Above(0.0)));
    let budget = block.nullable("thinking_budget", |item| item.integer(1..=i64::MAX));
    let effort = block.nullable("reasoning_effort", Item::text);
    let inline = block.nullable("system_prompt", Item::text);
    let from_file = block.nullable("system_prompt_file", |item| {
        let path = item.str()?;
        match read_file(path) {
            Ok(text) => {
                files.push((path.to_owned(), text.clone()));
                Some(text)
            }
            Err(reason) => {
                item.error(format!("prompt file `{path}` cannot be read: {reason}"));
                None
            }
        }
    });
    for without_effect in ["reasoning_summary", "max_tokens", "thinking_config"] {
        let _ = block.item(without_effect);
    }
    block.finish();
    Some(LlmSettings {
        model: model?,
        temperature: temperature?,
        max_retries: max_retries?,
        timeout_seconds: timeout?,
        thinking_budget: budget?,
        reasoning_effort: effort?,
        system_prompt: inline?.or(from_file?),
    })
}

fn read_proposer(item: Item<'_>) -> Option<ProposerKey> {
    let word = item.str()?;
    let key = ProposerKey::parse(word);
    if key.is_none() {
        item.error(format!("`{}` is not `search`, `llm` or `script:FILE`", document::shortened(word)));
    }
    key
}

fn read_agents(item: Item<'_>) -> Option<Vec<String>> {
    let mut agents: Vec<String> = Vec::new();
    for item in item.list()? {
        let agent = item.str()?;
        if agents.iter().any(|known| known == agent) {
            item.error(format!("`{}` is named twice", document::shortened(agent)));
            return None;
        }
        agents.push(agent.to_owned());
    }
    if agents.is_empty() {
        item.error("must name at least one bank of the scenario");
        return None;
    }
    Some(agents)
}

fn read_constraints(item: Item<'_>) -> Option<PolicyConstraints> {
    let mut block = item.mapping()?;
    let parameters = block.nullable("allowed_parameters", |item| item.list_of(read_parameter));
    let fields = block.nullable("allowed_fields", |item| item.list_of(Item::text));
    let actions = block.nullable("allowed_actions", |item| {
        let mut by_tree = Vec::new();
        for (tree, item) in item.named()? {
            if !TREES.contains(&tree) {
                warn_about_key(&item, tree, &TREES);
            }
            by_tree.push((tree.to_owned(), item.list_of(Item::text)?));
        }
        Some(by_tree)
    });
    let lsm_enabled = block.or("lsm_enabled", true, Item::boolean);
    block.finish();
    Some(PolicyConstraints {
        allowed_parameters: parameters?,
        allowed_fields: fields?,
        allowed_actions: actions?,
        lsm_enabled: lsm_enabled?,
    })
}

/// A key of a mapping of names that names nothing known.
fn warn_about_key(item: &Item<'_>, key: &str, known: &[&str]) {
    let shown = document::shortened(key);
    let message = format!("unknown key `{shown}`{}", meant(nearest(key, known.iter().copied())));
    item.report.push(Finding::warning(&*item.path, Some(item.node.at), message));
}

fn read_parameter(item: Item<'_>) -> Option<ParameterRule> {
    const KINDS: [(&str, ParameterKind); 3] =
        [("int", ParameterKind::Int), ("float", ParameterKind::Float), ("enum", ParameterKind::Enum)];
    let mut block = item.mapping()?;
    let name = block.required("name", non_empty);
    let kind = block.required("param_type", |item| item.one_of(&KINDS));
    let min = block.nullable("min_value", |item| read_number(&item));
    let max = block.nullable("max_value", |item| read_number(&item));
    let values = block.nullable("allowed_values", |item| item.list_of(|item| Some(item.node.to_json())));
    let description = block.nullable("description", Item::text);
    let (name, kind, min, max, values) = (name?, kind?, min?.flatten(), max?.flatten(), values?);
    if let (Some(low), Some(high)) = (&min, &max)
        && low.as_f64() > high.as_f64()
    {
        block.error(format!("`min_value` {low} is above `max_value` {high}"));
        return None;
    }
    if kind == ParameterKind::Enum && values.is_none() {
        block.error("`allowed_values` is missing: an `enum` lists its values");
        return None;
    }
    block.finish();
    Some(ParameterRule { name, kind, min, max, values, description: description? })
}

/// A number as written; an infinite one bounds nothing.
fn read_number(item: &Item<'_>) -> Option<Option<Number>> {
    item.float(Bound::Any)?;
    Some(item.node.to_json().as_number().cloned())
}

fn read_prompts(item: &Item<'_>, agents: &[String]) -> Option<PromptTexts> {
    let mut texts = PromptTexts::default();
    for (key, item) in item.named()? {
        let text = item.str()?.trim().to_owned();
        if key == "all" {
            texts.all = text;
            continue;
        }
        if !agents.iter().any(|agent| agent == key) {
            let mut known: Vec<&str> = agents.iter().map(String::as_str).collect();
            known.push("all");
            warn_about_key(&item, key, &known);
        }
        texts.agents.push((key.to_owned(), text));
    }
    Some(texts)
}

fn legacy_prompts(llm: Option<&Option<LlmSettings>>) -> Option<PromptTexts> {
    let prompt = llm?.as_ref()?.system_prompt.as_deref()?;
    PromptTexts { all: prompt.trim().to_owned(), agents: Vec::new() }.or_none()
}

fn read_output(item: Item<'_>) -> Option<Output> {
    let mut block = item.mapping()?;
    let directory = block.or("directory", "results".to_owned(), Item::text);
    let database = block.or("database", "experiments.db".to_owned(), non_empty);
    let verbose = block.or("verbose", true, Item::boolean);
    block.finish();
    Some(Output { directory: directory?, database: database?, verbose: verbose? })
}

fn read_master_seed(item: &Item<'_>) -> Option<String> {
    match &item.node.value {
        document::Value::Int(seed) if *seed >= 0 => Some(seed.to_string()),
        document::Value::BigInt(digits) if !digits.starts_with('-') => Some(digits.clone()),
        _ => item.expected("an integer of 0 or more", None),
    }
}
