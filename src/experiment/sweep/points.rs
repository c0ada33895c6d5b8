//! The points of a sweep as scenarios, and the check that all of them are some (spec 07, 18.1).

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::design::{Axis, Design, Sweep, Target};
use crate::document::{Node, Value, shortened};
use crate::experiment::policies::messages;
use crate::finding::{Finding, Findings, meant, nearest};
use crate::scenario::{self, FileKind, FileText, Files, Overrides, ScenarioFile, SettingPath};

/// Points of which the faults are reported one by one.
const REPORTED: usize = 5;

/// The combinations of a sweep over a scenario.
#[derive(Debug)]
pub struct Points<'a> {
    sweep: &'a Sweep,
    /// The scenario as resolved, defaults included.
    base: Node,
    files: Recorded<'a>,
}

/// The files that the experiment names: name as written, content.
#[derive(Debug)]
struct Recorded<'a>(&'a [(String, String)]);

impl Files for Recorded<'_> {
    fn read(&self, path: &str, _kind: FileKind) -> Result<FileText, String> {
        let found = self.0.iter().find(|(name, _)| name == path);
        let file = found.map(|(name, text)| FileText { name: name.clone(), text: text.clone() });
        file.ok_or_else(|| "the experiment does not name it".to_owned())
    }
}

impl<'a> Points<'a> {
    /// The points of a sweep over a scenario; `files` are those that the experiment names.
    #[must_use]
    pub fn new(sweep: &'a Sweep, scenario: &ScenarioFile, files: &'a [(String, String)]) -> Self {
        Self { sweep, base: scenario.to_node(), files: Recorded(files) }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sweep.points().unwrap_or(0)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The scenario of a point.
    ///
    /// # Errors
    /// Why it is none.
    pub fn scenario(&self, point: usize) -> Result<ScenarioFile, String> {
        let mut document = self.base.clone();
        for (axis, at) in self.sweep.vary.iter().zip(self.sweep.coordinates(point)) {
            apply(axis, &axis.values[at], &mut document)?;
        }
        self.read(document)
    }

    fn read(&self, document: Node) -> Result<ScenarioFile, String> {
        let (file, findings) = scenario::read_node(document, &Overrides::default(), &self.files);
        let file = file.ok_or_else(|| said(findings))?;
        file.resolve().map_err(said)?;
        Ok(file)
    }

    /// Checks that every axis names a setting and every point is a scenario.
    ///
    /// # Errors
    /// What is wrong, with axis and value.
    pub fn check(&self) -> Result<(), Findings> {
        self.check_axes()?;
        let faults: Vec<(usize, String)> = (0..self.len())
            .into_par_iter()
            .filter_map(|point| self.scenario(point).err().map(|fault| (point, fault)))
            .collect();
        if faults.is_empty() {
            return Ok(());
        }
        let mut failing: HashMap<(usize, usize), usize> = HashMap::new();
        for (point, _) in &faults {
            for value in self.sweep.coordinates(*point).into_iter().enumerate() {
                *failing.entry(value).or_default() += 1;
            }
        }
        let mut findings = Findings::default();
        let mut blamed = HashSet::new();
        for (point, fault) in &faults {
            let (place, message) = self.blame(*point, fault, &failing);
            if blamed.len() < REPORTED && blamed.insert(place.clone()) {
                findings.push(Finding::error(place, None, message));
            }
        }
        if faults.len() > 1 {
            let hint = format!("{} of {} points are no valid scenario", faults.len(), self.len());
            if let Some(last) = findings.0.last_mut() {
                last.hint = Some(hint);
            }
        }
        Err(findings)
    }

    /// Whether the axes can be set at all, each with its first value.
    fn check_axes(&self) -> Result<(), Findings> {
        let mut findings = Findings::default();
        let mut document = self.base.clone();
        for (index, axis) in self.sweep.vary.iter().enumerate() {
            let first = axis.values.first();
            if let Some(Err(fault)) = first.map(|value| apply(axis, value, &mut document)) {
                findings.push(Finding::error(format!("sweep.vary[{index}]"), None, fault));
            }
        }
        if findings.has_errors() { Err(findings) } else { self.check_overlaps() }
    }

    /// No axis may set what another one sets: its values would not be those that are run.
    fn check_overlaps(&self) -> Result<(), Findings> {
        let axes = &self.sweep.vary;
        let places: Vec<_> = axes.iter().map(|axis| self.places(&axis.target)).collect();
        let meet = |one: &[String], other: &[String]| one.starts_with(other) || other.starts_with(one);
        for (later, axis) in axes.iter().enumerate() {
            let overlaps = |earlier: &usize| {
                places[later].iter().any(|place| places[*earlier].iter().any(|other| meet(place, other)))
            };
            let Some(earlier) = (0..later).find(overlaps) else { continue };
            let (label, other) = (axis.target.label(), axes[earlier].target.label());
            // A policy that varies as a whole can have a parameter that varies.
            if matches!((&axis.target, &axes[earlier].target), (Target::Policy { .. }, Target::Scenario(_)))
                && !places[earlier].iter().any(|place| places[later].contains(place))
            {
                continue;
            }
            let message = format!("`{label}` sets what `{other}` sets too: only one of them can be varied");
            return Err(Findings(vec![Finding::error(format!("sweep.vary[{later}]"), None, message)]));
        }
        Ok(())
    }

    /// Where an axis sets a value.
    fn places(&self, target: &Target) -> Vec<Vec<String>> {
        match target {
            Target::Scenario(path) => path.places(&self.base),
            Target::Policy { bank, parameter } => {
                let bank = bank.as_deref().unwrap_or("*");
                let path = format!("agents[{bank}].policy.decision_trees.parameters");
                let path: Option<SettingPath> = path.parse().ok();
                let mut places = path.map_or_else(Vec::new, |path| path.places(&self.base));
                places.iter_mut().for_each(|place| place.push(parameter.clone()));
                places
            }
        }
    }

    /// The place and the message of a point's fault: one value if it is wrong by itself and wherever it
    /// stands, else all of them together. `failing` counts the faults by axis and value.
    fn blame(&self, point: usize, fault: &str, failing: &HashMap<(usize, usize), usize>) -> (String, String) {
        for (index, (axis, at)) in self.sweep.vary.iter().zip(self.sweep.coordinates(point)).enumerate() {
            let everywhere = match self.sweep.design {
                Design::Grid => self.len() / axis.values.len(),
                Design::Zip => 1,
            };
            if failing.get(&(index, at)) != Some(&everywhere) {
                continue;
            }
            let value = &axis.values[at];
            let mut document = self.base.clone();
            let alone = apply(axis, value, &mut document).and_then(|()| self.read(document).map(|_| ()));
            if let Err(fault) = alone {
                let place = match axis.is_range {
                    true => format!("sweep.vary[{index}].range"),
                    false => format!("sweep.vary[{index}].values[{at}]"),
                };
                return (place, format!("{} = {}: {fault}", axis.target.label(), shown(value)));
            }
        }
        ("sweep.vary".to_owned(), format!("point {point} ({}): {fault}", self.described(point)))
    }

    /// The settings of a point in words.
    fn described(&self, point: usize) -> String {
        let values = self.sweep.vary.iter().zip(self.sweep.coordinates(point));
        let one =
            |(axis, at): (&Axis, usize)| format!("{} = {}", axis.target.label(), shown(&axis.values[at]));
        values.map(one).collect::<Vec<_>>().join(", ")
    }
}

/// Findings about a scenario that stands in no file, as one line.
fn said(mut findings: Findings) -> String {
    findings.0.iter_mut().for_each(|finding| finding.position = None);
    messages(&findings)
}

fn shown(value: &Node) -> String {
    shortened(&value.to_json_text())
}

/// Sets a value in a scenario's document.
fn apply(axis: &Axis, value: &Node, document: &mut Node) -> Result<(), String> {
    match &axis.target {
        Target::Scenario(path) => {
            if path.set(document, &value.value) > 0 {
                return Ok(());
            }
            Err(format!("the scenario has no setting `{path}`{}", meant(path.nearest(document).as_deref())))
        }
        Target::Policy { bank, parameter } => set_parameter(bank.as_deref(), parameter, value, document),
    }
}

fn set_parameter(
    bank: Option<&str>,
    parameter: &str,
    value: &Node,
    document: &mut Node,
) -> Result<(), String> {
    let Some(Value::List(banks)) = document.get_mut("agents").map(|node| &mut node.value) else {
        return Ok(());
    };
    let id_of = |node: &Node| node.get("id").and_then(Node::as_text).unwrap_or_default().to_owned();
    let ids: Vec<String> = banks.iter().map(id_of).collect();
    if let Some(bank) = bank.filter(|bank| !ids.iter().any(|id| id == bank)) {
        let near = meant(nearest(bank, ids.iter().map(String::as_str)));
        return Err(format!("the scenario has no bank `{}`{near}", shortened(bank)));
    }
    for (node, id) in banks.iter_mut().zip(&ids).filter(|(_, id)| bank.is_none_or(|bank| bank == *id)) {
        let Some(policy) = node.get_mut("policy").and_then(|policy| policy.get_mut("decision_trees")) else {
            return Err(format!(
                "the policy of `{id}` has no trees and so no parameters; a key of a built-in policy is a \
                 setting of the scenario, e.g. `agents[{id}].policy.target_buffer`"
            ));
        };
        match policy.get_mut("parameters").and_then(|parameters| parameters.get_mut(parameter)) {
            Some(node) => node.value.clone_from(&value.value),
            None => return Err(lacks(id, parameter, policy.get("parameters"))),
        }
    }
    Ok(())
}

fn lacks(bank: &str, parameter: &str, parameters: Option<&Node>) -> String {
    let known = parameters.and_then(Node::as_map).unwrap_or_default();
    let known: Vec<&str> = known.iter().map(|entry| entry.key.as_str()).collect();
    let hint = match nearest(parameter, known.iter().copied()) {
        Some(near) => meant(Some(near)),
        None if known.is_empty() => ": it has no parameters".to_owned(),
        None => format!(" (it has {})", known.join(", ")),
    };
    format!("the policy of `{bank}` has no parameter `{}`{hint}", shortened(parameter))
}
