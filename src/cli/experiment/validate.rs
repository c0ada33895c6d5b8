//! `experiment validate`: whether an experiment file is one.

use super::points;
use crate::cli::error::{CliError, report_warnings};
use crate::cli::output::Output;
use crate::sources;

/// Checks a file; its scenario is not looked at.
pub fn validate(file: &str, strict: bool) -> Result<(), CliError> {
    let (_, experiment, findings) = sources::read_experiment(file, strict)?;
    report_warnings(file, &findings);
    let mut output = Output::new();
    output.line(&format!("Configuration valid: {}", experiment.name))?;
    if let Some(sweep) = &experiment.sweep {
        for (name, value) in points::described(sweep) {
            output.line(&format!("  {name}: {value}"))?;
        }
        return Ok(output.finish()?);
    }
    output.line(&format!("  Evaluation mode: {}", experiment.evaluation.mode.name()))?;
    output.line(&format!("  Max iterations: {}", experiment.convergence.max_iterations))?;
    output.line(&format!("  Optimized agents: {}", experiment.optimized_agents.join(", ")))?;
    Ok(output.finish()?)
}
