//! A run that asks a language model is stopped and goes on: what was said is not asked for again, and what
//! follows is asked as if nothing had happened (spec 07, 18 and 21).

use std::process::Child;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::model_server::{Does, ModelServer};
use crate::support::program::{Program, Said, said, send, wait_for};
use crate::support::runs::{rows, same};

/// Both banks of the two-period day, three rounds.
fn experiment(evaluation: &str) -> String {
    format!(
        "name: asked\nscenario: library:two-period-day\nevaluation: {{ticks: 2, {evaluation}}}\n\
         convergence: {{max_iterations: 4, stability_window: 9}}\n\
         optimized_agents: [BANK_A, BANK_B]\nllm: {{model: 'openai:stub', timeout_seconds: 60}}\n\
         proposer: llm\npersist_simulations: all\n\
         policy_constraints: {{allowed_parameters: [{{name: initial_liquidity_fraction, \
         param_type: float, min_value: 0, max_value: 1}}]}}\n"
    )
}

/// What the model says in turn: policies better and worse than the one in force, some that are refused,
/// and no policy at all.
fn replies() -> Vec<Does> {
    let policy = |fraction: f64| {
        let policy = json!({
            "version": "2.0", "policy_id": format!("asked_for_{fraction}"),
            "parameters": {"initial_liquidity_fraction": fraction},
            "payment_tree": {"type": "action", "node_id": "release", "action": "Release"},
        });
        Does::say(&policy.to_string())
    };
    vec![
        policy(0.3),
        Does::say("Let me think."),
        policy(1.5),
        policy(0.35),
        policy(0.6),
        policy(0.25),
        Does::Refuse(500, "x: y", "out of order"),
        policy(0.05),
        policy(0.2),
    ]
}

struct Talk {
    program: Program,
    server: ModelServer,
}

impl Talk {
    fn new(evaluation: &str, turns: Vec<Does>) -> Self {
        let (program, server) = (Program::new(), ModelServer::start(turns));
        program.write("asked.yaml", experiment(evaluation));
        Self { program, server }
    }

    fn start(&self, command: &str) -> Child {
        let mut program = self.program.command();
        program.args(command.split(' ')).args(["--db", "runs.db", "--quiet"]);
        program.env("OPENAI_BASE_URL", &self.server.address).env("NO_PROXY", "*");
        program.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        program.spawn().expect("the program starts")
    }

    fn run(&self) -> Child {
        self.start("experiment run asked.yaml --run-id asked")
    }

    /// Stops the run when the model is asked for the last time of its turns.
    fn stop_at(&self, question: usize, signal: Signal) {
        let child = self.run();
        wait_for(&format!("question {question}"), || self.server.asked().len() >= question);
        send(child.id(), signal);
        ended(child);
    }

    /// Every row but times, how long an answer took among them.
    fn rows(&self) -> Vec<String> {
        rows(&self.program, "runs.db", "asked").iter().map(|row| without_latency(row)).collect()
    }
}

fn ended(child: Child) -> Said {
    said(child.wait_with_output().expect("an end"))
}

fn without_latency(row: &str) -> String {
    let Some((before, after)) = row.split_once("latency_seconds") else { return row.to_owned() };
    let end = after.find([',', '}']).expect("a value ends");
    format!("{before}{}", &after[end..])
}

/// What the model is told by a question.
fn prompt(question: &Value) -> &str {
    question["messages"][1]["content"].as_str().expect("a text")
}

#[test]
fn a_run_that_was_stopped_while_a_model_was_asked_ends_as_if_it_had_not_been() {
    for (evaluation, stops) in [
        ("mode: deterministic-pairwise", &[(0, Signal::KILL), (2, Signal::INT), (7, Signal::KILL)][..]),
        ("mode: deterministic-temporal", &[(5, Signal::INT)]),
        ("mode: bootstrap, num_samples: 4, acceptance: {min_settlement_rate: 0}", &[(6, Signal::KILL)]),
    ] {
        let whole = Talk::new(evaluation, replies());
        let said = ended(whole.run());
        assert_eq!(said.status, 0, "{evaluation}: {}", said.err);
        let (rows, asked) = (whole.rows(), whole.server.asked());
        assert!(asked.len() >= replies().len(), "{evaluation}: every reply was given, {}", asked.len());
        for &(stop, signal) in stops {
            let what = format!("{evaluation}, stopped at question {stop}");
            let mut turns = replies();
            turns.insert(stop, Does::Sleep(Duration::from_secs(60)));
            let stopped = Talk::new(evaluation, turns);
            stopped.stop_at(stop + 1, signal);
            let said = ended(stopped.start("experiment resume asked"));
            assert_eq!(said.status, 0, "{what}: {}", said.err);
            same(&rows, &stopped.rows(), &what);
            // What was answered was not asked for again, and what was asked is the same.
            let questions = stopped.server.asked();
            assert_eq!(questions.len(), asked.len() + 1, "{what}");
            assert_eq!(questions[stop + 1..], asked[stop..], "{what}");
        }
    }
}

#[test]
fn what_was_said_before_stands_in_the_questions_after_going_on() {
    let mut turns = replies();
    turns.insert(2, Does::Sleep(Duration::from_secs(60)));
    let talk = Talk::new("mode: deterministic-pairwise", turns);
    talk.stop_at(3, Signal::KILL);
    assert_eq!(ended(talk.start("experiment resume asked")).status, 0);
    let asked = talk.server.asked();
    // The reason for which the last answer before was refused.
    assert!(prompt(&asked[3]).contains("## The last attempt was invalid\n\nFailed to parse policy JSON:"));
    // In the next round, the policy and the cost of the bank's proposal before.
    let second = asked.iter().map(prompt).find(|text| text.contains("# BANK_A, iteration 2"));
    let second = second.expect("a second round");
    assert!(
        second.contains("\"policy_id\":\"asked_for_0.3\"") || second.contains("asked_for_0.3"),
        "{second}"
    );
    assert!(second.contains("0.5 -> 0.3"), "{second}");
}

#[test]
fn a_run_of_a_model_does_not_go_on_without_the_model() {
    let mut turns = replies();
    turns.insert(1, Does::Sleep(Duration::from_secs(60)));
    let talk = Talk::new("mode: deterministic-pairwise", turns);
    talk.stop_at(2, Signal::INT);
    let before = talk.rows();
    let refused = talk.program.run("experiment resume asked --db runs.db");
    assert_eq!(refused.status, 1, "{}", refused.err);
    assert!(refused.err.contains("error: ") && refused.err.contains("OPENAI_API_KEY"), "{}", refused.err);
    same(&before, &talk.rows(), "nothing changed");
}
