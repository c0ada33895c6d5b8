//! `db sql`: statements of the user, their rows in every form, however many they are.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::program::{Program, said, send, wait_for};

fn stored() -> Program {
    let program = Program::new();
    program.out("run library:gridlock-ring --db x.duckdb --simulation-id ring --quiet");
    program
}

fn sql(program: &Program, form: &str, query: &str) -> String {
    program.with_out(&["db", "sql", query, "--db", "x.duckdb", "--format", form])
}

/// A value of every type that a statement may give.
const VALUES: &str = "SELECT 1 AS i, 1.50 AS d, 0.1::DOUBLE AS f, true AS b, NULL AS n, 'a,\"b' AS t, \
    [1, NULL] AS l, {'k': 'v'} AS s, MAP {'x': 2} AS m, DATE '2026-01-31' AS day, \
    INTERVAL 90 MINUTE AS wait, 340282366920938463463374607431768211455::UHUGEINT AS h";

#[test]
fn every_value_has_its_text_and_its_json() {
    let program = stored();
    let row = json!({
        "i": 1, "d": 1.5, "f": 0.1, "b": true, "n": null, "t": "a,\"b", "l": [1, null], "s": {"k": "v"},
        "m": {"x": 2}, "day": "2026-01-31", "wait": "P0M0DT5400S", "h": 340_282_366_920_938_463_463_374_607_431_768_211_455_f64
    });
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let lines = sql(&program, "jsonl", VALUES);
    assert_eq!(read(&lines), row);
    assert!(lines.contains("\"d\":1.50,") && lines.contains("\"h\":340282366920938463463374607431768211455"));
    assert_eq!(read(&sql(&program, "json", VALUES)), json!([row]));
    let csv = sql(&program, "csv", VALUES);
    assert_eq!(
        csv,
        "i,d,f,b,n,t,l,s,m,day,wait,h\n1,1.50,0.1,true,,\"a,\"\"b\",\"[1,null]\",\"{\"\"k\"\":\"\"v\"\"}\",\
         \"{\"\"x\"\":2}\",2026-01-31,P0M0DT5400S,340282366920938463463374607431768211455\n"
    );
}

#[test]
fn no_rows_and_many_rows_keep_their_form() {
    let program = stored();
    let none = "SELECT simulation_id, event_count FROM simulations WHERE false";
    assert_eq!(sql(&program, "csv", none), "simulation_id,event_count\n");
    assert_eq!(sql(&program, "json", none), "[]\n");
    assert_eq!(sql(&program, "jsonl", none), "");
    let head = "simulation_id  event_count\n─────────────  ───────────\n";
    assert_eq!(sql(&program, "table", none), format!("{head}(0 rows)\n"));
    // The first thousand rows decide how wide a column is; what is wider stands out.
    let many = "SELECT CASE WHEN range < 2000 THEN 'a' ELSE 'wider' END AS t, range AS n FROM range(2001)";
    let table = sql(&program, "table", many);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!((lines.len(), lines[2], lines[2001]), (2004, "a    0", "a  1999"));
    assert_eq!(lines[2002..], ["wider  2000", "(2,001 rows)"]);
    let broken = "SELECT 'a' || chr(10) || 'b' AS t, repeat('x', 300) AS long, chr(27) AS c";
    let cut = format!("{}…", "x".repeat(199));
    let table = sql(&program, "table", broken);
    assert_eq!(table.lines().skip(2).collect::<Vec<_>>(), [format!("a  {cut}").as_str(), "b", "(1 row)"]);
    assert!(sql(&program, "csv", broken).contains(&"x".repeat(300)));
    let array: Value = serde_json::from_str(&sql(&program, "json", many)).expect("one array");
    assert_eq!(array.as_array().map(Vec::len), Some(2001));
    assert_eq!(sql(&program, "jsonl", many).lines().count(), 2001);
}

/// Far more rows than would fit into memory or be computed in the time of a test.
const ENDLESS: &str = "SELECT a.range AS n, repeat('x', 200) AS t FROM range(100000000) a, range(1000) b";

#[test]
fn rows_come_at_once_and_end_with_their_reader() {
    let program = stored();
    for form in ["csv", "json", "jsonl", "table"] {
        let mut command = program.command();
        command.args(["db", "sql", ENDLESS, "--db", "x.duckdb", "--format", form]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        for _ in 0..5000 {
            lines.next().expect("a line").expect("text");
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a process");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("kilobytes");
        assert!(peak < 400_000, "{form}: {peak} kB");
        drop(lines);
        let said = said(child.wait_with_output().expect("an end"));
        assert_eq!((said.status, said.err.as_str()), (0, ""), "{form}");
    }
}

#[test]
fn ctrl_c_and_sigterm_end_a_statement() {
    let program = stored();
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        ended_by(signal, status, &program);
    }
}

/// Whether a process has a handler for a signal.
fn catches(process: u32, signal: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim();
    let caught = u64::from_str_radix(caught, 16).expect("a mask");
    caught & (1 << (signal.as_raw() - 1)) != 0
}

fn ended_by(signal: Signal, status: i32, program: &Program) {
    let query = "SELECT sum(hash(a.range + b.range)) FROM range(10000000) a, range(10000000) b";
    let mut command = program.command();
    command.args(["db", "sql", query, "--db", "x.duckdb"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("it starts");
    wait_for("a handler", || catches(child.id(), signal));
    let began = Instant::now();
    send(child.id(), signal);
    let said = said(child.wait_with_output().expect("an end"));
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (status, "", ""));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn what_is_no_reading_statement_is_refused() {
    let program = stored();
    for (query, wanted) in [
        ("DELETE FROM simulations", "`DELETE` does not only read"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("", "there is no statement"),
        ("SELECT nothing FROM simulations", "nothing"),
        ("SELEC 1", "syntax error at or near \"SELEC\""),
        ("WITH a AS (SELECT 1) DELETE FROM simulations", "the statement does not only read"),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO 'written.csv'", "`COPY` does not only read"),
        ("SELECT E'\\'';COPY (SELECT 1) TO 'written.csv';SELECT 2 --'", "the statement does not only read"),
        ("SELECT E'\\'';COMMIT;DELETE FROM simulations;SELECT 2 --'", "the statement does not only read"),
        (
            "FROM enable_logging(storage := 'file', storage_path := 'written.csv')",
            "`enable_logging` does not",
        ),
        ("WITH a AS (FROM checkpoint()) SELECT 1 FROM a", "`checkpoint` does not only read"),
        ("SELECT (SELECT count(*) FROM query('SELECT 1'))", "`query` does not only read"),
        ("PIVOT simulations ON status", "`PIVOT` needs its columns by name"),
        ("SELECT 1; ATTACH 'written.duckdb'", "the statement does not only read"),
        ("SELECT * FROM read_csv('nowhere.csv')", "nowhere.csv"),
    ] {
        for form in ["table", "json", "csv"] {
            let said = program.with(&["db", "sql", query, "--db", "x.duckdb", "--format", form]);
            assert_eq!((said.status, said.out.as_str()), (1, ""), "{query}: {}", said.err);
            assert!(said.err.starts_with("error: ") && said.err.contains(wanted), "{query}: {}", said.err);
        }
    }
    assert!(!program.has("written.csv") && !program.has("written.duckdb"));
    assert_eq!(program.sql("x.duckdb", "SELECT 1 FROM simulations").len(), 1);
    let missing = program.with(&["db", "sql", "SELECT 1", "--db", "no.duckdb"]);
    assert_eq!((missing.status, program.has("no.duckdb")), (1, false), "{}", missing.err);
}
