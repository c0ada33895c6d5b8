//! Language models as proposers (spec 07, 10 and 21): the real program against a server of the test.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::model_server::{Does, ModelServer, pieces};
use crate::support::program::{Program, Said, said};

const KEY: &str = "sk-a-key-of-the-test";

/// One bank of the two-period day, two iterations: one round of at most three calls.
fn experiment(settings: &str) -> String {
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/scenarios/two-period-day.yaml");
    format!(
        "name: asked\nscenario: {scenario}\nevaluation: {{mode: deterministic-pairwise, ticks: 2}}\n\
         convergence: {{max_iterations: 2}}\noptimized_agents: [BANK_B]\n{settings}\n\
         policy_constraints:\n  allowed_parameters:\n    - {{name: initial_liquidity_fraction, \
         param_type: float, min_value: 0, max_value: 1}}\n  allowed_fields: [balance]\n  \
         allowed_actions: {{payment_tree: [Release]}}\n\
         prompt_customization: {{all: For everybody., BANK_B: For this bank only.}}\n"
    )
}

fn policy(fraction: f64) -> String {
    json!({
        "version": "2.0", "policy_id": "asked_for",
        "parameters": {"initial_liquidity_fraction": fraction},
        "payment_tree": {"type": "action", "node_id": "release", "action": "Release"},
    })
    .to_string()
}

struct Asked {
    said: Said,
    program: Program,
    server: ModelServer,
}

/// Runs the experiment against a server that does these things.
fn ask(turns: Vec<Does>, timeout: &str) -> Asked {
    let (program, server) = (Program::new(), ModelServer::start(turns));
    let llm = format!("llm: {{model: 'openai:stub', temperature: 0.25, timeout_seconds: {timeout}}}");
    program.write("asked.yaml", experiment(&llm));
    let mut command = program.command();
    command.args("experiment run asked.yaml --db runs.db --run-id asked --proposer llm -v".split(' '));
    command.env("OPENAI_BASE_URL", &server.address).env("OPENAI_API_KEY", KEY).env("NO_PROXY", "*");
    let said = said(command.output().expect("the program starts"));
    assert_eq!(said.status, 0, "{}", said.err);
    no_key_below(program.folder.path());
    Asked { said, program, server }
}

/// No file has the key in it, the log neither, whatever the server answers.
fn no_key_below(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            no_key_below(&path);
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            let found = bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes());
            assert!(!found, "{} has the key", path.display());
        }
    }
}

impl Asked {
    /// The stored calls in their order.
    fn calls(&self) -> Vec<Value> {
        self.events("llm_interaction")
    }

    fn events(&self, kind: &str) -> Vec<Value> {
        let query =
            format!("SELECT event_data FROM experiment_events WHERE event_type = '{kind}' ORDER BY id");
        let rows = self.program.sql("runs.db", &query);
        rows.iter()
            .map(|row| match &row["event_data"] {
                Value::String(text) => serde_json::from_str(text).expect("JSON"),
                data => data.clone(),
            })
            .collect()
    }
}

#[test]
fn a_valid_reply_is_used_and_the_whole_exchange_is_kept() {
    let asked = ask(vec![Does::say(&policy(0.2))], "20");
    let calls = asked.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    let call = &calls[0];
    assert_eq!(call["raw_response"], policy(0.2));
    assert_eq!(call["parsed_policy"]["parameters"]["initial_liquidity_fraction"], 0.2);
    assert_eq!((&call["prompt_tokens"], &call["completion_tokens"]), (&json!(110), &json!(7)));
    assert_eq!(call["model"], "openai:stub");
    assert!(call["latency_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert_eq!(asked.events("policy_change").len(), 1);
    assert_eq!(asked.events("llm_stats")[0]["total_prompt_tokens"], 110);
    assert_eq!(asked.events("experiment_summary")[0]["total_tokens"], 117);
    let question = &asked.server.asked()[0];
    assert_eq!((&question["model"], &question["temperature"]), (&json!("stub"), &json!(0.25)));
    assert_eq!(question["messages"][0]["content"], call["system_prompt"]);
    assert_eq!(question["messages"][1]["content"], call["user_prompt"]);
    // The reply is shown as it comes in, in pieces on standard error or the output of the live view.
    assert!(asked.said.out.contains("a policy"), "{}", asked.said.out);
}

#[test]
fn what_is_told_is_the_agents_own_and_the_same_in_every_call() {
    let asked = ask(vec![Does::say("no policy"), Does::say(&policy(0.2))], "20");
    let calls = asked.calls();
    assert_eq!(calls.len(), 2);
    let (system, user) =
        (calls[0]["system_prompt"].as_str().unwrap(), calls[0]["user_prompt"].as_str().unwrap());
    for text in ["For everybody.\n\nFor this bank only.", "initial_liquidity_fraction", "`balance`", "95.00%"]
    {
        assert!(system.contains(text), "{text}");
    }
    assert!(
        !system.contains("`queue_age`") && !system.contains("`Hold`") && !system.contains("{{"),
        "{system}"
    );
    for text in ["# BANK_B, iteration 1", "\"initial_liquidity_fraction\": 0.5", "Tick 0", "| high |"] {
        assert!(user.contains(text), "{text}: {user}");
    }
    assert!(!user.contains("BANK_A_default") && !user.contains("{{"), "{user}");
    assert_eq!(calls[1]["system_prompt"], calls[0]["system_prompt"]);
    let second = calls[1]["user_prompt"].as_str().unwrap();
    assert!(second.contains("## The last attempt was invalid\n\nFailed to parse policy JSON:"), "{second}");
}

#[test]
fn replies_that_break_the_rules_are_refused_with_the_reason() {
    let turns = vec![
        Does::say(&policy(1.5)),
        Does::say(&policy(0.2).replace("Release", "Hold")),
        Does::say(&format!("```json\n{}\n```", policy(0.2))),
    ];
    let asked = ask(turns, "20");
    let reasons: Vec<Value> = asked.calls().iter().map(|call| call["parsing_error"].clone()).collect();
    let first = "parameter 'initial_liquidity_fraction' = 1.5 is above the maximum 1; \
                 initial_liquidity_fraction must be between 0 and 1";
    assert_eq!(reasons, [json!(first), json!("action 'Hold' is not allowed in payment_tree"), Value::Null]);
    assert_eq!(asked.events("llm_stats")[0]["failed_calls"], 2);
}

#[test]
fn slow_failing_limited_and_broken_servers_are_failed_calls_and_the_run_goes_on() {
    let half = policy(0.2)[..40].to_owned();
    for (does, reason, raw) in [
        (Does::Sleep(Duration::from_secs(5)), "no reply within 0.5 seconds", Value::Null),
        (Does::Refuse(500, "x: y", "out of order"), "the provider answers 500: out of order", Value::Null),
        (
            Does::Refuse(401, "x: y", "bad key sk-a-key-of-the-test"),
            "the provider answers 401: bad key ***",
            Value::Null,
        ),
        (Does::HangUp(pieces(&half)), "the reply was cut off", json!(half)),
        (Does::RunOut(pieces(&half)), "the reply was cut off: it ran into the limit of tokens", json!(half)),
        (Does::Say(Vec::new()), "the reply was cut off: it is empty", Value::Null),
        (Does::HangUp(vec!["\u{0}".into()]), "the reply was cut off", json!("\u{0}")),
    ] {
        let asked = ask(vec![does, Does::say(&policy(0.2))], "0.5");
        let calls = asked.calls();
        let found = calls[0]["parsing_error"].as_str().unwrap_or_default();
        assert!(found.starts_with(reason), "{reason}: {found}");
        assert_eq!(calls[0]["raw_response"], raw, "{reason}");
        assert_eq!((calls.len(), &calls[1]["parsing_error"]), (2, &Value::Null), "{reason}");
        assert!(!asked.said.out.contains(KEY) && !asked.said.err.contains(KEY));
    }
}

#[test]
fn a_provider_that_is_overloaded_is_left_alone_for_as_long_as_it_asks() {
    let limited = Does::Refuse(429, "retry-after: 1", "slow down");
    let started = std::time::Instant::now();
    let asked = ask(vec![limited, Does::say(&policy(0.2))], "20");
    assert!(started.elapsed() >= Duration::from_secs(1));
    let calls = asked.calls();
    assert_eq!(calls[0]["parsing_error"], "the provider answers 429: slow down");
    assert_eq!(calls[1]["parsing_error"], Value::Null);
}

#[test]
fn after_the_last_call_the_policy_stays() {
    let asked = ask(vec![Does::say("nothing")], "20");
    assert_eq!(asked.calls().len(), 3);
    assert!(asked.events("policy_change").is_empty());
    let row = &asked.program.sql("runs.db", "SELECT status FROM experiments")[0];
    assert_eq!(row["status"], "completed");
}

#[test]
fn a_model_that_cannot_be_asked_is_an_error_before_anything_runs() {
    let program = Program::new();
    program.write("asked.yaml", experiment(""));
    for (options, wanted) in [
        ("--proposer openai:gpt", "the environment has no OPENAI_API_KEY"),
        ("--model anthropic:claude", "the environment has no ANTHROPIC_API_KEY"),
        ("--proposer google:gemini", "the environment has no GOOGLE_API_KEY"),
        ("--proposer opnai:gpt", "did you mean `openai`?"),
        ("--proposer llm", "`llm` needs a model"),
        ("--model gpt", "is not written `provider:name`"),
        ("--proposer openai:gpt --reasoning-effort high", "OPENAI_API_KEY"),
    ] {
        let said = program.run(&format!("experiment run asked.yaml --db runs.db {options}"));
        assert_eq!(said.status, 1, "{options}: {}", said.err);
        assert!(said.err.contains(wanted), "{options}: {}", said.err);
        assert!(!program.has("runs.db"), "{options}");
    }
}

#[test]
fn a_model_of_the_file_without_a_key_leaves_it_to_the_search() {
    let program = Program::new();
    program.write("asked.yaml", experiment("llm: {model: 'openai:gpt'}"));
    let said = program.run("experiment run asked.yaml --json");
    assert_eq!(said.status, 0, "{}", said.err);
    assert!(said.err.contains("the built-in search proposes instead"), "{}", said.err);
}
