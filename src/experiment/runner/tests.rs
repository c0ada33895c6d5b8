//! Runs that are stopped after any of their steps and go on leave the rows of runs that never stopped.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what does not hold fails here")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;

use serde_json::json;

use super::{ExperimentError, Observer, Plan, RunOptions, RunResult, SimulationNote, resume, run};
use crate::experiment::bundle::{Agreement, Bundle};
use crate::experiment::cases::{Case, loops};
use crate::experiment::file::{Experiment, PersistLevel};
use crate::experiment::proposers::{Chosen, Wishes};
use crate::experiment::recorded::{Changes, RecordedRun};
use crate::experiment::stream::{EventKind, StreamEvent};
use crate::persistence::tests::rows::{beginnings, rows};
use crate::persistence::{Access, Database, Status};
use crate::run::CancelFlag;
use crate::scenario::{self, Format, NoFiles, Overrides};

/// Where a run is stopped, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stop {
    Never,
    /// Cancelled when this live event is committed.
    Cancel(usize),
    /// Its process dies when this live event is committed.
    DieAtEvent(usize),
    /// Its process dies when this simulation or batch is done.
    DieAtSimulation(usize),
}

/// Stops a run; knows what it saw.
struct Stopper {
    stop: Stop,
    cancel: CancelFlag,
    events: Vec<EventKind>,
    simulations: usize,
}

impl Stopper {
    fn new(stop: Stop) -> Self {
        Self { stop, cancel: CancelFlag::default(), events: Vec::new(), simulations: 0 }
    }
}

impl Observer for Stopper {
    fn event(&mut self, event: &StreamEvent) {
        self.events.push(event.kind);
        match self.stop {
            Stop::Cancel(number) if number == self.events.len() => self.cancel.cancel(),
            Stop::DieAtEvent(number) if number == self.events.len() => resume_unwind(Box::new("died")),
            _ => {}
        }
    }

    fn simulation(&mut self, _note: &SimulationNote) {
        self.simulations += 1;
        if self.stop == Stop::DieAtSimulation(self.simulations) {
            resume_unwind(Box::new("died"));
        }
    }
}

/// A database for the runs of one experiment.
struct Bench {
    _folder: tempfile::TempDir,
    path: PathBuf,
    plan: Plan,
}

impl Bench {
    fn new(plan: Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.duckdb");
        Self { _folder: folder, path, plan }
    }

    fn open(&self) -> Database {
        Database::open(&self.path, Access::Write).unwrap()
    }

    /// Begins a run with baselines or without; nothing comes back of one whose process died.
    fn begin(
        &self,
        database: &Database,
        run_id: &str,
        no_baselines: bool,
        stopper: &mut Stopper,
    ) -> Option<RunResult> {
        let options = RunOptions { run_id: Some(run_id.to_owned()), workers: Some(1), no_baselines };
        let cancel = stopper.cancel.clone();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            run(&self.plan, &options, Some(database), stopper, &cancel).unwrap()
        }));
        ended.ok()
    }
}

/// Goes on with a run from what the database holds of it.
fn go_on(database: &Database, run_id: &str, stopper: &mut Stopper) -> Result<RunResult, ExperimentError> {
    let recorded = RecordedRun::read(&database.reader().unwrap(), run_id).unwrap();
    let plan = recorded.plan(&Changes::default(), &|_| None, &|_| panic!("no file is read")).unwrap();
    let options = RunOptions { run_id: None, workers: Some(1), no_baselines: false };
    let cancel = stopper.cancel.clone();
    resume(&recorded, &plan, false, &options, database, stopper, &cancel)
}

/// Fails with the first line that differs.
fn same(reference: &str, got: &str, what: &str) {
    for (line, (wanted, got)) in reference.lines().zip(got.lines()).enumerate() {
        assert_eq!(wanted, got, "{what}: row {line}");
    }
    assert_eq!(reference.lines().count(), got.lines().count(), "{what}: number of rows");
}

/// Stops runs of a plan everywhere and compares what they come to with a run that never stops.
///
/// Simulations that were complete stay, unless the run `undoes` some because policies fail in them.
fn stops_anywhere(what: &str, plan: Plan, undoes: bool) {
    let bench = Bench::new(plan);
    let database = bench.open();
    let mut watch = Stopper::new(Stop::Never);
    bench.begin(&database, "run-whole", false, &mut watch).unwrap();
    let reference = rows(&database, "run-whole");
    let steps: Vec<usize> = (1..=watch.events.len()).filter(|at| ends_a_commit(&watch.events, *at)).collect();
    again_and_again(what, &bench, &database);
    let mut dead = Vec::new();
    let events = steps.iter().map(|number| Stop::DieAtEvent(*number));
    for stop in events.chain((1..=watch.simulations).map(Stop::DieAtSimulation)) {
        let id = format!("run-d{}", dead.len());
        if bench.begin(&database, &id, false, &mut Stopper::new(stop)).is_none() {
            dead.push((id, stop));
        }
    }
    assert!(dead.len() + 2 > steps.len());
    drop(database);
    let database = bench.open();
    for (id, stop) in dead {
        let kept = beginnings(&database, &id);
        match go_on(&database, &id, &mut Stopper::new(Stop::Never)) {
            Ok(result) => assert_eq!(result.run_id, id),
            Err(ExperimentError::Completed(_)) => assert!(matches!(stop, Stop::DieAtEvent(_)), "{stop:?}"),
            Err(error) => panic!("{what}, {stop:?}: {error}"),
        }
        let now = beginnings(&database, &id);
        assert!(
            undoes || kept.iter().all(|one| now.contains(one)),
            "{what}, {stop:?}: ran again what was complete"
        );
        same(&reference, &rows(&database, &id), &format!("{what}, {stop:?}"));
    }
}

/// Events that are committed with the next one are no place to stop.
fn ends_a_commit(events: &[EventKind], number: usize) -> bool {
    let next = events.get(number);
    match events[number - 1] {
        EventKind::BootstrapEvaluation => false,
        EventKind::Evaluation => next != Some(&EventKind::IterationStart),
        EventKind::IterationMetrics => next != Some(&EventKind::ProposerStats),
        EventKind::Interaction => !matches!(next, Some(EventKind::PolicyChange | EventKind::PolicyRejected)),
        EventKind::ExperimentEnd => false,
        _ => true,
    }
}

/// One run that is stopped after each of its steps, and goes on each time; without baselines, which are
/// left out by whoever stops at the end.
fn again_and_again(what: &str, bench: &Bench, database: &Database) {
    bench.begin(database, "run-plain", true, &mut Stopper::new(Stop::Never)).unwrap();
    let reference = rows(database, "run-plain");
    let id = "run-again";
    let mut ended = bench.begin(database, id, true, &mut Stopper::new(Stop::Cancel(1))).unwrap();
    let mut times = 0;
    while ended.status == Status::Cancelled {
        if times == 4 {
            // Stopped before it is where it was, it is not behind that either.
            let mut stopper = Stopper::new(Stop::Never);
            stopper.cancel.cancel();
            assert_eq!(go_on(database, id, &mut stopper).unwrap().status, Status::Cancelled, "{what}");
        }
        let mut stopper = Stopper::new(Stop::Cancel(1));
        ended = go_on(database, id, &mut stopper).unwrap();
        times += 1;
    }
    assert!(times > 5, "{what}: {times} times");
    same(&reference, &rows(database, id), &format!("{what}, stopped again and again"));
}

fn at_level(name: &str, level: PersistLevel) -> Plan {
    let case = Case::of_kind("loop", false).into_iter().find(|case| case.name == name).unwrap();
    loops::plan(&case, |experiment| experiment.persist_simulations = level).unwrap()
}

#[test]
fn pairwise_runs_go_on_after_any_step() {
    stops_anywhere("retries", at_level("loop-retries", PersistLevel::All), false);
}

#[test]
fn temporal_runs_go_on_after_any_step() {
    stops_anywhere("closing", at_level("loop-temporal-closing-evaluation", PersistLevel::Primary), false);
}

#[test]
fn bootstrap_runs_go_on_after_any_step() {
    stops_anywhere("one sample", at_level("loop-bootstrap-one-sample", PersistLevel::None), false);
}

/// A plan from texts.
fn plan(experiment: &str, scenario: &str, script: &str) -> Plan {
    let read = |_: &str| Ok(script.to_owned());
    let (experiment, findings) = Experiment::read(experiment, &read);
    let experiment = experiment.unwrap_or_else(|| panic!("{findings:?}"));
    let (scenario, findings) = scenario::read(scenario, Format::Yaml, &Overrides::default(), &NoFiles);
    let scenario = scenario.unwrap_or_else(|| panic!("{findings:?}"));
    let proposer = Chosen::choose(&experiment, Wishes::default(), &|_| None, &read, &read).unwrap();
    Plan::prepare(experiment, scenario, "day.yaml", proposer).unwrap()
}

const RANDOM_DAY: &str = "simulation: {ticks_per_day: 6, num_days: 1, rng_seed: 5}
deferred_crediting: true
cost_rates: {liquidity_cost_per_tick_bps: 200, delay_cost_per_tick_per_cent: 0.02, deadline_penalty: 900}
agents:
- {id: FIR, opening_balance: 0, liquidity_pool: 40000, arrival_config: {rate_per_tick: 0.8,
    amount_distribution: {type: Uniform, min: 1000, max: 1001}, counterparty_weights: {ASH: 1.0},
    deadline_range: [1, 4], priority: 5}}
- {id: ASH, opening_balance: 0, liquidity_pool: 30000, arrival_config: {rate_per_tick: 0.8,
    amount_distribution: {type: Uniform, min: 1000, max: 1001}, counterparty_weights: {FIR: 1.0},
    deadline_range: [1, 4], priority: 5}}
";

const SEARCHING: &str = "name: searching
scenario: day.yaml
evaluation: {mode: bootstrap, ticks: 6, num_samples: 3}
convergence: {max_iterations: 4, stability_window: 9}
policy_constraints:
  allowed_parameters:
  - {name: initial_liquidity_fraction, param_type: enum, allowed_values: [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5]}
optimized_agents: [ASH, FIR]
proposer: search
master_seed: 3
persist_simulations: all
";

#[test]
fn what_the_search_remembers_is_measured_anew() {
    stops_anywhere("search", plan(SEARCHING, RANDOM_DAY, ""), false);
}

const FAILING: &str = "name: failing
scenario: day.yaml
evaluation: {mode: deterministic-pairwise, ticks: 6, acceptance: {min_settlement_rate: 0.0}}
convergence: {max_iterations: 4, stability_window: 9}
policy_constraints: {allowed_fields: [amount]}
llm: {max_retries: 2}
optimized_agents: [ASH, FIR]
proposer: script:proposals.json
persist_simulations: all
";

/// Policies that fail on a payment of 1001 cents, each with less liquidity than the one before.
fn failing_proposals() -> String {
    let policy = |fraction: f64| {
        json!({"policy": {
            "version": "2.0", "policy_id": format!("fails-{fraction}"),
            "parameters": {"initial_liquidity_fraction": fraction},
            "payment_tree": {
                "type": "condition", "node_id": "c",
                "condition": {"op": "<", "right": {"value": 2}, "left": {"compute": {
                    "op": "/", "left": {"value": 1},
                    "right": {"compute": {"op": "-", "left": {"field": "amount"}, "right": {"value": 1001}}},
                }}},
                "on_true": {"type": "action", "node_id": "r", "action": "Release"},
                "on_false": {"type": "action", "node_id": "h", "action": "Hold"},
            },
        }})
    };
    let list: Vec<_> = [0.4, 0.35, 0.3, 0.25, 0.2, 0.15].into_iter().map(policy).collect();
    json!({"ASH": list, "FIR": list}).to_string()
}

/// Whether policies in force fail in an evaluation, and in a comparison, and a proposal in its own.
fn fails_everywhere(plan: &Plan) -> bool {
    let mut recorder = loops::Recorder::default();
    let options = RunOptions { run_id: Some("r".to_owned()), workers: Some(1), no_baselines: false };
    run(plan, &options, None, &mut recorder, &CancelFlag::default()).unwrap();
    let fell_back =
        |event: &StreamEvent| event.kind == EventKind::PolicyRejected && event.data["old_cost"].is_null();
    let before = |kind| recorder.0.windows(2).any(|pair| fell_back(&pair[0]) && pair[1].kind == kind);
    let failed = |event: &StreamEvent| event.data["parsing_error"].is_string();
    before(EventKind::Evaluation) && before(EventKind::Interaction) && recorder.0.iter().any(failed)
}

#[test]
fn runs_whose_policies_fail_go_on_after_any_step() {
    let scenario = RANDOM_DAY.replace("max: 1001", "max: 1003");
    let of_seed =
        |seed: u64| plan(&format!("{FAILING}master_seed: {seed}\n"), &scenario, &failing_proposals());
    let plan = (0..300).map(of_seed).find(fails_everywhere).unwrap();
    stops_anywhere("policies fail", plan, true);
}

/// The bundle of a run, written and read.
fn bundled(database: &Database, run_id: &str) -> Bundle {
    let reader = database.reader().unwrap();
    let bundle = Bundle::of(&RecordedRun::read(&reader, run_id).unwrap(), &reader).unwrap();
    Bundle::read(&serde_json::to_string(&bundle).unwrap()).unwrap()
}

#[test]
fn bundles_of_stopped_runs_hold_and_are_verified_no_further_than_they_came() {
    for level in [PersistLevel::None, PersistLevel::Primary, PersistLevel::All] {
        let mut plan = plan(SEARCHING, RANDOM_DAY, "");
        plan.experiment.persist_simulations = level;
        let bench = Bench::new(plan);
        let database = bench.open();
        let mut watch = Stopper::new(Stop::Never);
        bench.begin(&database, "run-whole", true, &mut watch).unwrap();
        // Behind the first evaluation there is something to verify.
        let first = watch.events.iter().position(|kind| *kind == EventKind::IterationStart).unwrap() + 1;
        let steps = (first..watch.events.len()).filter(|at| {
            matches!(watch.events[at - 1], EventKind::IterationStart | EventKind::ProposerStats)
        });
        for number in steps {
            let id = format!("run-{number}");
            bench.begin(&database, &id, true, &mut Stopper::new(Stop::Cancel(number))).unwrap();
            let bundle = bundled(&database, &id);
            let folder = tempfile::tempdir().unwrap();
            let own = Database::open(folder.path().join("verify.duckdb"), Access::Write).unwrap();
            let found = bundle.verify(Some(1), &own, &CancelFlag::default()).unwrap().unwrap();
            assert!(found.holds(), "{level:?}, stopped at {number}: {found:?}");
            let begun = own.reader().unwrap().experiment(&id).unwrap().unwrap().num_iterations;
            assert!(begun <= bundle.run.num_iterations, "{level:?}, {number}: {begun} iterations");
        }
    }
}

/// Changes a bundle.
type Edit = fn(&mut Bundle);

#[test]
fn whatever_is_changed_in_a_bundle_shows() {
    let bench = Bench::new(plan(SEARCHING, RANDOM_DAY, ""));
    let database = bench.open();
    bench.begin(&database, "run-1", false, &mut Stopper::new(Stop::Never)).unwrap();
    let bundle = bundled(&database, "run-1");
    let verified = |bundle: &Bundle| {
        let folder = tempfile::tempdir().unwrap();
        let own = Database::open(folder.path().join("verify.duckdb"), Access::Write).unwrap();
        bundle.verify(Some(1), &own, &CancelFlag::default()).unwrap().unwrap()
    };
    let honest = verified(&bundle);
    assert!(honest.holds(), "{honest:?}");
    let edits: [(&str, Edit); 9] = [
        ("final cost", |it| it.config["final_cost"] = json!(1)),
        ("best cost", |it| it.config["best_cost"] = json!(1)),
        ("final policy", |it| {
            it.config["final_policies"]["ASH"]["parameters"]["initial_liquidity_fraction"] = json!(0.07);
        }),
        ("a baseline", |it| it.config["baselines"]["fifo"]["total_cost"] = json!(1)),
        ("the reason", |it| it.run.convergence_reason = Some("policy_stability".to_owned())),
        ("policies", |it| it.policies.clear()),
        ("a simulation", |it| drop(it.simulations.remove(4))),
        ("all simulations", |it| it.simulations.clear()),
        ("an iteration", |it| drop(it.iterations.remove(1))),
    ];
    for (what, edit) in edits {
        let mut edited = bundle.clone();
        edit(&mut edited);
        assert!(!verified(&edited).holds(), "{what}");
    }
    let mut fewer = bundle.clone();
    let gone = fewer.simulations.remove(4).simulation_id;
    assert!(verified(&fewer).simulations.contains(&(gone, Agreement::Untold)));
    let (mut empty, none) = (bundle, Vec::new());
    (empty.simulations, empty.iterations) = (Vec::new(), Vec::new());
    assert!(empty.is_empty() && empty.points == none);
}
