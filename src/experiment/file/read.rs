//! Reading the experiment file: types, ranges, names that nothing bears (spec 07, 1).

use serde_json::Number;

use super::{
    Convergence, DEFAULT_MAX_RETRIES, Evaluation, Experiment, LlmSettings, Mode, Output, PersistLevel,
    PromptTexts, ProposerKey, ReadFile,
};
use crate::document::{self, Bound, Item, Node, Reader, Report};
use crate::experiment::acceptance::Criteria;
use crate::experiment::asking::unknown_effort;
use crate::experiment::constraints::{ParameterKind, ParameterRule, PolicyConstraints};
use crate::experiment::convergence::Thresholds;
use crate::experiment::policies::TREES;
use crate::experiment::sweep::{self, Sweep};
use crate::finding::{Finding, meant, nearest};
use crate::policy::{ACTIONS, FIELDS, REGISTER_PREFIX};

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

pub(super) fn read_root(
    root: &Node,
    text: &str,
    read_file: ReadFile<'_>,
    report: &Report,
) -> Option<Experiment> {
    let mut file = Reader::root(root, report)?;
    if !required_keys_are_there(root, report) {
        return None;
    }
    let mut files = Vec::new();
    let sweep = read_sweep(&mut file, read_file, &mut files);
    let name = file.required("name", one_line);
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

/// `None` if there is none; the inner one if it is refused.
#[expect(clippy::option_option, reason = "what is absent is not what is refused")]
fn read_sweep(
    file: &mut Reader<'_>,
    read_file: ReadFile<'_>,
    files: &mut Vec<(String, String)>,
) -> Option<Option<Sweep>> {
    let item = file.item("sweep")?;
    if item.node.is_null() {
        item.error("says nothing of what to vary: leave it out, or name axes under `vary`");
        return Some(None);
    }
    Some(sweeps_only(file).and_then(|()| sweep::read(&item, read_file, files)))
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

/// A name that stands in run ids.
fn one_line(item: Item<'_>) -> Option<String> {
    if item.node.as_text().is_some_and(|text| text.chars().any(char::is_control)) {
        item.error("must have no control characters: it stands in the ids of runs");
        return None;
    }
    non_empty(item)
}

fn read_evaluation(item: Item<'_>) -> Option<Evaluation> {
    let mut block = item.mapping()?;
    let ticks = block.required("ticks", |item| item.unsigned(1..=i64::MAX as u64));
    let mode = block.or("mode", Mode::Bootstrap, |item| item.one_of(&Mode::WORDS));
    let num_samples = match block.item("num_samples") {
        None => Some(Some(10)),
        Some(item) if item.node.is_null() => Some(None),
        Some(item) => read_samples(&item).map(Some),
    };
    let default = Criteria { min_settlement_rate: 0.95, require_significance: false, max_variation: None };
    let criteria = block.or("acceptance", default, read_criteria);
    block.finish();
    Some(Evaluation { ticks: ticks?, mode: mode?, num_samples: num_samples?, criteria: criteria? })
}

/// Samples: those of a day are held in memory together, and more make no mean that is worth the time.
fn read_samples(item: &Item<'_>) -> Option<u32> {
    let count = item.unsigned(0..=u64::MAX)?;
    if count > u64::from(MAX_SAMPLES) {
        item.error(format!(
            "{count} samples do not fit into memory together; at most {MAX_SAMPLES} are allowed, whose mean \
             is within a hundredth of their deviation"
        ));
        return None;
    }
    u32::try_from(count).ok()
}

/// Samples at most.
pub const MAX_SAMPLES: u32 = 10_000;

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
    let effort = block.nullable("reasoning_effort", |item| {
        let word = item.str()?.to_owned();
        if let Some(problem) = unknown_effort(&word) {
            warn(&item, problem);
        }
        Some(word)
    });
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
    let fields = block.nullable("allowed_fields", |item| item.list_of(field_name));
    let actions = block.nullable("allowed_actions", |item| {
        let mut by_tree = Vec::new();
        for (tree, item) in item.named()? {
            if !TREES.contains(&tree) {
                warn_about_key(&item, tree, &TREES);
            }
            by_tree.push((tree.to_owned(), item.list_of(action_name)?));
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
    warn(item, format!("unknown key `{shown}`{}", meant(nearest(key, known.iter().copied()))));
}

fn warn(item: &Item<'_>, message: String) {
    item.report.push(Finding::warning(&*item.path, Some(item.node.at), message));
}

/// A name of the policy language; one that it does not know is a warning, since nothing can ever bear it.
fn known_name(item: Item<'_>, what: &str, known: &[&str]) -> Option<String> {
    let name = item.str()?.to_owned();
    if !known.contains(&name.as_str()) {
        let near = meant(nearest(&name, known.iter().copied()));
        warn(&item, format!("`{}` is no {what} of a policy{near}", document::shortened(&name)));
    }
    Some(name)
}

fn field_name(item: Item<'_>) -> Option<String> {
    if item.node.as_text().is_some_and(|name| name.starts_with(REGISTER_PREFIX)) {
        return item.text();
    }
    let known: Vec<&str> = FIELDS.iter().map(|row| row.name).collect();
    known_name(item, "field", &known)
}

fn action_name(item: Item<'_>) -> Option<String> {
    let known: Vec<&str> = ACTIONS.iter().map(|row| row.name).collect();
    known_name(item, "action", &known)
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
