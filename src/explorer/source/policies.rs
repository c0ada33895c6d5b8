//! Policies as text, wherever they stand.

use serde_json::Value;

use super::super::launcher;
use super::super::rows::{PolicyLine, PolicyOf, PolicyText, Role};
use super::{DatabaseSource, with_hint};
use crate::experiment::policies::AgentPolicy;
use crate::persistence::{PersistenceError, PolicyAuthor};
use crate::policy::{PolicyDocument, TreeKind};

impl DatabaseSource {
    pub(super) fn policy(&self, wanted: &PolicyOf) -> Result<PolicyText, String> {
        match wanted {
            PolicyOf::File(file) => Ok(text_of(&*launcher::policy_file(file)?, Vec::new())),
            PolicyOf::Evaluated { run, iteration, bank } => {
                let (found, banks) = self.evaluated(run, *iteration, bank)?;
                of_json(found, wanted, banks)
            }
            PolicyOf::Proposed { run, iteration, bank } => {
                let hint = |error: PersistenceError| with_hint(&error);
                let (_, banks) = self.evaluated(run, *iteration, bank)?;
                let rows = self.reader.evaluations(run, Some(bank)).map_err(hint)?;
                let row = rows.into_iter().find(|row| u64::from(row.iteration) == *iteration);
                let json = row.and_then(|row| serde_json::from_str(&row.proposed_policy).ok());
                of_json(json, wanted, banks)
            }
            PolicyOf::Simulated { simulation, bank } => {
                let rows = self.reader.policies(simulation, None).map_err(|error| with_hint(&error))?;
                let mut banks: Vec<String> = rows.iter().map(|row| row.agent_id.clone()).collect();
                banks.dedup();
                let row = rows.into_iter().find(|row| row.agent_id == *bank || bank.is_empty());
                let json = row.and_then(|row| serde_json::from_str(&row.policy_json).ok());
                of_json(json.map(inline), wanted, banks)
            }
        }
    }

    /// A bank's policy as evaluated, if it is there, and the banks of the iteration.
    fn evaluated(
        &self,
        run: &str,
        iteration: u64,
        bank: &str,
    ) -> Result<(Option<Value>, Vec<String>), String> {
        let rows = self.reader.iterations(run).map_err(|error| with_hint(&error))?;
        let row = rows.into_iter().find(|row| u64::from(row.iteration) == iteration);
        let text = row.map(|row| row.policies).unwrap_or_default();
        let mut policies: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
        let banks = policies.keys().cloned().collect();
        Ok((policies.remove(bank), banks))
    }
}

/// The document of a scenario's policy; a built-in type stays as it is.
fn inline(policy: Value) -> Value {
    policy.get("decision_trees").cloned().unwrap_or(policy)
}

fn of_json(json: Option<Value>, wanted: &PolicyOf, banks: Vec<String>) -> Result<PolicyText, String> {
    let json = json.ok_or_else(|| format!("there is no policy: {}", wanted.title()))?;
    let built = AgentPolicy::build(json, PolicyAuthor::Manual)?;
    Ok(PolicyText { json: json_lines(built.json()), ..text_of(built.document(), banks) })
}

fn plain(text: impl Into<String>) -> PolicyLine {
    PolicyLine { text: text.into(), role: Role::Plain }
}

fn heading(text: impl Into<String>) -> PolicyLine {
    PolicyLine { text: text.into(), role: Role::Heading }
}

fn text_of(document: &PolicyDocument, banks: Vec<String>) -> PolicyText {
    let english = document.explain().into_iter().map(|line| {
        // What is not indented is a heading, but for the description.
        let role = match line.starts_with(' ') || Some(&*line) == document.description().map(|text| &**text) {
            true => Role::Plain,
            false => Role::Heading,
        };
        PolicyLine { text: line, role }
    });
    PolicyText {
        trees: tree_lines(document),
        english: english.collect(),
        json: json_lines(document.to_json()),
        banks,
    }
}

/// Parameters, then every tree as a drawing.
fn tree_lines(document: &PolicyDocument) -> Vec<PolicyLine> {
    let mut lines = Vec::new();
    if !document.parameters().is_empty() {
        lines.push(heading("parameters"));
        lines.extend(document.parameters().iter().map(|(name, value)| plain(format!("  {name} = {value}"))));
    }
    for tree in TreeKind::ALL.into_iter().filter(|tree| document.tree(*tree).is_some()) {
        if !lines.is_empty() {
            lines.push(plain(""));
        }
        lines.push(heading(tree.key()));
        for line in document.draw(tree) {
            let role = if line.decides { Role::Decision } else { Role::Plain };
            lines.push(PolicyLine { text: line.drawn(), role });
            if let Some(description) = line.description {
                let depth = line.stem.chars().count();
                let text = format!("{}{description}", " ".repeat(depth + 2));
                lines.push(PolicyLine { text, role: Role::Note });
            }
        }
    }
    lines
}

fn json_lines(json: &Value) -> Vec<PolicyLine> {
    format!("{json:#}").lines().map(plain).collect()
}
