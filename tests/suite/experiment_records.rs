//! What an experiment leaves in the tables of all simulations: found and asked like the record of a run
//! by itself, complete for every sample, and whole when a simulation fails (spec 06, 5; spec 07, 9.4, 15).

use std::collections::BTreeSet;

use payment_sim::persistence::{
    Access, Database, EventFilter, EventPage, EventRow, Reader, SimulationFilter, SimulationSummary, Sort,
};
use serde_json::Value;

use crate::support::program::{Program, Said};

fn reader(program: &Program, file: &str) -> (Database, Reader) {
    let database = Database::open(program.path(file), Access::Read).expect("the file opens");
    let reader = database.reader().expect("a reader");
    (database, reader)
}

const BOOTSTRAP: &str = "name: three
scenario: day.yaml
evaluation: {mode: bootstrap, ticks: 12, num_samples: 3}
convergence: {max_iterations: 1}
policy_constraints: {}
optimized_agents: [BANK_A]
proposer: script:none.json
master_seed: 42
";

/// The files of an experiment over twelve periods with three samples and nothing proposed.
fn three_samples(program: &Program) {
    program.write("day.yaml", program.out("library show twelve-period-day"));
    program.write("three.yaml", BOOTSTRAP);
    program.write("none.json", "{}");
}

/// The same scenario as simulation of an experiment, by its id, and by the command line, as `alone`.
fn recorded_twice(program: &Program) -> String {
    three_samples(program);
    program.out("experiment run three.yaml --db x.duckdb --run-id exp-1 --quiet");
    let query = "SELECT simulation_id AS id, config_json, num_ticks FROM simulations \
                 WHERE experiment_run_id = 'exp-1' ORDER BY simulation_id";
    let stored = program.sql("x.duckdb", query);
    program.write("same.json", stored[0]["config_json"].as_str().expect("a scenario"));
    let ticks = &stored[0]["num_ticks"];
    program.out(&format!("run same.json --run-ticks {ticks} --db x.duckdb --simulation-id alone --quiet"));
    stored[0]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn summary_and_events_are_asked_of_an_experiments_simulation_as_of_a_run_by_itself() {
    let program = Program::new();
    let own = recorded_twice(&program);
    let (_database, reader) = reader(&program, "x.duckdb");
    summaries_agree(&reader, &own);
    let bank = Some("BANK_A".to_owned());
    let arrival = "Arrival,RtgsImmediateSettlement".to_owned();
    let filters = [
        EventFilter::default(),
        EventFilter { tick: Some(3), ..EventFilter::default() },
        EventFilter { tick_min: Some(2), tick_max: Some(7), ..EventFilter::default() },
        EventFilter { agent_id: bank.clone(), limit: Some(5), ..EventFilter::default() },
        EventFilter { event_type: Some(arrival), sort: Sort::Descending, ..EventFilter::default() },
        EventFilter { agent_id: bank, tick_max: Some(9), offset: Some(4), ..EventFilter::default() },
        EventFilter { after_sequence: Some(10), limit: Some(7), ..EventFilter::default() },
    ];
    for filter in filters {
        let of = |id: &str| reader.events(id, &filter).expect("events");
        let (of_experiment, of_run) = (of(&own), of("alone"));
        assert!(of_run.total > 0 && !of_run.events.is_empty(), "{filter:?} finds nothing");
        let bounds = |page: &EventPage| (page.total, page.limit, page.offset);
        assert_eq!(bounds(&of_experiment), bounds(&of_run), "{filter:?}");
        let texts = |page: &EventPage| page.events.iter().map(shown).collect::<Vec<_>>();
        assert_eq!(texts(&of_experiment), texts(&of_run), "{filter:?}");
    }
}

/// What an event says, without its simulation and the moment it was stored.
fn shown(event: &EventRow) -> String {
    let EventRow { sequence, tick, day, event_type, agent_id, tx_id, agents, tx_ids, details, .. } = event;
    format!("{sequence} {tick} {day} {event_type} {agent_id:?} {tx_id:?} {agents:?} {tx_ids:?} {details}")
}

fn summaries_agree(reader: &Reader, own: &str) {
    let of = |id: &str| reader.summary(id).expect("an answer").expect("a simulation");
    let (experiment, run) = (of(own), of("alone"));
    assert_eq!(experiment.row.experiment_run_id.as_deref(), Some("exp-1"));
    assert_eq!(run.row.experiment_run_id, None);
    let figures = |summary: &SimulationSummary| {
        let counts = (summary.total_ticks, summary.total_transactions, summary.total_settlements);
        (counts, summary.total_volume, summary.total_cost_cents, summary.settlement_rate)
    };
    assert_eq!(figures(&experiment), figures(&run));
    assert!(experiment.total_transactions > 0);
    let events = |id: &str| reader.event_summary(id).expect("a summary");
    assert_eq!(events(own), events("alone"));
    let listed = SimulationFilter { run: Some("exp-1".to_owned()), ..SimulationFilter::default() };
    let page = reader.simulations(&listed).expect("a list");
    assert!(page.rows.iter().any(|row| row.simulation_id == own));
}

#[test]
fn three_samples_are_three_simulations_each_complete() {
    let program = Program::new();
    three_samples(&program);
    program.out("experiment run three.yaml --db s.duckdb --persist-simulations all --quiet");
    let query = "SELECT s.simulation_id AS id, s.status, s.num_ticks, s.last_tick, s.event_count, \
                 s.experiment_sample AS sample, s.event_digest, count(e.sequence) AS events, \
                 count(DISTINCT e.sequence) AS numbers, max(e.sequence) AS last \
                 FROM simulations s LEFT JOIN simulation_events e USING (simulation_id) \
                 WHERE s.experiment_iteration = 0 AND s.experiment_sample IS NOT NULL \
                 GROUP BY ALL ORDER BY sample";
    let samples = program.sql("s.duckdb", query);
    let numbers: Vec<&Value> = samples.iter().map(|row| &row["sample"]).collect();
    assert_eq!(numbers, [&Value::from(0), &Value::from(1), &Value::from(2)], "{samples:#?}");
    for row in &samples {
        assert_eq!(row["status"], "completed", "{row}");
        assert_eq!((&row["num_ticks"], &row["last_tick"]), (&Value::from(12), &Value::from(11)), "{row}");
        let counts = [&row["events"], &row["numbers"]];
        assert_eq!(counts, [&row["event_count"]; 2], "{row}");
        assert_eq!(row["last"].as_u64().map(|last| last + 1), row["events"].as_u64(), "{row}");
        let id = row["id"].as_str().expect("an id");
        assert!(program.out(&format!("replay {id} --db s.duckdb --event-stream")).lines().count() > 0);
    }
    let digests: BTreeSet<_> = samples.iter().map(|row| row["event_digest"].to_string()).collect();
    assert_eq!(digests.len(), 3, "three different days");
}

/// Half of A's pool leaves room for what is transferred in tick 2, all of it does not.
const CLOSE_TO_THE_LIMIT: &str = "simulation: {ticks_per_day: 5, num_days: 1, rng_seed: 1}
agents:
- {id: A, opening_balance: 9223372036854774000, liquidity_pool: 1000}
- {id: B, opening_balance: 5000}
scenario_events:
- {type: CustomTransactionArrival, from_agent: B, to_agent: A, amount: 100, schedule: {type: OneTime, tick: 0}}
- {type: DirectTransfer, from_agent: B, to_agent: A, amount: 900, schedule: {type: OneTime, tick: 2}}
";

const OVERFLOWING: &str = "name: limit
scenario: limit.yaml
evaluation: {mode: deterministic-pairwise, ticks: 5}
convergence: {max_iterations: 4, stability_window: 4}
policy_constraints: {}
llm: {max_retries: 1}
optimized_agents: [A]
proposer: script:limit.json
master_seed: 42
";

#[test]
fn a_simulation_that_overflows_keeps_its_ticks_and_ends_the_experiment_in_order() {
    let program = Program::new();
    program.write("limit.yaml", CLOSE_TO_THE_LIMIT);
    program.write("experiment.yaml", OVERFLOWING);
    program.write("limit.json", r#"{"A": [{"fraction": 0.4}, {"fraction": 1.0}]}"#);
    let run = "experiment run experiment.yaml --db f.duckdb --run-id limit-1 --persist-simulations all";
    failed_in_order(&program, &program.run(run));
    // What failed fails again, in the same place.
    failed_in_order(&program, &program.run("experiment resume limit-1 --db f.duckdb"));
}

fn failed_in_order(program: &Program, ended: &Said) {
    assert_eq!(ended.status, 1, "{}", ended.err);
    assert!(ended.err.contains("tick 2, bank `A`") && ended.err.contains("64-bit"), "{}", ended.err);
    let experiment =
        &program.sql("f.duckdb", "SELECT status, convergence_reason, num_iterations FROM experiments")[0];
    assert_eq!((&experiment["status"], &experiment["num_iterations"]), (&"failed".into(), &2.into()));
    assert!(experiment["convergence_reason"].as_str().is_some_and(|text| text.starts_with("Failed: ")));
    let simulations = "SELECT simulation_id AS id, experiment_iteration AS i, experiment_purpose AS purpose, status, \
                       last_tick, event_count AS n, coalesce(error, '') AS error FROM simulations ORDER BY id";
    let simulations = program.sql("f.duckdb", simulations);
    let told: Vec<String> = simulations
        .iter()
        .map(|row| {
            format!("{} {} {}", row["i"], row["purpose"].as_str().unwrap(), row["status"].as_str().unwrap())
        })
        .collect();
    let complete =
        ["0 eval completed", "0 old completed", "0 new completed", "1 eval completed", "1 old completed"];
    assert_eq!(told[..5], complete);
    assert_eq!(told[5..], ["1 new failed"]);
    let failed = &simulations[5];
    assert_eq!(failed["last_tick"], 1, "both ticks before the failure: {failed}");
    assert!(failed["error"].as_str().is_some_and(|error| error.contains("tick 2")), "{failed}");
    let events = format!(
        "SELECT count(*) AS n, max(sequence) + 1 AS numbers, max(tick) <= 1 AS before FROM simulation_events \
         WHERE simulation_id = {}",
        failed["id"].to_string().replace('"', "'")
    );
    let events = &program.sql("f.duckdb", &events)[0];
    assert_eq!((&events["n"], &events["numbers"]), (&failed["n"], &failed["n"]));
    assert_eq!(events["before"], true);
    rows_are_in_order(program);
}

/// Ids rise with the iterations, and only complete comparisons have a row.
fn rows_are_in_order(program: &Program) {
    let events =
        program.sql("f.duckdb", "SELECT iteration AS i, event_type AS t FROM experiment_events ORDER BY id");
    let told: Vec<(u64, &str)> =
        events.iter().map(|row| (row["i"].as_u64().unwrap(), row["t"].as_str().unwrap())).collect();
    assert!(told.is_sorted_by_key(|(iteration, _)| *iteration), "{told:?}");
    assert_eq!(told.first(), Some(&(0, "experiment_start")));
    assert!(told.contains(&(0, "iteration_metrics")) && told.contains(&(1, "evaluation")), "{told:?}");
    assert!(!told.iter().any(|(_, kind)| kind.starts_with("experiment_end")), "{told:?}");
    let count =
        |table: &str| program.sql("f.duckdb", &format!("SELECT iteration FROM {table} ORDER BY iteration"));
    let iterations: Vec<_> =
        count("experiment_iterations").iter().map(|row| row["iteration"].clone()).collect();
    assert_eq!(iterations, [0, 1]);
    assert_eq!(count("policy_evaluations").len(), 1);
}
