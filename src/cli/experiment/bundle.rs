//! `experiment bundle` and `experiment bundle verify`: a run in one file, and whether it comes out the same.

use std::collections::HashMap;
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
use crate::experiment::ids::file_stem;
use crate::experiment::recorded::RecordedRun;
use crate::finding::Findings;
use crate::persistence::{Access, Database};

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
    let path =
        args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.bundle.json", file_stem(run_id))));
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

fn verify(args: &VerifyArgs) -> Result<(), CliError> {
    let bundle = read(&args.file)?;
    let name = args.file.display().to_string();
    if bundle.is_empty() {
        return Err(CliError::Failed {
            message: format!(
                "the bundle `{name}` tells of no iteration, point or simulation: nothing to verify"
            ),
            hint: None,
        });
    }
    let folder = tempfile::tempdir()
        .map_err(|error| CliError::failed(format!("no folder for a temporary database: {error}")))?;
    let database = Database::open(folder.path().join("verify.duckdb"), Access::Write)?;
    let verified = bundle.verify(args.workers.map(usize::from), &database, &interrupt::watch());
    let verification = verified.map_err(|error| CliError::of_experiment(error, &name))?;
    let verification = verification.ok_or(CliError::Interrupted)?;
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
    let digests: HashMap<&str, &str> =
        bundle.simulations.iter().map(|row| (&*row.simulation_id, &*row.event_digest)).collect();
    let row = |(id, agreement): &(String, Agreement)| {
        let digest =
            digests.get(id.as_str()).map_or_else(String::new, |digest| digest.chars().take(12).collect());
        vec![id.clone(), digest, agreement.word().to_owned()]
    };
    let rows: Vec<Vec<String>> = verification.simulations.iter().map(row).collect();
    if !rows.is_empty() {
        output.text(&render(&[left("Simulation"), left("Digest"), left("Result")], &rows))?;
    }
    for line in disagreements(verification) {
        output.line(&line)?;
    }
    let Verification { result, iterations, points, simulations, policies, .. } = verification;
    let counts = [
        counted("simulations", simulations),
        counted("iterations", iterations),
        counted("points", points),
        counted("policies", policies),
        counted("entries of settings and result", result),
    ];
    for line in counts.into_iter().flatten() {
        output.line(&line)?;
    }
    for what in &verification.unverified {
        output.line(&format!("not verified: {what}"))?;
    }
    Ok(output.finish()?)
}

/// What does not agree, simulations apart.
fn disagreements(verification: &Verification) -> Vec<String> {
    let Verification { result, iterations, points, policies, .. } = verification;
    let mut lines = Vec::new();
    let mut tell = |what: String, agreement: Agreement| {
        if !agreement.holds() {
            lines.push(format!("{what}: {}", agreement.word()));
        }
    };
    iterations.iter().for_each(|(at, one)| tell(format!("Costs of iteration {}", at + 1), *one));
    for ((point, repetition), one) in points {
        tell(format!("Figures of point {point}, repetition {repetition}"), *one);
    }
    policies.iter().for_each(|(hash, one)| tell(format!("Policy {hash}"), *one));
    result.iter().for_each(|(key, one)| tell(format!("`{key}`"), *one));
    lines
}

/// How many agree; nothing where there is nothing to agree.
fn counted<T>(what: &str, found: &[(T, Agreement)]) -> Option<String> {
    let same = found.iter().filter(|(_, agreement)| agreement.holds()).count();
    (!found.is_empty()).then(|| format!("{same} of {} {what} agree", found.len()))
}

fn verification_json(bundle: &Bundle, verification: &Verification) -> Value {
    let Verification { result, iterations, points, simulations, policies, unverified } = verification;
    let by_key = |found: &[(String, Agreement)], key: &str| -> Vec<Value> {
        found.iter().map(|(name, one)| json!({key: name, "result": one.word()})).collect()
    };
    let iterations =
        iterations.iter().map(|(number, one)| json!({"iteration": number, "result": one.word()}));
    let points = points.iter().map(|((point, repetition), one)| {
        let result = one.word();
        json!({"point": point, "repetition": repetition, "result": result})
    });
    json!({
        "run_id": bundle.run.run_id,
        "recorded_by": bundle.run.engine_version,
        "verified_by": env!("CARGO_PKG_VERSION"),
        "agrees": verification.holds(),
        "iterations": iterations.collect::<Vec<_>>(),
        "points": points.collect::<Vec<_>>(),
        "simulations": by_key(simulations, "simulation_id"),
        "policies": by_key(policies, "policy_hash"),
        "result": by_key(result, "key"),
        "unverified": unverified,
    })
}
