//! The scripted proposer: a list of entries for each agent, one for each call (spec 07, 10.3).

use std::collections::HashMap;

use serde_json::Value;

use super::{Answer, Call, Proposer, Request, Workbench};
use crate::document::{self, Entry, Node};
use crate::experiment::laboratory::RunError;
use crate::experiment::policies::default_policy;
use crate::experiment::reply;
use crate::finding::Finding;

/// A script as read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// The file as it was written.
    pub text: String,
    agents: Vec<(String, Vec<Line>)>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
enum Line {
    /// The default policy with this fraction.
    Fraction(Value),
    /// This policy.
    Policy(Value),
    /// This reply.
    Raw(String),
    /// No reply but this error.
    Error(String),
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// What is no JSON mapping from agents to lists of entries.
    pub fn read(text: &str) -> Result<Self, Finding> {
        let root = document::parse_json(text)?;
        let entries =
            root.as_map().ok_or_else(|| wrong(&root, "a mapping from agents to lists of entries"))?;
        let agents = entries.iter().map(read_agent).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), agents })
    }

    /// Agents for which it has entries.
    pub fn agents(&self) -> impl Iterator<Item = &str> {
        self.agents.iter().map(|(agent, _)| agent.as_str())
    }

    /// The proposer that goes through the script from its beginning.
    #[must_use]
    pub fn start(&self) -> ScriptedProposer {
        ScriptedProposer { script: self.clone(), calls: HashMap::new() }
    }
}

fn wrong(node: &Node, expected: &str) -> Finding {
    Finding::error("", Some(node.at), format!("expected {expected}, found {}", node.described()))
}

fn read_agent(entry: &Entry) -> Result<(String, Vec<Line>), Finding> {
    let items = entry.node.as_list().ok_or_else(|| wrong(&entry.node, "a list of entries"))?;
    Ok((entry.key.clone(), items.iter().map(read_line).collect::<Result<_, _>>()?))
}

fn read_line(item: &Node) -> Result<Line, Finding> {
    const FORM: &str = "one of `fraction`, `policy`, `raw` or `error`";
    let Some([entry]) = item.as_map() else { return Err(wrong(item, FORM)) };
    let text = || entry.node.as_text().map(str::to_owned).ok_or_else(|| wrong(&entry.node, "text"));
    match entry.key.as_str() {
        "fraction" => match entry.node.to_json() {
            number @ Value::Number(_) => Ok(Line::Fraction(number)),
            _ => Err(wrong(&entry.node, "a number")),
        },
        "policy" if entry.node.as_map().is_some() => Ok(Line::Policy(entry.node.to_json())),
        "policy" => Err(wrong(&entry.node, "a mapping")),
        "raw" => Ok(Line::Raw(text()?)),
        "error" => Ok(Line::Error(text()?)),
        _ => Err(wrong(item, FORM)),
    }
}

/// A script being gone through.
#[derive(Debug)]
pub struct ScriptedProposer {
    script: Script,
    /// Calls answered by agent.
    calls: HashMap<String, usize>,
}

impl Proposer for ScriptedProposer {
    fn propose(&mut self, request: &Request<'_>, _bench: &mut dyn Workbench) -> Result<Call, RunError> {
        let lines =
            self.script.agents.iter().find(|(agent, _)| agent == request.agent).map(|(_, lines)| lines);
        let calls = self.calls.entry(request.agent.to_owned()).or_default();
        let line = lines.and_then(|lines| lines.get(*calls).or(lines.last()));
        *calls += 1;
        let reply = |raw: String| Answer::Reply { policy: reply::read(&raw), raw };
        let answer = match line {
            None => Answer::Declined,
            Some(Line::Fraction(fraction)) => {
                reply(default_policy(request.agent, fraction.clone()).to_string())
            }
            Some(Line::Policy(policy)) => reply(policy.to_string()),
            Some(Line::Raw(text)) => reply(text.clone()),
            Some(Line::Error(text)) => Answer::Failed(text.clone()),
        };
        Ok(answer.into())
    }

    fn recall(&mut self, request: &Request<'_>, _bench: &mut dyn Workbench) -> Result<(), RunError> {
        *self.calls.entry(request.agent.to_owned()).or_default() += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_other_forms_are_refused() {
        for text in [
            "[]",
            r#"{"A": 5}"#,
            r#"{"A": [{}]}"#,
            r#"{"A": [{"fraction": "half"}]}"#,
            r#"{"A": [{"policy": 1}]}"#,
            r#"{"A": [{"fraction": 0.1, "raw": "x"}]}"#,
            r#"{"A": [], "A": []}"#,
        ] {
            assert!(Script::read(text).is_err(), "{text}");
        }
        assert!(Script::read(r#"{"A": [{"fraction": 1}, {"error": "late"}], "B": []}"#).is_ok());
    }
}
