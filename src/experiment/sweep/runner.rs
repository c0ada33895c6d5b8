//! Running the points of a sweep: repetition by repetition, on all workers, with the same rows whatever
//! their number (spec 07, 18.1). What is finished stays; [`resume`] does the rest.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use rayon::prelude::*;
use serde_json::{Value, json};

use super::figures::{FiguresFold, RunFigures};
use super::points::Points;
use crate::experiment::ids::simulation_id;
use crate::experiment::laboratory::{Laboratory, Place, RunError};
use crate::experiment::runner::{
    ExperimentError, Observer, Plan, PointNote, RunOptions, RunResult, SimulationNote,
};
use crate::experiment::seeds::sweep_seed;
use crate::finding::{Finding, Findings};
use crate::persistence::{
    Database, ExperimentEnd, ExperimentStart, ExperimentWrites, Moment, PersistenceError, Purpose, Reader,
    SimulationFilter, Status, SweepPoint, SweepPointRow, SweepPointStatus,
};
use crate::run::CancelFlag;
use crate::time::Tick;

/// Runs all points of a sweep.
///
/// # Errors
/// What is refused before anything runs, and a database that cannot be written.
pub fn run(
    plan: &Plan,
    options: &RunOptions,
    run_id: &str,
    database: Option<&Database>,
    observer: &mut dyn Observer,
    cancel: &CancelFlag,
) -> Result<RunResult, ExperimentError> {
    let mut course = Course::new(plan, run_id, database, observer, cancel)?;
    let mut writes = ExperimentWrites::new(run_id);
    writes.start(ExperimentStart {
        experiment_name: plan.experiment.name.clone(),
        experiment_type: "sweep",
        config: Value::Object(plan.config()).to_string(),
        scenario_json: plan.scenario.to_json(),
        experiment_text: plan.experiment.text.clone(),
        experiment_files: plan.files().to_string(),
        created_at: Moment::now(),
    });
    for row in &course.rows {
        writes.sweep_point(row.clone());
    }
    course.begin(writes)?;
    course.go(options)
}

/// Continues a sweep from its rows: points that have ended stay, the others are run anew. The rows at
/// the end are those of a sweep that was never stopped, times apart. A configuration takes the place of the
/// one that is stored.
///
/// # Errors
/// As [`run`]; also recorded points that are not those of the plan.
pub fn resume(
    plan: &Plan,
    options: &RunOptions,
    run_id: &str,
    config: Option<String>,
    database: &Database,
    observer: &mut dyn Observer,
    cancel: &CancelFlag,
) -> Result<RunResult, ExperimentError> {
    let reader = database.reader()?;
    let recorded = reader.sweep_points(run_id)?;
    let mut course = Course::new(plan, run_id, Some(database), observer, cancel)?;
    course.take_over(&recorded)?;
    let mut writes = ExperimentWrites::new(run_id);
    writes.resumed();
    if let Some(config) = config {
        writes.config(config);
    }
    course.settle_open_points(&reader, &mut writes)?;
    course.begin(writes)?;
    course.go(options)
}

/// What all workers share.
struct Workshop<'a> {
    points: Points<'a>,
    run_id: &'a str,
    lab: Laboratory,
    database: Option<&'a Database>,
}

/// A sweep on its way.
struct Course<'a> {
    shop: Workshop<'a>,
    observer: &'a mut dyn Observer,
    /// In the order in which they are run: by repetition, then by point.
    rows: Vec<SweepPoint>,
}

impl Workshop<'_> {
    /// Where a row's run stands in the sweep (spec 07, 17).
    fn place(&self, row: &SweepPoint) -> Place {
        let number = u64::from(row.repetition) * self.points.len() as u64 + u64::from(row.point) + 1;
        Place { number, purpose: Purpose::Sweep, iteration: row.point }
    }

    fn id(&self, row: &SweepPoint) -> String {
        simulation_id(self.run_id, self.place(row).number, Purpose::Sweep, None)
    }

    fn is_stored(&self, row: &SweepPoint) -> bool {
        self.lab.stores(&self.place(row), false)
    }

    fn measure(&self, row: &SweepPoint) -> Result<RunFigures, RunError> {
        let mut scenario = self.points.scenario(row.point as usize).map_err(RunError::Failed)?;
        scenario.seed = row.rng_seed;
        self.lab.sweep_run(&scenario, &self.place(row), row.repetition)
    }

    /// The row of a run that has ended.
    fn ended(&self, row: &SweepPoint, outcome: &Result<RunFigures, String>) -> SweepPoint {
        let (status, figures) = match outcome {
            Ok(figures) => (SweepPointStatus::Completed, Value::Object(figures.to_json())),
            Err(message) => (SweepPointStatus::Failed, json!({"error": message})),
        };
        SweepPoint {
            status,
            figures: Some(figures.to_string()),
            simulation_id: self.is_stored(row).then(|| self.id(row)),
            completed_at: Some(Moment::now()),
            ..row.clone()
        }
    }

    /// Commits rows behind the simulations that they rest on.
    fn write(&self, writes: ExperimentWrites) -> Result<(), PersistenceError> {
        self.database.map_or(Ok(()), |database| self.lab.commit(database, writes))
    }
}

impl<'a> Course<'a> {
    fn new(
        plan: &'a Plan,
        run_id: &'a str,
        database: Option<&'a Database>,
        observer: &'a mut dyn Observer,
        cancel: &CancelFlag,
    ) -> Result<Self, ExperimentError> {
        let sweep = plan.experiment.sweep.as_ref().ok_or_else(|| refused("the experiment has no `sweep`"))?;
        let store = database.map(|database| plan.store(database)).transpose()?;
        let lab = plan.laboratory(run_id, store, cancel.clone()).map_err(refused)?;
        let points = Points::new(sweep, &plan.scenario, &plan.experiment.files);
        let row = |repetition: u32, point: usize| SweepPoint {
            point: u32::try_from(point).unwrap_or(u32::MAX),
            repetition,
            settings: Value::Object(sweep.settings(point)).to_string(),
            rng_seed: sweep_seed(&plan.experiment.master_seed, repetition),
            status: SweepPointStatus::Pending,
            simulation_id: None,
            figures: None,
            completed_at: None,
        };
        let rows = (0..sweep.repetitions)
            .flat_map(|repetition| (0..points.len()).map(move |point| row(repetition, point)))
            .collect();
        Ok(Self { shop: Workshop { points, run_id, lab, database }, observer, rows })
    }

    /// Takes the recorded rows over, which must be of the same points.
    fn take_over(&mut self, recorded: &[SweepPointRow]) -> Result<(), ExperimentError> {
        let by_place: HashMap<(u32, u32), &SweepPointRow> =
            recorded.iter().map(|row| ((row.point, row.repetition), row)).collect();
        let fits = |row: &SweepPoint| {
            let old = by_place.get(&(row.point, row.repetition));
            old.is_some_and(|old| {
                old.rng_seed == row.rng_seed && parsed(&old.settings) == parsed(&row.settings)
            })
        };
        if recorded.len() != self.rows.len() || !self.rows.iter().all(fits) {
            return Err(refused("the recorded points of the sweep are not those of the experiment"));
        }
        for row in &mut self.rows {
            let Some(old) = by_place.get(&(row.point, row.repetition)) else { continue };
            row.status = SweepPointStatus::find(&old.status).unwrap_or(SweepPointStatus::Pending);
            row.simulation_id.clone_from(&old.simulation_id);
            row.figures.clone_from(&old.figures);
        }
        Ok(())
    }

    /// Simulations of points that are still open: complete ones are measured from their events, the
    /// others are taken back, so that their ids are free.
    fn settle_open_points(
        &mut self,
        reader: &Reader,
        writes: &mut ExperimentWrites,
    ) -> Result<(), PersistenceError> {
        let filter =
            SimulationFilter { run: Some(self.shop.run_id.to_owned()), ..SimulationFilter::default() };
        let stored = reader.simulations(&filter)?.rows;
        let stored: HashMap<String, Status> =
            stored.into_iter().map(|row| (row.simulation_id, row.status)).collect();
        for row in self.rows.iter_mut().filter(|row| row.status == SweepPointStatus::Pending) {
            let id = self.shop.id(row);
            match stored.get(&id) {
                Some(Status::Completed) => {
                    *row = self.shop.ended(row, &Ok(figures_of_stored(reader, &id)?));
                    writes.sweep_point(row.clone());
                }
                Some(_) => {
                    writes.remove_simulation(id);
                }
                None => {}
            }
        }
        Ok(())
    }

    fn begin(&mut self, writes: ExperimentWrites) -> Result<(), PersistenceError> {
        self.shop.write(writes)?;
        self.observer.started(self.shop.run_id);
        let ended = self.rows.iter().filter(|row| row.status != SweepPointStatus::Pending).count();
        self.observer.recalled_points(ended as u64);
        Ok(())
    }

    /// Runs what is open, and records how the sweep ended.
    fn go(mut self, options: &RunOptions) -> Result<RunResult, ExperimentError> {
        let worked = options.threads().and_then(|threads| Ok(self.work(&threads)?));
        let open = self.rows.iter().any(|row| row.status == SweepPointStatus::Pending);
        let (status, reason) = match &worked {
            Err(error) => (Status::Failed, format!("Failed: {error}")),
            Ok(()) if open => (Status::Cancelled, "Cancelled".to_owned()),
            Ok(()) => (Status::Completed, in_words(&self.rows)),
        };
        let mut writes = ExperimentWrites::new(self.shop.run_id);
        writes.end(ExperimentEnd {
            status,
            config: None,
            num_iterations: 0,
            converged: false,
            convergence_reason: reason.clone(),
            completed_at: Moment::now(),
        });
        let recorded = self.shop.write(writes);
        worked?;
        recorded?;
        Ok(RunResult {
            run_id: self.shop.run_id.to_owned(),
            status,
            num_iterations: 0,
            converged: false,
            convergence_reason: reason,
            agents: Vec::new(),
            last: None,
            best: None,
            iteration_history: Vec::new(),
            sweep_points: self.rows,
        })
    }

    /// Workers take the next open run in order; this thread records what they finish.
    fn work(&mut self, threads: &rayon::ThreadPool) -> Result<(), PersistenceError> {
        let (shop, rows) = (&self.shop, &mut self.rows);
        let open: Vec<(usize, SweepPoint)> = rows.iter().cloned().enumerate().collect();
        let open: Vec<_> =
            open.into_iter().filter(|(_, row)| row.status == SweepPointStatus::Pending).collect();
        let stop = AtomicBool::new(false);
        // Workers do not run far ahead of what is recorded.
        let (sender, receiver) = sync_channel(AT_ONCE);
        threads.in_place_scope(|scope| {
            let (open, stop) = (&open, &stop);
            scope.spawn(move |_| {
                open.iter().par_bridge().for_each_with(sender, |sender, (index, row)| {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    match shop.measure(row) {
                        Err(RunError::Cancelled) => stop.store(true, Ordering::Relaxed),
                        // Whoever listened has gone after an error of its own, and stops the others.
                        outcome => drop(sender.send((*index, outcome))),
                    }
                });
            });
            let recorded = record(shop, rows, &mut *self.observer, receiver);
            stop.store(true, Ordering::Relaxed);
            recorded
        })
    }
}

/// Rows that are committed together at most.
const AT_ONCE: usize = 200;

/// Records what the workers finish, as much at once as has come in. The receiver goes with an error, so that
/// no worker waits for it to be taken in.
fn record(
    shop: &Workshop<'_>,
    rows: &mut [SweepPoint],
    observer: &mut dyn Observer,
    finished: Receiver<(usize, Result<RunFigures, RunError>)>,
) -> Result<(), PersistenceError> {
    while let Ok(first) = finished.recv() {
        let mut writes = ExperimentWrites::new(shop.run_id);
        let mut ended = Vec::new();
        for (index, outcome) in std::iter::once(first).chain(finished.try_iter().take(AT_ONCE)) {
            let outcome = match outcome {
                Err(RunError::Storage(error)) => return Err(error),
                other => other.map_err(|error| error.to_string()),
            };
            rows[index] = shop.ended(&rows[index], &outcome);
            writes.sweep_point(rows[index].clone());
            ended.push((index, outcome.err()));
        }
        shop.write(writes)?;
        for (index, error) in ended {
            let row = &rows[index];
            let Place { purpose, iteration, .. } = shop.place(row);
            let (id, stored) = (shop.id(row), row.simulation_id.is_some());
            observer.simulation(&SimulationNote { id, purpose, iteration, samples: 0, stored });
            observer.point(&PointNote { point: row.point, repetition: row.repetition, error });
        }
    }
    Ok(())
}

/// The figures of a stored simulation, from its events.
fn figures_of_stored(reader: &Reader, id: &str) -> Result<RunFigures, PersistenceError> {
    let scenario = reader.scenario(id)?;
    let mut fold = FiguresFold::new(&scenario);
    let mut fault = None;
    reader.each_tick(id, &scenario.names, Tick(u64::MAX), |tick, events| {
        if fault.is_none() {
            fault = fold.tick(tick, events).err();
        }
        Ok(())
    })?;
    match fault {
        None => Ok(fold.finish()),
        Some(fault) => {
            Err(PersistenceError::Corrupt { what: format!("simulation `{id}`"), reason: fault.to_string() })
        }
    }
}

/// How many runs of a sweep have ended, and how.
fn in_words(rows: &[SweepPoint]) -> String {
    let failed = rows.iter().filter(|row| row.status == SweepPointStatus::Failed).count();
    match failed {
        0 => format!("All {} runs completed", rows.len()),
        _ => format!("{} of {} runs completed, {failed} failed", rows.len() - failed, rows.len()),
    }
}

fn parsed(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok()
}

fn refused(message: impl Into<String>) -> ExperimentError {
    ExperimentError::Refused(Findings(vec![Finding::error("", None, message)]))
}
