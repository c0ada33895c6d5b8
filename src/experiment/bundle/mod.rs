//! Bundles: one JSON document that holds everything that a run was made of, and the digests of what came
//! of it, so that anybody can make it again and compare (spec 07, 18).

mod verify;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::proposers::Replies;
use super::recorded::{Changes, Document, RecordedRun};
use super::runner::Plan;
use super::stream::{EventKind, Interaction};
use crate::finding::{Finding, Findings};
use crate::persistence::{IterationRow, PersistenceError, Reader, Status, SweepPointRow, SweepPointStatus};
pub use verify::{Agreement, Verification};

/// What the key `format` of every bundle says.
pub const FORMAT: &str = "payment-sim bundle";
/// Version of the form that is written here, the only one that is read.
pub const VERSION: u32 = 1;

/// A bundle. Its keys are those of the fields, in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The run.
    pub run: BundledRun,
    /// The resolved experiment with its result (16.2).
    pub config: Map<String, Value>,
    /// The experiment file as it was written.
    pub experiment: String,
    /// Every further file that it uses: name as written to content.
    pub files: Value,
    /// The scenario as resolved, before any policy of the run was applied.
    pub scenario: Value,
    /// What a language model answered; empty for other proposers, which answer the same once more.
    pub replies: Vec<BundledReply>,
    /// The evaluations.
    pub iterations: Vec<BundledIteration>,
    /// The points of a sweep; empty for other runs.
    pub points: Vec<BundledPoint>,
    /// Every policy that a stored simulation ran under, by its SHA-256.
    pub policies: BTreeMap<String, Value>,
    /// The stored simulations.
    pub simulations: Vec<BundledSimulation>,
}

/// The run of a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the columns of `experiments` are explained in the schema's registry")]
pub struct BundledRun {
    pub run_id: String,
    pub experiment_name: String,
    pub experiment_type: String,
    pub engine_version: String,
    pub created_at: String,
    pub completed_at: Option<String>,
    pub status: String,
    pub num_iterations: i64,
    pub converged: bool,
    pub convergence_reason: Option<String>,
}

/// One call of a language model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BundledReply {
    /// From 0.
    pub iteration: u32,
    /// The fields of its event `llm_interaction` (15).
    pub interaction: Value,
}

/// An evaluation of the loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BundledIteration {
    /// From 0.
    pub iteration: u32,
    /// In cents.
    pub total_cost: i64,
    /// Bank to cents.
    pub costs_per_agent: Value,
}

/// A point of a sweep that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the columns of `sweep_points` are explained in the schema's registry")]
pub struct BundledPoint {
    pub point: u32,
    pub repetition: u32,
    pub settings: Value,
    pub rng_seed: u64,
    pub status: String,
    pub figures: Value,
}

/// A stored simulation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the columns of `simulations` are explained in the schema's registry")]
pub struct BundledSimulation {
    pub simulation_id: String,
    pub purpose: String,
    pub iteration: Option<u32>,
    pub agent: Option<String>,
    pub sample: Option<u32>,
    pub rng_seed: u64,
    pub num_ticks: u64,
    pub status: String,
    pub last_tick: Option<u64>,
    pub event_count: u64,
    pub event_digest: String,
    pub config_hash: String,
    pub engine_version: String,
    /// Bank to the SHA-256 of its policy.
    pub policies: BTreeMap<String, String>,
}

impl Bundle {
    /// The bundle of a recorded run.
    ///
    /// # Errors
    /// A stored document that is no JSON; a database that cannot be read.
    pub fn of(recorded: &RecordedRun, reader: &Reader) -> Result<Self, PersistenceError> {
        let row = &recorded.row;
        let mut bundle = Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            run: BundledRun {
                run_id: row.run_id.clone(),
                experiment_name: row.experiment_name.clone(),
                experiment_type: row.experiment_type.clone(),
                engine_version: row.engine_version.clone(),
                created_at: row.created_at.clone(),
                completed_at: row.completed_at.clone(),
                status: row.status.name().to_owned(),
                num_iterations: row.num_iterations,
                converged: row.converged,
                convergence_reason: row.convergence_reason.clone(),
            },
            config: recorded.config.clone(),
            experiment: row.experiment_text.clone(),
            files: json(&row.experiment_files, || of_run(&row.run_id, "experiment_files"))?,
            scenario: json(&row.scenario_json, || of_run(&row.run_id, "scenario_json"))?,
            replies: replies(recorded),
            iterations: iterations(reader, &row.run_id)?,
            points: points(reader, &row.run_id)?,
            policies: BTreeMap::new(),
            simulations: Vec::new(),
        };
        for simulation in &recorded.simulations {
            let mut policies = BTreeMap::new();
            for snapshot in reader.policies(&simulation.simulation_id, None)? {
                if !bundle.policies.contains_key(&snapshot.policy_hash) {
                    let place = || {
                        let (simulation, agent) = (&simulation.simulation_id, &snapshot.agent_id);
                        format!(
                            "column `policy_json` of table `policy_snapshots`, bank `{agent}` of \
                             simulation `{simulation}`"
                        )
                    };
                    let policy = json(&snapshot.policy_json, place)?;
                    bundle.policies.insert(snapshot.policy_hash.clone(), policy);
                }
                policies.insert(snapshot.agent_id, snapshot.policy_hash);
            }
            bundle.simulations.push(BundledSimulation {
                simulation_id: simulation.simulation_id.clone(),
                purpose: simulation.purpose.name().to_owned(),
                iteration: simulation.experiment_iteration,
                agent: simulation.experiment_agent.clone(),
                sample: simulation.experiment_sample,
                rng_seed: simulation.rng_seed,
                num_ticks: simulation.num_ticks,
                status: simulation.status.name().to_owned(),
                last_tick: simulation.last_tick,
                event_count: simulation.event_count,
                event_digest: simulation.event_digest.clone(),
                config_hash: simulation.config_hash.clone(),
                engine_version: simulation.engine_version.clone(),
                policies,
            });
        }
        Ok(bundle)
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// A text that is none, or one of another version of the form.
    pub fn read(text: &str) -> Result<Self, Finding> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Finding::error("", None, format!("this is no JSON: {error}")))?;
        if value["format"] != FORMAT {
            let message = format!("this is no bundle: its key `format` is not \"{FORMAT}\"");
            return Err(Finding::error("format", None, message)
                .with_hint("`payment-sim experiment bundle RUN_ID` writes one"));
        }
        if value["version"] != VERSION {
            let message = format!("this is a bundle of version {}, not {VERSION}", value["version"]);
            return Err(Finding::error("version", None, message));
        }
        serde_json::from_value(value)
            .map_err(|error| Finding::error("", None, format!("this bundle is damaged: {error}")))
    }

    /// Whether the run came to its end.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.run.status == Status::Completed.name()
    }

    /// Whether it is of a sweep.
    #[must_use]
    pub fn is_sweep(&self) -> bool {
        self.run.experiment_type == "sweep"
    }

    /// Whether it tells of nothing that came of the run, so that nothing can be compared.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.iterations.is_empty() && self.points.is_empty() && self.simulations.is_empty()
    }

    /// The plan of its run; a language model is not asked, its replies are given once more.
    ///
    /// # Errors
    /// What this program refuses.
    pub fn plan(&self) -> Result<Plan, Findings> {
        let (files, scenario) = (self.files.to_string(), self.scenario.to_string());
        let document =
            Document { text: &self.experiment, files: &files, scenario: &scenario, config: &self.config };
        if self.config.get("proposer").and_then(Value::as_str) != Some("llm") {
            let nothing = |name: &str| Err(format!("the bundle holds no file `{name}`"));
            return document.plan(&Changes::default(), &|_| None, &nothing);
        }
        let model = self.config.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
        let call = |reply: &BundledReply| (reply.iteration, Interaction::from_data(&reply.interaction));
        document.plan_with(Replies { model, calls: self.replies.iter().map(call).collect() })
    }
}

fn replies(recorded: &RecordedRun) -> Vec<BundledReply> {
    if recorded.row.proposer.as_deref() != Some("llm") {
        return Vec::new();
    }
    let calls = recorded.events.iter().filter(|event| event.kind == EventKind::Interaction);
    calls.map(|event| BundledReply { iteration: event.iteration, interaction: event.data.clone() }).collect()
}

fn iterations(reader: &Reader, run_id: &str) -> Result<Vec<BundledIteration>, PersistenceError> {
    let rows = reader.iterations(run_id)?;
    let iteration = |row: &IterationRow| {
        let iteration = row.iteration;
        let costs_per_agent = json(&row.costs_per_agent, || {
            format!(
                "column `costs_per_agent` of table `experiment_iterations`, iteration {iteration} of run \
                 `{run_id}`"
            )
        })?;
        Ok(BundledIteration { iteration, total_cost: row.total_cost, costs_per_agent })
    };
    rows.iter().map(iteration).collect()
}

fn points(reader: &Reader, run_id: &str) -> Result<Vec<BundledPoint>, PersistenceError> {
    let rows = reader.sweep_points(run_id)?;
    let point = |row: &SweepPointRow| {
        let read = |text: &str, column: &str| {
            json(text, || {
                let SweepPointRow { point, repetition, .. } = row;
                format!(
                    "column `{column}` of table `sweep_points`, point {point}, repetition {repetition} of \
                     run `{run_id}`"
                )
            })
        };
        Ok(BundledPoint {
            point: row.point,
            repetition: row.repetition,
            settings: read(&row.settings, "settings")?,
            rng_seed: row.rng_seed,
            status: row.status.clone(),
            figures: row.figures.as_deref().map_or(Ok(Value::Null), |text| read(text, "figures"))?,
        })
    };
    rows.iter().filter(|row| row.status != SweepPointStatus::Pending.name()).map(point).collect()
}

/// Where a document of a run is stored.
fn of_run(run_id: &str, column: &str) -> String {
    format!("column `{column}` of table `experiments`, run `{run_id}`")
}

/// A stored document; `place` says which, if it cannot be read.
fn json(text: &str, place: impl Fn() -> String) -> Result<Value, PersistenceError> {
    serde_json::from_str(text)
        .map_err(|error| PersistenceError::Corrupt { what: place(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_cannot_be_read_is_named() {
        let error = json("{", || of_run("game", "scenario_json")).map_err(|error| error.to_string());
        let said = error.err().unwrap_or_default();
        assert!(said.contains("column `scenario_json` of table `experiments`, run `game`"), "{said}");
    }
}
