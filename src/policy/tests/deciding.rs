use super::*;
use crate::event::RtgsPriority;
use crate::money::Cents;
use crate::policy::{
    BuiltIn, CollateralDecision, CollateralLayer, EvalFault, HoldCause, RegisterIdx, TreeKind,
};
use crate::time::Tick;

const HOLD: fn() -> PaymentDecision =
    || PaymentDecision::Hold(HoldCause::Custom("Custom(\"Policy decision\")".into()));

fn value(number: &str) -> String {
    format!(r#"{{"value": {number}}}"#)
}

#[test]
fn computations_give_their_numbers() {
    let op = |rest: &str| number(&format!(r#"{{"compute": {{{rest}}}}}"#), |_| 0.0);
    for (rest, expected) in [
        (r#""op": "+", "left": {"value": 2}, "right": {"value": 3}"#, 5.0),
        (r#""op": "-", "left": {"value": 2}, "right": {"value": 3}"#, -1.0),
        (r#""op": "*", "left": {"value": 2}, "right": {"value": true}"#, 2.0),
        (r#""op": "/", "left": {"value": 1}, "right": {"value": 4}"#, 0.25),
        (r#""op": "max", "values": [{"value": 1}, {"value": 3}, {"value": 2}]"#, 3.0),
        (r#""op": "min", "values": [{"value": 1}, {"value": 3}]"#, 1.0),
        (r#""op": "round", "value": {"value": -2.5}"#, -3.0),
        (r#""op": "clamp", "value": {"value": 7}, "min": {"value": 0}, "max": {"value": 5}"#, 5.0),
        (
            r#""op": "div0", "numerator": {"value": 1e-9}, "denominator": {"value": 1e-9},
            "default": {"value": 0}"#,
            1.0,
        ),
        (
            r#""op": "div0", "numerator": {"value": 1}, "denominator": {"value": 9e-10},
            "default": {"value": 7}"#,
            7.0,
        ),
    ] {
        assert_eq!(op(rest), expected, "{rest}");
    }
    assert_eq!(op(r#""op": "ceil", "value": {"value": -0.5}"#).to_bits(), (-0.0_f64).to_bits());
}

#[test]
fn names_read_their_figures() {
    let figures = |field: Field| match field {
        Field::AvailableLiquidity => 7.0,
        Field::DayProgressFraction => 0.5,
        Field::Register(RegisterIdx(0)) => 42.0,
        _ => f64::NAN,
    };
    for (name, expected) in [
        ("effective_liquidity", 7.0),
        ("available_liquidity", 7.0),
        ("expected_throughput_fraction_by_now", 0.5),
        ("is_overdraft_capped", 1.0),
        ("liquidity_buffer", 0.0),
        ("incoming_expected_count", 0.0),
        ("bank_state_a", 42.0),
    ] {
        assert_eq!(number(&format!(r#"{{"field": "{name}"}}"#), figures), expected, "{name}");
    }
}

#[test]
fn conditions_stop_where_they_are_decided() {
    let faulty = r#"{"op": "<", "left": {"compute": {"op": "/", "left": {"value": 1}, "right": {"field": "balance"}}
        },        "right": {"value": 1}}"#;
    let (yes, no) = (r#"{"op": "and", "conditions": []}"#, r#"{"op": "or", "conditions": []}"#);
    let decide = |op: &str, first: &str| {
        let condition = format!(r#"{{"op": "{op}", "conditions": [{first}, {faulty}]}}"#);
        program(&paying(&asking(&condition))).decide_payment(&nothing())
    };
    assert_eq!(decide("and", no), Ok(HOLD()));
    assert!(matches!(decide("or", yes), Ok(PaymentDecision::Release { .. })));
    let error = decide("and", yes).unwrap_err();
    assert_eq!((error.tree, &*error.node), (TreeKind::Payment, "q"));
    assert_eq!(
        error.to_string(),
        "division of 1 by 0, which is zero or almost zero, at node `q` of `payment_tree`"
    );
    assert!(decide("or", no).is_err());
}

#[test]
fn left_is_evaluated_before_right_and_the_default_of_div0_only_if_needed() {
    let faulty = r#"{"compute": {"op": "/", "left": {"value": 1}, "right": {"field": "balance"}}}"#;
    let div0 = format!(
        r#"{{"compute": {{"op": "div0", "numerator": {{"value": 6}}, "denominator": {{"value": 3}},
        "default": {faulty}}}}}"#
    );
    assert_eq!(number(&div0, |_| 0.0), 2.0);
    let division = r#"{"op": "/", "left": {"field": "balance"}, "right": {"field": "credit_used"}}"#;
    let condition = format!(r#"{{"op": "<", "left": {{"compute": {division}}}, "right": {{"value": 1}}}}"#);
    let facts = nothing();
    assert!(program(&paying(&asking(&condition))).decide_payment(&facts).is_err());
    assert_eq!(facts.1.get(), 2, "both operands are evaluated before the division fails");
}

#[test]
fn releases_take_a_flag_and_a_tick() {
    let release = |priority, timed_for: Option<u64>| PaymentDecision::Release {
        priority,
        timed_for: timed_for.map(Tick),
    };
    for (flag, priority) in [
        (r#"{"value": "HIGH"}"#, Some(10)),
        (r#"{"value": "MEDIUM"}"#, Some(5)),
        (r#"{"value": "LOW"}"#, Some(1)),
        (r#"{"value": "high"}"#, Some(5)),
        (r#"{"value": 10}"#, None),
        (r#"{"field": "priority"}"#, None),
    ] {
        let arguments = format!(r#""priority_flag": {flag}"#);
        assert_eq!(decided("Release", &arguments), release(priority, None), "{flag}");
    }
    for (tick, expected) in [("7.9", 7), ("-3", 0), ("1e30", u64::MAX)] {
        let arguments = format!(r#""timed_for_tick": {}"#, value(tick));
        assert_eq!(decided("ReleaseWithCredit", &arguments), release(None, Some(expected)), "{tick}");
    }
}

#[test]
fn other_hold_reasons_are_quoted_and_escaped() {
    let hold = |reason: &str| match decided("Hold", &format!(r#""reason": {reason}"#)) {
        PaymentDecision::Hold(HoldCause::Custom(text)) => text.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(hold(r#"{"value": "wait a bit"}"#), r#"Custom("wait a bit")"#);
    assert_eq!(
        hold("{\"value\": \"a\\\"b\\\\c\\t\\n\\r\\u0000'\\u0001é\\u200b\\u0301\"}"),
        r#"Custom("a\"b\\c\t\n\r\0'\u{1}é\u{200b}\u{301}")"#
    );
    assert_eq!(hold(r#"{"value": 5}"#), r#"Custom("Policy decision")"#);
    assert_eq!(hold(r#"{"field": "priority"}"#), r#"Custom("Policy decision")"#);
    assert_eq!(decided("Hold", ""), HOLD());
    let near = decided("Hold", r#""reason": {"value": "NearDeadline"}"#);
    assert_eq!(near, PaymentDecision::Hold(HoldCause::NearDeadline));
}

#[test]
fn splits_need_two_parts() {
    let with = |parameters: &str, node: &str| {
        let text = document(&format!(r#""parameters": {{{parameters}}}, "payment_tree": {node}"#));
        program(&text).decide_payment(&nothing())
    };
    let split = action("s", "Split", r#""num_splits": {"param": "n"}"#);
    assert_eq!(with(r#""n": 3.9"#, &split), Ok(PaymentDecision::Split { parts: 3 }));
    assert_eq!(with(r#""n": 1e40"#, &split), Ok(PaymentDecision::Split { parts: u64::MAX }));
    for n in ["1.9", "-4"] {
        let error = with(&format!(r#""n": {n}"#), &split).unwrap_err();
        assert!(matches!(error.fault, EvalFault::TooFewParts(_)), "{n}");
        assert_eq!(&*error.node, "s");
    }
    let stagger = action(
        "s",
        "StaggerSplit",
        r#""num_splits": {"param": "n"}, "stagger_first_now": {"param": "now"},
        "stagger_gap_ticks": {"value": -1}, "priority_boost_children": {"value": 300.7}"#,
    );
    let expected = PaymentDecision::Stagger { parts: 3, first_now: 3, gap_ticks: 0, priority_boost: 300 };
    assert_eq!(with(r#""n": 3, "now": 3.5"#, &stagger), Ok(expected));
    let error = with(r#""n": 3, "now": 4"#, &stagger).unwrap_err();
    assert_eq!(error.fault, EvalFault::MoreNowThanParts { first_now: 4, parts: 3 });
}

#[test]
fn priorities_are_brought_into_their_range() {
    let infinite = r#"{"compute": {"op": "*", "left": {"value": 1e308}, "right": {"value": 10}}}"#;
    let undefined = format!(r#"{{"compute": {{"op": "-", "left": {infinite}, "right": {infinite}}}}}"#);
    for (operand, priority) in [
        (value("7.9"), 7),
        (value("-1"), 0),
        (value("11"), 10),
        (value("300"), 10),
        (infinite.to_owned(), 10),
        (undefined, 0),
    ] {
        let decision = decided("Reprioritize", &format!(r#""new_priority": {operand}"#));
        assert_eq!(decision, PaymentDecision::Reprioritize(priority), "{operand}");
    }
    let resubmit = decided("ResubmitToRtgs", r#""rtgs_priority": {"value": "HighlyUrgent"}"#);
    assert_eq!(resubmit, PaymentDecision::Resubmit(RtgsPriority::HighlyUrgent));
}

#[test]
fn a_budget_has_a_focus_only_from_a_literal_list() {
    let budget = |rest: &str| match bank_decided(
        "SetReleaseBudget",
        &format!(r#""max_value_to_release": {{"value": -12.9}}{rest}"#),
    ) {
        BankDecision::Budget { max_value, focus, max_per_counterparty } => {
            assert_eq!(max_value, Cents(-12));
            (focus.map(|focus| focus.join("+")), max_per_counterparty)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(budget(""), (None, None));
    let list =
        r#", "focus_counterparties": {"value": ["B", 5, "C"]}, "max_per_counterparty": {"value": 1e30}"#;
    assert_eq!(budget(list), (Some("B+C".to_owned()), Some(Cents(i64::MAX))));
    for form in [r#"{"value": []}"#, r#"{"value": [1]}"#, r#"{"value": "B"}"#, r#"{"field": "balance"}"#] {
        assert_eq!(budget(&format!(r#", "focus_counterparties": {form}"#)).0, None, "{form}");
    }
}

#[test]
fn registers_are_indexed_in_byte_order_and_say_how_they_were_reached() {
    let set = |id: &str, name: &str, key: &str, rest: &str| {
        let arguments = format!(r#""key": {{"value": "{key}"}}, "value": {{"value": 2}}{rest}"#);
        action(id, name, &arguments)
    };
    let tree = format!(
        r#"{{"type": "condition", "node_id": "B1", "condition":
          {{"op": ">", "left": {{"field": "bank_state_a"}}, "right": {{"value": 0}}}},
          "on_true": {}, "on_false": {{"type": "condition", "node_id": "B3", "condition":
             {{"op": "and", "conditions": []}}, "on_true": {}, "on_false": {}}}}}"#,
        set("B2", "SetState", "bank_state_z", ""),
        set("B4", "AddState", "bank_state_Z", r#", "reason": {"value": "count"}"#),
        set("B5", "SetState", "other", "")
    );
    let program = program(&banking(&tree));
    let names: Vec<&str> = program.registers().iter().map(|name| &**name).collect();
    assert_eq!(names, ["bank_state_Z", "bank_state_a", "bank_state_z"]);
    assert!(program.has_bank_tree());
    let decide = |a: f64| program.decide_bank(&Known::new(move |_| a)).unwrap();
    let register = |index, add, reason: &str, path: &str| BankDecision::Register {
        register: Some(RegisterIdx(index)),
        value: 2.0,
        add,
        reason: reason.into(),
        path: path.into(),
    };
    assert_eq!(decide(0.0), register(0, true, "count", "B1(false) → B3(true) → B4"));
    assert_eq!(decide(1.0), register(2, false, "policy_action", "B1(true) → B2"));
}

#[test]
fn collateral_amounts_reasons_and_timers_are_converted() {
    let decide = |name: &str, arguments: &str| {
        let tree = action("c", name, arguments);
        let text = document(&format!(
            r#""payment_tree": {}, "strategic_collateral_tree": {tree}"#,
            action("p", "Drop", "")
        ));
        let program = program(&text);
        assert!(!program.has_collateral_tree(CollateralLayer::EndOfTick));
        assert_eq!(
            program.decide_collateral(CollateralLayer::EndOfTick, &nothing()),
            Ok(CollateralDecision::Hold)
        );
        program.decide_collateral(CollateralLayer::Strategic, &nothing()).unwrap()
    };
    let post = |amount, reason: &str, auto_withdraw_after| CollateralDecision::Post {
        amount: Cents(amount),
        reason: reason.into(),
        auto_withdraw_after,
    };
    for (timer, expected) in [("0.5", Some(0)), ("0", None), ("-2", None), ("3.9", Some(3))] {
        let arguments = format!(
            r#""amount": {{"value": 10.9}}, "reason": {{"value": "CostOptimization"}},
            "auto_withdraw_after_ticks": {}"#,
            value(timer)
        );
        assert_eq!(decide("PostCollateral", &arguments), post(10, "CostOptimization", expected), "{timer}");
    }
    let other = r#""amount": {"value": -1e30}, "reason": {"value": "Other"}"#;
    assert_eq!(decide("PostCollateral", other), post(i64::MIN, "UrgentLiquidityNeed", None));
    assert_eq!(
        decide("WithdrawCollateral", r#""amount": {"value": 5}"#),
        CollateralDecision::Withdraw { amount: Cents(5), reason: "UrgentLiquidityNeed".into() }
    );
    assert_eq!(decide("HoldCollateral", ""), CollateralDecision::Hold);
}

/// What a bank and a payment look like to a built-in type.
#[derive(Clone, Copy)]
struct Case {
    tick: f64,
    deadline: f64,
    balance: f64,
    liquidity: f64,
    amount: f64,
}

#[test]
fn the_built_in_types_decide_as_documented() {
    let release = PaymentDecision::Release { priority: None, timed_for: None };
    let short = PaymentDecision::Hold(HoldCause::InsufficientLiquidity);
    let near = PaymentDecision::Hold(HoldCause::NearDeadline);
    let split = |parts| PaymentDecision::Split { parts };
    let deadline = BuiltIn::Deadline { urgency_threshold: 3 };
    let aware = BuiltIn::LiquidityAware { target_buffer: 50, urgency_threshold: 3 };
    let unbuffered = BuiltIn::LiquidityAware { target_buffer: 0, urgency_threshold: 3 };
    let splitting = BuiltIn::LiquiditySplitting { max_splits: 4, min_split_amount: 1 };
    let calm = Case { tick: 0.0, deadline: 20.0, balance: 100.0, liquidity: 100.0, amount: 60.0 };
    let due = Case { tick: 20.0, ..calm };
    let urgent = Case { tick: 17.0, ..calm };
    let poor = Case { balance: 10.0, liquidity: 10.0, ..calm };
    let broke = Case { balance: 0.0, ..poor };
    for (policy, case, expected) in [
        (BuiltIn::Fifo, due, release.clone()),
        (deadline, due, PaymentDecision::Drop),
        (deadline, urgent, release.clone()),
        (deadline, calm, near),
        (aware, due, PaymentDecision::Drop),
        (aware, urgent, release.clone()),
        (aware, Case { tick: 17.0, ..poor }, short.clone()),
        (aware, calm, short.clone()),
        (aware, Case { amount: 50.0, ..calm }, release.clone()),
        (unbuffered, calm, release.clone()),
        (unbuffered, poor, short.clone()),
        (splitting, due, PaymentDecision::Drop),
        (splitting, calm, release),
        (splitting, poor, split(2)),
        (splitting, Case { tick: 15.0, ..poor }, split(4)),
        (splitting, Case { tick: 14.0, ..poor }, split(2)),
        (splitting, broke, short),
        (BuiltIn::MockSplitting { num_splits: 7 }, due, split(7)),
    ] {
        let program = Program::compile(&PolicyDocument::builtin(policy)).unwrap();
        let facts = Known::new(|field| match field {
            Field::CurrentTick => case.tick,
            Field::DeadlineTick => case.deadline,
            Field::TicksToDeadline => case.deadline - case.tick,
            Field::Balance => case.balance,
            Field::AvailableLiquidity => case.liquidity,
            Field::Amount | Field::RemainingAmount => case.amount,
            other => panic!("{other:?} is not asked for"),
        });
        assert_eq!(program.decide_payment(&facts), Ok(expected), "{policy:?} in tick {}", case.tick);
    }
}
