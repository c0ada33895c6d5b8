//! Addressing settings of a scenario document by path (spec 07, 18.1).

use std::fmt;
use std::str::FromStr;

use crate::document::{Node, Value};
use crate::finding::nearest;

/// A path to a setting, e.g. `cost_rates.delay_cost_per_tick_per_cent`, `agents[BANK_A].liquidity_pool`
/// or `agents[*].unsecured_cap`. Brackets choose the bank of an id, an item of another list by its
/// number from 0, or all (`*`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Item(String),
    All,
}

/// A text that is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no path of a setting")]
pub struct BadPath(pub String);

impl FromStr for SettingPath {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        let bad = || BadPath(text.to_owned());
        let (mut steps, mut rest) = (Vec::new(), text);
        loop {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                return Err(bad());
            }
            steps.push(Step::Key(rest[..end].to_owned()));
            rest = &rest[end..];
            while let Some(inside) = rest.strip_prefix('[') {
                let (item, after) = inside.split_once(']').ok_or_else(bad)?;
                steps.push(match item {
                    "" => return Err(bad()),
                    "*" => Step::All,
                    item => Step::Item(item.to_owned()),
                });
                rest = after;
            }
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None if rest.is_empty() => return Ok(Self(steps)),
                None => return Err(bad()),
            }
        }
    }
}

impl fmt::Display for SettingPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A path begins with a key.
        f.write_str(written(&self.0).trim_start_matches('.'))
    }
}

impl SettingPath {
    /// Sets a value wherever the path leads in a document of [`ScenarioFile::to_node`], and says how
    /// often that is: 0 means that the scenario has no such setting.
    ///
    /// [`ScenarioFile::to_node`]: super::ScenarioFile::to_node
    pub fn set(&self, document: &mut Node, value: &Value) -> usize {
        set(document, &self.0, value)
    }

    /// Every place of a document that the path leads to: the keys and numbers of items on the way.
    #[must_use]
    pub fn places(&self, document: &Node) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        places(document, &self.0, &mut Vec::new(), &mut found);
        found
    }

    /// The path of the document that this one, which matches nothing, may have meant.
    #[must_use]
    pub fn nearest(&self, document: &Node) -> Option<String> {
        meant(document, &self.0, "")
    }
}

fn places(node: &Node, steps: &[Step], way: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(way.clone());
        return;
    };
    let mut enter = |name: String, node: &Node| {
        way.push(name);
        places(node, rest, way, found);
        way.pop();
    };
    match (step, &node.value) {
        (Step::Key(key), Value::Map(entries)) => {
            entries
                .iter()
                .filter(|entry| entry.key == *key)
                .for_each(|entry| enter(key.clone(), &entry.node));
        }
        (Step::Item(id), Value::List(items)) => {
            if let Some(index) = chosen(items, id) {
                enter(index.to_string(), &items[index]);
            }
        }
        (Step::All, Value::List(items)) => {
            items.iter().enumerate().for_each(|(index, item)| enter(index.to_string(), item));
        }
        _ => {}
    }
}

/// What a path could have meant, by the nearest name where it stops matching.
fn meant(node: &Node, steps: &[Step], so_far: &str) -> Option<String> {
    let (step, rest) = steps.split_first()?;
    let name = |key: &str| if so_far.is_empty() { key.to_owned() } else { format!("{so_far}.{key}") };
    match (step, &node.value) {
        (Step::Key(key), Value::Map(entries)) => {
            if let Some(entry) = entries.iter().find(|entry| entry.key == *key) {
                return meant(&entry.node, rest, &name(key));
            }
            let near = nearest(key, entries.iter().map(|entry| entry.key.as_str()))?;
            Some(name(near) + &written(rest))
        }
        (Step::Item(id), Value::List(items)) => {
            if let Some(item) = chosen(items, id) {
                return meant(&items[item], rest, &format!("{so_far}[{id}]"));
            }
            let near = nearest(id, items.iter().filter_map(|item| item.get("id")?.as_text()))?;
            Some(format!("{so_far}[{near}]{}", written(rest)))
        }
        (Step::All, Value::List(items)) => meant(items.first()?, rest, &format!("{so_far}[*]")),
        _ => None,
    }
}

fn written(steps: &[Step]) -> String {
    steps
        .iter()
        .map(|step| match step {
            Step::Key(key) => format!(".{key}"),
            Step::Item(item) => format!("[{item}]"),
            Step::All => "[*]".to_owned(),
        })
        .collect()
}

/// The item of an id, else of a number.
fn chosen(items: &[Node], id: &str) -> Option<usize> {
    items
        .iter()
        .position(|item| item.get("id").and_then(Node::as_text) == Some(id))
        .or_else(|| id.parse().ok())
        .filter(|index| *index < items.len())
}

fn set(node: &mut Node, steps: &[Step], value: &Value) -> usize {
    let Some((step, rest)) = steps.split_first() else {
        node.value = value.clone();
        return 1;
    };
    match (step, &mut node.value) {
        (Step::Key(key), Value::Map(entries)) => entries
            .iter_mut()
            .find(|entry| entry.key == *key)
            .map_or(0, |entry| set(&mut entry.node, rest, value)),
        (Step::Item(id), Value::List(items)) => {
            chosen(items, id).map_or(0, |index| set(&mut items[index], rest, value))
        }
        (Step::All, Value::List(items)) => items.iter_mut().map(|item| set(item, rest, value)).sum(),
        _ => 0,
    }
}
