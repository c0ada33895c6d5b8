//! What a file is, told by what it holds.

use super::{Source, SourceError};
use crate::document::{Node, parse_json, parse_yaml};
use crate::finding::Findings;
use crate::library::{self, Kind};

/// Keys at the top of a file that tell its kind.
const SIGNS: &[(Kind, &[&str])] = &[
    (Kind::Scenario, &["simulation", "agents", "cost_rates", "lsm_config", "scenario_events"]),
    (Kind::Policy, &["policy_id", "payment_tree", "bank_tree", "strategic_collateral_tree", "parameters"]),
    (Kind::Experiment, &["scenario", "evaluation", "convergence", "optimized_agents", "policy_constraints"]),
];

/// The kind of a file, or of an entry of the library.
///
/// # Errors
///
/// A file that cannot be read, is no document, or has keys of no kind.
pub fn kind_of(argument: &str) -> Result<Kind, SourceError> {
    if let Some(name) = library::name_in(argument) {
        return Ok(library::find(name)?.kind);
    }
    let source = Source::open(argument, Kind::Scenario)?;
    let is_json = source.name.ends_with(".json") || source.text.trim_start().starts_with('{');
    let root = if is_json { parse_json(&source.text) } else { parse_yaml(&source.text) };
    let root = root.map_err(|finding| SourceError::Refused {
        name: argument.to_owned(),
        findings: Findings(vec![finding]),
    })?;
    kind_of_document(&root).ok_or_else(|| SourceError::UnknownKind(argument.to_owned()))
}

/// The kind with the most signs; none if no sign is there, or as many of another kind.
fn kind_of_document(root: &Node) -> Option<Kind> {
    let count = |signs: &[&str]| signs.iter().filter(|sign| root.get(sign).is_some()).count();
    let mut counted: Vec<(usize, Kind)> = SIGNS.iter().map(|(kind, signs)| (count(signs), *kind)).collect();
    counted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    match counted.as_slice() {
        [(first, kind), (second, _), ..] if first > second => Some(*kind),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_tell_the_kind() {
        for (text, kind) in [
            ("simulation: {}\nagents: []", Some(Kind::Scenario)),
            ("agents: []", Some(Kind::Scenario)),
            ("policy_id: p\nversion: '1'", Some(Kind::Policy)),
            ("scenario: a.yaml\nconvergence: {}", Some(Kind::Experiment)),
            ("name: x\ndescription: y", None),
            ("simulation: {}\npolicy_id: p", None),
            ("- 1", None),
            ("", None),
        ] {
            assert_eq!(parse_yaml(text).ok().and_then(|root| kind_of_document(&root)), kind, "{text}");
        }
    }

    #[test]
    fn everything_that_comes_with_the_program_is_what_it_is() -> Result<(), SourceError> {
        for asset in library::all() {
            let text = asset.text();
            let root = if text.trim_start().starts_with('{') { parse_json(text) } else { parse_yaml(text) };
            let kind = root.ok().and_then(|root| kind_of_document(&root));
            assert_eq!(kind, Some(asset.kind), "{}", asset.name);
            assert_eq!(kind_of(&asset.link())?, asset.kind);
        }
        Ok(())
    }
}
