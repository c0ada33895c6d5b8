//! `experiment replay`: the stored events of a run through the formatter of the live view (spec 07, 19).

use serde_json::Value;

use super::live::{self, Details};
use super::{audit, open_recorded, range, recorded};
use crate::cli::args::ReplayRunArgs;
use crate::cli::error::{CliError, say};
use crate::cli::output::Output;
use crate::money::Cents;
use crate::persistence::Status;

/// Shows a recorded run again.
pub fn replay(args: &ReplayRunArgs) -> Result<(), CliError> {
    let (first, last) = range(args.start, args.end)?;
    let database = open_recorded(&args.db)?;
    let reader = database.reader()?;
    let experiment = recorded(&reader, &args.run_id)?;
    let events = reader.live_events(&args.run_id, None)?;
    let mut output = Output::new();
    if args.audit {
        output.text(&audit::text(&experiment, &events, (first, last)))?;
        return Ok(output.finish()?);
    }
    let details = Details::of(&args.verbose);
    output.line(&format!("Run ID: {}", args.run_id))?;
    output.line(&format!("Experiment: {}", experiment.experiment_name))?;
    // Iterations are shown from 1.
    for event in events.iter().filter(|event| (first..=last).contains(&(event.iteration + 1))) {
        let data: Value = serde_json::from_str(&event.event_data).unwrap_or(Value::Null);
        if let Some(text) = live::text(&event.event_type, &data, details) {
            output.line(&text)?;
        }
    }
    output.line(&format!("Status: {}", experiment.status))?;
    let reason = experiment.convergence_reason.as_deref().unwrap_or("not ended yet");
    output.line(&format!("Reason: {reason}"))?;
    if let Some(cost) = experiment.final_cost {
        output.line(&format!("Final cost: {}", Cents(cost).dollars()))?;
    }
    output.finish()?;
    if experiment.status == Status::Running {
        say("note: the run goes on");
    }
    Ok(())
}
