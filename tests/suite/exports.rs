//! `export`: rows for other programs.

use serde_json::Value;

use crate::support::program::Program;

fn stored() -> Program {
    let program = Program::new();
    program.out("run library:gridlock-ring --db x.duckdb --simulation-id ring --quiet");
    program.out("run library:two-banks --db x.duckdb --simulation-id two --quiet");
    program.out("experiment run library:two-period --db x.duckdb --run-id run-1 --quiet");
    program
}

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
    ] {
        let rows = count(&program, table);
        assert!(rows > 0, "{what}");
        let csv = program.out(&format!("export {what} --db x.duckdb"));
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let columns = reader.headers().expect("a head").len();
        let wanted = count(&program, &format!("duckdb_columns() WHERE table_name = '{table}'"));
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
    let left: Vec<String> = std::fs::read_dir(program.folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains(".part"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
