//! Whole experiments against real database files: the cases `experiment-*` of the kinds `loop` and
//! `search` (spec 07, 26) with their rows at every persistence level, and what must hold beside.

use std::collections::BTreeMap;
use std::path::Path;

use duckdb::Connection;
use payment_sim::document;
use payment_sim::experiment::file::{Experiment, PersistLevel};
use payment_sim::experiment::proposers::{Chosen, Wishes};
use payment_sim::experiment::runner::{ExperimentError, Observer, Plan, RunOptions, RunResult, run};
use payment_sim::experiment::stream::StreamEvent;
use payment_sim::persistence::{Access, Database, Status};
use payment_sim::run::CancelFlag;
use payment_sim::scenario::{self, Format, Overrides, ScenarioFile};
use serde_json::{Map, Value, json};

use crate::looking_back;
use crate::support::expected::{Ids, differs};
use crate::support::{Folder, cases_folder};

/// A folder of the cases with an experiment.
struct Case {
    name: String,
    folder: std::path::PathBuf,
    input: Value,
}

impl Case {
    fn named(name: &str) -> Self {
        let folder = cases_folder().join(name);
        let text = std::fs::read_to_string(folder.join("case.yaml")).expect("a case");
        let input = document::parse_yaml(&text).expect("YAML").to_json();
        Self { name: name.to_owned(), folder, input }
    }

    fn of_kind(kind: &str) -> Vec<Self> {
        let mut names: Vec<String> = std::fs::read_dir(cases_folder())
            .expect("the folder of the cases")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with("experiment-"))
            .collect();
        names.sort();
        let cases = names.iter().map(|name| Self::named(name));
        cases.filter(|case| case.input["kind"] == kind && !case.folder.join("error.txt").exists()).collect()
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.join(file)).expect("a file of the case")
    }

    fn expected(&self) -> Value {
        serde_json::from_str(&self.text("expected.json")).expect("JSON")
    }

    fn plan(&self, change: impl FnOnce(&mut Experiment)) -> Plan {
        let read = |path: &str| std::fs::read_to_string(self.folder.join(path)).map_err(|e| e.to_string());
        let (experiment, findings) = Experiment::read(&self.text("experiment.yaml"), &read);
        let mut experiment = experiment.unwrap_or_else(|| panic!("{}: {findings:?}", self.name));
        change(&mut experiment);
        let scenario = self.scenario(&experiment.scenario);
        let proposer =
            Chosen::choose(&experiment, Wishes::default(), &|_| None, &read, &read).expect("a proposer");
        let file = experiment.scenario.clone();
        Plan::prepare(experiment, scenario, &file, proposer).expect("a plan")
    }

    /// Runs the case under its run id; what was shown.
    fn run_into(&self, database: &Database, level: PersistLevel) -> Vec<StreamEvent> {
        let plan = self.plan(|experiment| experiment.persist_simulations = level);
        let run_id = self.expected()["run_id"].as_str().map(str::to_owned);
        let mut recorder = Recorder::default();
        let options = RunOptions { run_id, workers: Some(2), ..RunOptions::default() };
        run(&plan, &options, Some(database), &mut recorder, &CancelFlag::default()).expect("a run");
        recorder.0
    }

    fn scenario(&self, file: &str) -> ScenarioFile {
        let folder = Folder(self.folder.clone());
        let (scenario, findings) =
            scenario::read(&self.text(file), Format::Yaml, &Overrides::default(), &folder);
        scenario.unwrap_or_else(|| panic!("{}: {findings:?}", self.name))
    }
}

/// Keeps the live events.
#[derive(Default)]
struct Recorder(Vec<StreamEvent>);

impl Observer for Recorder {
    fn event(&mut self, event: &StreamEvent) {
        self.0.push(event.clone());
    }
}

/// Runs an experiment into a new file and closes it.
fn stored_run(plan: &Plan, run_id: &str, file: &Path, workers: usize) -> RunResult {
    let database = Database::open(file, Access::Write).expect("a database");
    let options =
        RunOptions { run_id: Some(run_id.to_owned()), workers: Some(workers), ..RunOptions::default() };
    run(plan, &options, Some(&database), &mut (), &CancelFlag::default()).expect("a run")
}

/// The rows of a query as JSON objects; columns that hold JSON are parsed.
fn rows(file: &Path, query: &str) -> Vec<Value> {
    select(&Connection::open(file).expect("the file opens"), query)
}

fn select(connection: &Connection, query: &str) -> Vec<Value> {
    let wrapped = format!("SELECT to_json(t)::VARCHAR FROM ({query}) t");
    let mut statement = connection.prepare(&wrapped).expect("a query");
    let texts = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    texts.map(|text| serde_json::from_str(&text.expect("a row")).expect("JSON")).collect()
}

fn hold(case: &Case, what: &str, wanted: &Value, got: Vec<Value>) {
    if let Some(difference) = differs(wanted, &Value::Array(got), &mut Ids::default(), what) {
        panic!("{}: {difference}", case.name);
    }
}

/// What section 26 leaves open is dropped from the expectation.
fn loosened(expected: &Value, with_error_texts: bool) -> Value {
    let mut expected = expected.clone();
    for event in expected.as_array_mut().expect("a list") {
        let kind = event["event_type"].as_str().expect("a text").to_owned();
        let data = event["event_data"].as_object_mut().expect("a mapping");
        if kind == "llm_interaction" {
            for key in ["system_prompt", "user_prompt", "latency_seconds"] {
                data.shift_remove(key);
            }
            if !with_error_texts && data.get("parsing_error").is_some_and(|error| !error.is_null()) {
                data.shift_remove("parsing_error");
            }
        }
        if kind == "policy_rejected" && data["old_cost"].is_null() {
            data.shift_remove("reason");
        }
    }
    expected
}

/// All cases of a level share one file, as many runs do.
#[test]
fn loops_with_their_rows_at_every_level() {
    let cases = Case::of_kind("loop");
    assert!(cases.len() > 30, "the loop cases are there");
    let folder = tempfile::tempdir().expect("a folder");
    for (word, level) in PersistLevel::WORDS {
        let file = folder.path().join(format!("{word}.duckdb"));
        let database = Database::open(&file, Access::Write).expect("a database");
        let events: Vec<Vec<StreamEvent>> =
            cases.iter().map(|case| case.run_into(&database, level)).collect();
        if level == PersistLevel::None {
            let reader = database.reader().expect("a reader");
            cases.iter().for_each(|case| looking_back::holds(&case.name, &case.expected(), &reader));
        }
        drop(database);
        let connection = Connection::open(&file).expect("the file opens");
        for (case, events) in cases.iter().zip(&events) {
            loop_holds(case, word, events, &connection);
        }
    }
}

fn loop_holds(case: &Case, word: &str, events: &[StreamEvent], connection: &Connection) {
    let expected = case.expected();
    let db = &expected["db"];
    let of_run = format!("run_id = '{}'", expected["run_id"].as_str().expect("a run id"));
    let rows = |query: &str| select(connection, &query.replace("OF_RUN", &of_run));
    hold(case, "experiments", &db["experiments"], rows("SELECT * FROM experiments WHERE OF_RUN"));
    let iterations = rows("SELECT * FROM experiment_iterations WHERE OF_RUN ORDER BY iteration");
    hold(case, "experiment_iterations", &db["experiment_iterations"], iterations);
    let evaluations = rows("SELECT * FROM policy_evaluations WHERE OF_RUN ORDER BY iteration, agent_id");
    hold(case, "policy_evaluations", &db["policy_evaluations"], evaluations);
    let texts =
        "SELECT iteration, event_type, event_data::VARCHAR AS text FROM experiment_events WHERE OF_RUN
        ORDER BY id";
    let live = events.iter().map(|event| {
        json!({"iteration": event.iteration, "event_type": event.kind.name(), "text": event.data.to_string()})
    });
    assert!(rows(texts).into_iter().eq(live), "{}: what was shown is not what is stored", case.name);
    let stored =
        rows("SELECT iteration, event_type, event_data FROM experiment_events WHERE OF_RUN ORDER BY id");
    let wanted = loosened(&db["experiment_events"], case.input["error_texts"] == true);
    hold(case, "experiment_events", &wanted, stored);
    let mut simulations = rows("SELECT * FROM simulations WHERE experiment_OF_RUN");
    // By number, then sample: ids have widths that are minima.
    simulations.sort_by_key(|row| {
        let id = row["simulation_id"].as_str().expect("an id").to_owned();
        let number = id.split("-sim-").nth(1).and_then(|rest| rest.split('-').next()?.parse::<u64>().ok());
        (number, row["experiment_sample"].as_u64())
    });
    hold(case, &format!("simulations at {word}"), &db["simulations"][word], simulations);
    if word == "primary" && !db["simulation_event_counts"].is_null() {
        let counts = rows(
            "SELECT simulation_id AS id, count(*) AS n FROM simulation_events
            JOIN simulations USING (simulation_id) WHERE experiment_OF_RUN GROUP BY 1",
        );
        let counts: Map<String, Value> = counts
            .iter()
            .map(|row| (row["id"].as_str().expect("an id").to_owned(), row["n"].clone()))
            .collect();
        let wanted = &db["simulation_event_counts"];
        assert_eq!(&Value::Object(counts), wanted, "{}: event counts", case.name);
    }
}

/// Every row of every table, without times.
fn everything(file: &Path) -> BTreeMap<&'static str, Vec<String>> {
    let tables = [
        ("experiments", "SELECT * EXCLUDE (created_at, completed_at)"),
        ("experiment_iterations", "SELECT * EXCLUDE (timestamp)"),
        ("experiment_events", "SELECT * EXCLUDE (timestamp)"),
        ("policy_evaluations", "SELECT * EXCLUDE (timestamp)"),
        (
            "simulations",
            "SELECT * EXCLUDE (started_at, ended_at, completed_at, duration_seconds, ticks_per_second)",
        ),
        ("simulation_events", "SELECT simulation_id, sequence, tick, event_type, agent_id, tx_id, details"),
        ("transactions", "SELECT *"),
        ("daily_agent_metrics", "SELECT *"),
        ("policy_snapshots", "SELECT *"),
    ];
    let mut all = BTreeMap::new();
    for (table, select) in tables {
        let mut found: Vec<String> =
            rows(file, &format!("{select} FROM {table}")).iter().map(Value::to_string).collect();
        found.sort();
        all.insert(table, found);
    }
    all
}

#[test]
fn one_worker_and_several_give_the_same_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in
        ["experiment-loop-bootstrap-basic", "experiment-loop-pairwise-order", "experiment-search-two-period"]
    {
        let case = Case::named(name);
        let plan = case.plan(|experiment| experiment.persist_simulations = PersistLevel::All);
        let files = [1, 1, 4].map(|workers| {
            let file = folder.path().join(format!("{name}-{}.duckdb", rand_suffix(folder.path())));
            stored_run(&plan, "run", &file, workers);
            file
        });
        let first = everything(&files[0]);
        assert!(!first["simulation_events"].is_empty());
        for other in &files[1..] {
            assert_eq!(first, everything(other), "{name}");
        }
    }
}

/// A number that no file of the folder has yet.
fn rand_suffix(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn the_search_reaches_its_goals() {
    for case in Case::of_kind("search") {
        let goal = case.expected();
        for (seed, reversed) in [("42", false), ("7", false), ("2024", true), ("1", true)] {
            let plan = case.plan(|experiment| {
                experiment.master_seed = seed.to_owned();
                if reversed {
                    experiment.optimized_agents.reverse();
                }
            });
            reaches(&case, &plan, &goal);
        }
    }
}

fn reaches(case: &Case, plan: &Plan, goal: &Value) {
    let mut recorder = Recorder::default();
    let result =
        run(plan, &RunOptions::default(), None, &mut recorder, &CancelFlag::default()).expect("a run");
    let about = format!("{} with seed {}", case.name, plan.experiment.master_seed);
    assert_eq!(json!(result.converged), goal["converged"], "{about}");
    assert!(
        u64::from(result.num_iterations) <= goal["iterations_at_most"].as_u64().expect("a number"),
        "{about}"
    );
    let last = result.last.as_ref().expect("an evaluation");
    let best = result.best.as_ref().expect("an evaluation");
    assert_eq!(last.total, best.total, "{about}: the final policies are the best ones");
    let by = goal["reached_by_iteration"].as_u64().expect("a number");
    for (agent, range) in goal["final_fractions"].as_object().expect("a mapping") {
        let within = |fraction: &Value| {
            let fraction = fraction.as_f64().unwrap_or(f64::NAN);
            (range[0].as_f64().unwrap()..=range[1].as_f64().unwrap()).contains(&fraction)
        };
        let index = result.agents.iter().position(|id| id == agent).expect("an agent");
        let cost = last.costs[index];
        assert!(
            cost <= goal["final_costs_at_most"][agent].as_i64().expect("cents"),
            "{about}: {agent} {cost}"
        );
        // Fractions after the round of iteration i are those evaluated in iteration i + 1.
        let after: Vec<&Value> = recorder
            .0
            .iter()
            .filter(|event| event.kind.name() == "iteration_metrics")
            .filter(|event| u64::from(event.iteration) + 2 >= by)
            .map(|event| &event.data["per_agent_liquidity"][agent])
            .collect();
        assert!(!after.is_empty() && after.iter().all(|f| within(f)), "{about}: {agent} {after:?}");
    }
}

#[test]
fn a_run_that_is_cancelled_says_so_and_keeps_what_is_complete() {
    struct CancelAfter(CancelFlag, usize);
    impl Observer for CancelAfter {
        fn event(&mut self, event: &StreamEvent) {
            self.1 -= usize::from(event.kind.name() == "iteration_metrics");
            if self.1 == 0 {
                self.0.cancel();
            }
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cancelled.duckdb");
    let case = Case::named("experiment-loop-bootstrap-basic");
    let plan = case.plan(|experiment| experiment.persist_simulations = PersistLevel::All);
    let cancel = CancelFlag::default();
    let database = Database::open(&file, Access::Write).expect("a database");
    let options = RunOptions { run_id: Some("run".to_owned()), workers: None, ..RunOptions::default() };
    let mut observer = CancelAfter(cancel.clone(), 2);
    let result = run(&plan, &options, Some(&database), &mut observer, &cancel).expect("a run");
    drop(database);
    assert_eq!((result.status, result.convergence_reason.as_str()), (Status::Cancelled, "Cancelled"));
    let row = &rows(&file, "SELECT status, convergence_reason, converged FROM experiments")[0];
    assert_eq!(*row, json!({"status": "cancelled", "convergence_reason": "Cancelled", "converged": false}));
    let iterations = rows(&file, "SELECT iteration FROM experiment_iterations");
    assert_eq!(iterations.len(), 2);
    let ends = rows(&file, "SELECT DISTINCT status FROM simulations");
    assert_eq!(ends, [json!({"status": "completed"})]);
    let ended = rows(&file, "SELECT id FROM experiment_events WHERE event_type = 'experiment_end'");
    assert!(ended.is_empty());
}

#[test]
fn a_run_id_that_exists_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("twice.duckdb");
    let plan = Case::named("experiment-loop-best-of-zero").plan(|_| {});
    stored_run(&plan, "run", &file, 1);
    let before = everything(&file);
    let database = Database::open(&file, Access::Write).expect("a database");
    let options = RunOptions { run_id: Some("run".to_owned()), workers: None, ..RunOptions::default() };
    let again = run(&plan, &options, Some(&database), &mut (), &CancelFlag::default());
    assert!(matches!(again, Err(ExperimentError::Storage(_))));
    drop(database);
    assert_eq!(before, everything(&file));
}
