//! From the text of a scenario file to a checked [`ScenarioFile`] (spec 01, 1 to 3).

mod agents;
mod arrivals;
mod costs;
mod events;
mod payments;
mod policies;
mod root;

/// Words and defaults that writing needs too.
pub(super) mod words {
    pub(in crate::scenario) use super::arrivals::{BANDS, DEFAULT_PRIORITY};
    pub(in crate::scenario) use super::root::{LSM_ALGORITHMS, QUEUE1_ORDERS};
}

use super::check;
use super::file::ScenarioFile;
use crate::document::{self, Node, Reader, Report, Value};
use crate::finding::Findings;

/// How a scenario file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// JSON.
    Json,
}

impl Format {
    /// By the suffix of a file name: `.yaml`, `.yml` or `.json` (spec 01, 1.1.2).
    #[must_use]
    pub fn of(file_name: &str) -> Option<Self> {
        match file_name.rsplit_once('.')?.1 {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// What is asked for beside the file (spec 01, 1.1.5 and 1.1.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Replaces `simulation.rng_seed`.
    pub seed: Option<u64>,
    /// One day of so many ticks.
    pub ticks: Option<u64>,
    /// Warnings are errors.
    pub strict: bool,
}

/// Which file a scenario asks for, and where it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A policy: in the working directory, the scenario's folder, then in that folder's parents,
    /// nearest first (spec 01, 2.7).
    Policy,
    /// A payments file: relative to the scenario file (spec 01, 2.12).
    Payments,
}

/// A file that a scenario names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileText {
    /// Its name for messages.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// The only way from a scenario to other files.
pub trait Files {
    /// The file of a path as the scenario has it.
    ///
    /// # Errors
    /// Why it can not be read, for a message.
    fn read(&self, path: &str, kind: FileKind) -> Result<FileText, String>;
}

/// No other files: for scenarios that hold everything themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _path: &str, _kind: FileKind) -> Result<FileText, String> {
        Err("no other file can be read here".to_owned())
    }
}

/// Reads and checks a scenario completely, policies and other files included.
///
/// There is a scenario unless a finding is an error. Findings without an error are warnings.
pub fn read(
    text: &str,
    format: Format,
    overrides: &Overrides,
    files: &dyn Files,
) -> (Option<ScenarioFile>, Findings) {
    let node = match format {
        Format::Yaml => document::parse_yaml(text),
        Format::Json => document::parse_json(text),
    };
    match node {
        Ok(node) => read_node(node, overrides, files),
        Err(finding) => (None, Findings(vec![finding])),
    }
}

/// Reads a scenario that is a document already, for instance the changed
/// [`ScenarioFile::to_node`] of another one.
pub fn read_node(
    mut node: Node,
    overrides: &Overrides,
    files: &dyn Files,
) -> (Option<ScenarioFile>, Findings) {
    apply(overrides, &mut node);
    let report = Report::default();
    let file = read_checked(&node, files, &report);
    let mut findings = report.into_findings();
    node.place_findings(&mut findings);
    if overrides.strict {
        findings.make_strict();
    }
    (file.filter(|_| !findings.has_errors()), findings)
}

/// Overrides act on what is written, before anything is checked (spec 01, 1.1.6).
fn apply(overrides: &Overrides, node: &mut Node) {
    let Some(simulation) = node.get_mut("simulation") else { return };
    let mut set = |key, value: u64| {
        let at = simulation.at;
        simulation.set(key, Node { value: Value::Int(i128::from(value)), at });
    };
    if let Some(seed) = overrides.seed {
        set("rng_seed", seed);
    }
    if let Some(ticks) = overrides.ticks {
        set("num_days", 1);
        set("ticks_per_day", ticks);
    }
}

/// The sections by themselves, then the checks across the file in the order of spec 01, 3.
fn read_checked(node: &Node, files: &dyn Files, report: &Report) -> Option<ScenarioFile> {
    let sections = root::read(Reader::root(node, report)?, report);
    let payments = sections.file.as_ref().map(|file| payments::read(sections.payments, file, files, report));
    // Policies stand by themselves: what is wrong with them is reported with the rest.
    let policies = policies::read(&sections.policies, files, report);
    let mut file = sections.file?;
    file.payments = payments??;
    for (agent, policy) in file.agents.iter_mut().zip(policies?) {
        agent.policy = policy;
    }
    check::allocations(&file, report);
    check::toggles(&file, report);
    (!report.has_errors()).then_some(file)
}
