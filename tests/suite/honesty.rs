//! What is said of runs is so, what cannot be done is said before it is begun, and what is printed can be
//! typed (spec 07, 18 and 20.4).

use std::fs;

use serde_json::{Value, json};

use crate::support::program::Program;
use crate::support::runs::prepared;

/// The two-period game with other lines.
fn game(program: &Program, name: &str, edit: impl Fn(String) -> String) {
    program.write("two-period-day.yaml", program.out("library show two-period-day"));
    let text = program.out("library show two-period");
    let scenario = text.lines().find(|line| line.starts_with("scenario:")).expect("a scenario").to_owned();
    program.write(name, edit(text.replace(&scenario, "scenario: two-period-day.yaml")));
}

#[test]
fn a_run_in_which_nothing_was_proposed_says_so_before_and_after() {
    let program = Program::new();
    game(&program, "one-bound.yaml", |text| text.replace("      max_value: 1.0\n", ""));
    let before_constraints = |text: String| {
        let (head, rest) = text.split_once("policy_constraints:").expect("constraints");
        let (_, behind) = rest.split_once("optimized_agents").expect("agents");
        format!("{head}optimized_agents{behind}")
    };
    game(&program, "free.yaml", before_constraints);
    for (file, reason, why) in [
        ("one-bound.yaml", "the search has nothing to vary for BANK_A, BANK_B", "had nothing to vary"),
        ("free.yaml", "no `policy_constraints`", "nobody was asked for a proposal"),
    ] {
        let said = program.run(&format!("experiment run {file} --no-baselines"));
        assert!(said.err.contains("note: ") && said.err.contains(reason), "{file}: {}", said.err);
        assert!(said.out.contains("nothing was ever compared or taken"), "{file}: {}", said.out);
        assert!(said.out.contains(why), "{file}: {}", said.out);
        let info = program.out(&format!("experiment info {file}"));
        assert!(info.contains(reason), "{file}: {info}");
    }
    program
        .write("fails.json", json!({"BANK_A": [{"error": "no"}], "BANK_B": [{"error": "no"}]}).to_string());
    game(&program, "fails.yaml", |text| text.replace("proposer: search", "proposer: script:fails.json"));
    let said = program.out("experiment run fails.yaml --no-baselines --db x.duckdb --run-id r");
    assert!(said.contains("and that it converged says nothing: "), "{said}");
    let calls = said.split("says nothing: ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a count");
    assert!(said.contains(&format!("{calls} of {calls} calls got no reply")), "{said}");
    let recorded = program.out("experiment results r --db x.duckdb");
    assert!(recorded.contains(&format!("{calls} of {calls} calls got no reply")), "{recorded}");
    let ran = program.out("experiment run library:two-period --no-baselines");
    assert!(!ran.contains("nothing was ever"), "{ran}");
}

#[test]
fn totals_on_other_samples_are_not_compared() {
    let program = prepared();
    program.out("experiment run searching.yaml --db x.duckdb --run-id r --quiet");
    let said = program.out("experiment results r --db x.duckdb");
    assert!(said.contains("every iteration is measured on samples of its own"), "{said}");
    assert!(!said.contains("the final policies are not the best") && !said.contains("Change"), "{said}");
    let summary = &program.json("experiment results r --db x.duckdb --json")["summary"];
    assert_eq!(summary["comparable"], json!(false));
}

#[test]
fn ids_and_names_that_cannot_be_used_are_refused_before_anything_runs() {
    let program = Program::new();
    for id in ["", "a\nb", "a\u{1b}[31mb"] {
        for dry in [&["--dry-run"][..], &[]] {
            let run = ["experiment", "run", "library:two-period", "--run-id", id];
            let said = program.with(&[&run[..], dry].concat());
            assert_eq!(said.status, 1, "{id:?}: {}", said.err);
            let reason = if id.is_empty() { "is empty" } else { "has control characters" };
            assert!(said.err.contains(reason), "{id:?}: {}", said.err);
        }
    }
    game(&program, "named.yaml", |text| text.replace("name: two-period\n", "name: \"two\\nperiod\"\n"));
    let said = program.run("experiment validate named.yaml");
    assert!(said.status == 1 && said.err.contains("must have no control characters"), "{}", said.err);
}

#[test]
fn default_files_lie_in_the_folder() {
    let program = Program::new();
    fs::create_dir(program.path("in")).expect("a folder");
    let run = "experiment run library:two-period --no-baselines --quiet --db in/x.duckdb --run-id ../evil";
    program.out(run);
    program.out("experiment bundle ../evil --db in/x.duckdb");
    program.out("experiment chart ../evil --db in/x.duckdb");
    assert!(program.has("_.._evil.bundle.json") && program.has("_.._evil.png"));
}

#[test]
fn what_contradicts_itself_or_is_unknown_is_refused() {
    let program = Program::new();
    let run = "experiment run library:two-period --dry-run";
    for (options, status, reason) in [
        ("--proposer search --model openai:x", 1, "name two proposers"),
        ("--proposer script:", 1, "`script:` names no file"),
        ("--reasoning-effort silly", 2, "`silly` is no reasoning effort"),
        ("--reasoning-effort hihg", 2, "did you mean `high`?"),
    ] {
        let said = program.run(&format!("{run} {options}"));
        assert_eq!(said.status, status, "{options}: {}", said.err);
        assert!(said.err.contains(reason), "{options}: {}", said.err);
    }
    let without_effect = program.run(&format!("{run} --reasoning-effort high"));
    assert!(without_effect.status == 0 && without_effect.err.contains("--reasoning-effort has no effect"));
    program.out("experiment run library:two-period --no-baselines --quiet --db x.duckdb");
    let listed = program.run("experiment results --type seeep --db x.duckdb");
    assert_eq!(listed.status, 2, "{}", listed.err);
    assert!(listed.err.contains("did you mean `sweep`?"), "{}", listed.err);
    game(&program, "names.yaml", |text| {
        text.replace("[Release]", "[Relaese]").replace("allowed_fields: []", "allowed_fields: [balanse]")
    });
    let said = program.run("experiment validate names.yaml");
    for words in ["did you mean `Release`?", "did you mean `balance`?"] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    assert_eq!(program.run("experiment validate names.yaml --strict").status, 1);
    program.write("strangers.json", json!({"BANK_X": [{"fraction": 0.1}]}).to_string());
    let said = program.run(&format!("{run} --proposer script:strangers.json"));
    assert!(said.err.contains("has entries for no optimised agent: `BANK_X`"), "{}", said.err);
    program.write("null.yaml", "name: n\nscenario: s.yaml\nevaluation: {ticks: 1}\nsweep: null\nllm: {}\n");
    let said = program.run("experiment validate null.yaml");
    assert!(
        said.err.contains("nothing of what to vary") && !said.err.contains("not allowed"),
        "{}",
        said.err
    );
    game(&program, "many.yaml", |text| text.replace("  ticks: 2\n", "  ticks: 2\n  num_samples: 1000000\n"));
    let said = program.run("experiment validate many.yaml");
    assert!(said.status == 1 && said.err.contains("at most 10000"), "{}", said.err);
}

#[test]
fn no_reply_or_name_steers_a_terminal() {
    let program = Program::new();
    let raw = json!({"raw": "\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}"});
    program.write("raw.json", json!({"BANK_A": [raw.clone()], "BANK_B": [raw]}).to_string());
    let run = "experiment run library:two-period --no-baselines --db x.duckdb --run-id r -v";
    let ran = program.out(&format!("{run} --proposer script:raw.json"));
    let audit = program.out("experiment replay r --audit --db x.duckdb");
    assert!(audit.contains("\u{fffd}[31mred"), "{audit}");
    for text in [ran, audit] {
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }
}

#[test]
fn a_policy_shows_its_fraction_wherever_it_stands_and_what_else_changed() {
    let program = Program::new();
    let policy = json!({"policy": {"type": "Fifo", "initial_liquidity_fraction": 0.25}});
    program.write("fifo.json", json!({"BANK_A": [policy], "BANK_B": []}).to_string());
    game(&program, "fifo.yaml", |text| {
        let (head, rest) = text.split_once("policy_constraints:").expect("constraints");
        let (_, behind) = rest.split_once("optimized_agents").expect("agents");
        format!("{head}policy_constraints: {{}}\noptimized_agents{behind}")
            .replace("proposer: search", "proposer: script:fifo.json")
    });
    program.out("experiment run fifo.yaml --no-baselines --quiet --db x.duckdb --run-id r");
    let said = program.out("experiment results r --db x.duckdb");
    assert!(said.contains("BANK_A 0.2500, BANK_B 0.5000"), "{said}");
    assert!(!said.contains("keys differ"), "{said}");
    let line = |part: &str| said.lines().find(|line| line.contains(part)).unwrap_or_default().to_owned();
    assert!(line("payment_tree.action").contains("Release"), "{said}");
    assert!(line(" type ").contains("Fifo"), "{said}");
}

#[test]
fn a_bundle_without_anything_to_compare_is_refused() {
    let program = Program::new();
    program.out("experiment run library:two-period --quiet --db x.duckdb --run-id r");
    program.out("experiment bundle r --db x.duckdb");
    let text = fs::read_to_string(program.path("r.bundle.json")).expect("a bundle");
    let verified = program.out("experiment bundle verify r.bundle.json");
    assert!(verified.contains("entries of settings and result agree"), "{verified}");
    let mut bundle: Value = serde_json::from_str(&text).expect("JSON");
    bundle["config"]["final_cost"] = json!(1);
    program.write("edited.json", bundle.to_string());
    let said = program.run("experiment bundle verify edited.json");
    assert!(said.status == 1 && said.out.contains("`final_cost`: differs"), "{}", said.out);
    (bundle["simulations"], bundle["iterations"]) = (json!([]), json!([]));
    program.write("empty.json", bundle.to_string());
    let said = program.run("experiment bundle verify empty.json");
    assert!(said.status == 1 && said.err.contains("nothing to verify"), "{}", said.err);
}

#[test]
fn an_export_that_fails_leaves_nothing_behind() {
    let program = Program::new();
    program.out("experiment run library:two-period --no-baselines --quiet --db x.duckdb --run-id r");
    fs::create_dir_all(program.path("out/simulations.csv/in-the-way")).expect("a folder");
    let said = program.run("experiment export r --db x.duckdb --output out");
    assert_eq!(said.status, 1, "{}", said.err);
    let left: Vec<_> = fs::read_dir(program.path("out")).expect("the folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// The second bank's policy divides by zero once it has been paid.
const FAILING: &str = r#"
simulation: {ticks_per_day: 4, num_days: 1, rng_seed: 1}
agents:
  - {id: A, opening_balance: 0, liquidity_pool: 100000}
  - id: B
    opening_balance: 7
    policy:
      type: Inline
      decision_trees:
        version: "2.0"
        policy_id: p
        parameters: {}
        payment_tree:
          type: condition
          node_id: n
          condition:
            op: ">"
            left: {compute: {op: "/", left: {value: 1},
              right: {compute: {op: "-", left: {field: balance}, right: {value: 30007}}}}}
            right: {value: 0}
          on_true: {type: action, node_id: a, action: Release}
          on_false: {type: action, node_id: b, action: Release}
scenario_events:
  - {type: CustomTransactionArrival, from_agent: A, to_agent: B, amount: 30000, deadline: 4,
      schedule: {type: OneTime, tick: 0}}
  - {type: CustomTransactionArrival, from_agent: B, to_agent: A, amount: 100, deadline: 2,
      schedule: {type: OneTime, tick: 2}}
"#;

#[test]
fn a_failed_run_says_once_that_it_failed() {
    let program = Program::new();
    program.write("failing.yaml", FAILING);
    program.write(
        "fails.yaml",
        "name: fails\nscenario: failing.yaml\nevaluation: {mode: deterministic-pairwise, ticks: 4}\n\
         convergence: {}\npolicy_constraints: {}\noptimized_agents: [A]\n",
    );
    let said = program.run("experiment run fails.yaml --db x.duckdb --run-id r");
    assert_eq!(said.status, 1);
    assert!(said.err.contains("error: Tick execution failed: tick 2, bank `B`"), "{}", said.err);
    assert!(said.out.contains("the run failed: these are the figures so far"), "{}", said.out);
    assert!(!said.out.contains("Not converged: Failed"), "{}", said.out);
    program.out("experiment bundle r --db x.duckdb");
    let verified = program.out("experiment bundle verify r.bundle.json");
    assert!(verified.contains("not verified: how the run ended: it is failed"), "{verified}");
}
