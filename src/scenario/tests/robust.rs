use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

const SCENARIO: &str = "simulation: {ticks_per_day: 10, num_days: 2, rng_seed: 42}
agents:
  - id: A
    opening_balance: 1000
    unsecured_cap: 5
    policy: {type: Deadline, urgency_threshold: 3}
    liquidity_pool: 100
    liquidity_allocation_fraction: 0.5
    limits: {bilateral_limits: {B: 10}, multilateral_limit: 20}
    arrival_config: {rate_per_tick: 0.5, amount_distribution: {type: Uniform, min: 1, max: 9}, \
    counterparty_weights: {B: 1}, deadline_range: [1, 5]}
  - id: B
    opening_balance: 2000
    policy: {type: Inline, decision_trees: {version: \"1\", policy_id: p, payment_tree: {type: action, \
    node_id: r, action: Release}}}
cost_rates: {deadline_penalty: {mode: rate, bps_per_event: 3}}
scenario_events:
  - {type: DirectTransfer, from_agent: A, to_agent: B, amount: 1, schedule: {type: Repeating, \
  start_tick: 3, interval: 4}}
payments_file: {rows: [[0, A, B, 5, 0, 1]]}
";

fn parts() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "0",
        "-1",
        "9223372036854775807",
        "18446744073709551616",
        "1e308",
        ".nan",
        ".inf",
        "-.inf",
        "null",
        "true",
        "[]",
        "{}",
        "A",
        "B",
        "\"",
        ":",
        "\n",
        "- ",
        "  ",
        "*a",
        "&a ",
        "<<: ",
        "!!str ",
        "Inline",
        "#",
        "]",
        "}",
        ",",
        "type",
        "Fifo",
        "\u{0}",
        "é",
        "9223372036854775806",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_mutated_scenario_is_accepted_or_refused_but_never_panics(
        edits in prop::collection::vec((any::<Index>(), 0_usize..30, parts()), 1..4)
    ) {
        let mut text: Vec<char> = SCENARIO.chars().collect();
        for (at, length, part) in edits {
            let start = at.index(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, part.chars());
        }
        let text: String = text.into_iter().collect();
        let (file, findings) = read_text(&text);
        prop_assert_eq!(file.is_none(), findings.has_errors());
        if let Some(file) = file {
            prop_assert!(file.resolve().is_ok());
            assert_reads_back(&file);
        }
    }

    #[test]
    fn any_value_anywhere_is_accepted_or_refused_but_never_panics(word in any::<Index>(), part in parts()) {
        let words: Vec<&str> = SCENARIO.split_inclusive([' ', '\n', ',', '{', '}', '[', ']']).collect();
        let at = word.index(words.len());
        let text: String = words.iter().enumerate().map(|(index, word)| {
            let last = word.chars().last().unwrap_or(' ');
            if index == at { format!("{part}{last}") } else { (*word).to_owned() }
        }).collect();
        let (file, _) = read_text(&text);
        if let Some(file) = file {
            prop_assert!(file.resolve().is_ok());
            assert_reads_back(&file);
        }
    }

    #[test]
    fn any_payments_file_is_accepted_or_refused_but_never_panics(
        csv in "(?s)[tickamounsderv,;\"\n0-9:.AB -]{0,120}"
    ) {
        let shelf = Shelf([("p.csv", format!("tick,sender,receiver,amount,deadline\n{csv}"))].into());
        let text = two_banks("", "payments_file: p.csv");
        let _ = read(&text, Format::Yaml, &Overrides::default(), &shelf);
        let shelf = Shelf([("p.csv", csv)].into());
        let _ = read(&text, Format::Yaml, &Overrides::default(), &shelf);
    }
}
