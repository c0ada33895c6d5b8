//! Addressing settings of a scenario document by path (spec 07, 18.1).

use std::fmt;
use std::str::FromStr;

use crate::document::{Node, Value};

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
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if index == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
                Step::All => f.write_str("[*]")?,
            }
        }
        Ok(())
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
            let index = items
                .iter()
                .position(|item| item.get("id").and_then(Node::as_text) == Some(id))
                .or_else(|| id.parse().ok())
                .filter(|index| *index < items.len());
            index.map_or(0, |index| set(&mut items[index], rest, value))
        }
        (Step::All, Value::List(items)) => items.iter_mut().map(|item| set(item, rest, value)).sum(),
        _ => 0,
    }
}
