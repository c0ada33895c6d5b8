//! Sweeps (spec 07, 18.1): rows, figures, what a stop leaves and what resuming makes of it, the
//! command line, and what the library's sweeps promise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use payment_sim::experiment::runner::{Observer, Plan, PointNote, RunOptions, RunResult, run};
use payment_sim::experiment::sweep::figures::Figure;
use payment_sim::experiment::sweep::resume;
use payment_sim::experiment::sweep::table::{PointSummary, Record, summarise};
use payment_sim::persistence::{Access, Database, SimulationFilter, Status, SweepPointRow};
use payment_sim::run::CancelFlag;
use payment_sim::sources::{ExperimentOptions, load_experiment};
use serde_json::Value;

use crate::support::program::Program;

/// Three days with a split, offsets, rings, credit and payments that never settle.
const DAYS: &str = r#"
simulation: {ticks_per_day: 6, num_days: 3, rng_seed: 7}
agents:
  - id: A
    opening_balance: 300
    unsecured_cap: 200
    arrival_config: &arrivals
      rate_per_tick: 1.5
      amount_distribution: {type: Uniform, min: 50, max: 400}
      counterparty_weights: {A: 1, B: 1, C: 1}
      deadline_range: [2, 5]
      divisible: true
  - id: B
    opening_balance: 300
    policy: {type: LiquiditySplitting, max_splits: 3, min_split_amount: 20}
    arrival_config: *arrivals
  - id: C
    opening_balance: 300
    liquidity_pool: 500
    arrival_config: *arrivals
"#;

const SWEEP: &str = r#"
name: little
scenario: days.yaml
evaluation: {ticks: 17}
sweep:
  vary:
    - {scenario: "agents[C].liquidity_allocation_fraction", values: [0.1, 0.9]}
    - {scenario: lsm_config.enable_bilateral, values: [true, false]}
  repetitions: 2
  metrics: [total_cost, avg_delay_ticks, lsm_share]
"#;

/// A sweep whose last point fails while it runs: a cost beyond 64 bits.
const FAILING: &str = r#"
name: failing
scenario: days.yaml
evaluation: {ticks: 17}
sweep:
  vary: [{scenario: cost_rates.eod_penalty_per_transaction, values: [1, 9223372036854775807]}]
"#;

fn place(sweep: &str) -> Program {
    let program = Program::new();
    program.write("days.yaml", DAYS);
    program.write("little.yaml", sweep);
    program
}

fn plan(program: &Program) -> Plan {
    let file = program.path("little.yaml").display().to_string();
    load_experiment(&file, &ExperimentOptions::default()).unwrap_or_else(|error| panic!("{error:?}")).plan
}

fn options(workers: usize) -> RunOptions {
    RunOptions { run_id: Some("r".to_owned()), workers: Some(workers), ..RunOptions::default() }
}

fn open(path: &Path) -> Database {
    Database::open(path, Access::Write).expect("a database")
}

/// Stops a sweep after so many of its runs.
struct StopAfter {
    left: usize,
    cancel: CancelFlag,
}

impl Observer for StopAfter {
    fn point(&mut self, _note: &PointNote) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.cancel.cancel();
        }
    }
}

/// Counts the runs of a sweep that goes on.
#[derive(Default)]
struct Recalled {
    before: u64,
    after: u64,
}

impl Observer for Recalled {
    fn recalled_points(&mut self, number: u64) {
        self.before += number;
    }

    fn point(&mut self, _note: &PointNote) {
        self.after += 1;
    }
}

/// Rows without times.
fn points(database: &Database) -> Vec<SweepPointRow> {
    let rows = database.reader().expect("a reader").sweep_points("r").expect("rows");
    rows.into_iter().map(|row| SweepPointRow { completed_at: None, ..row }).collect()
}

/// Simulations by id: place in the sweep, seed, status, digest, scenario.
fn simulations(database: &Database) -> BTreeMap<String, String> {
    let filter = SimulationFilter { run: Some("r".to_owned()), ..SimulationFilter::default() };
    let rows = database.reader().expect("a reader").simulations(&filter).expect("rows").rows;
    let told = |row: payment_sim::persistence::SimulationRow| {
        let place = (row.experiment_iteration, row.experiment_sample, row.experiment_purpose);
        let ran = (row.rng_seed, row.status, row.event_digest, row.config_hash, row.total_cost_cents);
        (row.simulation_id, format!("{place:?} {ran:?}"))
    };
    rows.into_iter().map(told).collect()
}

fn whole(program: &Program, name: &str, workers: usize) -> (Database, RunResult) {
    let database = open(&program.path(name));
    let result = run(&plan(program), &options(workers), Some(&database), &mut (), &CancelFlag::default());
    (database, result.expect("a sweep"))
}

#[test]
fn rows_do_not_depend_on_the_number_of_workers_or_on_what_is_stored() {
    let program = place(SWEEP);
    let (one, result) = whole(&program, "one.duckdb", 1);
    let (four, _) = whole(&program, "four.duckdb", 4);
    assert_eq!(points(&one), points(&four));
    assert_eq!(simulations(&one), simulations(&four));
    assert_eq!(
        (result.status, result.convergence_reason.as_str()),
        (Status::Completed, "All 8 runs completed")
    );
    let rows = points(&one);
    let ids: Vec<&str> = rows.iter().filter_map(|row| row.simulation_id.as_deref()).collect();
    // Repetition outermost: the second repetition of point 0 is the fifth run.
    assert_eq!(ids[..3], ["r-sim-001-sweep", "r-sim-005-sweep", "r-sim-002-sweep"]);
    assert!(rows.iter().all(|row| row.rng_seed == rows[row.repetition as usize].rng_seed));
    assert!(simulations(&one)["r-sim-005-sweep"].starts_with(r#"(Some(0), Some(1), Some("sweep"))"#));

    let mut unstored = plan(&program);
    unstored.experiment.persist_simulations = payment_sim::experiment::file::PersistLevel::None;
    let database = open(&program.path("none.duckdb"));
    run(&unstored, &options(2), Some(&database), &mut (), &CancelFlag::default()).expect("a sweep");
    assert!(simulations(&database).is_empty());
    let figures = |rows: Vec<SweepPointRow>| rows.into_iter().map(|row| row.figures).collect::<Vec<_>>();
    assert_eq!(figures(points(&database)), figures(rows));
}

#[test]
fn figures_are_those_of_the_views_and_of_the_result_of_a_run() {
    let program = place(SWEEP);
    drop(whole(&program, "r.duckdb", 2));
    let used = "SELECT sum(most)::BIGINT AS used FROM (SELECT max(liquidity_used) AS most FROM liquidity_used \
                WHERE simulation_id = '{id}' GROUP BY agent_id)";
    let share =
        "SELECT sum(lsm_value) / sum(settled_value) AS share FROM lsm_share WHERE simulation_id = '{id}'";
    let mut shares = Vec::new();
    for row in program.sql("r.duckdb", "SELECT simulation_id, figures::VARCHAR AS figures FROM sweep_points")
    {
        let id = row["simulation_id"].as_str().expect("an id");
        let figures: Value = serde_json::from_str(row["figures"].as_str().expect("a text")).expect("JSON");
        let ask = |query: &str, of: &str| program.sql("r.duckdb", &query.replace("{id}", id))[0][of].clone();
        assert_eq!(ask(used, "used"), figures["peak_liquidity_used"], "{id}");
        assert_eq!(ask(share, "share").as_f64(), figures["lsm_share"].as_f64(), "{id}");
        shares.push(figures["lsm_share"].as_f64().expect("a number"));
        let result = program.json(&format!("replay {id} --db r.duckdb --quiet"));
        let mut told = result["metrics"].as_object().expect("metrics").clone();
        told.extend(result["costs"].as_object().expect("costs").clone());
        assert_eq!(told.len() + 2, figures.as_object().expect("figures").len());
        for (name, value) in told {
            assert_eq!(figures[&name], value, "{id}: {name}");
        }
    }
    assert!(shares.iter().any(|share| *share > 0.0) && shares.contains(&0.0), "{shares:?}");
}

/// Makes a file with a finished sweep one whose process died after so many runs of it, in the order in
/// which they are run: the next simulation was at work, or complete without its row.
fn died_after(program: &Program, name: &str, done: usize, complete: bool) {
    let database = open(&program.path(name));
    let ids: Vec<String> = simulations(&database).into_keys().collect();
    let gone: Vec<String> = ids.iter().skip(done + 1).cloned().collect();
    database.remove(&gone, &[]).expect("simulations are removed");
    drop(database);
    let connection = duckdb::Connection::open(program.path(name)).expect("the file opens");
    let status = if complete { "completed" } else { "running" };
    let undo = format!(
        "UPDATE sweep_points SET status = 'pending', simulation_id = NULL, figures = NULL, \
         completed_at = NULL WHERE repetition * 4 + point >= {done}; \
         UPDATE experiments SET status = 'running', completed_at = NULL; \
         UPDATE simulations SET started_at = '2001-01-01'; \
         UPDATE simulations SET status = '{status}' WHERE simulation_id = '{}'",
        ids[done]
    );
    connection.execute_batch(&undo).expect("rows");
}

#[test]
fn a_sweep_that_died_after_any_point_ends_as_if_it_had_not() {
    let program = place(SWEEP);
    let (expected, _) = whole(&program, "whole.duckdb", 1);
    for done in 0..points(&expected).len() {
        let complete = done % 2 == 1;
        let name = format!("{done}.duckdb");
        drop(whole(&program, &name, 1));
        died_after(&program, &name, done, complete);
        let database = open(&program.path(&name));
        let reader = || database.reader().expect("a reader").experiment("r").expect("a row").expect("a run");
        assert_eq!(reader().status, Status::Interrupted);
        let result =
            resume(&plan(&program), &options(2), "r", None, &database, &mut (), &CancelFlag::default());
        assert_eq!(result.expect("a sweep").status, Status::Completed);
        assert_eq!(points(&database), points(&expected), "after {done}");
        assert_eq!(simulations(&database), simulations(&expected), "after {done}");
        assert_eq!(reader().status, Status::Completed);
        drop(database);
        let old = program.sql(&name, "SELECT count(*) AS n FROM simulations WHERE year(started_at) = 2001");
        assert_eq!(old[0]["n"], done + usize::from(complete), "complete simulations are not run again");
    }
}

#[test]
fn a_sweep_that_is_cancelled_keeps_what_is_finished_and_can_go_on() {
    let program = place(SWEEP);
    let (expected, _) = whole(&program, "whole.duckdb", 1);
    let mut long = plan(&program);
    long.experiment.sweep.as_mut().expect("a sweep").repetitions = 40;
    let database = open(&program.path("r.duckdb"));
    let cancel = CancelFlag::default();
    let mut observer = StopAfter { left: 3, cancel: cancel.clone() };
    let stopped = run(&long, &options(2), Some(&database), &mut observer, &cancel).expect("a sweep");
    assert_eq!((stopped.status, stopped.convergence_reason.as_str()), (Status::Cancelled, "Cancelled"));
    let done = points(&database).iter().filter(|row| row.status == "completed").count();
    assert!((3..160).contains(&done), "{done} runs");
    let mut recalled = Recalled::default();
    let result = resume(&long, &options(2), "r", None, &database, &mut recalled, &CancelFlag::default())
        .expect("a sweep");
    assert_eq!(result.convergence_reason, "All 160 runs completed");
    assert_eq!((recalled.before, recalled.after), (done as u64, 160 - done as u64));
    let first: Vec<_> = points(&database).into_iter().filter(|row| row.repetition < 2).collect();
    assert_eq!(first, points(&expected));
}

/// Takes the database away from a sweep that has begun.
struct TakeAway(PathBuf);

impl Observer for TakeAway {
    fn point(&mut self, _note: &PointNote) {
        // It has gone after the first run.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_sweep_that_can_no_longer_be_stored_ends() {
    let program = place(SWEEP);
    let mut long = plan(&program);
    long.experiment.sweep.as_mut().expect("a sweep").repetitions = 2000;
    let path = program.path("r.duckdb");
    let database = open(&path);
    let mut observer = TakeAway(path);
    let error = run(&long, &options(2), Some(&database), &mut observer, &CancelFlag::default()).unwrap_err();
    assert!(error.to_string().contains("no longer there"), "{error}");
}

#[test]
fn a_sweep_is_not_continued_as_another_one() {
    let program = place(SWEEP);
    let (database, _) = whole(&program, "r.duckdb", 2);
    let mut other = plan(&program);
    other.experiment.master_seed = "43".to_owned();
    let error =
        resume(&other, &options(2), "r", None, &database, &mut (), &CancelFlag::default()).unwrap_err();
    assert!(format!("{error:?}").contains("not those of the experiment"), "{error:?}");
}

#[test]
fn a_point_that_fails_does_not_end_the_sweep() {
    let program = place(FAILING);
    let said = program.run("experiment run little.yaml --db r.duckdb --run-id r");
    assert_eq!(said.status, 1, "{}", said.out);
    assert!(said.err.contains("error: 1 of 2 runs failed: Tick execution failed"), "{}", said.err);
    assert!(said.out.contains("1 of 2 runs completed, 1 failed"), "{}", said.out);
    let rows = program
        .sql("r.duckdb", "SELECT status, figures->>'$.error' AS error FROM sweep_points ORDER BY point");
    assert_eq!((&rows[0]["status"], &rows[1]["status"]), (&"completed".into(), &"failed".into()));
    assert!(rows[1]["error"].as_str().is_some_and(|error| error.contains("64-bit range")), "{rows:?}");
    let run = program.sql("r.duckdb", "SELECT status, experiment_type AS kind FROM experiments");
    assert_eq!((&run[0]["status"], &run[0]["kind"]), (&"completed".into(), &"sweep".into()));
}

#[test]
fn sweeps_are_at_home_in_all_commands() {
    let program = place(SWEEP);
    let valid = program.out("experiment validate little.yaml");
    assert!(valid.contains("Axis: agents[C].liquidity_allocation_fraction = 0.1, 0.9"), "{valid}");
    assert!(program.out("experiment info little.yaml").contains("Points: 4"));
    assert_eq!(program.json("experiment info little.yaml --json")["sweep"]["repetitions"], 2);
    assert_eq!(program.json("experiment list . --json")["mode"], "sweep");
    let dry = program.out("experiment run little.yaml --dry-run");
    assert!(dry.contains("at most 8 simulations, 136 ticks"), "{dry}");
    assert!(!dry.contains("bootstrap") && !dry.contains("acceptance"), "{dry}");
    assert!(!program.has("r.duckdb"));

    let ran = program.out("experiment run little.yaml --db r.duckdb --run-id r --workers 2");
    assert!(ran.contains("simulation r-sim-008-sweep") && ran.contains("All 8 runs completed"), "{ran}");
    let table = program.out("experiment results r --points --db r.duckdb");
    assert!(ran.contains(&table), "{ran}\nlacks\n{table}");
    let head = table.lines().next().expect("a heading");
    for title in
        ["Point", "agents[C].liquidity_allocation_fraction", "lsm_config.enable_bilateral", "total_cost"]
    {
        assert!(head.contains(title), "{head}");
    }
    assert!(table.contains("2 of 2") && table.contains(" ± "), "{table}");
    let lines = program.out("experiment results r --points --json --db r.duckdb");
    let first: Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    assert_eq!(
        (&first["completed"], &first["settings"]["lsm_config.enable_bilateral"]),
        (&2.into(), &true.into())
    );
    assert!(first["figures"]["total_cost"]["standard_error"].is_number(), "{first}");
    assert!(table.contains('$'), "money has its unit\n{table}");
    let told = program.out("experiment results r --db r.duckdb");
    assert!(told.contains("Runs: 8 of 8 completed, 0 failed"), "{told}");
    // The hint is a command that works as it stands.
    let hint = told.lines().find_map(|line| line.strip_prefix("its figures: payment-sim ")).expect("a hint");
    assert_eq!(program.out(hint), table);
    let listed = program.out("experiment results --db r.duckdb");
    assert!(!listed.contains("no "), "a sweep is neither converged nor not\n{listed}");
    let chart = program.run("experiment chart r --db r.duckdb");
    assert_eq!((chart.status, chart.err.contains("is a sweep")), (1, true), "{}", chart.err);
    let audit = program.out("experiment replay r --audit --db r.duckdb");
    assert!(audit.contains("Proposer: none") && !audit.contains("unknown"), "{audit}");
    program.out("experiment run little.yaml --db r.duckdb --run-id r2 --seed 9 --quiet");
    let compared = program.out("experiment compare r r2 --db r.duckdb");
    assert!(compared.contains("a: r (little, completed, a sweep)"), "{compared}");
    let points = compared.lines().filter(|line| line.contains("total_cost")).count();
    assert_eq!(points, 4, "one line a point\n{compared}");
    assert!(program.out("experiment results --type sweep --db r.duckdb").contains("Showing 2 run(s)"));
    assert!(program.out("experiment replay r --db r.duckdb").contains("Reason: All 8 runs completed"));
    let json = program.json("experiment run little.yaml --json");
    assert_eq!((json["points"].as_array().map(Vec::len), &json["status"]), (Some(4), &"completed".into()));

    for (line, status, reason) in [
        ("experiment run little.yaml --proposer search", 1, "a sweep varies settings and improves nothing"),
        ("experiment run little.yaml --thinking-budget 5", 2, "a sweep asks no language model"),
        ("experiment run little.yaml --db r.duckdb --run-id r", 1, "exists"),
        ("experiment results --points --db r.duckdb", 2, "<RUN_ID>"),
    ] {
        let said = program.run(line);
        assert_eq!(said.status, status, "{line}: {}", said.err);
        assert!(said.err.contains(reason), "{line}: {}", said.err);
    }
    program.write("little.yaml", SWEEP.replace("agents[C].liquidity", "agents[C].liqidity"));
    let said = program.run("experiment run little.yaml --db new.duckdb");
    assert_eq!(said.status, 1);
    for text in
        ["did you mean `agents[C].liquidity_allocation_fraction`?", "at little.yaml:7:7, sweep.vary[0]"]
    {
        assert!(said.err.contains(text), "{}", said.err);
    }
    assert!(!program.has("new.duckdb"), "nothing is made before everything is accepted");
}

/// The points of a sweep of the library, with its own figures.
fn outcome(name: &str) -> (Vec<PointSummary>, impl Fn(&PointSummary, &str) -> f64) {
    let options = ExperimentOptions { strict: true, ..ExperimentOptions::default() };
    let plan = load_experiment(&format!("library:{name}"), &options).expect("a plan").plan;
    let result = run(&plan, &RunOptions::default(), None, &mut (), &CancelFlag::default()).expect("a sweep");
    let metrics = plan.experiment.sweep.expect("a sweep").metrics;
    let points = summarise(result.sweep_points.iter().map(Record::from), &metrics);
    let mean = move |point: &PointSummary, name: &str| {
        let at = metrics.iter().position(|figure| Some(*figure) == Figure::find(name)).expect("a figure");
        point.estimates[at].expect("an estimate").mean
    };
    (points, mean)
}

#[test]
fn the_liquidity_curve_falls_in_delay_and_has_a_bottom_in_cost() {
    let (points, mean) = outcome("liquidity-curve");
    let curve = |name: &str| points.iter().map(|point| mean(point, name)).collect::<Vec<_>>();
    let (delay, cost) = (curve("avg_delay_ticks"), curve("total_cost"));
    assert!(delay.windows(2).all(|pair| pair[0] >= pair[1]), "{delay:?}");
    assert!(delay[0] > 2.0 * delay[2], "{delay:?}");
    let bottom = (0..cost.len()).min_by(|a, b| cost[*a].total_cmp(&cost[*b])).expect("points");
    let fraction = &points[bottom].settings["agents[*].liquidity_allocation_fraction"];
    assert_eq!(fraction.as_f64(), Some(0.15), "{cost:?}");
    let error = |at: usize| points[at].estimates[2].expect("an estimate").error.expect("repetitions");
    assert!(error(0) > 4.0 * error(9), "the few bad days stand on the left");
}

#[test]
fn netting_saves_everywhere_and_most_where_money_is_short() {
    let (points, mean) = outcome("netting-curve");
    let (without, with) = points.split_at(5);
    let saved = |name: &str| {
        let pairs = without.iter().zip(with);
        pairs.map(|(without, with)| mean(without, name) - mean(with, name)).collect::<Vec<_>>()
    };
    let (delay, cost) = (saved("avg_delay_ticks"), saved("total_cost"));
    assert!(delay.iter().all(|saved| *saved > 0.0), "{delay:?}");
    assert!(cost.windows(2).all(|pair| pair[0] > pair[1]) && cost[4] > 0.0, "{cost:?}");
    let shares: Vec<f64> = with.iter().map(|point| mean(point, "lsm_share")).collect();
    assert!(shares.windows(2).all(|pair| pair[0] > pair[1]) && shares[0] > 0.05, "{shares:?}");
}
#[test]
fn the_explorer_launches_a_sweep_and_shows_its_points() {
    let program = place(SWEEP);
    program.write(
        "tour.keys",
        "size 120x40\nwait Library\nL\nwait Type a path\ntype little.yaml\n\
         wait 8 simulations of 17 ticks\nframe\nEnter Enter\nwait completed\nframe\n\
         Enter\nwait Points (4)\nwait total_cost over\nframe\nj\nEnter\nwait Simulations (2)\nframe\n\
         g r\nwait 8 of 8\nframe\n",
    );
    let shown = program.out("explore --db r.duckdb --keys tour.keys");
    for text in ["All 8 runs completed", "2 of 2", "over liquidity_allocation_fraction", "sweep"] {
        assert!(shown.contains(text), "{text} is not in\n{shown}");
    }
    assert_eq!(program.sql("r.duckdb", "SELECT count(*) AS n FROM sweep_points")[0]["n"], 8);
}
