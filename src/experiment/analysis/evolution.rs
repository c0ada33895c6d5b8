//! How the policies of a run developed (spec 07, 20.1).

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::{diff, mapping};
use crate::experiment::stream::EventKind;
use crate::persistence::{IterationRow, PersistenceError, Reader};

/// Which part of a run.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Only this agent.
    pub agent: Option<&'a str>,
    /// First iteration, from 1.
    pub first: u32,
    /// Last iteration, included.
    pub last: u32,
    /// Whether the last exchange with the proposer is added.
    pub exchanges: bool,
}

/// Prompts and reply of the last call, by iteration (from 0) and agent.
type Exchanges = HashMap<(u32, String), Value>;

/// Agent to `iteration_N` (from 1) to its policy, the difference to the iteration before in the range, its
/// cost, and whether it was replaced. An agent that is not in the run gives an empty object.
///
/// # Errors
///
/// The database cannot be read.
pub fn of_run(reader: &Reader, run_id: &str, wanted: &Wanted<'_>) -> Result<Value, PersistenceError> {
    let mut rows = reader.iterations(run_id)?;
    rows.retain(|row| (wanted.first..=wanted.last).contains(&(row.iteration + 1)));
    let exchanges = if wanted.exchanges { last_exchanges(reader, run_id)? } else { Exchanges::new() };
    let agents: BTreeSet<String> =
        rows.iter().flat_map(|row| mapping(&row.policies)).map(|(id, _)| id).collect();
    let wanted = agents.into_iter().filter(|agent| wanted.agent.is_none_or(|wanted| wanted == agent));
    let of_agents = wanted.map(|agent| {
        let evolution = of_agent(&rows, &agent, &exchanges);
        (agent, Value::Object(evolution))
    });
    Ok(Value::Object(of_agents.collect()))
}

fn of_agent(rows: &[IterationRow], agent: &str, exchanges: &Exchanges) -> Map<String, Value> {
    let mut before = Value::Null;
    let mut evolution = Map::new();
    for row in rows {
        let part = |json: &str| mapping(json).get(agent).cloned().unwrap_or(Value::Null);
        let policy = part(&row.policies);
        let mut entry = json!({
            "policy": policy,
            "diff": diff::text(&before, &policy),
            "cost": part(&row.costs_per_agent),
            "accepted": part(&row.accepted_changes),
        });
        if let Some(entry) = entry.as_object_mut() {
            entry.retain(|_, value| !value.is_null());
            if let Some(exchange) = exchanges.get(&(row.iteration, agent.to_owned())) {
                entry.insert("llm".to_owned(), exchange.clone());
            }
        }
        evolution.insert(format!("iteration_{}", row.iteration + 1), entry);
        before = policy;
    }
    evolution
}

fn last_exchanges(reader: &Reader, run_id: &str) -> Result<Exchanges, PersistenceError> {
    let mut found = Exchanges::new();
    for event in reader.live_events(run_id, None)? {
        if event.event_type != EventKind::Interaction.name() {
            continue;
        }
        let data = mapping(&event.event_data);
        let Some(agent) = data.get("agent_id").and_then(Value::as_str) else { continue };
        let keys = ["system_prompt", "user_prompt", "raw_response"];
        let kept = keys.map(|key| (key.to_owned(), data.get(key).cloned().unwrap_or(Value::Null)));
        found.insert((event.iteration, agent.to_owned()), Value::Object(kept.into_iter().collect()));
    }
    Ok(found)
}
