//! The command line: what it prints where, how it ends, what it refuses.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::Value;

use crate::support::program::Program;

const TINY: &str = "simulation: {ticks_per_day: 4, num_days: 1, rng_seed: 1}
agents:
- {id: A, opening_balance: 1000}
- {id: B, opening_balance: 0}
scenario_events:
- {type: CustomTransactionArrival, from_agent: A, to_agent: B, amount: 300, schedule: {type: OneTime, tick: 1}}
";

fn program() -> Program {
    let program = Program::new();
    program.write("tiny.yaml", TINY);
    program
}

#[test]
fn each_mode_prints_what_it_says() {
    let program = program();
    let quiet: Value = program.json("run tiny.yaml --quiet");
    assert_eq!(quiet["agents"][0]["id"], "A");
    assert_eq!(quiet["agents"][0]["final_balance"], 700);
    assert_eq!(quiet["metrics"]["total_settlements"], 1);
    let stream = program.out("run tiny.yaml --stream");
    assert_eq!(stream.lines().count(), 4);
    let events = program.out("run tiny.yaml --event-stream");
    assert!(events.starts_with(r#"{"sequence":0,"event_type":"Arrival","tick":1,"tx_id":"tx-000001""#));
    let verbose = program.out("run tiny.yaml --verbose");
    assert!(verbose.contains("=== Tick 1"), "{verbose}");
    assert!(!program.has("data"), "nothing is stored unless asked for");
}

#[test]
fn filters_act_on_events_alone() {
    let program = program();
    let settled = program.out("run tiny.yaml --event-stream --filter-event-type RtgsImmediateSettlement");
    assert_eq!(settled.lines().count(), 1);
    let said = program.run("run tiny.yaml --event-stream --filter-agent AB");
    assert_eq!((said.status, said.out.as_str()), (0, ""));
    assert!(said.err.contains("warning"), "{}", said.err);
    let said = program.run("run tiny.yaml --filter-day 0");
    assert_eq!(said.status, 2);
    assert!(said.err.contains("--verbose or --event-stream"), "{}", said.err);
    for wrong in ["--filter-tick-range 9-3", "--filter-tick-range x", "--filter-event-type Arival"] {
        let said = program.run(&format!("run tiny.yaml --event-stream {wrong}"));
        assert_eq!(said.status, 2, "{wrong}: {}", said.err);
    }
}

#[test]
fn usage_errors_end_with_2_and_help_with_0() {
    let program = program();
    for line in ["run", "run tiny.yaml --quiet --stream", "frobnicate", "run tiny.yaml --ticks 0", "db sql"] {
        assert_eq!(program.run(line).status, 2, "{line}");
    }
    assert_eq!(program.run("run tiny.yaml --ticks 3 --run-ticks 4").status, 2);
    assert!(program.out("--help").contains("Commands:"));
    assert!(program.out("--version").contains("DuckDB 1.5"));
    let said = program.run("");
    assert_eq!(said.status, 2);
    assert!(said.err.contains("needs a terminal") && said.err.contains("experiment"), "{}", said.err);
}

/// A refused input: what it is, the file's name, its content, words of the message.
const REFUSED: &[(&str, &str, &[u8], &[&str])] = &[
    ("empty", "empty.yaml", b"", &["empty"]),
    ("binary", "binary.yaml", b"simulation:\xff\xfe", &["no text"]),
    ("list", "list.yaml", b"- 1\n", &["mapping"]),
    ("syntax", "syntax.yaml", b"simulation: {ticks_per_day: 4\nagents: [", &["syntax.yaml:"]),
    ("text for a number", "text.yaml", b"simulation: {ticks_per_day: \"4\", num_days: 1, rng_seed: 1}\nagents: [{id: A, opening_balance: 1}]\n", &["simulation.ticks_per_day", "text.yaml:1:"]),
    ("missing key", "missing.yaml", b"simulation: {ticks_per_day: 4, num_days: 1, rng_seed: 1}\nagents: [{id: A}]\n", &["opening_balance"]),
    ("suffix", "scenario.txt", b"simulation: 1", &[".yaml, .yml or .json"]),
    ("duplicate", "twice.json", b"{\"simulation\": 1, \"simulation\": 2}", &["simulation"]),
];

#[test]
fn bad_files_are_refused_with_their_place_before_anything_is_made() {
    let program = program();
    for (what, name, content, words) in REFUSED {
        program.write(name, content);
        let said = program.run(&format!("run {name} --db out.duckdb"));
        assert_eq!(said.status, 1, "{what}: {}", said.err);
        assert!(said.err.starts_with("error: "), "{what}: {}", said.err);
        for word in *words {
            assert!(said.err.contains(word), "{what}: `{word}` is missing in\n{}", said.err);
        }
        assert!(said.out.is_empty() && !program.has("out.duckdb"), "{what}");
    }
    let said = program.run("run nowhere.yaml");
    assert_eq!((said.status, said.err.contains("does not exist")), (1, true), "{}", said.err);
    assert_eq!(program.run("run .").status, 1);
}

#[test]
fn unknown_keys_are_warned_of_with_the_nearest_one() {
    let program = program();
    program.write("typo.yaml", TINY.replace("opening_balance: 0}", "opening_balance: 0, unsecured_cpa: 5}"));
    let said = program.run("run typo.yaml --quiet");
    assert_eq!(said.status, 0);
    assert!(said.err.contains("warning: ") && said.err.contains("unsecured_cap"), "{}", said.err);
    assert_eq!(program.run("run typo.yaml --quiet --strict").status, 1);
    let said = program.run("run library:two-bank");
    assert_eq!(said.status, 1);
    assert!(said.err.contains("did you mean `library:two-banks`?"), "{}", said.err);
}

#[test]
fn every_problem_of_a_scenario_is_reported_at_once() {
    let program = program();
    let bad = TINY.replace("amount: 300", "amount: -3").replace("id: B,", "id: B, unsecured_cap: -1,");
    program.write("bad.yaml", bad);
    let said = program.run("scenario validate bad.yaml");
    assert_eq!(said.status, 1);
    assert_eq!(said.err.matches("error: ").count(), 2, "{}", said.err);
    assert!(said.err.contains("bad.yaml:4:") && said.err.contains("bad.yaml:6:"), "{}", said.err);
    assert!(program.out("scenario validate tiny.yaml").contains("valid"));
}

#[test]
fn policies_are_checked_explained_and_documented() {
    let program = program();
    program.write("p.json", r#"{"version": "1", "policy_id": "p", "payment_tree":
        {"type": "condition", "node_id": "a", "condition": {"op": ">", "left": {"field": "balnce"}, "right": {"value": 1}},
         "on_true": {"type": "action", "node_id": "b", "action": "Release"},
         "on_false": {"type": "action", "node_id": "b", "action": "Hold"}}}"#);
    let said = program.run("policy validate p.json --format json");
    assert_eq!(said.status, 1);
    let report: Value = serde_json::from_str(&said.out).expect("a report");
    let kinds: Vec<&str> = report["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .filter_map(|error| error["type"].as_str())
        .collect();
    assert_eq!(kinds, ["DuplicateNodeId", "InvalidFieldReference"]);
    let said = program.run("validate-policy library:release-all --functional-tests --format json");
    let report: Value = serde_json::from_str(&said.out).expect("a report");
    assert_eq!(
        (said.status, &report["functional_tests"]["tests_passed"]),
        (0, &Value::from(3)),
        "{}",
        said.out
    );
    assert!(program.out("policy explain library:deadline-driven").contains("payment_tree"));
    assert!(program.out("policy schema --section actions").contains("#### `Release`"));
    let costs: Value = program.json("cost schema --format json");
    assert_eq!(costs["cost_types"].as_array().map(Vec::len), Some(9));
}

#[test]
fn a_reader_that_goes_away_ends_the_command_silently() {
    let program = program();
    let mut command = program.command();
    command.args(["run", "library:large-day", "--event-stream"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut first = [0_u8; 64];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("some bytes");
    let mut err = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("text");
    assert_eq!((child.wait().expect("an end").code(), err.as_str()), (Some(0), ""));
}

#[test]
fn completions_and_manual_pages_come_from_the_same_table() {
    let program = program();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(program.out(&format!("completions {shell}")).contains("payment-sim"), "{shell}");
    }
    program.out("man pages");
    assert!(program.has("pages/payment-sim-experiment-run.1") && program.has("pages/payment-sim-replay.1"));
}

#[test]
fn library_entries_are_copied_with_what_they_need() {
    let program = program();
    program.out("library copy two-period --to mine");
    assert!(
        program.has("mine/experiments/two-period.yaml") && program.has("mine/scenarios/two-period-day.yaml")
    );
    program.write("mine/experiments/two-period.yaml", "mine");
    let said = program.run("library copy two-period --to mine");
    assert!(said.err.contains("stays"), "{}", said.err);
    let kept = std::fs::read_to_string(program.path("mine/experiments/two-period.yaml")).expect("the file");
    assert_eq!(kept, "mine");
}

#[test]
fn a_seed_is_a_whole_number() {
    let program = Program::new();
    for (command, wanted) in [
        ("run library:two-banks --seed -1", "a seed is a whole number from 0 to 18446744073709551615"),
        ("run library:two-banks --seed=many", "a seed is a whole number"),
        ("experiment run library:two-period --seed -1", "a master seed is a whole number from 0 on"),
    ] {
        let said = program.run(command);
        assert_eq!(said.status, 2, "{command}: {}", said.err);
        assert!(said.err.contains(wanted), "{command}: {}", said.err);
    }
    let long = "experiment run library:two-period --db x.duckdb --run-id r --quiet --no-baselines --seed";
    program.out(&format!("{long} 00340282366920938463463374607431768211456"));
    let stored = program.sql("x.duckdb", "SELECT master_seed AS seed FROM experiments");
    assert_eq!(stored[0]["seed"], "340282366920938463463374607431768211456");
}

#[test]
fn folders_are_made_for_the_output_of_a_file_only() {
    let program = Program::new();
    let said = program.run("experiment run library:two-period --db new/folder/x.duckdb");
    assert_eq!((said.status, program.has("new")), (1, false), "{}", said.err);
    assert!(said.err.contains("create the folder first"), "{}", said.err);
    let text = program.out("library show two-period");
    let text = text.replace("../scenarios/two-period-day.yaml", "library:two-period-day");
    program.write("own.yaml", format!("{text}\noutput: {{directory: made/here}}\n"));
    program.out("experiment run own.yaml --quiet --no-baselines");
    assert!(program.has("made/here/experiments.db"));
    let loose = program.run("experiment run library:two-period --no-baselines");
    assert!(loose.err.contains("not stored: `--db FILE` keeps a run"), "{}", loose.err);
}
