//! What holds for every document: reading never panics, what passed the checks only fails on
//! numbers, and a document reads back equal.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::document::Node;
use crate::policy::{ACTIONS, COMPUTATIONS, CollateralLayer, EvalError, FIELDS, TreeKind};

fn literal() -> impl Strategy<Value = Json> {
    prop_oneof![
        4 => (-20.0..20.0).prop_map(Json::from),
        2 => prop_oneof![Just(0.0), Just(1e308), Just(-1e308), Just(1e-300)].prop_map(Json::from),
        1 => any::<bool>().prop_map(Json::from),
        1 => "[a-zA-Z\"é ]{0,4}".prop_map(Json::from),
        1 => Just(json!(["B", 1, null])),
    ]
}

fn operand() -> impl Strategy<Value = Json> {
    let field = prop_oneof![
        6 => (0..FIELDS.len()).prop_map(|at| FIELDS[at].name.to_owned()),
        1 => "bank_state_[ab]",
        1 => "[a-z_]{1,6}",
    ];
    let simple = prop_oneof![
        field.prop_map(|name| json!({"field": name})),
        "[pq]".prop_map(|name| json!({"param": name})),
        literal().prop_map(|value| json!({"value": value})),
    ];
    simple.prop_recursive(3, 12, 3, |inner| {
        ((0..COMPUTATIONS.len()), prop::collection::vec(inner, 3)).prop_map(|(at, operands)| {
            let row = &COMPUTATIONS[at];
            let mut computation = json!({"op": row.key});
            for ((key, kind, _), operand) in row.keys.iter().zip(&operands) {
                computation[*key] = if kind.starts_with("list") { json!(operands) } else { operand.clone() };
            }
            json!({"compute": computation})
        })
    })
}

fn expression() -> impl Strategy<Value = Json> {
    let comparison = prop_oneof![Just("=="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">=")];
    let compare = (comparison, operand(), operand())
        .prop_map(|(op, left, right)| json!({"op": op, "left": left, "right": right}));
    compare.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|list| json!({"op": "and", "conditions": list})),
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|list| json!({"op": "or", "conditions": list})),
            inner.prop_map(|inner| json!({"op": "not", "condition": inner})),
        ]
    })
}

/// An action with most of its arguments, mostly of the right kind.
fn action_node(tree: TreeKind) -> impl Strategy<Value = Json> {
    let fitting: Vec<_> = ACTIONS.iter().filter(|row| row.trees.contains(&tree)).collect();
    ((0..fitting.len()), prop::collection::vec((operand(), 0..8_u8), 4)).prop_map(move |(at, operands)| {
        let row = fitting[at];
        let mut arguments = json!({});
        for (argument, (operand, choice)) in row.arguments.iter().zip(operands) {
            arguments[argument.name] = match (argument.kind.words(), choice) {
                (_, 0) => continue,
                ([], _) if argument.name == "key" => json!({"value": "bank_state_a"}),
                ([], _) => operand,
                (words, _) => json!({"value": words[0]}),
            };
        }
        json!({"type": "action", "node_id": "", "action": row.name, "parameters": arguments})
    })
}

fn tree(kind: TreeKind) -> impl Strategy<Value = Json> {
    action_node(kind).prop_recursive(4, 12, 2, |inner| {
        (expression(), inner.clone(), inner).prop_map(|(condition, on_true, on_false)| {
            json!({"type": "condition", "node_id": "", "condition": condition,
                "on_true": on_true, "on_false": on_false})
        })
    })
}

/// Gives the nodes running ids.
fn number_nodes(json: &mut Json, next: &mut u32) {
    match json {
        Json::Object(map) => {
            if let Some(id) = map.get_mut("node_id") {
                *id = json!(format!("n{next}"));
                *next += 1;
            }
            map.values_mut().for_each(|value| number_nodes(value, next));
        }
        Json::Array(list) => list.iter_mut().for_each(|value| number_nodes(value, next)),
        _ => {}
    }
}

/// A document that mostly passes the checks.
pub(crate) fn policy() -> impl Strategy<Value = Json> {
    let trees = (
        tree(TreeKind::Payment),
        prop::option::of(tree(TreeKind::Bank)),
        prop::option::of(tree(TreeKind::StrategicCollateral)),
    );
    (trees, prop::option::of(-1.0..2.0)).prop_map(|((payment, bank, collateral), fraction)| {
        let mut parameters = json!({"p": 3, "q": 0});
        if let Some(fraction) = fraction {
            parameters["initial_liquidity_fraction"] = json!(fraction);
        }
        let mut document = json!({"version": "1", "policy_id": "random", "parameters": parameters,
            "payment_tree": payment, "bank_tree": bank, "strategic_collateral_tree": collateral});
        number_nodes(&mut document, &mut 0);
        document
    })
}

/// Any JSON at all, made of words of the language.
fn anything() -> impl Strategy<Value = Json> {
    let word = prop_oneof![
        Just("condition"),
        Just("action"),
        Just("type"),
        Just("op"),
        Just("<"),
        Just("and"),
        Just("/"),
        Just("Release"),
        Just("payment_tree"),
        Just("version"),
        Just("policy_id"),
        Just("field"),
        Just("value"),
        Just("compute"),
        Just("parameters"),
        Just("node_id"),
        Just("on_true"),
        Just("left"),
        Just("max"),
    ];
    let leaf = prop_oneof![word.clone().prop_map(Json::from), literal(), Just(Json::Null)];
    leaf.prop_recursive(6, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|entries| entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

fn read_json(json: &Json) -> (Option<PolicyDocument>, Findings) {
    let mut findings = Findings::default();
    let document = PolicyDocument::read(&Node::from_json(json), "", &mut findings);
    (document, findings)
}

/// Whether an evaluation gave a decision or failed on a number, at a node of the document.
fn is_fair<T>(result: Result<T, EvalError>) -> bool {
    result.map_or_else(|error| error.node.starts_with('n'), |_| true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_never_panics(json in anything()) {
        let (document, findings) = read_json(&json);
        prop_assert_eq!(document.is_none(), findings.has_errors());
    }

    #[test]
    fn what_was_checked_decides(json in policy(), figures in prop::collection::vec(-1e3..1e3, 7)) {
        let (document, findings) = read_json(&json);
        prop_assert!(findings.errors().all(|finding| finding.kind != "ParseError"), "{:?}", findings);
        if let Some(document) = document {
            let program = Program::compile(&document);
            prop_assert!(program.is_ok(), "{:?}", program);
            let facts = Known::new(|field| {
                let sum: usize = format!("{field:?}").bytes().map(usize::from).sum();
                figures[sum % figures.len()]
            });
            if let Ok(program) = program {
                prop_assert!(is_fair(program.decide_payment(&facts)));
                prop_assert!(is_fair(program.decide_bank(&facts)));
                prop_assert!(is_fair(program.decide_collateral(CollateralLayer::Strategic, &facts)));
            }
            let reread = read_json(document.to_json()).0;
            prop_assert_eq!(reread.as_ref(), Some(&document));
            let rewritten = crate::policy::write::document(&document);
            let reread = read_json(&rewritten).0.map(|reread| reread.trees);
            prop_assert_eq!(reread, Some(document.trees.clone()));
            prop_assert!(document.explain().len() > 2);
        }
    }
}
