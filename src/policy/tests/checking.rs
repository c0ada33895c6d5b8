use std::collections::BTreeSet;

use super::*;
use crate::policy::{BuiltIn, Category, Toggles};

fn kinds(text: &str) -> Vec<&'static str> {
    errors(text).into_iter().map(|(kind, _)| kind).collect()
}

fn messages(text: &str) -> String {
    let (_, findings) = read(text);
    findings.errors().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// `levels` conditions above one another.
fn deep(levels: usize, prefix: &str, leaf: &str) -> String {
    let mut node = action(&format!("{prefix}end"), leaf, "");
    for level in 0..levels {
        let other = action(&format!("{prefix}a{level}"), leaf, "");
        let always = r#"{"op": "and", "conditions": []}"#;
        node = format!(
            r#"{{"type": "condition", "node_id": "{prefix}{level}", "condition": {always},
            "on_true": {node}, "on_false": {other}}}"#
        );
    }
    node
}

#[test]
fn node_ids_are_unique_over_all_trees() {
    let text = document(&format!(
        r#""payment_tree": {}, "bank_tree": {}"#,
        asking(r#"{"op": "and", "conditions": []}"#).replace("\"no\"", "\"yes\""),
        action("yes", "NoAction", "")
    ));
    assert_eq!(
        errors(&text),
        [
            ("DuplicateNodeId", "payment_tree.on_false.node_id".to_owned()),
            ("DuplicateNodeId", "bank_tree.node_id".to_owned())
        ]
    );
}

#[test]
fn an_action_lies_at_most_100_edges_deep() {
    accepted(&paying(&deep(100, "p", "Hold")));
    accepted(&banking(&deep(100, "b", "NoAction")));
    let text = document(&format!(
        r#""payment_tree": {}, "bank_tree": {}"#,
        deep(101, "p", "Hold"),
        deep(103, "b", "NoAction")
    ));
    let found = errors(&text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "ExcessiveDepth");
    assert!(found[0].1.starts_with("bank_tree.on_true"), "{}", found[0].1);
    assert!(messages(&text).contains("depth 103 exceeds maximum 100"));
}

#[test]
fn fields_belong_to_their_tree() {
    let field =
        |name: &str| format!(r#"{{"op": ">", "left": {{"field": "{name}"}}, "right": {{"value": 0}}}}"#);
    let tree = |condition: &str, leaf: &str| asking(condition).replace("Release", leaf).replace("Hold", leaf);
    for name in ["amount", "balance", "bank_state_x", "bank_state_"] {
        accepted(&paying(&asking(&field(name))));
    }
    for name in ["amount", "is_in_queue2"] {
        let text = banking(&tree(&field(name), "NoAction"));
        assert_eq!(kinds(&text), ["InvalidFieldReference"], "{name}");
        assert!(messages(&text).contains("is one of a payment"));
    }
    accepted(&banking(&tree(&field("overdraft_utilization"), "NoAction")));
    assert!(messages(&paying(&asking(&field("balanse")))).contains("did you mean `balance`?"));
    for name in ["time_in_queue", "top_cpty_1_id_hash", "Balance", ""] {
        assert_eq!(kinds(&paying(&asking(&field(name)))), ["InvalidFieldReference"], "{name}");
    }
}

#[test]
fn one_error_for_each_unknown_name_in_ascending_order() {
    let operand = |name: &str| format!(r#"{{"field": "{name}"}}"#);
    let compare = |left: &str, right: &str| {
        format!(r#"{{"op": "<", "left": {}, "right": {}}}"#, operand(left), operand(right))
    };
    let condition = format!(
        r#"{{"op": "not", "condition": {{"op": "or", "conditions": [{}, {}]}}}}"#,
        compare("zz", "aa"),
        compare("aa", "mm")
    );
    let (_, findings) = read(&paying(&asking(&condition)));
    let named: Vec<String> =
        findings.errors().map(|finding| finding.message.split('`').nth(1).unwrap_or("").to_owned()).collect();
    assert_eq!(named, ["aa", "mm", "zz"]);
    assert_eq!(findings.0[0].path, "payment_tree.condition.condition.conditions[0].right.field");
    assert!(findings.0[0].position.is_some());
}

#[test]
fn names_in_ignored_arguments_are_checked() {
    let text = paying(&action("a", "Hold", r#""reason": {"field": "nope"}, "other": {"param": "nope"}"#));
    assert_eq!(
        errors(&text),
        [
            ("InvalidFieldReference", "payment_tree.parameters.reason.field".to_owned()),
            ("InvalidParameterReference", "payment_tree.parameters.other.param".to_owned())
        ]
    );
}

#[test]
fn a_literal_divisor_of_almost_zero_is_refused_however_deep() {
    let divide = |op: &str, right: &str| {
        format!(
            r#"{{"op": "{op}", "left": {{"value": 1}}, "right": {{"compute":
            {{"op": "/", "left": {{"value": 1}}, "right": {right}}}}}}}"#
        )
    };
    for right in [r#"{"value": 0}"#, r#"{"value": -1e-17}"#, r#"{"value": false}"#] {
        assert_eq!(kinds(&paying(&asking(&divide("<", right)))), ["DivisionByZeroRisk"], "{right}");
    }
    for right in [r#"{"value": true}"#, r#"{"value": 1e-9}"#, r#"{"field": "balance"}"#] {
        accepted(&paying(&asking(&divide("<", right))));
    }
    let safe = r#"{"compute": {"op": "div0", "numerator": {"value": 1}, "denominator": {"value": 0},
        "default": {"value": 2}}}"#;
    assert_eq!(number(safe, |_| 0.0), 2.0);
}

#[test]
fn literals_among_numbers_are_numbers() {
    let with = |right: &str| {
        paying(&asking(&format!(r#"{{"op": "<", "left": {{"value": true}}, "right": {right}}}"#)))
    };
    for literal in [r#""5""#, "null", "[1]", "{}"] {
        assert_eq!(kinds(&with(&format!(r#"{{"value": {literal}}}"#))), ["InvalidLiteral"], "{literal}");
    }
    assert_eq!(kinds(&with(r#"{"compute": {"op": "max", "values": []}}"#)), ["InvalidLiteral"]);
}

#[test]
fn actions_belong_to_their_tree() {
    for (name, arguments) in [("Release", ""), ("Drop", ""), ("HoldCollateral", "")] {
        assert_eq!(kinds(&banking(&action("b", name, arguments))), ["InvalidAction"], "{name}");
    }
    assert_eq!(kinds(&paying(&action("b", "NoAction", ""))), ["InvalidAction"]);
    let collateral = |name: &str| {
        let tree = action("c", name, "");
        document(&format!(
            r#""payment_tree": {}, "end_of_tick_collateral_tree": {tree}"#,
            action("p", "Drop", "")
        ))
    };
    accepted(&collateral("HoldCollateral"));
    assert_eq!(kinds(&collateral("Hold")), ["InvalidAction"]);
    assert!(messages(&collateral("Hold")).contains("only in `payment_tree`"));
}

#[test]
fn hold_means_no_action_in_the_bank_tree() {
    let text = banking(&action("b", "Hold", ""));
    assert_eq!(warnings(&text).len(), 1);
    assert_eq!(program(&text).decide_bank(&nothing()), Ok(BankDecision::None));
}

#[test]
fn required_arguments_and_literals_are_checked() {
    let number = |name: &str, value: &str| format!(r#""{name}": {{"value": {value}}}"#);
    let stagger = |parts: &str, now: &str| {
        [
            number("num_splits", parts),
            number("stagger_first_now", now),
            number("stagger_gap_ticks", "1"),
            number("priority_boost_children", "0"),
        ]
        .join(",")
    };
    for (name, arguments, refused) in [
        ("Split", String::new(), true),
        ("Split", number("num_splits", "1.9"), true),
        ("Split", number("num_splits", "2"), false),
        ("Split", number("num_splits", "true"), true),
        ("Split", number("num_splits", "\"3\""), true),
        ("StaggerSplit", stagger("3", "3"), false),
        ("StaggerSplit", stagger("3", "4"), true),
        ("StaggerSplit", stagger("3", "3.9"), false),
        ("Reprioritize", String::new(), true),
        ("Reprioritize", number("new_priority", "-3"), false),
        ("Release", number("timed_for_tick", "null"), true),
        ("Release", number("priority_flag", "5"), false),
        ("Hold", number("reason", "5"), false),
        ("ResubmitToRtgs", String::new(), true),
        ("ResubmitToRtgs", number("rtgs_priority", "\"Urgent\""), false),
        ("ResubmitToRtgs", number("rtgs_priority", "\"urgent\""), true),
        ("ResubmitToRtgs", r#""rtgs_priority": {"field": "priority"}"#.to_owned(), true),
    ] {
        let expected: &[&str] = if refused { &["InvalidArgument"] } else { &[] };
        assert_eq!(kinds(&paying(&action("a", name, &arguments))), expected, "{name} {arguments}");
    }
    for (arguments, refused) in [
        (r#""value": {"value": 1}"#, true),
        (r#""key": {"value": "bank_state_a"}"#, true),
        (r#""key": {"field": "balance"}, "value": {"value": 1}"#, true),
        (r#""key": {"value": "bank_state_a"}, "value": {"value": 1}, "reason": {"value": 1}"#, true),
        (r#""key": {"value": "bank_state_a"}, "value": {"field": "balance"}"#, false),
    ] {
        let expected: &[&str] = if refused { &["InvalidArgument"] } else { &[] };
        assert_eq!(kinds(&banking(&action("a", "SetState", arguments))), expected, "{arguments}");
    }
    assert_eq!(kinds(&banking(&action("a", "SetReleaseBudget", ""))), ["InvalidArgument"]);
}

#[test]
fn a_payment_tree_is_required_and_the_fraction_bounded() {
    let bank = action("b", "NoAction", "");
    assert_eq!(kinds(&document(&format!(r#""bank_tree": {bank}"#))), ["MissingTree"]);
    assert_eq!(kinds(&document(r#""payment_tree": null"#)), ["MissingTree"]);
    let fraction = |value: &str| {
        document(&format!(
            r#""parameters": {{"initial_liquidity_fraction": {value}}}, "payment_tree": {}"#,
            action("r", "Release", "")
        ))
    };
    assert_eq!(program(&fraction("0.25")).initial_liquidity_fraction(), Some(0.25));
    for value in ["-0.01", "1.0001"] {
        assert_eq!(kinds(&fraction(value)), ["InvalidLiquidityFraction"], "{value}");
    }
}

#[test]
fn all_failures_come_together_in_the_order_of_the_rules() {
    let compare = r#"{"op": "<", "left": {"compute": {"op": "/", "left": {"field": "nope"}, "right": {"value": 0}}
        }, "right": {"value": "x"}}"#;
    let text = document(&format!(
        r#""parameters": {{"initial_liquidity_fraction": 2}},
        "bank_tree": {{"type": "condition", "node_id": "b", "condition": {compare},
          "on_true": {}, "on_false": {}}}"#,
        action("b", "SetState", ""),
        action("c", "Release", r#""timed_for_tick": {"param": "missing"}"#)
    ));
    let mut expected = vec![
        "DuplicateNodeId",
        "InvalidFieldReference",
        "InvalidParameterReference",
        "DivisionByZeroRisk",
        "InvalidLiteral",
        "InvalidAction",
    ];
    expected.extend(["InvalidArgument"; 2]);
    expected.extend(["MissingTree", "InvalidLiquidityFraction"]);
    assert_eq!(kinds(&text), expected);
}

#[test]
fn a_bad_register_key_is_a_warning() {
    let text = banking(&action("a", "SetState", r#""key": {"value": "counter"}, "value": {"value": 1}"#));
    assert_eq!(warnings(&text).len(), 1);
    assert!(matches!(
        program(&text).decide_bank(&nothing()),
        Ok(BankDecision::Register { register: None, .. })
    ));
}

#[test]
fn categories_are_collected_everywhere() {
    use Category::*;
    let text = document(&format!(
        r#""payment_tree": {}, "bank_tree": {}, "strategic_collateral_tree": {}"#,
        asking(
            r#"{"op": "not", "condition": {"op": "<", "left": {"compute": {"op": "max", "values": [
            {"compute": {"op": "abs", "value": {"field": "balance"}}}]}}, "right": {"field": "queue_age"}}}"#
        ),
        action("b", "NoAction", ""),
        action("c", "PostCollateral", r#""amount": {"field": "queue1_liquidity_gap"}"#)
    ));
    let expected: BTreeSet<Category> = [
        AgentField,
        CollateralAction,
        ComparisonOperator,
        LogicalOperator,
        NaryArithmetic,
        PaymentAction,
        QueueField,
        UnaryMath,
    ]
    .into();
    assert_eq!(accepted(&text).categories(), expected);
    let fifo = PolicyDocument::builtin(BuiltIn::Fifo);
    let nothing: Toggles<Category> = Toggles::Include(BTreeSet::new());
    assert_eq!(nothing.forbidden(&fifo.categories()), [PaymentAction].into());
    assert!(Toggles::Everything.forbidden(&fifo.categories()).is_empty());
}

#[test]
fn the_built_in_types_are_valid_documents() {
    for policy in [
        BuiltIn::Fifo,
        BuiltIn::Deadline { urgency_threshold: 3 },
        BuiltIn::LiquidityAware { target_buffer: 10_000, urgency_threshold: 2 },
        BuiltIn::LiquiditySplitting { max_splits: 4, min_split_amount: 100 },
        BuiltIn::MockSplitting { num_splits: 3 },
    ] {
        let document = PolicyDocument::builtin(policy);
        let text = document.to_json().to_string();
        assert!(warnings(&text).is_empty());
        assert_eq!(accepted(&text), document);
        assert_eq!(&**Program::compile(&document).unwrap().id(), policy.name());
    }
}
