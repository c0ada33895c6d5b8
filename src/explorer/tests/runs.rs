//! A made-up run of an experiment.

use crate::explorer::rows::{
    BankInIteration, Exchange, IterationRow, Judgement, PolicyLine, PolicyOf, PolicyText, Role, RunDetail,
    RunRow, Status, Verdict,
};
use crate::money::Cents;

pub fn run_row() -> RunRow {
    RunRow {
        id: "two-period-game-20261101-101530-0a1b2c".into(),
        name: "two-period-game".into(),
        mode: "deterministic-pairwise".into(),
        proposer: "search".into(),
        status: Status::Completed,
        iterations: 3,
        max_iterations: Some(25),
        first_cost: Some(Cents(2_500_000)),
        best_cost: Some(Cents(1_200_000)),
        reduction: Some(0.52),
        settlement_rate: Some(0.985),
        simulations: 16,
        events: 412,
        started: "2026-11-01 10:15:30".into(),
        ended: Some("2026-11-01 10:15:31".into()),
        seconds: Some(1.0),
    }
}

fn verdict(judgement: Judgement) -> Verdict {
    let reason = match judgement {
        Judgement::Accepted => "accepted: delta_sum = 3000000; settlement rate 98.50%",
        Judgement::Rejected => "settlement rate 93.00% is below the floor of 95.00%",
        Judgement::Unusable => "`payment_tree.action` is `Relase`; did you mean `Release`?",
        Judgement::Declined => "the proposer found nothing better",
    };
    if matches!(judgement, Judgement::Unusable | Judgement::Declined) {
        return Verdict::uncompared(judgement, reason);
    }
    Verdict {
        old_cost: Some(Cents(1_000_000)),
        new_cost: Some(Cents(900_000)),
        delta_sum: Some(Cents(3_000_000)),
        samples: 30,
        interval: Some((Cents(50_000), Cents(150_000))),
        deviation: Some(Cents(12_345)),
        settlement_rate: Some(if judgement == Judgement::Accepted { 0.985 } else { 0.93 }),
        kinds: vec![("delay_cost".into(), Cents(600_000)), ("liquidity_cost".into(), Cents(300_000))],
        ..Verdict::uncompared(judgement, reason)
    }
}

fn bank(name: &str, iteration: u64, cost: i64, judgement: Option<Judgement>) -> BankInIteration {
    let fraction = 0.5 - iteration as f64 / 10.0;
    let change = format!("Changed: parameters.initial_liquidity_fraction ({} -> {fraction})", fraction + 0.1);
    BankInIteration {
        bank: name.into(),
        cost: Cents(cost),
        fraction: Some(fraction),
        parameters: vec![("initial_liquidity_fraction".into(), fraction), ("urgency".into(), 0.3)],
        changes: if iteration == 0 { Vec::new() } else { vec![change] },
        taken_back: (iteration == 2 && name == "BANK_A").then(|| "it releases more than it has".into()),
        verdict: judgement.map(verdict),
        calls: u64::from(judgement.is_some()),
        tokens: if judgement.is_some() { 2345 } else { 0 },
        seconds: if judgement.is_some() { 3.25 } else { 0.0 },
    }
}

/// Three iterations in which every judgement occurs.
pub fn detail() -> RunDetail {
    let iteration = |number: u64, total: i64, judgements: [Option<Judgement>; 2]| IterationRow {
        iteration: number,
        total: Cents(total),
        banks: vec![
            bank("BANK_A", number, total / 3, judgements[0]),
            bank("BANK_B", number, total - total / 3, judgements[1]),
        ],
        settlement_rate: Some(1.0),
        average_delay: Some(1.25),
    };
    RunDetail {
        run: run_row(),
        iterations: vec![
            iteration(0, 2_500_000, [Some(Judgement::Accepted), Some(Judgement::Accepted)]),
            iteration(1, 1_900_000, [Some(Judgement::Rejected), Some(Judgement::Unusable)]),
            iteration(2, 1_200_000, [Some(Judgement::Declined), None]),
        ],
        reason: Some("Stable for 5 iterations".into()),
    }
}

/// Two calls for one bank, the first of them unusable, and one for the other.
pub fn conversation() -> Vec<Exchange> {
    let exchange = |bank: &str, call, reply: Option<&str>, error: Option<&str>| Exchange {
        bank: bank.into(),
        call,
        model: "openai:gpt-5".into(),
        system_prompt: "You are the treasury of a bank in a settlement system.\nAnswer with a policy.".into(),
        user_prompt: "Your cost in the last iteration was 6,333.33.".into(),
        reply: reply.map(str::to_owned),
        error: error.map(str::to_owned),
        prompt_tokens: 1800,
        completion_tokens: 545,
        seconds: 3.25,
    };
    vec![
        exchange("BANK_A", 1, Some("I would rather not."), Some("the reply holds no JSON object")),
        exchange("BANK_A", 2, Some(r#"{"version":"2.0","policy_id":"a"}"#), None),
        exchange("BANK_B", 1, None, None),
    ]
}

/// A policy; that of iteration 2 waits longer than those before.
pub fn policy(of: &PolicyOf) -> PolicyText {
    let threshold = match of {
        PolicyOf::Evaluated { iteration: 2, .. } | PolicyOf::Proposed { .. } => 5,
        _ => 3,
    };
    let line = |text: &str, role| PolicyLine { text: text.into(), role };
    PolicyText {
        trees: vec![
            line("parameters", Role::Heading),
            line(&format!("  urgency_threshold = {threshold}"), Role::Plain),
            line("", Role::Plain),
            line("payment_tree", Role::Heading),
            line("ticks to deadline ≤ [urgency_threshold]?", Role::Plain),
            line("  close to its deadline a payment goes out whatever it costs", Role::Note),
            line("├─ yes: release", Role::Decision),
            line("└─ no: hold (NearDeadline)", Role::Decision),
        ],
        english: vec![
            line("Policy urgent (version 2.0)", Role::Heading),
            line(&format!("  urgency_threshold = {threshold}"), Role::Plain),
            line("  if ticks to deadline ≤ [urgency_threshold]: release", Role::Plain),
            line("  otherwise hold (NearDeadline)", Role::Plain),
        ],
        json: vec![line("{", Role::Plain), line("}", Role::Plain)],
        banks: vec!["BANK_A".into(), "BANK_B".into()],
    }
}
