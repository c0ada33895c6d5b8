//! Going on with a run that was interrupted, was cancelled or has failed (spec 07, 18).

use serde_json::{Value, json};

use super::super::memory::Memory;
use super::super::recorded::{CONTINUED_BY, RecordedRun};
use super::super::stream::StreamEvent;
use super::super::sweep;
use super::{ExperimentError, Observer, Plan, RunOptions, RunResult, carry_out};
use crate::persistence::{Database, Status};
use crate::run::CancelFlag;

/// What is known of a run when it goes on.
#[derive(Debug)]
pub struct Past {
    /// Its events.
    pub events: Vec<StreamEvent>,
    /// Its complete simulations.
    pub memory: Memory,
    /// Iterations that had started.
    pub iterations: u32,
    /// Settlement rate and mean delay of its evaluations, by iteration.
    pub rates: Vec<(f64, f64)>,
    /// What its configuration says of other versions that went on with it; null if there was none.
    pub continued_by: Value,
}

impl RecordedRun {
    /// Whether this program may go on with the run. `force` allows another version than the recorded one.
    ///
    /// # Errors
    /// It has come to its end, it is running, or another version recorded it.
    pub fn check_resumable(&self, force: bool) -> Result<(), ExperimentError> {
        let run = self.row.run_id.clone();
        match self.row.status {
            Status::Completed => return Err(ExperimentError::Completed(run)),
            Status::Running => return Err(ExperimentError::Running(run)),
            Status::Failed | Status::Cancelled | Status::Interrupted => {}
        }
        if self.version() != env!("CARGO_PKG_VERSION") && !force {
            return Err(ExperimentError::OtherVersion { run, version: self.version().to_owned() });
        }
        Ok(())
    }

    /// The same with what this version has to say, if it is not the one that recorded the run.
    fn continued_by(&self) -> Value {
        let mut list = self.config.get(CONTINUED_BY).cloned().unwrap_or_default();
        let own = env!("CARGO_PKG_VERSION");
        if self.version() != own {
            let entry = json!({"engine_version": own, "after_events": self.events.len()});
            match list.as_array_mut() {
                Some(list) => list.push(entry),
                None => list = json!([entry]),
            }
        }
        list
    }
}

/// Goes on with a recorded run behind its last step: what is recorded is neither asked for, nor simulated,
/// nor written again. The plan is that of [`RecordedRun::plan`] without changes.
///
/// # Errors
/// A run that cannot be resumed, and as [`run`](super::run).
pub fn resume(
    recorded: &RecordedRun,
    plan: &Plan,
    force: bool,
    options: &RunOptions,
    database: &Database,
    observer: &mut dyn Observer,
    cancel: &CancelFlag,
) -> Result<RunResult, ExperimentError> {
    recorded.check_resumable(force)?;
    let run_id = &recorded.row.run_id;
    if recorded.is_sweep() {
        let continued_by = recorded.continued_by();
        let config = (!continued_by.is_null()).then(|| {
            let mut config = plan.config();
            config.insert(CONTINUED_BY.to_owned(), continued_by);
            Value::Object(config).to_string()
        });
        return sweep::resume(plan, options, run_id, config, database, observer, cancel);
    }
    database.remove(&recorded.incomplete_simulations(), &[])?;
    let past = Past {
        events: recorded.events.clone(),
        memory: Memory::new(database.clone(), recorded.complete_simulations()),
        iterations: u32::try_from(recorded.row.num_iterations).unwrap_or_default(),
        rates: recorded.rates.clone(),
        continued_by: recorded.continued_by(),
    };
    let options = RunOptions { no_baselines: recorded.is_without_baselines(), ..options.clone() };
    carry_out(plan, &options, run_id, Some(database), observer, cancel, Some(past))
}
