//! Scenarios from files or from the library.

use std::sync::Arc;

use super::{Source, SourceError, stem};
use crate::finding::Findings;
use crate::library::Kind;
use crate::scenario::{self, Format, Overrides, Scenario, ScenarioFile};

/// A scenario that was read, checked and resolved.
#[derive(Clone, Debug)]
pub struct LoadedScenario {
    /// As written, defaults filled in.
    pub file: ScenarioFile,
    /// As the engine runs it.
    pub resolved: Arc<Scenario>,
    /// File name without folder.
    pub config_file: String,
    /// File name without its ending.
    pub config_name: String,
    /// Warnings.
    pub findings: Findings,
}

/// Reads a scenario completely, policies and payments included.
///
/// # Errors
///
/// A file that cannot be read, or that is refused, with all findings.
pub fn load_scenario(argument: &str, overrides: &Overrides) -> Result<LoadedScenario, SourceError> {
    let source = Source::open(argument, Kind::Scenario)?;
    load_from(&source, overrides)
}

/// As [`load_scenario`], of a source that is open.
///
/// # Errors
///
/// A file that is refused, with all findings.
pub fn load_from(source: &Source, overrides: &Overrides) -> Result<LoadedScenario, SourceError> {
    let format = Format::of(&source.name).ok_or_else(|| SourceError::UnknownEnding(source.argument()))?;
    let (file, mut findings) = scenario::read(&source.text, format, overrides, source);
    let refused = |findings| SourceError::Refused { name: source.argument(), findings };
    let Some(file) = file else { return Err(refused(findings)) };
    match file.resolve() {
        Ok(resolved) => Ok(LoadedScenario {
            file,
            resolved: Arc::new(resolved),
            config_name: stem(&source.name),
            config_file: source.name.clone(),
            findings,
        }),
        Err(further) => {
            findings.0.extend(further.0);
            Err(refused(findings))
        }
    }
}
