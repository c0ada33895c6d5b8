//! `experiment bundle` and `experiment bundle verify`: a run in one file, and whether it comes out the same.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::open_recorded;
use crate::cli::args::{BundleArgs, BundleCommand, VerifyArgs};
use crate::cli::error::{CliError, say};
use crate::cli::interrupt;
use crate::cli::output::Output;
use crate::cli::table::{left, render};
use crate::experiment::bundle::{Agreement, Bundle, Verification};
use crate::experiment::ids::simulation_number;
use crate::experiment::recorded::RecordedRun;
use crate::experiment::runner::{self, Observer, RunOptions, SimulationNote};
use crate::finding::Findings;
use crate::persistence::{Access, Database, Status};
use crate::run::CancelFlag;

/// Writes a bundle, or verifies one.
pub fn bundle(args: &BundleArgs) -> Result<(), CliError> {
    match (&args.command, &args.run_id) {
        (Some(BundleCommand::Verify(args)), _) => verify(args),
        (None, Some(run_id)) => write(run_id, args),
        (None, None) => Err(CliError::usage("no run is named", "name one, or `verify FILE`")),
    }
}

fn write(run_id: &str, args: &BundleArgs) -> Result<(), CliError> {
    let database = open_recorded(&args.db)?;
    let reader = database.reader()?;
    let recorded = RecordedRun::read(&reader, run_id)?;
    let bundle = Bundle::of(&recorded, &reader)?;
    let text = serde_json::to_string_pretty(&bundle).map_err(|error| CliError::failed(error.to_string()))?;
    let path = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{run_id}.bundle.json")));
    let unwritable = |error: std::io::Error| {
        CliError::failed(format!("file `{}` cannot be written: {error}", path.display()))
    };
    let mut file = fs::File::create_new(&path).map_err(unwritable)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n"));
    if let Err(error) = written {
        // Nothing half written stays.
        let _ = fs::remove_file(&path);
        return Err(unwritable(error));
    }
    let count = bundle.simulations.len();
    say(&format!("{} holds the run with {count} simulation(s)", path.display()));
    Ok(())
}

/// Ends a run behind the last simulation that is told of.
struct Until {
    run_id: String,
    last: u64,
    cancel: CancelFlag,
    /// Whether that is why the run ends, and not that the user stopped it.
    reached: bool,
}

impl Observer for Until {
    fn simulation(&mut self, note: &SimulationNote) {
        if simulation_number(&self.run_id, &note.id).is_some_and(|number| number > self.last) {
            self.reached = true;
            self.cancel.cancel();
        }
    }
}

fn verify(args: &VerifyArgs) -> Result<(), CliError> {
    let bundle = read(&args.file)?;
    let name = args.file.display().to_string();
    let plan = bundle.plan().map_err(|findings| CliError::Refused { name: name.clone(), findings })?;
    let folder = tempfile::tempdir()
        .map_err(|error| CliError::failed(format!("no folder for a temporary database: {error}")))?;
    let database = Database::open(folder.path().join("verify.duckdb"), Access::Write)?;
    let stopped = interrupt::watch();
    let run_id = bundle.run.run_id.clone();
    let options = RunOptions {
        run_id: Some(run_id.clone()),
        workers: args.workers.map(usize::from),
        no_baselines: true,
    };
    // The points of a sweep end in any order.
    let ends = bundle.run.status == Status::Completed.name() || bundle.run.experiment_type == "sweep";
    let numbers = bundle.simulations.iter().filter_map(|row| simulation_number(&run_id, &row.simulation_id));
    let last = if ends { u64::MAX } else { numbers.max().unwrap_or(u64::MAX) };
    let mut until = Until { run_id, last, cancel: stopped.clone(), reached: false };
    let result = runner::run(&plan, &options, Some(&database), &mut until, &stopped)
        .map_err(|error| CliError::of_experiment(error, &name))?;
    if result.status == Status::Cancelled && !until.reached {
        return Err(CliError::Interrupted);
    }
    let verification = Verification::of(&bundle, &database.reader()?)?;
    report(&bundle, &verification, args.json)?;
    if verification.holds() { Ok(()) } else { Err(CliError::Reported) }
}

fn read(path: &Path) -> Result<Bundle, CliError> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path)
        .map_err(|error| CliError::failed(format!("file `{name}` cannot be read: {error}")))?;
    Bundle::read(&text).map_err(|finding| CliError::Refused { name, findings: Findings(vec![finding]) })
}

fn report(bundle: &Bundle, verification: &Verification, as_json: bool) -> Result<(), CliError> {
    let mut output = Output::new();
    if as_json {
        output.line(&verification_json(bundle, verification).to_string())?;
        return Ok(output.finish()?);
    }
    let (version, own) = (&bundle.run.engine_version, env!("CARGO_PKG_VERSION"));
    output.line(&format!("Run {}, recorded by version {version}, verified by {own}", bundle.run.run_id))?;
    let rows: Vec<Vec<String>> = verification
        .simulations
        .iter()
        .zip(&bundle.simulations)
        .map(|((id, agreement), told)| {
            vec![id.clone(), told.event_digest.chars().take(12).collect(), agreement.word().to_owned()]
        })
        .collect();
    if !rows.is_empty() {
        output.text(&render(&[left("Simulation"), left("Digest"), left("Result")], &rows))?;
    }
    for (iteration, agreement) in verification.iterations.iter().filter(|(_, one)| !one.holds()) {
        output.line(&format!("Iteration {}: its costs: {}", iteration + 1, agreement.word()))?;
    }
    for ((point, repetition), agreement) in verification.points.iter().filter(|(_, one)| !one.holds()) {
        output.line(&format!("Point {point}, repetition {repetition}: its figures: {}", agreement.word()))?;
    }
    output.line(&counted("simulations", &verification.simulations))?;
    output.line(&if bundle.run.experiment_type == "sweep" {
        counted("points", &verification.points)
    } else {
        counted("iterations", &verification.iterations)
    })?;
    Ok(output.finish()?)
}

fn counted<T>(what: &str, found: &[(T, Agreement)]) -> String {
    let same = found.iter().filter(|(_, agreement)| agreement.holds()).count();
    format!("{same} of {} {what} agree", found.len())
}

fn verification_json(bundle: &Bundle, verification: &Verification) -> Value {
    let Verification { iterations, points, simulations } = verification;
    let iterations =
        iterations.iter().map(|(number, one)| json!({"iteration": number, "result": one.word()}));
    let points = points.iter().map(|((point, repetition), one)| {
        let result = one.word();
        json!({"point": point, "repetition": repetition, "result": result})
    });
    let simulations = simulations.iter().map(|(id, one)| json!({"simulation_id": id, "result": one.word()}));
    json!({
        "run_id": bundle.run.run_id,
        "recorded_by": bundle.run.engine_version,
        "verified_by": env!("CARGO_PKG_VERSION"),
        "agrees": verification.holds(),
        "iterations": iterations.collect::<Vec<_>>(),
        "points": points.collect::<Vec<_>>(),
        "simulations": simulations.collect::<Vec<_>>(),
    })
}
