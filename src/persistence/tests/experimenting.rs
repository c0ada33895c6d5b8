use super::samples::{Place, hand_over, scenario_file, simulate, start, start_of, store};
use crate::persistence::{
    ExperimentContext, ExperimentEnd, ExperimentStart, ExperimentWrites, IterationRecord, LiveEvent, Moment,
    PersistenceError, PolicyEvaluation, Purpose, RunFilter, SimulationPersistenceProvider, SimulationStart,
    Status, SweepPoint, SweepPointStatus,
};

const RUN: &str = "exp-run-test-001";

fn of_run(id: &str) -> SimulationStart {
    let mut start = start_of(id, &scenario_file(1, 0.5));
    start.experiment = Some(ExperimentContext {
        run_id: RUN.to_owned(),
        iteration: 0,
        purpose: Purpose::Eval,
        agent: None,
        sample: None,
    });
    start
}

fn run_start() -> ExperimentStart {
    ExperimentStart {
        experiment_name: "exp".to_owned(),
        experiment_type: "generic",
        config: r#"{"evaluation":{"mode":"bootstrap"},"proposer":"search","model":"search","master_seed":18446744073709551615,"persist_simulations":"primary"}"#.to_owned(),
        scenario_json: "{}".to_owned(),
        experiment_text: "experiment:\n".to_owned(),
        experiment_files: "{}".to_owned(),
        created_at: Moment(1_000_000),
    }
}

fn iteration(number: u32, total_cost: i64) -> IterationRecord {
    IterationRecord {
        iteration: number,
        costs_per_agent: format!(r#"{{"BANK_A":{total_cost}}}"#),
        total_cost,
        accepted_changes: r#"{"BANK_A":false}"#.to_owned(),
        policies: "{}".to_owned(),
        settlement_rate: Some(0.75),
        avg_delay: None,
        timestamp: Moment(2_000_000),
    }
}

fn evaluation(number: u32) -> PolicyEvaluation {
    PolicyEvaluation {
        iteration: number,
        agent_id: "BANK_A".to_owned(),
        evaluation_mode: "deterministic",
        proposed_policy: "{}".to_owned(),
        old_cost: 5_000_000_000,
        new_cost: 4,
        context_simulation_cost: 3,
        accepted: true,
        acceptance_reason: "cheaper".to_owned(),
        delta_sum: 1,
        num_samples: 1,
        sample_details: None,
        scenario_seed: Some(7),
        timestamp: Moment(3_000_000),
        settlement_rate: Some(1.0),
        avg_delay: Some(0.5),
        cost_breakdown: Some("{}".to_owned()),
        cost_std_dev: None,
        confidence_interval_95: None,
        agent_stats: None,
    }
}

fn event(kind: &'static str) -> LiveEvent {
    LiveEvent { iteration: 0, event_type: kind, event_data: "{}".to_owned(), timestamp: Moment(4_000_000) }
}

#[test]
fn a_run_is_stored_step_by_step_and_read_back() {
    let place = Place::new();
    let database = place.open();
    let mut writes = ExperimentWrites::new(RUN);
    writes.start(run_start()).event(event("experiment_start"));
    database.commit(writes).unwrap().wait().unwrap();
    store(&database, of_run("sim")).wait().unwrap();
    let mut writes = ExperimentWrites::new(RUN);
    writes
        .iterations_started(1)
        .iteration(iteration(0, 100))
        .iteration(iteration(1, 40))
        .evaluation(evaluation(0))
        .event(event("policy_change"))
        .accepted_changes(0, r#"{"BANK_A":true}"#.to_owned());
    database.commit(writes).unwrap().wait().unwrap();
    let reader = database.reader().unwrap();
    let run = reader.run(RUN).unwrap().unwrap();
    assert_eq!(
        (run.status, run.first_cost, run.best_cost, run.final_cost),
        (Status::Running, Some(100), Some(40), None)
    );
    assert_eq!(run.reduction, Some(0.6));
    assert_eq!((run.num_accepted, run.num_evaluations, run.num_simulations), (1, 1, 1));
    assert_eq!(run.num_events as u64, reader.summary("sim").unwrap().unwrap().row.event_count);
    let mut writes = ExperimentWrites::new(RUN);
    writes.event(event("experiment_end")).end(ExperimentEnd {
        status: Status::Completed,
        config: Some(
            r#"{"final_cost":40,"best_cost":39,"best_iteration":1,"master_seed":18446744073709551615}"#
                .to_owned(),
        ),
        num_iterations: 2,
        converged: true,
        convergence_reason: "stable".to_owned(),
        completed_at: Moment(9_000_000),
    });
    database.commit(writes).unwrap().wait().unwrap();
    let row = reader.experiment(RUN).unwrap().unwrap();
    assert_eq!((row.status, row.num_iterations, row.converged), (Status::Completed, 2, true));
    assert_eq!((row.final_cost, row.best_cost, row.best_iteration), (Some(40), Some(39), Some(1)));
    assert_eq!(row.master_seed.as_deref(), Some("18446744073709551615"));
    assert_eq!(row.created_at, "1970-01-01T00:00:01.000000");
    assert_eq!(reader.iterations(RUN).unwrap()[0].accepted_changes, r#"{"BANK_A":true}"#);
    assert_eq!(reader.evaluations(RUN, Some("BANK_A")).unwrap()[0].old_cost, 5_000_000_000);
    assert!(reader.evaluations(RUN, Some("BANK_B")).unwrap().is_empty());
    let kinds: Vec<String> =
        reader.live_events(RUN, None).unwrap().into_iter().map(|event| event.event_type).collect();
    assert_eq!(kinds, ["experiment_start", "policy_change", "experiment_end"]);
    let finished = RunFilter { status: Some(Status::Completed), ..RunFilter::default() };
    assert_eq!(reader.runs(&finished).unwrap().len(), 1);
    let named = RunFilter { experiment: Some("other".to_owned()), ..RunFilter::default() };
    assert!(reader.runs(&named).unwrap().is_empty());
}

#[test]
fn a_run_that_could_not_be_stored_can_begin_or_go_on_again() {
    let place = Place::new();
    let database = place.open();
    let commit = |change: fn(&mut ExperimentWrites)| {
        let mut writes = ExperimentWrites::new(RUN);
        change(&mut writes);
        database.commit(writes).unwrap().wait()
    };
    let begin = |writes: &mut ExperimentWrites| {
        writes.start(run_start());
    };
    let go_on = |writes: &mut ExperimentWrites| {
        writes.resumed();
    };
    let iterate = |writes: &mut ExperimentWrites| {
        writes.iteration(iteration(0, 100));
    };
    let connection = database.connection().unwrap();
    connection.execute_batch("ALTER TABLE experiments RENAME TO gone").unwrap();
    assert!(matches!(commit(begin), Err(PersistenceError::Write { .. })));
    connection.execute_batch("ALTER TABLE gone RENAME TO experiments").unwrap();
    commit(begin).unwrap();
    connection.execute_batch("ALTER TABLE experiment_iterations RENAME TO gone").unwrap();
    commit(iterate).unwrap_err();
    connection.execute_batch("ALTER TABLE gone RENAME TO experiment_iterations").unwrap();
    commit(iterate).unwrap_err();
    commit(go_on).unwrap();
    commit(iterate).unwrap();
    assert_eq!(database.reader().unwrap().iterations(RUN).unwrap().len(), 1);
}

#[test]
fn run_ids_are_refused_once_taken_and_free_after_removal() {
    let place = Place::new();
    let database = place.open();
    let start = || {
        let mut writes = ExperimentWrites::new(RUN);
        writes.start(run_start());
        database.commit(writes)
    };
    start().unwrap().wait().unwrap();
    assert!(matches!(start(), Err(PersistenceError::Exists { what: "run", .. })));
    store(&database, of_run("sim")).wait().unwrap();
    store(&database, super::samples::start("other")).wait().unwrap();
    database.remove(&[], &[RUN.to_owned()]).unwrap();
    let reader = database.reader().unwrap();
    assert!(reader.run(RUN).unwrap().is_none());
    assert!(reader.summary("sim").unwrap().is_none());
    assert!(reader.summary("other").unwrap().is_some());
    start().unwrap().wait().unwrap();
}

#[test]
fn a_simulation_of_a_refused_proposal_leaves_no_trace() {
    let place = Place::new();
    let database = place.open();
    let provider = database.provider().unwrap();
    let first = of_run("sim-003-new");
    let ticks = simulate(&first.scenario, 4);
    provider.persist_simulation_start(first).unwrap();
    hand_over(&provider, "sim-003-new", &ticks);
    let mut writes = ExperimentWrites::new(RUN);
    writes.remove_simulation("sim-003-new").event(event("llm_interaction"));
    let ticket = database.commit(writes).unwrap();
    store(&database, of_run("sim-003-new")).wait().unwrap();
    ticket.wait().unwrap();
    let reader = database.reader().unwrap();
    let row = reader.summary("sim-003-new").unwrap().unwrap().row;
    assert_eq!((row.status, row.last_tick), (Status::Completed, Some(9)));
    let stored: i64 =
        reader.one("SELECT count(*) FROM simulation_events", [], |row| row.get(0)).unwrap().unwrap();
    assert_eq!(stored as u64, row.event_count);
}

#[test]
fn rows_that_rest_on_a_lost_simulation_are_refused_until_the_run_ends() {
    let place = Place::new();
    let database = place.open();
    let mut writes = ExperimentWrites::new(RUN);
    writes.start(run_start());
    database.commit(writes).unwrap().wait().unwrap();
    let break_table = |sql: &str| database.reader().unwrap().connection.execute_batch(sql).unwrap();
    break_table("ALTER TABLE transactions RENAME TO gone");
    assert!(store(&database, of_run("sim")).wait().is_err());
    break_table("ALTER TABLE gone RENAME TO transactions");
    let mut writes = ExperimentWrites::new(RUN);
    writes.iteration(iteration(0, 1));
    let refused = database.commit(writes).unwrap().wait().unwrap_err();
    assert!(matches!(refused, PersistenceError::Write { .. }), "{refused}");
    let mut writes = ExperimentWrites::new(RUN);
    writes.end(ExperimentEnd {
        status: Status::Failed,
        config: None,
        num_iterations: 1,
        converged: false,
        convergence_reason: format!("Failed: {refused}"),
        completed_at: Moment::now(),
    });
    database.commit(writes).unwrap().wait().unwrap();
    let reader = database.reader().unwrap();
    assert_eq!(reader.run(RUN).unwrap().unwrap().status, Status::Failed);
    assert!(reader.iterations(RUN).unwrap().is_empty());
    assert_eq!(reader.summary("sim").unwrap().unwrap().row.status, Status::Failed);
}

#[test]
fn points_of_a_sweep_are_replaced() {
    let place = Place::new();
    let database = place.open();
    let point = |point: u32, status, simulation_id: Option<&str>| SweepPoint {
        point,
        repetition: 0,
        settings: r#"{"lsm":true}"#.to_owned(),
        rng_seed: u64::MAX,
        status,
        simulation_id: simulation_id.map(str::to_owned),
        figures: None,
        completed_at: simulation_id.map(|_| Moment(0)),
    };
    // More than go into one statement.
    let mut writes = ExperimentWrites::new(RUN);
    writes.start(run_start());
    for number in 0..250 {
        writes.sweep_point(point(number, SweepPointStatus::Pending, None));
    }
    database.commit(writes).unwrap();
    let mut writes = ExperimentWrites::new(RUN);
    for number in 1..=201 {
        writes.sweep_point(point(number, SweepPointStatus::Completed, Some("sim")));
    }
    database.commit(writes).unwrap().wait().unwrap();
    let points = database.reader().unwrap().sweep_points(RUN).unwrap();
    assert_eq!(points.len(), 250);
    assert!(points.iter().all(|row| row.rng_seed == u64::MAX));
    let completed: Vec<u32> =
        points.iter().filter(|row| row.status == "completed").map(|row| row.point).collect();
    assert_eq!(completed, (1..=201).collect::<Vec<_>>());
}

#[test]
fn a_run_without_an_owner_is_interrupted() {
    let place = Place::new();
    let database = place.open();
    let mut writes = ExperimentWrites::new(RUN);
    writes.start(run_start()).event(event("experiment_start"));
    database.commit(writes).unwrap().wait().unwrap();
    database.provider().unwrap().persist_simulation_start(start("alone")).unwrap();
    drop(database);
    let reader = place.open().reader().unwrap();
    let run = reader.run(RUN).unwrap().unwrap();
    assert_eq!(
        (run.status, run.completed_at.as_deref()),
        (Status::Interrupted, Some("1970-01-01T00:00:04.000000"))
    );
    assert_eq!(reader.summary("alone").unwrap().unwrap().row.status, Status::Interrupted);
}
