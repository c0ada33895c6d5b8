//! The scenario of a simulation of the reference, as far as its file tells it.

use serde_json::{Map, Value, json};

use super::source::{Header, Source};
use crate::finding::Finding;
use crate::ids::Dialect;
use crate::persistence::PersistenceError;
use crate::persistence::schema::Kind;
use crate::scenario::{Format, NoFiles, Overrides, Scenario, ScenarioFile, read};

/// Settings that the reference accepts and runs without (spec 00, C3).
const WITHOUT_EFFECT: &[&str] = &[
    "queue1_ordering",
    "priority_mode",
    "priority_escalation",
    "algorithm_sequencing",
    "entry_disposition_offsetting",
    "eod_rush_threshold",
    "daily_liquidity_reallocation",
];

/// The same of a bank.
const WITHOUT_EFFECT_FOR_BANKS: &[&str] = &["limits", "posted_collateral", "collateral_haircut"];

/// Parts of a scenario that can be left out one by one before all of it is.
const MOST_PARTS: usize = 64;

/// A scenario and what it lacks.
pub(super) struct Told {
    pub file: ScenarioFile,
    pub scenario: Scenario,
    /// For the user: what could not be taken from the file.
    pub lacking: Vec<String>,
}

/// Length and seed of a simulation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length {
    pub ticks_per_day: u64,
    pub num_days: u64,
    pub seed: u64,
}

/// Length and seed: a run database has them in its columns, one of experiments in the scenario and in the
/// `simulation_run` event (8.4).
pub(super) fn length(source: &Source<'_>, header: &Header, config: &Value) -> Length {
    let told = |key: &str| config["simulation"][key].as_u64();
    let either = |column: Option<u64>, key: &str| {
        if source.holds_runs() { column.or_else(|| told(key)) } else { told(key).or(column) }
    };
    let context = header.context.as_ref();
    Length {
        ticks_per_day: either(header.ticks_per_day, "ticks_per_day").unwrap_or(1).max(1),
        num_days: either(header.num_days, "num_days").unwrap_or(1).max(1),
        seed: context
            .and_then(|context| context.seed)
            .or_else(|| either(header.seed, "rng_seed"))
            .unwrap_or(0),
    }
}

/// The scenario of a simulation.
pub(super) fn told(
    source: &Source<'_>,
    header: &Header,
    config: &Value,
    length: Length,
) -> Result<Told, PersistenceError> {
    let mut config = config.clone();
    let mut lacking = Vec::new();
    if config.is_object() {
        apply_policies(&mut config, evaluated(source, header)?.as_ref());
        forget_without_effect(&mut config);
    } else {
        lacking.push("its scenario, so opening balances".to_owned());
        config = json!({ "agents": banks_of(source, &header.id)? });
    }
    config["simulation"] = json!({
        "ticks_per_day": length.ticks_per_day, "num_days": length.num_days, "rng_seed": length.seed,
    });
    let Some((file, scenario)) = readable(&mut config, &mut lacking) else {
        return Err(PersistenceError::Corrupt {
            what: "its scenario".to_owned(),
            reason: "it names no bank that this program can read".to_owned(),
        });
    };
    let names = (*scenario.names).clone().written_in(Dialect::Reference);
    Ok(Told { file, scenario: Scenario { names: names.into(), ..scenario }, lacking })
}

/// The policies that an experiment evaluated by a simulation.
fn evaluated(source: &Source<'_>, header: &Header) -> Result<Option<Value>, PersistenceError> {
    let iteration = header.context.as_ref().and_then(|context| context.iteration).or(header.iteration);
    match (&header.run, iteration) {
        (Some(run), Some(iteration)) => source.policies(run, iteration),
        _ => Ok(None),
    }
}

fn apply_policies(config: &mut Value, policies: Option<&Value>) {
    for bank in agents_of(config) {
        let document = bank["id"].as_str().and_then(|id| policies?.get(id)).cloned();
        if let Some(document) = document.filter(Value::is_object) {
            bank["policy"] = json!({ "type": "Inline", "decision_trees": document });
        }
    }
}

fn agents_of(config: &mut Value) -> impl Iterator<Item = &mut Value> {
    let agents = config.get_mut("agents").and_then(Value::as_array_mut);
    agents.into_iter().flatten().filter(|bank| bank.is_object())
}

fn forget_without_effect(config: &mut Value) {
    if let Some(root) = config.as_object_mut() {
        root.retain(|key, _| !WITHOUT_EFFECT.contains(&key.as_str()));
    }
    for bank in agents_of(config).filter_map(Value::as_object_mut) {
        bank.retain(|key, _| !WITHOUT_EFFECT_FOR_BANKS.contains(&key.as_str()));
    }
}

/// The banks that the events name, where there is no scenario.
fn banks_of(source: &Source<'_>, id: &str) -> Result<Vec<Value>, PersistenceError> {
    let details = source.column("simulation_events", "details", Kind::Json);
    let keys = ["sender_id", "receiver_id", "sender", "receiver", "agent_a", "agent_b"];
    let named: Vec<String> = keys.iter().map(|key| format!("{details}->>'$.{key}'")).collect();
    let query = format!(
        "SELECT DISTINCT unnest([{}, {}]) AS bank FROM {} WHERE simulation_id = ? ORDER BY bank",
        source.column("simulation_events", "agent_id", Kind::Text),
        named.join(", "),
        source.table("simulation_events")
    );
    let banks: Vec<Option<String>> = source.list(&query, [id], |row| row.get(0))?;
    let banks = banks.into_iter().flatten().filter(|bank| !bank.is_empty());
    Ok(banks.map(|bank| json!({ "id": bank, "opening_balance": 0 })).collect())
}

/// Reads a scenario, leaving out one after the other what this program refuses.
fn readable(config: &mut Value, lacking: &mut Vec<String>) -> Option<(ScenarioFile, Scenario)> {
    for _ in 0..MOST_PARTS {
        let (file, findings) = read(&config.to_string(), Format::Json, &Overrides::default(), &NoFiles);
        let findings = match file.map(|file| file.resolve().map(|scenario| (file, scenario))) {
            Some(Ok(both)) => return Some(both),
            Some(Err(refused)) => refused,
            None => findings,
        };
        lacking.push(leave_out(config, findings.errors().next()?)?);
    }
    None
}

/// Leaves out the part that a finding is about and names it.
fn leave_out(config: &mut Value, finding: &Finding) -> Option<String> {
    let (root, rest) = finding.path.split_once(['.', '[']).unwrap_or((finding.path.as_str(), ""));
    let of_bank = finding.message.strip_prefix("bank `").and_then(|rest| rest.split('`').next());
    let number = rest.split(']').next().and_then(|number| number.parse::<usize>().ok());
    let agents = config.get_mut("agents").and_then(Value::as_array_mut);
    let bank = agents.and_then(|agents| match of_bank {
        Some(id) => agents.iter_mut().find(|bank| bank["id"] == id),
        None => number.filter(|_| root == "agents").and_then(|at| agents.get_mut(at)),
    });
    if let Some(bank) = bank.and_then(Value::as_object_mut) {
        let key = rest.split_once("].").map(|(_, key)| key.split(['.', '[']).next().unwrap_or(key));
        let key = if of_bank.is_some() { "policy" } else { key? };
        return forget(bank, key);
    }
    config.as_object_mut()?.shift_remove(root).map(|_| format!("`{root}` of its scenario ({finding})"))
}

/// Forgets a key of a bank; the liquidity fraction of a policy stays.
fn forget(bank: &mut Map<String, Value>, key: &str) -> Option<String> {
    let removed = bank.shift_remove(key)?;
    let fraction = removed.pointer("/decision_trees/parameters/initial_liquidity_fraction");
    if let Some(fraction) = fraction.filter(|_| key == "policy") {
        bank.insert("liquidity_allocation_fraction".to_owned(), fraction.clone());
    }
    Some(format!("`{key}` of bank `{}`", bank.get("id").and_then(Value::as_str).unwrap_or("?")))
}
