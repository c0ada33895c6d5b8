//! What a researcher takes home from an experiment: summary, baselines, comparison, charts, tables
//! (spec 07, 18 and 20).

use serde_json::{Value, json};

use crate::support::program::Program;

/// The two-period game, recorded as `game`.
fn recorded(options: &str) -> Program {
    let program = Program::new();
    program.out(&format!("experiment run library:two-period --db x.duckdb --run-id game --quiet {options}"));
    program
}

/// The configuration of a run with its result.
fn config(program: &Program, run: &str) -> Value {
    let query = format!("SELECT config FROM experiments WHERE run_id = '{run}'");
    let row = &program.sql("x.duckdb", &query)[0]["config"];
    row.as_str().map_or_else(|| row.clone(), |text| serde_json::from_str(text).expect("JSON"))
}

#[test]
fn a_run_ends_with_its_summary_and_the_database_tells_the_same() {
    let program = recorded("");
    let text = program.out("experiment results game --db x.duckdb");
    let (summary, course) = text.split_once("\nIteration by iteration\n").expect("both parts");
    insta::assert_snapshot!("summary_of_the_two_period_game", summary);
    assert!(course.lines().count() > 5, "{course}");
    let live = program.out("experiment run library:two-period --run-id game");
    let (before, told) = live.split_once("Experiment completed!").expect("an end");
    assert!(before.contains("Loaded experiment: two-period") && before.contains("Run game"), "{before}");
    assert!(told.ends_with(summary), "a run that is not stored says\n{told}\nand not\n{summary}");
    let markdown = program.out("experiment results game --db x.duckdb --markdown");
    insta::assert_snapshot!("summary_as_markdown", markdown);
}

#[test]
fn the_summary_is_there_for_programs() {
    let program = recorded("");
    let result = program.json("experiment results game --db x.duckdb --json");
    let summary = &result["summary"];
    assert_eq!(result["final_cost"], summary["total"]["end"]);
    assert_eq!(result["iteration_history"][0], summary["total"]["start"]);
    assert_eq!(summary["agents"][0]["parameters"][0][0], "initial_liquidity_fraction");
    assert_eq!(summary["agents"][0]["parameters"][0][1]["start"], 0.5);
    assert_eq!((&summary["status"], &summary["settlement_end"]), (&json!("completed"), &json!(1.0)));
    let counted: u64 = summary["rejections"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["count"].as_u64())
        .sum();
    let refused = program.sql("x.duckdb", "SELECT count(*) AS n FROM policy_evaluations WHERE NOT accepted");
    assert_eq!(Some(counted), refused[0]["n"].as_u64());
}

/// The total cost of both banks when everybody releases at once with a fraction of the pool.
fn released_at_once(program: &Program, fraction: &Value) -> i64 {
    let query = "SELECT scenario_json FROM experiments WHERE run_id = 'game'";
    let row = &program.sql("x.duckdb", query)[0]["scenario_json"];
    let mut scenario: Value =
        row.as_str().map_or_else(|| row.clone(), |text| serde_json::from_str(text).expect("JSON"));
    for bank in scenario["agents"].as_array_mut().expect("banks") {
        bank["policy"] = json!({"type": "Fifo"});
        bank["liquidity_allocation_fraction"] = fraction.clone();
    }
    program.write("once.json", scenario.to_string());
    let result = program.json("run once.json --quiet --run-ticks 2");
    result["costs"]["total_cost"].as_i64().expect("cents")
}

#[test]
fn baselines_are_what_simple_policies_cost_by_themselves() {
    let program = recorded("");
    let baselines = config(&program, "game")["baselines"].clone();
    let names: Vec<&String> = baselines.as_object().expect("baselines").keys().collect();
    assert_eq!(names, ["start", "fifo", "constant"]);
    assert_eq!((&baselines["start"]["fraction"], &baselines["fifo"]["fraction"]), (&json!(0.5), &json!(1.0)));
    for name in names {
        let baseline = &baselines[name];
        let alone = released_at_once(&program, &baseline["fraction"]);
        assert_eq!(baseline["total_cost"], alone, "{name}: {baseline}");
        let costs = baseline["costs_per_agent"].as_object().expect("costs").values();
        assert_eq!(costs.filter_map(Value::as_i64).sum::<i64>(), alone, "{name}");
    }
    let best = (0..=20).map(|step| (released_at_once(&program, &json!(f64::from(step) / 20.0)), step)).min();
    let (cost, step) = best.expect("a best one");
    assert_eq!(baselines["constant"]["total_cost"], cost);
    assert_eq!(baselines["constant"]["fraction"], f64::from(step) / 20.0);
}

/// Nothing is proposed: the policies at the end are those of the start.
const UNMOVED: &str = "name: unmoved
scenario: day.yaml
evaluation: {mode: bootstrap, ticks: 12, num_samples: 4}
convergence: {max_iterations: 2}
policy_constraints: {}
optimized_agents: [BANK_A, BANK_B]
proposer: script:none.json
";

#[test]
fn baselines_use_the_samples_of_the_last_iteration() {
    let program = Program::new();
    program.write("day.yaml", program.out("library show twelve-period-day"));
    program.write("unmoved.yaml", UNMOVED);
    program.write("none.json", "{}");
    program.out("experiment run unmoved.yaml --db x.duckdb --run-id still --quiet");
    let config = config(&program, "still");
    assert_eq!(config["baselines"]["start"]["total_cost"], config["final_cost"]);
    assert_eq!(config["baselines"]["start"]["costs_per_agent"], config["final_costs"]);
    assert_eq!(config["baselines"]["start"]["settlement_rate"], config["final_settlement_rate"]);
    let text = program.out("experiment results still --db x.duckdb");
    for caution in
        ["few samples: payments arrive by chance, and a cost is the mean of 4 only", "not converged"]
    {
        assert!(text.contains(caution), "{caution} is missing in\n{text}");
    }
}

#[test]
fn baselines_are_no_part_of_the_run() {
    let program = recorded("--persist-simulations all");
    program.out("experiment run library:two-period --db y.duckdb --run-id game --quiet --no-baselines --persist-simulations all");
    for (table, columns) in [
        ("simulations", "simulation_id, event_digest, experiment_purpose, total_cost_cents"),
        ("experiment_events", "id, iteration, event_type, event_data"),
        ("policy_evaluations", "* EXCLUDE (timestamp)"),
    ] {
        let query = format!("SELECT {columns} FROM {table} ORDER BY ALL");
        assert_eq!(program.sql("x.duckdb", &query), program.sql("y.duckdb", &query), "{table}");
    }
    let without = program.json("experiment results game --db y.duckdb --json");
    assert_eq!((&without["baselines"], &without["summary"]["baselines"]), (&Value::Null, &json!([])));
}

/// Proposals of a script for both banks.
const PROPOSALS: &str =
    r#"{"BANK_A": [{"fraction": 0.4}, {"fraction": 0.9}], "BANK_B": [{"fraction": 0.3}]}"#;

/// Payments by chance, nothing proposed.
const RANDOM: &str = "name: random
scenario: library:twelve-period-day
evaluation: {mode: deterministic-pairwise, ticks: 12}
convergence: {max_iterations: 1}
optimized_agents: [BANK_A]
";

#[test]
fn two_runs_stand_side_by_side() {
    let program = recorded("");
    program.write("p.json", PROPOSALS);
    program.out("experiment run library:two-period --db x.duckdb --run-id other --seed 7 --proposer script:p.json --quiet --no-baselines");
    let comparison = program.json("experiment compare game other --db x.duckdb --json");
    let settings = comparison["settings"].as_array().expect("settings");
    let seed = settings.iter().find(|row| row["setting"] == "master_seed").expect("the seed differs");
    assert_eq!((&seed["a"], &seed["b"]), (&json!(42), &json!(7)));
    assert!(!settings.iter().any(|row| row["setting"].as_str().is_some_and(|it| it.starts_with("final_"))));
    let end = &comparison["end"];
    let cost = |side: &str| end[side]["cost"].as_i64().expect("cents");
    assert_eq!(cost("difference"), cost("b") - cost("a"));
    assert_eq!(
        comparison["iterations"][0]["difference"],
        json!({"cost": 0, "settlement_rate": 0.0, "avg_delay": 0.0})
    );
    let text = program.out("experiment compare game other --db x.duckdb");
    assert!(
        text.contains("master_seed") && text.lines().any(|line| line.trim_start().starts_with("end ")),
        "{text}"
    );
    program.write("random.yaml", RANDOM);
    program.out("experiment run random.yaml --db x.duckdb --run-id random --quiet");
    let comparison = program.json("experiment compare game random --db x.duckdb --json");
    let settings = comparison["settings"].as_array().expect("settings");
    assert!(
        settings.iter().any(|row| row["setting"].as_str().is_some_and(|it| it.contains("arrival_config")))
    );
    let of_neither = settings.iter().find(|row| row["a"].is_null() && row["b"].is_null());
    assert_eq!(of_neither, None, "what neither has does not differ");
    let same = program.out("experiment compare game game --db x.duckdb");
    assert!(same.contains("Settings that differ\nnone\n"), "{same}");
    let said = program.run("experiment compare game gamf --db x.duckdb");
    assert_eq!((said.status, said.err.contains("`game`")), (1, true), "{}", said.err);
}

#[test]
fn costs_are_drawn_as_pictures_and_in_the_terminal() {
    let program = recorded("");
    program.out("experiment chart game --db x.duckdb");
    let png = std::fs::read(program.path("game.png")).expect("a picture");
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.len() > 10_000, "{} bytes", png.len());
    program.out("experiment chart game --db x.duckdb --agent BANK_B -p initial_liquidity_fraction -o b.svg");
    let svg = std::fs::read_to_string(program.path("b.svg")).expect("a picture");
    assert!(svg.contains("Cost Convergence - game (BANK_B)"), "{svg}");
    assert!(svg.contains("initial_liquidity_fraction = 0.50") && svg.contains(">0.20<"), "{svg}");
    let text = program.out(
        "experiment chart game --db x.duckdb --text --agent BANK_B --parameter initial_liquidity_fraction",
    );
    insta::assert_snapshot!("chart_in_the_terminal", text);
}

#[test]
fn a_chart_that_cannot_be_drawn_is_refused_and_nothing_is_written() {
    let program = recorded("");
    for (options, status, words) in [
        ("--agent BANK_C", 1, "did you mean `BANK_"),
        ("--parameter initial_liquidity_fraction", 2, "--agent"),
        ("--agent BANK_A --parameter urgency", 1, "`urgency`"),
        ("--output chart.gif", 2, ".png nor .svg"),
        ("--output nowhere/chart.png", 1, "nowhere/chart.png"),
        ("--text --output chart.png", 2, "--output"),
    ] {
        let said = program.run(&format!("experiment chart game --db x.duckdb {options}"));
        assert_eq!(said.status, status, "{options}: {}", said.err);
        assert!(said.err.contains(words), "{options}: {}", said.err);
        assert!(
            !program.has("game.png") && !program.has("chart.png") && !program.has("chart.gif"),
            "{options}"
        );
    }
}

#[test]
fn runs_are_listed_filtered_and_counted() {
    let program = recorded("--no-baselines");
    program.write("day.yaml", program.out("library show twelve-period-day"));
    program.write("unmoved.yaml", UNMOVED);
    program.write("none.json", "{}");
    program.out("experiment run unmoved.yaml --db x.duckdb --run-id still --quiet --no-baselines");
    let all = program.out("experiment results --db x.duckdb");
    let head: Vec<&str> =
        all.lines().next().expect("a head").split("  ").map(str::trim).filter(|it| !it.is_empty()).collect();
    let columns = [
        "Run ID",
        "Experiment",
        "Type",
        "Status",
        "Final Cost",
        "Best Cost",
        "Iterations",
        "Converged",
        "Started",
    ];
    assert_eq!(head, columns);
    assert!(all.lines().nth(2).is_some_and(|line| line.starts_with("still ")), "newest first\n{all}");
    assert!(all.ends_with("Showing 2 run(s)\n"), "{all}");
    for (filter, runs) in [
        ("--experiment two-period", vec!["game"]),
        ("-e unmoved -t generic", vec!["still"]),
        ("--type sweep", vec![]),
        ("-n 1", vec!["still"]),
        ("--limit 0", vec!["still", "game"]),
    ] {
        let lines = program.out(&format!("experiment results --db x.duckdb --json {filter}"));
        let listed: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let ids: Vec<&str> = listed.iter().filter_map(|row| row["run_id"].as_str()).collect();
        assert_eq!(ids, runs, "{filter}");
    }
}

#[test]
fn a_dry_run_looks_at_the_database_and_writes_nothing() {
    let program = recorded("--no-baselines");
    let dry = "experiment run library:two-period --dry-run";
    let said = program.run(&format!("{dry} --db x.duckdb --run-id game"));
    assert_eq!((said.status, said.err.contains("`game`")), (1, true), "{}", said.err);
    program.write("text.duckdb", "this is no database");
    assert_eq!(program.run(&format!("{dry} --db text.duckdb")).status, 1);
    let with = program.out(&format!("{dry} --db new/y.duckdb"));
    // 12 evaluations, 11 rounds in which 200 candidates and a comparison of two runs are made for each of
    // two banks, 22 baselines.
    assert!(with.contains("at most 4478 simulations, 8956 ticks"), "{with}");
    let without = program.json(&format!("{dry} --no-baselines --json"));
    assert_eq!((&without["simulations_at_most"], &without["ticks_at_most"]), (&json!(4456), &json!(8912)));
    assert_eq!((&without["experiment"]["master_seed"], &without["database"]), (&json!(42), &Value::Null));
    assert!(!program.has("new"));
}

#[test]
fn a_live_run_names_overrides_and_simulations() {
    let program = Program::new();
    let live = program
        .out("experiment run library:two-period --run-id game --seed 7 --no-baselines --verbose-metrics");
    for words in [
        "Override: master seed 7",
        "Proposer: search",
        "simulation game-sim-001-eval",
        "tokens: 0 prompt, 0 completion",
    ] {
        assert!(live.contains(words), "`{words}` is missing in\n{live}");
    }
    let quiet = program.run("experiment run library:two-period --quiet");
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
}

/// The first bank of the twelve-period day, with four samples, judged twice.
const JUDGED: &str = "name: judged
scenario: day.yaml
evaluation: {mode: bootstrap, ticks: 12, num_samples: 4}
convergence: {max_iterations: 3}
policy_constraints: {}
optimized_agents: [BANK_A]
proposer: script:p.json
";

/// What DuckDB by itself reads of a file, as JSON.
fn rows_of(file: &std::path::Path, what: &str) -> Vec<Value> {
    let query = format!("SELECT to_json({what})::VARCHAR FROM '{}' AS it", file.display());
    let connection = duckdb::Connection::open_in_memory().expect("a database");
    let mut statement = connection.prepare(&query).expect("a file that DuckDB reads");
    let texts = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    texts.map(|text| serde_json::from_str(&text.expect("a row")).expect("JSON")).collect()
}

#[test]
fn a_run_is_exported_with_everything_that_it_recorded() {
    let program = Program::new();
    program.write("day.yaml", program.out("library show twelve-period-day"));
    program.write("judged.yaml", JUDGED);
    program.write("p.json", PROPOSALS);
    program.out("experiment run judged.yaml --db x.duckdb --run-id game --quiet --no-baselines");
    program.out("experiment run judged.yaml --db x.duckdb --run-id other --quiet --no-baselines");
    let count = |query: &str| program.sql("x.duckdb", query)[0]["n"].as_u64().expect("a number") as usize;
    let rows = [
        ("iterations", count("SELECT count(*) AS n FROM experiment_iterations WHERE run_id = 'game'")),
        ("evaluations", 2),
        ("samples", 2 * 4),
        ("simulations", count("SELECT count(*) AS n FROM simulations WHERE experiment_run_id = 'game'")),
        (
            "events",
            count(
                "SELECT count(*) AS n FROM simulation_events JOIN simulations USING (simulation_id) WHERE experiment_run_id = 'game'",
            ),
        ),
    ];
    for form in ["csv", "jsonl", "parquet"] {
        let said = program
            .run(&format!("experiment export game --db x.duckdb --format {form} --output {form} --events"));
        assert_eq!((said.status, said.out.as_str()), (0, ""), "{}", said.err);
        for (what, number) in rows {
            let file = program.path(&format!("{form}/{what}.{form}"));
            let counted = rows_of(&file, "count(*)");
            assert_eq!(counted, [json!(number)], "{what} as {form}");
            assert!(number > 0, "{what}");
        }
    }
    for row in &rows_of(&program.path("parquet/samples.parquet"), "it") {
        let cost = |key: &str| row[key].as_i64().expect("cents");
        assert_eq!(cost("delta"), cost("old_cost") - cost("new_cost"), "{row}");
        assert_eq!((&row["run_id"], &row["agent_id"]), (&json!("game"), &json!("BANK_A")));
    }
    program.out("experiment export game --db x.duckdb --output plain");
    assert!(program.has("plain/samples.csv") && !program.has("plain/events.csv"));
    assert_eq!(program.run("experiment export gane --db x.duckdb --output no").status, 1);
    assert!(!program.has("no"), "nothing is made for a run that is not there");
}
