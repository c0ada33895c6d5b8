//! Verifying a bundle: its run is made again, as far as the bundle tells of it, and what comes out is held
//! against what the bundle tells (spec 07, 18).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use serde_json::{Map, Value, json};

use super::{Bundle, BundledSimulation};
use crate::experiment::ids::simulation_number;
use crate::experiment::recorded::{CONTINUED_BY, NO_BASELINES, RecordedRun};
use crate::experiment::runner::{self, ExperimentError, Observer, PointNote, RunOptions, SimulationNote};
use crate::experiment::stream::{EventKind, StreamEvent};
use crate::persistence::{Database, PersistenceError, Reader, Status};
use crate::run::CancelFlag;

/// What became of something that a bundle tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// It came out the same.
    Agrees,
    /// It came out otherwise.
    Differs,
    /// It did not come out at all.
    Missing,
    /// It came out, and the bundle does not tell of it.
    Untold,
}

impl Agreement {
    /// A word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::Missing => "missing",
            Self::Untold => "not in the bundle",
        }
    }

    /// Whether it came out the same.
    #[must_use]
    pub fn holds(self) -> bool {
        self == Self::Agrees
    }
}

/// A bundle held against a run of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// The keys of its configuration, result and baselines among them, and how the run ended.
    pub result: Vec<(String, Agreement)>,
    /// Its iterations, by number from 0.
    pub iterations: Vec<(u32, Agreement)>,
    /// Its points by number and repetition, if it is of a sweep.
    pub points: Vec<((u32, u32), Agreement)>,
    /// Its simulations, by id.
    pub simulations: Vec<(String, Agreement)>,
    /// Its policies, by hash.
    pub policies: Vec<(String, Agreement)>,
    /// What was not compared.
    pub unverified: Vec<String>,
}

impl Bundle {
    /// Makes the run again in an empty database and compares; `None` if the user stopped it. A run that
    /// did not come to its end is stopped when everything has come out that the bundle tells of.
    ///
    /// # Errors
    /// What this program refuses, and a database that fails.
    pub fn verify(
        &self,
        workers: Option<usize>,
        database: &Database,
        cancel: &CancelFlag,
    ) -> Result<Option<Verification>, ExperimentError> {
        let plan = self.plan().map_err(ExperimentError::Refused)?;
        let no_baselines = !self.is_completed() || self.config.contains_key(NO_BASELINES);
        let options = RunOptions { run_id: Some(self.run.run_id.clone()), workers, no_baselines };
        let mut until = Until::all_of(self, cancel.clone());
        let result = runner::run(&plan, &options, Some(database), &mut until, cancel)?;
        if result.status == Status::Cancelled && !until.reached {
            return Ok(None);
        }
        Ok(Some(Verification::of(self, &database.reader()?)?))
    }
}

/// Ends a run when everything has come out that a bundle of a stopped run tells of.
struct Until {
    run_id: String,
    iterations: BTreeSet<u32>,
    points: HashSet<(u32, u32)>,
    /// Of simulations; a batch of samples has one.
    numbers: HashSet<u64>,
    /// Iterations that the run had begun: nothing of a later one is told of.
    begun: u32,
    /// Whether the run is one that ends by itself.
    whole: bool,
    cancel: CancelFlag,
    /// Whether that is why the run ends, and not that the user stopped it.
    reached: bool,
}

impl Until {
    fn all_of(bundle: &Bundle, cancel: CancelFlag) -> Self {
        let run_id = bundle.run.run_id.clone();
        let numbers =
            bundle.simulations.iter().filter_map(|row| simulation_number(&run_id, &row.simulation_id));
        let iterations: BTreeSet<u32> = bundle.iterations.iter().map(|row| row.iteration).collect();
        let told =
            bundle.simulations.iter().filter_map(|row| row.iteration).chain(iterations.last().copied());
        let begun = told.map(|last| last.saturating_add(1)).max().unwrap_or_default();
        let recorded = u32::try_from(bundle.run.num_iterations).unwrap_or_default();
        Self {
            numbers: numbers.collect(),
            iterations,
            points: bundle.points.iter().map(|row| (row.point, row.repetition)).collect(),
            // A sweep has no iterations.
            begun: if bundle.is_sweep() { u32::MAX } else { begun.max(recorded) },
            whole: bundle.is_completed(),
            run_id,
            cancel,
            reached: false,
        }
    }

    fn look(&mut self, iteration: u32) {
        let rest = !self.iterations.is_empty() || !self.points.is_empty() || !self.numbers.is_empty();
        if !self.whole && (!rest || iteration >= self.begun) {
            self.reached = true;
            self.cancel.cancel();
        }
    }
}

impl Observer for Until {
    fn event(&mut self, event: &StreamEvent) {
        // It stands behind the row of the iteration.
        if event.kind == EventKind::IterationStart {
            self.iterations.remove(&event.iteration);
        }
        self.look(event.iteration);
    }

    fn simulation(&mut self, note: &SimulationNote) {
        if let Some(number) = simulation_number(&self.run_id, &note.id) {
            self.numbers.remove(&number);
        }
        self.look(note.iteration);
    }

    fn point(&mut self, note: &PointNote) {
        self.points.remove(&(note.point, note.repetition));
        self.look(note.point);
    }
}

impl Verification {
    /// Compares what a bundle tells with what a run of it left in a database.
    ///
    /// # Errors
    /// The database cannot be read.
    fn of(bundle: &Bundle, reader: &Reader) -> Result<Self, PersistenceError> {
        let found = Bundle::of(&RecordedRun::read(reader, &bundle.run.run_id)?, reader)?;
        let mut digests = HashMap::new();
        for told in &bundle.simulations {
            let digest = digest_until(reader, &told.simulation_id, told.last_tick)?;
            digests.insert(told.simulation_id.clone(), digest);
        }
        let is_whole = bundle.is_completed();
        // Of a run that was stopped the step is left out that it was in.
        let last = bundle.simulations.iter().filter_map(|row| row.iteration);
        let last = last.chain(bundle.iterations.iter().map(|row| row.iteration)).max().unwrap_or_default();
        let is_due = |iteration: u32| is_whole || !bundle.is_sweep() && iteration < last;
        Ok(Self {
            result: result(bundle, &found),
            iterations: held(
                &bundle.iterations,
                &found.iterations,
                |row| row.iteration,
                |told, found| told == found,
                |row| is_due(row.iteration),
            ),
            points: held(
                &bundle.points,
                &found.points,
                |row| (row.point, row.repetition),
                |told, found| told == found,
                |_| is_whole,
            ),
            simulations: held(
                &bundle.simulations,
                &found.simulations,
                |row| row.simulation_id.clone(),
                |told, found| same_simulation(told, found, digests.get(&told.simulation_id)),
                |row| is_due(row.iteration.unwrap_or(u32::MAX)),
            ),
            policies: held(
                &bundle.policies.iter().collect::<Vec<_>>(),
                &found.policies.iter().collect::<Vec<_>>(),
                |(hash, _)| (*hash).clone(),
                |(_, told), (_, found)| told == found,
                |_| is_whole,
            ),
            unverified: unverified(bundle),
        })
    }

    /// Whether everything came out the same.
    #[must_use]
    pub fn holds(&self) -> bool {
        all_hold(&self.result)
            && all_hold(&self.iterations)
            && all_hold(&self.points)
            && all_hold(&self.simulations)
            && all_hold(&self.policies)
    }
}

fn all_hold<K>(agreements: &[(K, Agreement)]) -> bool {
    agreements.iter().all(|(_, agreement)| agreement.holds())
}

/// What is told held against what was found, by key; then what was found and is not told, as far as it
/// is due.
fn held<K: Clone + Eq + Hash, T>(
    told: &[T],
    found: &[T],
    key: impl Fn(&T) -> K,
    same: impl Fn(&T, &T) -> bool,
    is_due: impl Fn(&T) -> bool,
) -> Vec<(K, Agreement)> {
    let by_key: HashMap<K, &T> = found.iter().map(|row| (key(row), row)).collect();
    let known: HashSet<K> = told.iter().map(&key).collect();
    let agreement = |row: &T| match by_key.get(&key(row)) {
        Some(found) if same(row, found) => Agreement::Agrees,
        Some(_) => Agreement::Differs,
        None => Agreement::Missing,
    };
    let told = told.iter().map(|row| (key(row), agreement(row)));
    let more = found.iter().filter(|row| !known.contains(&key(row)) && is_due(row));
    told.chain(more.map(|row| (key(row), Agreement::Untold))).collect()
}

/// Of a simulation that was stopped only what was run can be the same.
fn same_simulation(
    told: &BundledSimulation,
    found: &BundledSimulation,
    digest: Option<&Option<String>>,
) -> bool {
    let digest = digest.and_then(Option::as_ref);
    if digest != Some(&told.event_digest)
        || (told.rng_seed, &told.config_hash) != (found.rng_seed, &found.config_hash)
    {
        return false;
    }
    let is_whole = told.status == Status::Completed.name();
    !is_whole || *told == BundledSimulation { engine_version: told.engine_version.clone(), ..found.clone() }
}

/// Keys of a configuration that say how it was run, not what was run.
const CIRCUMSTANCES: [&str; 2] = [CONTINUED_BY, NO_BASELINES];

/// The key of a configuration under which baselines stand.
const BASELINES: &str = "baselines";

/// The configuration with the result, and how the run ended if it came to its end.
fn result(bundle: &Bundle, found: &Bundle) -> Vec<(String, Agreement)> {
    let (told, found) = (figures(bundle), figures(found));
    let is_whole = bundle.is_completed();
    let counts = |key: &String| {
        let is_end = ENDS.contains(&key.as_str());
        !CIRCUMSTANCES.contains(&key.as_str())
            && (is_whole || !is_end)
            // Baselines that the user did not wait for are not in the bundle.
            && (key != BASELINES || told.contains_key(BASELINES))
    };
    let told: Vec<_> = told.iter().filter(|(key, _)| counts(key)).collect();
    let found: Vec<_> = found.iter().filter(|(key, _)| counts(key)).collect();
    held(&told, &found, |(key, _)| (*key).clone(), |(_, told), (_, found)| told == found, |_| true)
}

/// What only a run that came to its end tells.
const ENDS: [&str; 4] = ["status", "num_iterations", "converged", "convergence_reason"];

fn figures(bundle: &Bundle) -> Map<String, Value> {
    let run = &bundle.run;
    let mut figures = bundle.config.clone();
    let of_run = [
        ("experiment_name", json!(run.experiment_name)),
        ("experiment_type", json!(run.experiment_type)),
        (ENDS[0], json!(run.status)),
        (ENDS[1], json!(run.num_iterations)),
        (ENDS[2], json!(run.converged)),
        (ENDS[3], json!(run.convergence_reason)),
    ];
    figures.extend(of_run.map(|(key, value)| (key.to_owned(), value)));
    figures
}

fn unverified(bundle: &Bundle) -> Vec<String> {
    let mut unverified = Vec::new();
    if !bundle.is_completed() {
        unverified.push(format!("how the run ended: it is {}, and has no result", bundle.run.status));
    } else if !bundle.is_sweep() && !bundle.config.contains_key(BASELINES) {
        unverified.push("baselines: the bundle has none".to_owned());
    }
    if !bundle.replies.is_empty() {
        unverified.push("the replies of the language model: they are taken as recorded".to_owned());
    }
    if bundle.simulations.is_empty() {
        unverified.push("digests of events: the run stored no simulations".to_owned());
    }
    unverified.push("versions and times".to_owned());
    unverified
}

/// The digest of the events of a simulation up to a tick; `None` if there is no such simulation.
fn digest_until(
    reader: &Reader,
    id: &str,
    last_tick: Option<u64>,
) -> Result<Option<String>, PersistenceError> {
    let Some(summary) = reader.summary(id)? else { return Ok(None) };
    if summary.row.last_tick == last_tick {
        return Ok(Some(summary.row.event_digest));
    }
    reader.digest_until(id, last_tick).map(Some)
}
