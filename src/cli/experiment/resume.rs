//! `experiment resume` and `experiment rerun`: recorded runs go on, or are run once more, from what the
//! database holds of them.

use super::run::{LiveView, conclude, say_notices};
use super::{of_run, open_for_more};
use crate::cli::args::{RerunArgs, ResumeArgs};
use crate::cli::error::CliError;
use crate::cli::interrupt;
use crate::experiment::recorded::{Changes, RecordedRun};
use crate::experiment::runner::{self, Plan, RunOptions};
use crate::sources;

/// Goes on with a run behind its last step.
pub fn resume(args: &ResumeArgs) -> Result<(), CliError> {
    let database = open_for_more(&args.db)?;
    let recorded = RecordedRun::read(&database.reader()?, &args.run_id)?;
    recorded.check_resumable(args.force).map_err(|error| of_run(error, &args.run_id, database.path()))?;
    let plan = plan(&recorded, &Changes::default(), args.show.quiet)?;
    let cancel = interrupt::watch();
    let options = RunOptions { workers: args.show.workers.map(usize::from), ..RunOptions::default() };
    let mut view = LiveView::new(&args.show, &plan.experiment);
    let behind = if recorded.is_sweep() {
        "its points that are done".to_owned()
    } else {
        format!("its step {}", recorded.events.len())
    };
    view.line(&format!("The run was {}; it goes on behind {behind}", recorded.row.status));
    let ran = runner::resume(&recorded, &plan, args.force, &options, &database, &mut view, &cancel);
    conclude(ran, &args.run_id, &plan.experiment, &args.show, view, Some(&database))
}

/// Runs a recorded experiment once more.
pub fn rerun(args: &RerunArgs) -> Result<(), CliError> {
    let database = open_for_more(&args.db)?;
    let recorded = RecordedRun::read(&database.reader()?, &args.run_id)?;
    let seed = args.seed.clone();
    let changes = Changes { seed, proposer: args.proposer.clone() };
    let plan = plan(&recorded, &changes, args.show.quiet)?;
    let cancel = interrupt::watch();
    let options = RunOptions {
        run_id: args.new_id.clone(),
        workers: args.show.workers.map(usize::from),
        no_baselines: recorded.is_without_baselines(),
    };
    let mut view = LiveView::new(&args.show, &plan.experiment);
    view.line(&format!("Running {} of run {} once more", plan.experiment.name, args.run_id));
    let ran = runner::run(&plan, &options, Some(&database), &mut view, &cancel);
    conclude(ran, &args.run_id, &plan.experiment, &args.show, view, Some(&database))
}

fn plan(recorded: &RecordedRun, changes: &Changes, quiet: bool) -> Result<Plan, CliError> {
    let name = recorded.row.run_id.clone();
    if recorded.row.experiment_text.is_empty() {
        return Err(CliError::Failed {
            message: format!(
                "run `{name}` was imported without its experiment file and cannot be made again"
            ),
            hint: Some("`payment-sim experiment run FILE` runs the file".to_owned()),
        });
    }
    let plan = recorded
        .plan(changes, &sources::from_environment, &sources::read_script)
        .map_err(|findings| CliError::Refused { name, findings })?;
    say_notices(&plan, quiet);
    Ok(plan)
}
