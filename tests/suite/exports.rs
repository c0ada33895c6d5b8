//! `export`: rows for other programs.

use serde_json::Value;

use crate::support::program::Program;

const SWEEP: &str = "name: sweep
scenario: day.yaml
evaluation: {ticks: 12}
sweep:
  vary:
  - {scenario: cost_rates.delay_cost_per_tick_per_cent, values: [0.1, 0.2]}
";

/// Comparisons by samples.
const JUDGED: &str = "name: judged
scenario: twelve.yaml
evaluation: {mode: bootstrap, ticks: 12, num_samples: 3}
convergence: {max_iterations: 2}
policy_constraints:
  allowed_parameters:
  - {name: initial_liquidity_fraction, param_type: enum, allowed_values: [0.2, 0.5]}
optimized_agents: [BANK_A]
proposer: search
";

fn stored() -> Program {
    let program = Program::new();
    program.out("run library:gridlock-ring --db x.duckdb --simulation-id ring --quiet");
    program.out("run library:two-banks --db x.duckdb --simulation-id two --quiet");
    program.out("experiment run library:two-period --db x.duckdb --run-id run-1 --quiet");
    program.write("twelve.yaml", program.out("library show twelve-period-day"));
    program.write("judged.yaml", JUDGED);
    program.write("sweep.yaml", SWEEP);
    program.write("day.yaml", program.out("library show two-banks"));
    program.out("experiment run judged.yaml --db x.duckdb --run-id judged-1 --quiet --no-baselines");
    program.out("experiment run sweep.yaml --db x.duckdb --run-id sweep-1 --quiet");
    program
}

/// The samples of all comparisons.
const SAMPLES: &str = "(SELECT unnest(json_extract(sample_details, '$[*]')) FROM policy_evaluations)";

fn count(program: &Program, query: &str) -> usize {
    let rows = program.sql("x.duckdb", &format!("SELECT count(*) AS n FROM {query}"));
    rows[0]["n"].as_u64().expect("a count") as usize
}

#[test]
fn every_table_is_exported_whole_in_every_form() {
    let program = stored();
    for (what, table) in [
        ("events", "simulation_events"),
        ("transactions", "transactions"),
        ("metrics", "daily_agent_metrics"),
        ("simulations", "simulations"),
        ("iterations", "experiment_iterations"),
        ("evaluations", "policy_evaluations"),
        ("samples", SAMPLES),
        ("sweep_points", "sweep_points"),
    ] {
        let rows = count(&program, table);
        assert!(rows > 0, "{what}");
        let csv = program.out(&format!("export {what} --db x.duckdb"));
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let columns = reader.headers().expect("a head").len();
        let wanted = match what {
            "samples" => 8,
            _ => count(&program, &format!("duckdb_columns() WHERE table_name = '{table}'")),
        };
        assert_eq!(columns, wanted, "{what}: every column");
        assert_eq!(
            reader.records().map(|row| row.expect("a row").len()).filter(|n| *n == columns).count(),
            rows
        );
        let lines = program.out(&format!("export {what} --db x.duckdb --format jsonl"));
        assert_eq!(lines.lines().count(), rows, "{what}");
        for line in lines.lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok_and(|row| row.is_object()), "{line}");
        }
        program.out(&format!("export {what} --db x.duckdb --format parquet -o {what}.parquet"));
        assert_eq!(count(&program, &format!("'{what}.parquet'")), rows, "{what}");
    }
}

#[test]
fn events_as_json_lines_are_event_lines() {
    let program = stored();
    let lines = program.out("export events two --db x.duckdb --format jsonl");
    assert_eq!(lines, program.out("replay two --db x.duckdb --event-stream"));
    let filter = "--filter-agent CEDAR --filter-event-type LsmCycleSettlement,Arrival --filter-tick-range 1-";
    assert_eq!(
        program.out(&format!("export events ring --db x.duckdb --format jsonl {filter}")),
        program.out(&format!("replay ring --db x.duckdb --event-stream {filter}"))
    );
    program.out("export events two --db x.duckdb --format jsonl --output two.jsonl");
    assert_eq!(std::fs::read_to_string(program.path("two.jsonl")).expect("a file"), lines);
}

#[test]
fn filters_hold_for_what_has_them() {
    let program = stored();
    let rows =
        |line: &str| program.out(&format!("export {line} --db x.duckdb --format jsonl")).lines().count();
    let of_cedar = "transactions WHERE simulation_id = 'ring' AND 'CEDAR' IN (sender_id, receiver_id)";
    assert_eq!(rows("transactions ring --filter-agent CEDAR"), count(&program, of_cedar));
    assert_eq!(
        rows("metrics ring two --filter-day 0"),
        count(&program, "daily_agent_metrics WHERE day = 0 AND simulation_id IN ('ring', 'two')")
    );
    assert_eq!(rows("simulations ring"), 1);
    let two = program.run("export iterations run-2 --db x.duckdb");
    assert!(two.status == 1 && two.err.contains("run-1"), "{}", two.err);
    let unknown = program.run("export events rign --db x.duckdb");
    assert!(unknown.status == 1 && unknown.err.contains("did you mean `ring`"), "{}", unknown.err);
    let nobody = program.run("export events ring --db x.duckdb --filter-agent NOBODY --format jsonl");
    assert_eq!((nobody.status, nobody.out.as_str()), (0, ""));
    assert!(nobody.err.contains("warning: ") && nobody.err.contains("`NOBODY`"), "{}", nobody.err);
    for wrong in [
        "export metrics --filter-tx tx-000001",
        "export iterations --filter-agent A",
        "export events --filter-tick-range 9-3",
        "export events --format parquet",
        "export accounts",
    ] {
        assert_eq!(program.run(&format!("{wrong} --db x.duckdb")).status, 2, "{wrong}");
    }
}

#[test]
fn the_rows_of_a_run_are_those_of_its_simulations() {
    let program = stored();
    let of = |run: &str| {
        format!("simulation_id IN (SELECT simulation_id FROM simulations WHERE experiment_run_id = '{run}')")
    };
    let lines = |line: &str| program.out(&format!("export {line} --db x.duckdb --format jsonl"));
    for (what, table) in [
        ("events", "simulation_events"),
        ("transactions", "transactions"),
        ("metrics", "daily_agent_metrics"),
        ("simulations", "simulations"),
    ] {
        for run in ["run-1", "sweep-1"] {
            let wanted = count(&program, &format!("{table} WHERE {}", of(run)));
            assert!(wanted > 0, "{what} of {run}");
            assert_eq!(lines(&format!("{what} --run {run}")).lines().count(), wanted, "{what} of {run}");
        }
    }
    assert_eq!(lines("sweep_points --run sweep-1"), lines("sweep_points sweep-1"));
    assert_eq!(lines("sweep_points --run run-1"), "");
    let ids = program.sql(
        "x.duckdb",
        &format!("SELECT simulation_id AS id FROM simulations WHERE {} ORDER BY 1", of("run-1")),
    );
    let ids: Vec<&str> = ids.iter().map(|row| row["id"].as_str().expect("an id")).collect();
    let all: String = ids.iter().map(|id| lines(&format!("events {id}"))).collect();
    assert_eq!(lines("events --run run-1"), all, "event lines, simulation after simulation");
    assert_eq!(lines(&format!("events ring {} --run run-1", ids[0])), lines(&format!("events {}", ids[0])));
    let unknown = program.run("export events --run run-2 --db x.duckdb");
    assert!(unknown.status == 1 && unknown.err.contains("did you mean `run-1`"), "{}", unknown.err);
}

#[test]
fn every_form_has_the_events_in_one_order() {
    let program = stored();
    for which in ["", "two ring two", "--run judged-1 --filter-agent BANK_A"] {
        program.out(&format!("export events {which} --db x.duckdb --format parquet -o all.parquet"));
        program.out(&format!("export events {which} --db x.duckdb -o all.csv"));
        let order = |file: &str| {
            let query = format!("SELECT simulation_id || ':' || sequence AS event FROM '{file}'");
            program.sql("x.duckdb", &query)
        };
        let events = order("all.parquet");
        assert!(events.len() > 50, "{which}: {} events", events.len());
        assert_eq!(events, order("all.csv"), "{which}");
    }
    program.out("export events --run sweep-1 --filter-day 9 --db x.duckdb --format parquet -o none.parquet");
    assert_eq!(count(&program, "'none.parquet'"), 0);
}

#[test]
fn a_run_is_taken_along_in_files() {
    let program = stored();
    program.out("experiment export sweep-1 --db x.duckdb --format jsonl --output taken --events");
    let text = |name: &str| std::fs::read_to_string(program.path(&format!("taken/{name}"))).expect(name);
    let alone = |line: &str| program.out(&format!("export {line} --db x.duckdb --format jsonl"));
    for what in ["iterations", "evaluations", "samples", "simulations", "sweep_points", "events"] {
        assert_eq!(text(&format!("{what}.jsonl")), alone(&format!("{what} --run sweep-1")), "{what}");
    }
    assert_eq!(text("sweep_points.jsonl").lines().count(), 2);
    assert_eq!(text("iterations.jsonl"), "");
    assert!(text("events.jsonl").starts_with("{\"sequence\":0,\"event_type\":"), "{}", text("events.jsonl"));
    program.out("experiment export run-1 --db x.duckdb --output other");
    assert!(program.has("other/samples.csv") && !program.has("other/sweep_points.csv"));
    // A place that cannot be written is named, and what stood there stays.
    program.write("file", "mine");
    std::fs::create_dir_all(program.path("full/evaluations.csv")).expect("a folder");
    for (out, wanted) in [("file", "folder `file` cannot be"), ("full", "`full/evaluations.csv` cannot be")] {
        let said = program.run(&format!("experiment export run-1 --db x.duckdb --output {out}"));
        assert!(said.status == 1 && said.err.contains(wanted), "{}", said.err);
    }
    let left: Vec<String> = files(&program, "full");
    assert_eq!(left, ["evaluations.csv"], "all files or none");
}

fn files(program: &Program, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(program.path(folder)).expect("the folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let program = stored();
    program.write("kept.csv", "mine");
    for out in ["no/folder/x.csv", "."] {
        for form in ["csv", "parquet"] {
            let said = program.run(&format!("export events --db x.duckdb --format {form} -o {out}"));
            assert_eq!(said.status, 1, "{out} {form}: {}", said.err);
            assert!(
                said.err.starts_with("error: ") && said.err.contains("cannot be written"),
                "{}",
                said.err
            );
        }
    }
    let unknown = program.run("export events nothing --db x.duckdb -o kept.csv");
    assert_eq!(unknown.status, 1);
    assert_eq!(std::fs::read_to_string(program.path("kept.csv")).expect("the old file"), "mine");
    let full = program.on_a_full_disk(4, "export events --db x.duckdb --format parquet -o full.parquet");
    assert!(full.status == 1 && full.err.contains("`full.parquet` cannot be written"), "{}", full.err);
    let left: Vec<String> = files(&program, ".")
        .into_iter()
        .filter(|name| name.contains("part") || name.starts_with("full"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_export_replaces_ordinary_files_only() {
    let program = Program::new();
    program.out("run library:gridlock-ring --db x.duckdb --simulation-id ring --quiet");
    let rows = program.out("export metrics --db x.duckdb");
    for (command, wanted) in [
        ("export metrics --db x.duckdb --output x.duckdb", "there is a database of this name"),
        (
            "export metrics --db x.duckdb --output x.duckdb --format parquet",
            "there is a database of this name",
        ),
        ("export metrics --db x.duckdb --output /dev/null --format parquet", "no ordinary file"),
    ] {
        let said = program.run(command);
        assert_eq!(said.status, 1, "{command}: {}", said.err);
        assert!(said.err.contains(wanted), "{command}: {}", said.err);
    }
    program.out("export metrics --db x.duckdb --output /dev/null");
    // A pipe takes the rows as they come, and stays.
    assert_eq!(program.out("export metrics --db x.duckdb --output /dev/stdout"), rows);
    std::os::unix::fs::symlink("there.csv", program.path("link.csv")).expect("a link");
    program.out("export metrics --db x.duckdb --output link.csv");
    assert_eq!(std::fs::read_to_string(program.path("there.csv")).expect("where the link leads"), rows);
    assert_eq!(program.out("export metrics --db x.duckdb"), rows);
}

#[test]
fn a_simulation_without_owner_is_exported_as_it_is_shown() {
    let program = stored();
    let connection = duckdb::Connection::open(program.path("x.duckdb")).expect("the file opens");
    let dead = "UPDATE simulations SET status = 'running', ended_at = NULL WHERE simulation_id = 'ring'";
    connection.execute_batch(dead).expect("a change");
    drop(connection);
    let lines = program.out("export simulations ring --db x.duckdb --format jsonl");
    let row: Value = serde_json::from_str(&lines).expect("one line");
    assert_eq!(row["status"], "interrupted");
}
