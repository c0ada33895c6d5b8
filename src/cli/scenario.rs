//! `scenario validate`: every problem of a file at once.

use serde_json::{Value, json};

use super::args::{ResultForm, ScenarioArgs, ScenarioCommand};
use super::error::{CliError, report_findings};
use super::output::Output;
use crate::finding::{Finding, Findings, Severity};
use crate::money::counted;
use crate::scenario::Overrides;
use crate::sources::{self, SourceError};

/// Runs the command.
pub fn scenario(args: &ScenarioArgs) -> Result<(), CliError> {
    match &args.command {
        ScenarioCommand::Validate { file, strict, format } => validate(file, *strict, *format),
    }
}

/// Reports every problem of a file.
pub fn validate(file: &str, strict: bool, form: ResultForm) -> Result<(), CliError> {
    let overrides = Overrides { strict, ..Overrides::default() };
    let (valid, findings, about) = match sources::load_scenario(file, &overrides) {
        Ok(loaded) => {
            let calendar = loaded.resolved.calendar;
            let about = format!(
                "{file}: valid, {} banks, {} days of {} ticks",
                loaded.resolved.banks.len(),
                calendar.num_days,
                calendar.ticks_per_day
            );
            (true, loaded.findings, about)
        }
        Err(SourceError::Refused { findings, .. }) => (false, findings, String::new()),
        Err(other) => return Err(other.into()),
    };
    let mut output = Output::new();
    match form {
        ResultForm::Json => {
            let findings: Vec<Value> = findings.0.iter().map(finding_json).collect();
            let report = json!({ "valid": valid, "file": file, "findings": findings });
            output.line(&format!("{report:#}"))?;
        }
        ResultForm::Text => {
            report_findings(file, &findings);
            if valid {
                output.line(&about)?;
            } else {
                output.line(&refused(file, &findings))?;
            }
        }
    }
    output.finish()?;
    if valid { Ok(()) } else { Err(CliError::Reported) }
}

fn refused(file: &str, findings: &Findings) -> String {
    let errors = counted(findings.errors().count() as u64, "error");
    format!("{file}: refused, {errors}, {}", counted(findings.warnings().count() as u64, "warning"))
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "severity": if finding.severity == Severity::Error { "error" } else { "warning" },
        "path": finding.path,
        "line": finding.position.map(|at| at.line),
        "column": finding.position.map(|at| at.column),
        "message": finding.message,
        "hint": finding.hint,
    })
}
