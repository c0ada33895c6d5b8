//! Looking back at runs: charts and policy evolution of the cases, and the commands that show recorded
//! runs, with the real program on a real database.

use payment_sim::experiment::analysis::chart::ChartData;
use payment_sim::experiment::analysis::evolution::{self, Wanted};
use payment_sim::persistence::Reader;
use serde_json::{Value, json};

use crate::support::expected::{Ids, differs};
use crate::support::program::Program;

/// Chart and policy evolution of a case of the kind `loop` that has run.
pub fn holds(name: &str, expected: &Value, reader: &Reader) {
    let run = expected["run_id"].as_str().expect("a run id");
    for (agent, wanted) in expected["chart"].as_object().into_iter().flatten() {
        let filter = (agent != "*").then_some(agent.as_str());
        let parameter = filter.map(|_| "initial_liquidity_fraction");
        let chart = ChartData::of_run(reader, run, filter, parameter).expect("a chart");
        let differs = differs(wanted, &shown(&chart), &mut Ids::default(), &format!("chart of {agent}"));
        assert_eq!(differs, None, "{name}");
    }
    if !expected["policy_evolution"].is_null() {
        let wanted = Wanted { agent: None, first: 1, last: u32::MAX, exchanges: false };
        let got = evolution::of_run(reader, run, &wanted).expect("an evolution");
        let differs = differs(&expected["policy_evolution"], &got, &mut Ids::default(), "policy_evolution");
        assert_eq!(differs, None, "{name}");
    }
}

fn shown(chart: &ChartData) -> Value {
    let dollars = |cents: i64| cents as f64 / 100.0;
    let points: Vec<Value> = chart
        .points
        .iter()
        .map(|point| {
            json!({
                "iteration": point.iteration, "cost_dollars": dollars(point.cost),
                "accepted": point.accepted, "parameter_value": point.parameter,
                "old_cost_dollars": point.old_cost.map(dollars),
            })
        })
        .collect();
    let line: Vec<f64> = chart.accepted_line().into_iter().map(dollars).collect();
    json!({"points": points, "accepted_line": line})
}

/// A folder with the library's two-period experiment run as `tour-2` into `tour.duckdb`.
fn toured() -> Program {
    let program = Program::new();
    program.out("experiment run library:two-period --db tour.duckdb --run-id tour-2 --quiet");
    program
}

#[test]
fn recorded_runs_are_listed_and_replayed() {
    let program = toured();
    let list = program.out("experiment results --db tour.duckdb --type generic");
    assert!(list.contains("tour-2") && list.ends_with("Showing 1 run(s)\n"), "{list}");
    assert!(program.out("experiment results --db tour.duckdb --type sweep").contains("Showing 0 run(s)"));
    let run = program.json("experiment results --db tour.duckdb --json");
    assert_eq!((&run["run_id"], &run["experiment_type"]), (&json!("tour-2"), &json!("generic")));
    let unknown = program.run("experiment replay tour-3 --db tour.duckdb");
    assert_eq!(unknown.status, 1);
    assert!(unknown.err.contains("tour-3") && unknown.err.contains("tour-2"), "{}", unknown.err);
    let backwards = program.run("experiment replay tour-2 --start 3 --end 2 --db tour.duckdb");
    assert!(backwards.status == 1 && backwards.err.contains("behind"), "{}", backwards.err);
    let replay = program.out("experiment replay tour-2 --db tour.duckdb --verbose");
    for part in ["Run ID: tour-2", "Experiment: two-period", "Iteration 1\n", "accepted", "Status: completed"]
    {
        assert!(replay.contains(part), "{part} is missing:\n{replay}");
    }
}

#[test]
fn the_audit_shows_every_exchange() {
    let program = toured();
    let calls = program.sql(
        "tour.duckdb",
        "SELECT count(*) AS n FROM experiment_events WHERE event_type = 'llm_interaction'",
    );
    let audit = program.out("experiment replay tour-2 --audit --db tour.duckdb");
    let outcomes = audit.matches("  Validation: ").count();
    assert_eq!(json!(outcomes), calls[0]["n"]);
    assert!(audit.contains("Policy valid") && audit.contains("Declined"), "{audit}");
    // Iterations count from 0 here.
    let first = program.out("experiment replay tour-2 --audit --start 0 --end 0 --db tour.duckdb");
    assert!(first.contains("\nIteration 0\n") && !first.contains("\nIteration 1\n"), "{first}");
    let none = program.out("experiment replay tour-2 --audit --start 90 --db tour.duckdb");
    assert!(none.contains("No interactions"), "{none}");
}

#[test]
fn the_evolution_of_policies_is_json() {
    let program = toured();
    let line = program.out("experiment policy-evolution tour-2 --db tour.duckdb --compact");
    assert_eq!(line.lines().count(), 1);
    let whole: Value = serde_json::from_str(&line).expect("JSON");
    let second = &whole["BANK_B"]["iteration_2"];
    assert!(second["diff"].as_str().expect("a text").contains("initial_liquidity_fraction"), "{second}");
    let one = "experiment policy-evolution tour-2 --db tour.duckdb --agent BANK_A --start 2 --end 3 --llm";
    let part = program.json(one);
    let iterations: Vec<&String> = part["BANK_A"].as_object().expect("iterations").keys().collect();
    assert_eq!(iterations, ["iteration_2", "iteration_3"]);
    assert_eq!(part["BANK_A"]["iteration_2"]["diff"], "", "nothing precedes it in the range");
    assert_eq!(part["BANK_A"]["iteration_2"]["llm"]["system_prompt"], "");
    assert_eq!(program.json("experiment policy-evolution tour-2 --db tour.duckdb --agent NOBODY"), json!({}));
}

#[test]
fn experiment_files_are_shown_for_people_and_programs() {
    let program = Program::new();
    program.out("experiment template -o mine.yaml");
    let again = program.run("experiment template -o mine.yaml");
    assert!(again.status == 1 && again.err.contains("exists already"), "{}", again.err);
    assert!(program.out("experiment validate mine.yaml --strict").starts_with("Configuration valid"));
    program.write("other.yaml", "name: other");
    let said = program.run("experiment list . --json");
    let listed: Value = serde_json::from_str(&said.out).expect("one line");
    assert_eq!((&listed["name"], &listed["agents"]), (&json!("my-experiment"), &json!(["BANK_A"])));
    assert!(said.err.contains("Warning: Skipping") && said.err.contains("other.yaml"), "{}", said.err);
    assert!(program.out("experiment list .").contains("Found 1 valid experiment(s)"));
    let info = program.json("experiment info mine.yaml --json");
    assert_eq!((&info["evaluation"]["num_samples"], &info["proposer"]), (&json!(10), &json!("search")));
    assert_eq!(info["output"]["database"], "experiments.db");
    assert!(program.out("experiment info mine.yaml").contains("results/experiments.db"));
}
