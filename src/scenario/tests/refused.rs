use super::*;

/// Bank A with something wrong, and what the message must hold.
fn bank(of_bank_a: &str, expected: &str) {
    check(&two_banks(of_bank_a, ""), expected);
}

fn root(at_root: &str, expected: &str) {
    check(&two_banks("", at_root), expected);
}

fn check(text: &str, expected: &str) {
    let error = error_of(text);
    assert!(error.contains(expected), "`{error}` does not say `{expected}`");
    assert!(error.contains("(line ") || error.contains("empty"), "no place: {error}");
}

#[test]
fn the_document_itself() {
    for (text, expected) in [
        ("", "empty configuration"),
        ("[]", "must be a mapping"),
        ("just text", "must be a mapping"),
        ("a: 1\n---\nb: 2", "second document"),
        ("a: [", "not valid YAML"),
    ] {
        check(text, expected);
    }
    let missing = read_text("simulation: {ticks_per_day: 1, num_days: 1, rng_seed: 1}").1;
    assert_eq!(missing.0[0].message, "`agents` is missing");
}

#[test]
fn simulation() {
    let with = |section: &str, expected: &str| {
        check(&format!("simulation: {section}\nagents: [{{id: A, opening_balance: 1}}]"), expected);
    };
    with("{ticks_per_day: 0, num_days: 1, rng_seed: 1}", "simulation.ticks_per_day");
    with("{ticks_per_day: 1, num_days: 0, rng_seed: 1}", "simulation.num_days");
    with("{ticks_per_day: 1.0, num_days: 1, rng_seed: 1}", "found the float `1.0`");
    with("{ticks_per_day: 1, num_days: 1, rng_seed: -3}", "simulation.rng_seed");
    with("{ticks_per_day: 1, num_days: 1, rng_seed: 18446744073709551616}", "simulation.rng_seed");
    with(
        "{ticks_per_day: 1, num_days: 1, rng_seed: 9999999999999999999999999999999999999999999}",
        "out of range",
    );
    with("{ticks_per_day: 4294967296, num_days: 4294967296, rng_seed: 1}", "times `num_days`");
    with("{ticks_per_day: 1, num_days: 1}", "`rng_seed` is missing");
    with("[]", "expected a mapping");
    with("~", "found null");
}

#[test]
fn banks() {
    check("simulation: {ticks_per_day: 1, num_days: 1, rng_seed: 1}\nagents: []", "at least one bank");
    for (id, expected) in [
        ("007", "found the integer `7`"),
        ("1e5", "expected text"),
        ("true", "expected text"),
        ("null", "expected text"),
        ("\"\"", "empty or blank"),
        ("\"  \"", "empty or blank"),
        ("B", "`B` is given twice"),
    ] {
        check(&two_banks("", "").replace("id: A", &format!("id: {id}")), expected);
    }
    check(&two_banks("", "").replace("    opening_balance: 1000\n", ""), "`opening_balance` is missing");
    check(&two_banks("", "").replace("1000", "1_000"), "found text `1_000`");
    check(&two_banks("", "").replace("1000", "4.0"), "agents[0].opening_balance");
    check(&two_banks("", "").replace("1000", "9223372036854775808"), "signed 64-bit");
    bank("unsecured_cap: -1", "agents[0].unsecured_cap");
    bank("unsecured_cap: ~", "found null");
    bank("max_collateral_capacity: -1", "agents[0].max_collateral_capacity");
    bank("liquidity_pool: -1", "agents[0].liquidity_pool");
    bank("liquidity_allocation_fraction: 1.01", "0 to 1");
    bank("liquidity_allocation_fraction: .nan", "0 to 1");
    bank("collateral_haircut: -0.1", "0 to 1");
    bank("posted_collateral: 1", "above its collateral capacity 0");
    bank("unsecured_cap: 50\nposted_collateral: 501", "above its collateral capacity 500");
    bank("limits: {bilateral_limits: {B: -1}}", "bilateral_limits.B");
    bank("limits: {bilateral_limits: {BB: 1}}", "no bank `BB`, did you mean `B`?");
    bank("limits: {multilateral_limit: 1.5}", "expected an integer");
    bank("limits: []", "expected a mapping");
    check(
        &two_banks("liquidity_pool: 9223372036854775807", "").replace("1000", "9223372036854775807"),
        "starting balance",
    );
}

fn arrivals(rate: &str, amounts: &str, rest: &str) -> String {
    format!("arrival_config: {{rate_per_tick: {rate}, amount_distribution: {amounts}, {rest}}}")
}

#[test]
fn arrival_configs() {
    let uniform = "{type: Uniform, min: 1, max: 2}";
    let rest = "counterparty_weights: {B: 1}, deadline_range: [1, 2]";
    assert!(read_text(&two_banks(&arrivals("0", uniform, rest), "")).0.is_some());
    bank(&arrivals("-0.1", uniform, rest), "rate_per_tick");
    bank(&arrivals(".nan", uniform, rest), "rate_per_tick");
    bank(&arrivals("\"1\"", uniform, rest), "expected a number");
    for (weights, expected) in [
        ("{}", "more than 0"),
        ("{B: 0}", "more than 0"),
        ("{B: -1, A: 3}", "counterparty_weights.B"),
        ("{NINE: 1}", "no bank `NINE`"),
        ("[B]", "expected a mapping"),
        ("~", "found null"),
    ] {
        bank(&arrivals("1", uniform, &rest.replace("{B: 1}", weights)), expected);
    }
    for (range, expected) in [
        ("[0, 2]", "deadline_range[0]"),
        ("[3, 2]", "below the smallest"),
        ("[1]", "two integers"),
        ("[1, 2, 3]", "two integers"),
        ("[1, 2.0]", "expected an integer"),
        ("5", "expected a list"),
    ] {
        bank(&arrivals("1", uniform, &rest.replace("[1, 2]", range)), expected);
    }
    for (more, expected) in [
        ("priority: 11", "0 to 10"),
        ("priority: ~", "found null"),
        ("divisible: 1", "`true` or `false`"),
        ("divisible: yes", "found text `yes`"),
        ("priority_distribution: {}", "`type` is missing"),
        ("priority_distribution: {type: Fixed}", "`value` is missing"),
        ("priority_distribution: {type: fixed, value: 1}", "did you mean `Fixed`?"),
        ("priority_distribution: {type: Uniform, min: 5, max: 4}", "below `min`"),
        ("priority_distribution: {type: Categorical, values: [], weights: []}", "more than 0"),
        ("priority_distribution: {type: Categorical, values: [1], weights: [1, 2]}", "as many `weights`"),
        ("priority_distribution: {type: Categorical, values: [1, 1], weights: [-1, 1]}", "more than 0"),
        ("priority_distribution: {type: Categorical, values: [11], weights: [1]}", "values[0]"),
    ] {
        bank(&arrivals("1", uniform, &format!("{rest}, {more}")), expected);
    }
    let alone =
        "simulation: {ticks_per_day: 1, num_days: 1, rng_seed: 1}\nagents:\n- {id: B, opening_balance: 1, ";
    let config = arrivals("1", uniform, rest);
    check(&format!("{alone}{config}}}"), "no other bank");
    let both = format!(
        "{config}\narrival_bands: {{low: {{rate_per_tick: 1, amount_distribution: {uniform}, \
        deadline_offset_min: 1, deadline_offset_max: 1}}}}"
    );
    bank(&both, "exclude each other");
}

#[test]
fn amount_distributions() {
    let rest = "counterparty_weights: {B: 1}, deadline_range: [1, 2]";
    for (amounts, expected) in [
        ("{min: 1, max: 2}", "`type` is missing"),
        ("{type: ~, min: 1, max: 2}", "expected text, found null"),
        ("{type: uniform, min: 1, max: 2}", "did you mean `Uniform`?"),
        ("{type: Uniform, min: 2, max: 2}", "must be above `min`"),
        ("{type: Uniform, min: -1, max: 2}", "amount_distribution.min"),
        ("{type: Uniform, min: 1, max: 9223372036854775807}", "amount_distribution.max"),
        ("{type: Normal, mean: 1.5, std_dev: 1}", "expected an integer"),
        ("{type: Normal, mean: 1, std_dev: 0}", "amount_distribution.std_dev"),
        ("{type: LogNormal, mean: 1, std_dev: 0}", "more than 0"),
        ("{type: LogNormal, mean: .nan, std_dev: 1}", "amount_distribution.mean"),
        ("{type: Exponential, lambda: 0}", "more than 0"),
        ("5", "expected a mapping"),
    ] {
        bank(&arrivals("1", amounts, rest), expected);
    }
}

#[test]
fn arrival_bands() {
    let band = |band: &str, expected: &str| bank(&format!("arrival_bands: {band}"), expected);
    band("{}", "at least one of");
    band("{urgent: ~}", "at least one of");
    let low = "rate_per_tick: 1, amount_distribution: {type: Normal, mean: 1, std_dev: 1}";
    band(
        &format!("{{low: {{{low}, deadline_offset_min: 0, deadline_offset_max: 1}}}}"),
        "deadline_offset_min",
    );
    band(&format!("{{low: {{{low}, deadline_offset_min: 2, deadline_offset_max: 1}}}}"), "is below");
    band(
        &format!(
            "{{low: {{{low}, deadline_offset_min: 1, deadline_offset_max: 1, \
            counterparty_weights: {{B: -1}}}}}}"
        ),
        "counterparty_weights.B",
    );
}

#[test]
fn costs_and_mechanisms() {
    for (costs, expected) in [
        ("{delay_cost_per_tick_per_cent: true}", "expected a number, found `true`"),
        ("{delay_cost_per_tick_per_cent: -0.1}", "0 or more"),
        ("{overdraft_bps_per_tick: ~}", "found null"),
        ("{split_friction_cost: 1.0}", "expected an integer"),
        ("{split_friction_cost: -1}", "split_friction_cost"),
        ("{deadline_penalty: 500.0}", "expected an integer, or a mapping"),
        ("{deadline_penalty: -1}", "deadline_penalty"),
        ("{deadline_penalty: ~}", "found null"),
        ("{deadline_penalty: \"5\"}", "expected an integer, or a mapping"),
        ("{eod_penalty: {mode: fixed}}", "`amount` is missing"),
        ("{eod_penalty: {mode: rate, bps_per_event: .nan}}", "0 or more"),
        ("{eod_penalty: {mode: Fixed, amount: 1}}", "did you mean `fixed`?"),
        ("{eod_penalty: {amount: 1}}", "`mode` is missing"),
        ("{eod_penalty_per_transaction: {mode: fixed, amount: -1}}", "amount"),
        ("{priority_delay_multipliers: {low_multiplier: -1}}", "low_multiplier"),
        ("{priority_delay_multipliers: {low_multiplier: ~}}", "found null"),
    ] {
        root(&format!("cost_rates: {costs}"), expected);
    }
    for (lsm, expected) in [
        ("{max_cycle_length: 2}", "3 to 10"),
        ("{max_cycle_length: 11}", "3 to 10"),
        ("{max_cycles_per_tick: 0}", "1 to 100"),
        ("{enable_cycles: 1}", "write `true`"),
        ("{algorithm: cycle}", "did you mean `cycles`?"),
        ("~", "found null"),
    ] {
        let error = error_of(&two_banks("", &format!("lsm_config: {lsm}")));
        let hint = read_text(&two_banks("", &format!("lsm_config: {lsm}"))).1.0.remove(0).hint;
        assert!(error.contains(expected) || hint.is_some_and(|hint| hint.contains(expected)), "{error}");
    }
}

#[test]
fn settings() {
    root("queue1_ordering: FIFO", "did you mean `fifo`?");
    root("priority_mode: 1", "`true` or `false`");
    root("priority_mode: ~", "found null");
    root("eod_rush_threshold: 1.1", "0 to 1");
    root("priority_escalation: {max_boost: 256}", "0 to 255");
    root("priority_escalation: {start_escalating_at_ticks: -1}", "start_escalating_at_ticks");
    root("priority_escalation: {curve: 5}", "expected text");
    root("policy_feature_toggles: {include: [Payments]}", "`Payments` is not");
    root("policy_feature_toggles: {include: [], exclude: []}", "not both");
    root("policy_feature_toggles: {include: PaymentAction}", "expected a list");
    root("cost_feature_toggles: {include: [Perticks]}", "did you mean `PerTick`?");
    root("scenario_events: {}", "expected a list");
    root("simulation: {}", "given twice");
}

#[test]
fn events() {
    let once = "schedule: {type: OneTime, tick: 1}";
    for (event, expected) in [
        ("{type: DirectTransfer, from_agent: A, to_agent: B, amount: 0, ONCE}", "scenario_events[0].amount"),
        ("{type: DirectTransfer, from_agent: A, to_agent: B, amount: 5}", "`schedule` is missing"),
        ("{type: DirectTransfer, from_agent: A, to_agent: A, amount: 5, ONCE}", "the same bank `A`"),
        (
            "{type: DirectTransfer, from_agent: NOBODY, to_agent: A, amount: 5, ONCE}",
            "scenario_events[0].from_agent",
        ),
        ("{type: ScheduledSettlement, from_agent: A, to_agent: SIX, amount: 5, ONCE}", "no bank `SIX`"),
        ("{type: CustomTransactionArrival, from_agent: B, to_agent: B, amount: 5, ONCE}", "the same bank"),
        (
            "{type: CustomTransactionArrival, from_agent: A, to_agent: B, amount: 5, priority: 11, ONCE}",
            "0 to 10",
        ),
        (
            "{type: CustomTransactionArrival, from_agent: A, to_agent: B, amount: 5, deadline: 0, ONCE}",
            "deadline",
        ),
        ("{type: CollateralAdjustment, agent: Z, delta: 5, ONCE}", "no bank `Z`"),
        ("{type: CollateralAdjustment, agent: A, delta: 5.0, ONCE}", "expected an integer"),
        ("{type: GlobalArrivalRateChange, multiplier: 0, ONCE}", "more than 0"),
        ("{type: AgentArrivalRateChange, agent: Z, multiplier: 1, ONCE}", "no bank `Z`"),
        ("{type: CounterpartyWeightChange, agent: A, counterparty: B, new_weight: 1.01, ONCE}", "0 to 1"),
        ("{type: CounterpartyWeightChange, agent: A, counterparty: A, new_weight: 1, ONCE}", "the same bank"),
        ("{type: CounterpartyWeightChange, agent: A, counterparty: Z, new_weight: 1, ONCE}", "counterparty"),
        ("{type: DeadlineWindowChange, ONCE}", "is needed"),
        (
            "{type: DeadlineWindowChange, min_ticks_multiplier: ~, max_ticks_multiplier: 0, ONCE}",
            "more than 0",
        ),
        ("{from_agent: A, to_agent: B, amount: 5, ONCE}", "`type` is missing"),
        ("{type: direct_transfer, from_agent: A, to_agent: B, amount: 5, ONCE}", "DirectTransfer"),
        ("{type: GlobalArrivalRateChange, multiplier: 1, schedule: {tick: 1}}", "`type` is missing"),
        (
            "{type: GlobalArrivalRateChange, multiplier: 1, schedule: {type: OneTime, tick: -1}}",
            "schedule.tick",
        ),
        (
            "{type: GlobalArrivalRateChange, multiplier: 1, schedule: {type: Repeating, start_tick: 1, \
            interval: 0}}",
            "interval",
        ),
        (
            "{type: GlobalArrivalRateChange, multiplier: 1, schedule: {type: OneTime, \
            tick: 9223372036854775808}}",
            "schedule.tick",
        ),
    ] {
        root(&format!("scenario_events: [{}]", event.replace("ONCE", once)), expected);
    }
    let other = "scenario_events: [{type: GlobalArrivalRateChange, multiplier: 1, \
    schedule: {type: OneTime, start_tick: 1}}]";
    root(other, "`tick` is missing");
}

#[test]
fn policies() {
    let node = "{type: action, node_id: r, action: Release}";
    for (policy, expected) in [
        ("{}", "`type` is missing"),
        ("{type: fifo}", "did you mean `Fifo`?"),
        ("{type: RoundRobin}", "is not one of"),
        ("~", "expected a mapping"),
        ("Fifo", "expected a mapping"),
        ("{type: Deadline}", "`urgency_threshold` is missing"),
        ("{type: Deadline, urgency_threshold: 0}", "urgency_threshold"),
        ("{type: LiquidityAware, target_buffer: -1, urgency_threshold: 1}", "target_buffer"),
        ("{type: LiquiditySplitting, max_splits: 11, min_split_amount: 1}", "2 to 10"),
        ("{type: LiquiditySplitting, max_splits: 2, min_split_amount: 0}", "min_split_amount"),
        ("{type: MockSplitting, num_splits: 1}", "2 to 10"),
        ("{type: FromJson, json_path: gone.json}", "bank `A`: no policy file `gone.json`"),
        ("{type: FromJson}", "`json_path` is missing"),
        ("{type: Inline, decision_trees: {version: \"1\", policy_id: p}}", "bank `A`"),
        ("{type: InlineJson, json_string: '{\"a\": 1,}'}", "bank `A`: `json_string`, line 1, column 9"),
        ("{type: InlineJson, json_string: '{\"a\": 1, \"a\": 2}'}", "given twice"),
        ("{type: Inline, decision_trees: []}", "bank `A`"),
        ("{type: InlineJson, json_string: 5}", "expected text"),
    ] {
        bank(&format!("policy: {policy}"), expected);
    }
    let above = format!(
        "policy: {{type: Inline, decision_trees: {{version: \"1\", policy_id: p, \
        parameters: {{initial_liquidity_fraction: 1.5}}, payment_tree: {node}}}}}"
    );
    bank(&above, "bank `A`");
    let both = two_banks("", "policy_feature_toggles: {include: [BankAction]}");
    let findings = read_text(&both).1;
    let messages: Vec<&str> = findings.errors().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains("bank `A`") && messages[0].contains("PaymentAction"), "{messages:?}");
    assert!(messages[1].contains("bank `B`"), "{messages:?}");
}

#[test]
fn all_faults_of_a_file_are_reported_together() {
    let text = two_banks(
        "unsecured_cap: x\nliquidity_pool: -1",
        "lsm_config: {max_cycle_length: 1}\neod_rush_threshold: 7",
    );
    assert_eq!(read_text(&text).1.errors().count(), 4);
}

#[test]
fn everything_at_once() {
    let (_, findings) = read_text(
        "simulation: {ticks_per_day: 0, num_days: 1, rng_seed: 1}\n\
         agents:\n\
         \x20 - {id: A, opening_balance: x, policy: {type: Fifoo}}\n\
         \x20 - {id: B, opening_balance: 1, limits: {bilateral_limits: {C: 1}}}\n",
    );
    let places: Vec<&str> = findings.errors().map(|finding| &*finding.path).collect();
    assert_eq!(places, ["simulation.ticks_per_day", "agents[0].opening_balance", "agents[0].policy.type"]);

    let (_, findings) = read_text(
        "simulation: {ticks_per_day: 0, num_days: 1, rng_seed: 1}\n\
         agents:\n\
         \x20 - {id: A, opening_balance: 1}\n\
         \x20 - {id: B, opening_balance: 1, limits: {bilateral_limits: {C: 1}}}\n\
         scenario_events:\n\
         \x20 - {type: DirectTransfer, from_agent: A, to_agent: D, amount: 1, schedule: {type: OneTime, tick: 0}}\n",
    );
    let places: Vec<&str> = findings.errors().map(|finding| &*finding.path).collect();
    let expected =
        ["simulation.ticks_per_day", "agents[1].limits.bilateral_limits.C", "scenario_events[0].to_agent"];
    assert_eq!(places, expected);
}
