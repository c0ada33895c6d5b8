//! How a command fails: one message, where it is, what to do; the kind decides the exit status.

use std::io;
use std::io::Write as _;
use std::process::ExitCode;

use super::interrupt;
use crate::experiment::runner::ExperimentError;
use crate::explorer::ExplorerError;
use crate::finding::{Finding, Findings};
use crate::persistence::PersistenceError;
use crate::sources::SourceError;
use crate::text::harmless;

/// Why a command ended without having done what was asked.
#[derive(Debug)]
pub enum CliError {
    /// The command line itself is wrong: status 2.
    Usage {
        /// One sentence.
        message: String,
        /// What would be right.
        hint: Option<String>,
    },
    /// An input is refused, a run failed, a check found something: status 1.
    Failed {
        /// One sentence.
        message: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// A file is refused: status 1, every finding reported.
    Refused {
        /// The file.
        name: String,
        /// Why.
        findings: Findings,
    },
    /// The findings or the message are printed already: status 1.
    Reported,
    /// Ctrl+C or SIGTERM: status 130 or 143.
    Interrupted,
    /// A signal ended it: status 128 and its number.
    Signal(u8),
    /// Whoever read standard output has gone: nothing to say.
    ReaderGone,
}

impl CliError {
    /// An input that is refused or a run that failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), hint: None }
    }

    /// A wrong command line.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    /// Prints what there is to say and gives the exit status.
    pub fn report(self) -> ExitCode {
        let status = match &self {
            Self::Usage { .. } => 2,
            Self::Failed { .. } | Self::Refused { .. } | Self::Reported => 1,
            Self::Interrupted => interrupt::status(),
            Self::Signal(number) => 128_u8.saturating_add(*number),
            Self::ReaderGone => 0,
        };
        match self {
            Self::Usage { message, hint } | Self::Failed { message, hint } => {
                say(&format!("error: {message}"));
                if let Some(hint) = hint {
                    say(&format!("hint: {hint}"));
                }
            }
            Self::Refused { name, findings } => report_findings(&name, &findings),
            Self::Reported | Self::Interrupted | Self::Signal(_) | Self::ReaderGone => {}
        }
        ExitCode::from(status)
    }
}

/// Prints a line on standard error.
pub fn say(line: &str) {
    // Whoever closed its terminal hears nothing any more.
    let _ = writeln!(io::stderr(), "{}", harmless(line));
}

/// Prints every finding of a file: errors, then warnings.
pub fn report_findings(name: &str, findings: &Findings) {
    for finding in findings.errors() {
        report_finding("error", name, finding);
    }
    for finding in findings.warnings() {
        report_finding("warning", name, finding);
    }
}

/// Prints the warnings of a file that is used.
pub fn report_warnings(name: &str, findings: &Findings) {
    for finding in findings.warnings() {
        report_finding("warning", name, finding);
    }
}

fn report_finding(severity: &str, name: &str, finding: &Finding) {
    say(&format!("{severity}: {}", finding.message));
    let place = match finding.position {
        Some(at) => format!("{name}:{}:{}", at.line, at.column),
        None => name.to_owned(),
    };
    if finding.path.is_empty() {
        say(&format!("  at {place}"));
    } else {
        say(&format!("  at {place}, {}", finding.path));
    }
    if let Some(hint) = &finding.hint {
        say(&format!("hint: {hint}"));
    }
}

impl CliError {
    /// Why an experiment was not run; `name` is what is refused if it is.
    pub fn of_experiment(error: ExperimentError, name: &str) -> Self {
        match error {
            ExperimentError::Refused(findings) => Self::Refused { name: name.to_owned(), findings },
            other => Self::Failed { message: other.to_string(), hint: other.hint() },
        }
    }
}

impl From<PersistenceError> for CliError {
    fn from(error: PersistenceError) -> Self {
        Self::Failed { message: error.to_string(), hint: error.hint() }
    }
}

impl From<ExplorerError> for CliError {
    fn from(error: ExplorerError) -> Self {
        let (message, hint) = (error.to_string(), error.hint());
        match error {
            ExplorerError::NoTerminal => Self::Usage { message, hint },
            ExplorerError::Signal(number) => Self::Signal(u8::try_from(number).unwrap_or(0)),
            ExplorerError::Link(_) => Self::Usage { message, hint },
            ExplorerError::Database(_)
            | ExplorerError::Terminal(_)
            | ExplorerError::Script(_)
            | ExplorerError::Settings { .. } => Self::Failed { message, hint },
        }
    }
}

impl From<SourceError> for CliError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Refused { name, findings } => Self::Refused { name, findings },
            other => Self::Failed { message: other.to_string(), hint: other.hint() },
        }
    }
}

/// Errors of writing to standard output or a file that was asked for.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ReaderGone
        } else {
            Self::failed(format!("the output cannot be written: {error}"))
        }
    }
}
