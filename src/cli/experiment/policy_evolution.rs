//! `experiment policy-evolution`: policies, differences and costs, iteration by iteration, as JSON.

use super::{open_recorded, range, recorded};
use crate::cli::args::EvolutionArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::experiment::analysis::evolution;

/// Prints it.
pub fn policy_evolution(args: &EvolutionArgs) -> Result<(), CliError> {
    let (first, last) = range(args.start, args.end)?;
    let database = open_recorded(&args.db)?;
    let reader = database.reader()?;
    recorded(&reader, &args.run_id)?;
    let wanted = evolution::Wanted { agent: args.agent.as_deref(), first, last, exchanges: args.llm };
    let evolution = evolution::of_run(&reader, &args.run_id, &wanted)?;
    let mut output = Output::new();
    output.line(&if args.compact { evolution.to_string() } else { format!("{evolution:#}") })?;
    Ok(output.finish()?)
}
