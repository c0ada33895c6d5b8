use super::*;
use crate::document::{Node, Value};
use crate::policy::{Literal, Operand, TreeKind, TreeNode};

fn refusal(text: &str) -> String {
    let (_, findings) = read(text);
    let all: Vec<String> = findings.errors().map(|finding| format!("{}: {finding}", finding.kind)).collect();
    assert!(!all.is_empty(), "accepted: {text}");
    assert!(findings.errors().all(|finding| finding.kind == "ParseError"), "{all:?}");
    all.join("\n")
}

#[test]
fn a_document_keeps_everything_that_was_written() {
    let text = document(
        r#""description": "why", "parameters": {"z": 1, "a": 2.50}, "note": [1, "x"],
        "payment_tree": {"type": "condition", "node_id": "c", "description": "?",
          "condition": {"op": "and", "conditions": []},
          "on_true": {"type": "action", "action": "Release", "node_id": "r"},
          "on_false": {"type": "action", "node_id": "h", "action": "Hold"}},
        "bank_tree": null"#,
    );
    let policy = accepted(&text);
    assert_eq!(policy.parameters(), [("z".into(), 1.0), ("a".into(), 2.5)]);
    assert_eq!(policy.description().map(|text| &**text), Some("why"));
    assert!(policy.tree(TreeKind::Bank).is_none());
    let json = policy.to_json().to_string();
    assert!(json.contains(r#""note":[1,"x"]"#) && json.contains(r#""z":1,"a":2.5"#), "{json}");
    assert_eq!(accepted(&json), policy);
}

#[test]
fn required_keys_and_types_are_required() {
    let release = action("r", "Release", "");
    for (text, said) in [
        (format!(r#"{{"policy_id": "x", "payment_tree": {release}}}"#), "`version` is missing"),
        (
            format!(r#"{{"version": 1, "policy_id": "x", "payment_tree": {release}}}"#),
            "found the integer `1`",
        ),
        (format!(r#"{{"version": "1", "payment_tree": {release}}}"#), "`policy_id` is missing"),
        (document(&format!(r#""parameters": null, "payment_tree": {release}"#)), "found null"),
        (document(&format!(r#""parameters": {{"a": "1"}}, "payment_tree": {release}"#)), "found text `1`"),
        (document(&format!(r#""parameters": {{"a": true}}, "payment_tree": {release}"#)), "found `true`"),
        (document(r#""payment_tree": 5"#), "found the integer `5`"),
        (paying(r#"{"node_id": "r", "action": "Release"}"#), "`type` is missing"),
        (paying(r#"{"type": "Action", "node_id": "r", "action": "Release"}"#), "did you mean `action`?"),
        (paying(r#"{"type": "action", "action": "Release"}"#), "`node_id` is missing"),
        (paying(r#"{"type": "action", "node_id": "r"}"#), "`action` is missing"),
        (paying(&action("r", "release", "")), "did you mean `Release`?"),
        (paying(r#"{"type": "action", "node_id": "r", "action": "Hold", "parameters": null}"#), "found null"),
        (paying(&asking(r#"{"op": "=", "left": {"value": 1}, "right": {"value": 1}}"#)), "`=`"),
        (paying(&asking(r#"{"op": "<", "left": {"value": 1}}"#)), "`right` is missing"),
        (paying(&asking(r#"{"op": "max", "values": []}"#)), "gives a number"),
        (paying(&asking(r#"{"op": "not", "condition": null}"#)), "found null"),
        (paying(&asking(r#"{"op": "<", "left": 5, "right": {"value": 1}}"#)), "expected an operand"),
        (paying(&action("r", "Hold", r#""reason": "LowPriority""#)), "expected an operand"),
        (paying(&asking(r#"{"op": "<", "left": {"feld": "x"}, "right": {"value": 1}}"#)), "needs one of"),
        (paying(&asking(r#"{"op": "<", "left": {"field": 5}, "right": {"value": 1}}"#)), "the name as text"),
        (document("\"payment_tree\""), "not valid JSON"),
    ] {
        let refusal = refusal(&text);
        assert!(refusal.contains(said), "{text}\n{refusal}");
    }
}

#[test]
fn untaken_branches_are_read_like_all_others() {
    let text = paying(&asking(r#"{"op": "or", "conditions": []}"#)).replace("\"Release\"", "\"Relase\"");
    assert!(refusal(&text).contains("payment_tree.on_true.action"));
}

#[test]
fn a_null_description_belongs_to_documents_only() {
    let condition = asking(r#"{"op": "and", "conditions": []}"#);
    let text = document(&format!(r#""description": null, "payment_tree": {condition}"#));
    assert!(accepted(&text).description().is_none());
    let text = paying(&condition.replacen("\"node_id\"", r#""description": null, "node_id""#, 1));
    assert!(refusal(&text).contains("payment_tree.description"));
}

#[test]
fn a_key_given_twice_is_refused_everywhere() {
    for text in [
        document(r#""version": "2", "payment_tree": null"#),
        document(&format!(
            r#""parameters": {{"a": 1, "a": 2}}, "payment_tree": {}"#,
            action("r", "Drop", "")
        )),
        paying(&action("r", "Hold", r#""reason": {"value": "a", "value": "b"}"#)),
    ] {
        assert!(refusal(&text).contains("twice"), "{text}");
    }
}

#[test]
fn unknown_keys_are_warnings_with_the_nearest_name() {
    let text = document(
        r#""discription": "x",
        "payment_tree": {"type": "action", "node_id": "r", "description": "x", "action": "Release",
            "parameters": {"priority_flg": {"value": "HIGH", "unit": 1}}}"#,
    );
    let messages: Vec<String> = warnings(&text).iter().map(ToString::to_string).collect();
    for said in [
        "unknown key `discription`, did you mean `description`? (line 1, column 41, discription)",
        "unknown key `description` (",
        "unknown argument `priority_flg` of Release, did you mean `priority_flag`?",
        "unknown key `unit`",
    ] {
        assert!(messages.iter().any(|message| message.contains(said)), "{said}: {messages:?}");
    }
    assert_eq!(messages.len(), 4, "{messages:?}");
}

#[test]
fn of_several_forms_of_an_operand_the_first_that_fits_counts() {
    let both = r#"{"value": 3, "field": "balance"}"#;
    let text =
        paying(&asking(&format!(r#"{{"op": "<", "left": {both}, "right": {{"field": 1, "value": 2}}}}"#)));
    assert_eq!(warnings(&text).len(), 2);
    let policy = accepted(&text);
    let Some(TreeNode::Condition(node)) = policy.tree(TreeKind::Payment) else { panic!("a condition") };
    let expected = crate::policy::Expression::Compare {
        op: crate::policy::Comparison::Less,
        left: Operand::Field("balance".into()),
        right: Operand::Value(Literal::Number(2.0)),
    };
    assert_eq!(node.condition, expected);
    // In an argument the literal comes first.
    let text = paying(&action("r", "Reprioritize", &format!(r#""new_priority": {both}"#)));
    assert_eq!(program(&text).decide_payment(&nothing()), Ok(PaymentDecision::Reprioritize(3)));
}

#[test]
fn nesting_is_limited_to_127_levels() {
    // The document, the tree, the innermost expression and its list are 4 levels.
    let nested = |levels: usize| {
        let inner = r#"{"op": "and", "conditions": []}"#;
        let nots = levels - 4;
        let condition =
            format!("{}{inner}{}", r#"{"op": "not", "condition": "#.repeat(nots), "}".repeat(nots));
        paying(&asking(&condition))
    };
    accepted(&nested(127));
    assert!(refusal(&nested(128)).contains("nested deeper than 127 levels"));
    assert!(refusal(&nested(5000)).contains("nested deeper"));
}

#[test]
fn numbers_are_doubles_and_finite() {
    let with = |number: &str| {
        document(&format!(r#""parameters": {{"a": {number}}}, "payment_tree": {}"#, action("r", "Drop", "")))
    };
    assert_eq!(accepted(&with("9007199254740993")).parameter("a"), Some(9_007_199_254_740_992.0));
    assert_eq!(accepted(&with(&"9".repeat(60))).parameter("a"), Some(1e60));
    for number in ["1e999", "NaN", "Infinity", &"9".repeat(400)] {
        refusal(&with(number));
    }
    let mut findings = Findings::default();
    let mut node = crate::document::parse_json(&with("1")).unwrap();
    node.get_mut("parameters").unwrap().set("a", Node::new(Value::Float(f64::INFINITY)));
    assert!(PolicyDocument::read(&node, "agents[1].policy.decision_trees", &mut findings).is_none());
    assert_eq!(findings.0[0].path, "agents[1].policy.decision_trees.parameters.a");
}
