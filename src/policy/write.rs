//! From trees to the JSON of a document (spec 04, 1 and 2).

use serde_json::{Map, Number, Value as Json, json};

use super::ast::{Computation, Expression, Literal, Operand, PolicyDocument, TreeKind, TreeNode};

/// A document as JSON, made from its trees alone.
pub(super) fn document(document: &PolicyDocument) -> Json {
    let mut map = Map::new();
    map.insert("version".to_owned(), text(&document.version));
    map.insert("policy_id".to_owned(), text(&document.id));
    if let Some(description) = &document.description {
        map.insert("description".to_owned(), text(description));
    }
    let parameters = document.parameters.iter().map(|(name, value)| (name.to_string(), number(*value)));
    map.insert("parameters".to_owned(), Json::Object(parameters.collect()));
    for tree in TreeKind::ALL {
        if let Some(root) = document.tree(tree) {
            map.insert(tree.key().to_owned(), node(root));
        }
    }
    Json::Object(map)
}

fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

/// Whole numbers stand without a point.
fn number(value: f64) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_whole = value.fract() == 0.0 && value.abs() < EXACT && !(value == 0.0 && value.is_sign_negative());
    if is_whole { Json::from(value as i64) } else { Json::from(Number::from_f64(value)) }
}

fn node(node: &TreeNode) -> Json {
    match node {
        TreeNode::Condition(condition) => {
            let mut map = Map::new();
            map.insert("type".to_owned(), text("condition"));
            map.insert("node_id".to_owned(), text(&condition.id));
            if let Some(description) = &condition.description {
                map.insert("description".to_owned(), text(description));
            }
            map.insert("condition".to_owned(), expression(&condition.condition));
            map.insert("on_true".to_owned(), self::node(&condition.on_true));
            map.insert("on_false".to_owned(), self::node(&condition.on_false));
            Json::Object(map)
        }
        TreeNode::Action(action) => {
            let mut map = Map::new();
            map.insert("type".to_owned(), text("action"));
            map.insert("node_id".to_owned(), text(&action.id));
            map.insert("action".to_owned(), text(action.action.name()));
            if !action.arguments.is_empty() {
                let arguments =
                    action.arguments.iter().map(|(name, value)| (name.to_string(), operand(value)));
                map.insert("parameters".to_owned(), Json::Object(arguments.collect()));
            }
            Json::Object(map)
        }
    }
}

/// An expression as JSON.
pub(super) fn expression(expression: &Expression) -> Json {
    let list = |list: &[Expression]| Json::Array(list.iter().map(self::expression).collect());
    match expression {
        Expression::Compare { op, left, right } => {
            json!({"op": op.symbol(), "left": operand(left), "right": operand(right)})
        }
        Expression::And(conditions) => json!({"op": "and", "conditions": list(conditions)}),
        Expression::Or(conditions) => json!({"op": "or", "conditions": list(conditions)}),
        Expression::Not(inner) => json!({"op": "not", "condition": self::expression(inner)}),
    }
}

fn operand(operand: &Operand) -> Json {
    match operand {
        Operand::Field(name) => json!({"field": &**name}),
        Operand::Param(name) => json!({"param": &**name}),
        Operand::Value(value) => json!({"value": literal(value)}),
        Operand::Compute(inner) => json!({"compute": computation(inner)}),
    }
}

fn computation(computation: &Computation) -> Json {
    match computation {
        Computation::Binary { op, left, right } => {
            json!({"op": op.symbol(), "left": operand(left), "right": operand(right)})
        }
        Computation::Extreme { op, values } => {
            json!({"op": op.symbol(), "values": values.iter().map(operand).collect::<Vec<_>>()})
        }
        Computation::Unary { op, value } => json!({"op": op.symbol(), "value": operand(value)}),
        Computation::Clamp { value, min, max } => {
            json!({"op": "clamp", "value": operand(value), "min": operand(min), "max": operand(max)})
        }
        Computation::SafeDivide { numerator, denominator, default } => json!({
            "op": "div0",
            "numerator": operand(numerator),
            "denominator": operand(denominator),
            "default": operand(default),
        }),
    }
}

fn literal(literal: &Literal) -> Json {
    match literal {
        Literal::Number(value) => number(*value),
        Literal::Flag(flag) => Json::Bool(*flag),
        Literal::Text(value) => text(value),
        Literal::List(members) => Json::Array(members.iter().map(self::literal).collect()),
        Literal::Null => Json::Null,
        Literal::Map => Json::Object(Map::new()),
    }
}
