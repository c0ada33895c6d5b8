//! From a document to its trees: the strictness of spec 04, 1.3.

use std::sync::Arc;

use super::actions::{ACTIONS, Action};
use super::ast::{
    ActionNode, Computation, ConditionNode, Expression, Literal, Operand, PolicyDocument, TreeKind, TreeNode,
};
use super::check;
use super::operators::{COMPUTATIONS, EXPRESSIONS, Function, OperatorRow, Test};
use crate::document::{self, Bound, Item, Node, Reader, Report, Value, shortened};
use crate::event::Text;
use crate::finding::{Finding, Findings, Severity, nearest};

/// Deepest nesting of lists and mappings in a policy.
const MAX_NESTING: usize = 127;

/// Kind of every error of reading (spec 04, 11.1).
pub(super) const PARSE_ERROR: &str = "ParseError";

/// What an operand in an expression or a computation holds, the first that fits counts.
const OPERAND_KEYS: [&str; 4] = ["field", "param", "value", "compute"];

/// The same for the arguments of actions.
const ARGUMENT_KEYS: [&str; 4] = ["value", "field", "param", "compute"];

impl PolicyDocument {
    /// Reads a policy that stands somewhere in a file and checks it completely (spec 04, 1.3 and 6.2).
    ///
    /// `path` is the key path of the policy in its file, empty for a file of its own. Errors of
    /// reading have the kind `ParseError`, those of the checks the error type of spec 04, 6.2. With
    /// an error there is no document; warnings leave it usable.
    #[must_use]
    pub fn read(node: &Node, path: &str, findings: &mut Findings) -> Option<Self> {
        let mut own = Findings::default();
        let document = read_unchecked(node, path, &mut own);
        if let Some(document) = &document {
            check::check(document, node, path, &mut own);
        }
        let refused = own.has_errors();
        findings.0.append(&mut own.0);
        document.filter(|_| !refused)
    }

    /// Reads a policy from JSON text, with the same checks.
    #[must_use]
    pub fn from_json_text(text: &str, path: &str, findings: &mut Findings) -> Option<Self> {
        match document::parse_json(text) {
            Ok(node) => Self::read(&node, path, findings),
            Err(mut finding) => {
                finding.path = path.to_owned();
                findings.push(finding.of_kind(PARSE_ERROR));
                None
            }
        }
    }
}

/// Reads a document without the checks of 6.2.
fn read_unchecked(node: &Node, path: &str, findings: &mut Findings) -> Option<PolicyDocument> {
    let report = Report::default();
    let root = Item::new(node, path, &report);
    let document = is_readable(&root, 1).then(|| policy(root)).flatten();
    let refused = report.has_errors();
    for mut finding in report.into_findings().0 {
        if finding.severity == Severity::Error {
            finding.kind = PARSE_ERROR;
        }
        findings.push(finding);
    }
    document.filter(|_| !refused)
}

/// Whether no list or mapping is nested too deeply and every number is a double.
fn is_readable(item: &Item<'_>, depth: usize) -> bool {
    let is_collection = matches!(item.node.value, Value::List(_) | Value::Map(_));
    if is_collection && depth > MAX_NESTING {
        item.error(format!("nested deeper than {MAX_NESTING} levels"));
        return false;
    }
    let inner: Vec<Item<'_>> = match &item.node.value {
        Value::List(_) => item.list().unwrap_or_default(),
        Value::Map(_) => item.named().unwrap_or_default().into_iter().map(|(_, item)| item).collect(),
        _ => Vec::new(),
    };
    let mut readable = true;
    for item in &inner {
        readable &= is_readable(item, depth + 1);
    }
    if number(item.node).is_some_and(|number| !number.is_finite()) {
        item.error(format!("{} is beyond the range of a number", item.node.described()));
        readable = false;
    }
    readable
}

/// The number that stands here, as a double.
fn number(node: &Node) -> Option<f64> {
    match &node.value {
        Value::Int(value) => Some(*value as f64),
        Value::BigInt(digits) => digits.parse().ok(),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

fn policy(item: Item<'_>) -> Option<PolicyDocument> {
    let source = item.node.to_json();
    let mut reader = item.mapping()?;
    let version = reader.required("version", text);
    let id = reader.required("policy_id", text);
    let description = reader.nullable("description", text);
    let parameters = reader.or("parameters", Vec::new(), parameters);
    let mut trees = [const { None }; 4];
    let mut complete = true;
    for tree in TreeKind::ALL {
        match reader.nullable(tree.key(), node) {
            Some(root) => trees[tree as usize] = root,
            None => complete = false,
        }
    }
    reader.finish();
    let document = PolicyDocument {
        version: version?,
        id: id?,
        description: description?,
        parameters: parameters?,
        trees,
        source,
    };
    complete.then_some(document)
}

fn text(item: Item<'_>) -> Option<Text> {
    item.str().map(Arc::from)
}

fn parameters(item: Item<'_>) -> Option<Vec<(Text, f64)>> {
    let read = |(name, item): (&str, Item<'_>)| Some((Arc::from(name), item.float(Bound::Any)?));
    let read: Vec<_> = item.named()?.into_iter().map(read).collect();
    read.into_iter().collect()
}

fn node(item: Item<'_>) -> Option<TreeNode> {
    #[derive(Clone, Copy)]
    enum Kind {
        Condition,
        Action,
    }
    let mut reader = item.mapping()?;
    let kind = reader.alternative("type", &[("condition", Kind::Condition), ("action", Kind::Action)])?;
    let node = match kind {
        Kind::Condition => condition_node(&mut reader).map(Box::new).map(TreeNode::Condition),
        Kind::Action => action_node(&mut reader).map(TreeNode::Action),
    };
    reader.finish();
    node
}

fn condition_node(reader: &mut Reader<'_>) -> Option<ConditionNode> {
    let id = reader.required("node_id", text);
    let description = reader.or("description", None, |item| text(item).map(Some));
    let condition = reader.required("condition", expression);
    let on_true = reader.required("on_true", node);
    let on_false = reader.required("on_false", node);
    Some(ConditionNode {
        id: id?,
        description: description?,
        condition: condition?,
        on_true: on_true?,
        on_false: on_false?,
    })
}

fn action_node(reader: &mut Reader<'_>) -> Option<ActionNode> {
    let id = reader.required("node_id", text);
    let known: Vec<(&str, Action)> = ACTIONS.iter().map(|row| (row.name, row.action)).collect();
    let action = reader.required("action", |item| item.one_of(&known));
    let arguments = reader.or("parameters", Vec::new(), |item| arguments(&item, action));
    Some(ActionNode { id: id?, action: action?, arguments: arguments? })
}

fn arguments(item: &Item<'_>, action: Option<Action>) -> Option<Vec<(Text, Operand)>> {
    let mut read = Vec::new();
    let mut complete = true;
    for (name, item) in item.named()? {
        if let Some(action) = action.filter(|action| action.row().argument(name).is_none()) {
            warn_of_argument(&item, action, name);
        }
        match operand_of(item, ARGUMENT_KEYS) {
            Some(operand) => read.push((Arc::from(name), operand)),
            None => complete = false,
        }
    }
    complete.then_some(read)
}

fn warn_of_argument(item: &Item<'_>, action: Action, name: &str) {
    let known: Vec<&str> = action.row().arguments.iter().map(|argument| argument.name).collect();
    let unknown = format!("unknown argument `{}` of {}", shortened(name), action.name());
    item.warning(match nearest(name, known.iter().copied()) {
        Some(near) => format!("{unknown}, did you mean `{near}`?"),
        None if known.is_empty() => format!("{unknown}, which takes none"),
        None => format!("{unknown}, which takes `{}`", known.join("`, `")),
    });
}

/// What the `op` of a mapping does; the words of the other table get a message of their own.
fn operator<T: Copy, U>(
    reader: &mut Reader<'_>,
    table: &[OperatorRow<T>],
    other: &[OperatorRow<U>],
    misplaced: &str,
) -> Option<T> {
    reader.required("op", |item| {
        if let Some(row) = item.node.as_text().and_then(|op| other.iter().find(|row| row.key == op)) {
            item.error(format!("`{}` {misplaced}", row.key));
            return None;
        }
        let known: Vec<(&str, T)> = table.iter().map(|row| (row.key, row.does)).collect();
        item.one_of(&known)
    })
}

fn expression(item: Item<'_>) -> Option<Expression> {
    let mut reader = item.mapping()?;
    let misplaced = "gives a number, a condition needs a comparison, `and`, `or` or `not`";
    let test = operator(&mut reader, EXPRESSIONS, COMPUTATIONS, misplaced)?;
    let read = match test {
        Test::Compare(op) => {
            let left = reader.required("left", operand);
            let right = reader.required("right", operand);
            left.zip(right).map(|(left, right)| Expression::Compare { op, left, right })
        }
        Test::And => reader.required("conditions", |list| list.list_of(expression)).map(Expression::And),
        Test::Or => reader.required("conditions", |list| list.list_of(expression)).map(Expression::Or),
        Test::Not => reader.required("condition", expression).map(Box::new).map(Expression::Not),
    };
    reader.finish();
    read
}

fn computation(item: Item<'_>) -> Option<Computation> {
    let mut reader = item.mapping()?;
    let misplaced = "is true or false, a computation needs an operator that gives a number";
    let function = operator(&mut reader, COMPUTATIONS, EXPRESSIONS, misplaced)?;
    let read = match function {
        Function::Binary(op) => {
            let [left, right] = operands(&mut reader, ["left", "right"]);
            left.zip(right).map(|(left, right)| Computation::Binary { op, left, right })
        }
        Function::Extreme(op) => reader
            .required("values", |list| list.list_of(operand))
            .map(|values| Computation::Extreme { op, values }),
        Function::Unary(op) => {
            reader.required("value", operand).map(|value| Computation::Unary { op, value })
        }
        Function::Clamp => {
            let [value, min, max] = operands(&mut reader, ["value", "min", "max"]);
            value.zip(min).zip(max).map(|((value, min), max)| Computation::Clamp { value, min, max })
        }
        Function::SafeDivide => {
            let [numerator, denominator, default] =
                operands(&mut reader, ["numerator", "denominator", "default"]);
            numerator.zip(denominator).zip(default).map(|((numerator, denominator), default)| {
                Computation::SafeDivide { numerator, denominator, default }
            })
        }
    };
    reader.finish();
    read
}

fn operands<const N: usize>(reader: &mut Reader<'_>, keys: [&'static str; N]) -> [Option<Operand>; N] {
    keys.map(|key| reader.required(key, operand))
}

fn operand(item: Item<'_>) -> Option<Operand> {
    operand_of(item, OPERAND_KEYS)
}

/// The first key whose content has the right type counts; the others are ignored (spec 04, 2.1).
fn operand_of(item: Item<'_>, keys: [&'static str; 4]) -> Option<Operand> {
    if item.node.as_map().is_none() {
        let hint = match &item.node.value {
            Value::Text(_) => "write `{\"field\": \"…\"}`, `{\"param\": \"…\"}` or `{\"value\": \"…\"}`",
            _ => "write `{\"value\": …}`",
        };
        return item.expected("an operand", Some(hint.to_owned()));
    }
    let whole = item.clone();
    let mut reader = item.mapping()?;
    let given: Vec<(&str, Item<'_>)> =
        keys.into_iter().filter_map(|key| reader.item(key).map(|item| (key, item))).collect();
    let Some(chosen) = given.iter().position(|(key, item)| fits(key, item.node)) else {
        misfit(&whole, &given);
        return None;
    };
    for (position, (key, item)) in given.iter().enumerate() {
        if position != chosen {
            item.warning(format!("`{key}` is ignored: `{}` stands beside it", given[chosen].0));
        }
    }
    reader.finish();
    let (key, item) = given.into_iter().nth(chosen)?;
    match key {
        "field" => text(item).map(Operand::Field),
        "param" => text(item).map(Operand::Param),
        "value" => Some(Operand::Value(literal(item.node))),
        _ => computation(item).map(Box::new).map(Operand::Compute),
    }
}

fn fits(key: &str, node: &Node) -> bool {
    match key {
        "field" | "param" => node.as_text().is_some(),
        "value" => true,
        _ => node.as_map().is_some(),
    }
}

/// Reports why a mapping is no operand.
fn misfit(item: &Item<'_>, given: &[(&str, Item<'_>)]) {
    for (key, item) in given {
        let wanted =
            if *key == "compute" { "a computation, a mapping with `op`" } else { "the name as text" };
        let _: Option<()> = item.expected(wanted, None);
    }
    if given.is_empty() {
        let keys = item.node.as_map().unwrap_or_default().iter().map(|entry| entry.key.as_str());
        let meant = keys.filter_map(|key| nearest(key, OPERAND_KEYS)).next();
        let message = "an operand needs one of `field`, `param`, `value`, `compute`";
        let finding = Finding::error(&*item.path, Some(item.node.at), message);
        item.report.push(match meant {
            Some(near) => finding.with_hint(format!("did you mean `{near}`?")),
            None => finding,
        });
    }
}

fn literal(node: &Node) -> Literal {
    match &node.value {
        Value::Null => Literal::Null,
        Value::Bool(flag) => Literal::Flag(*flag),
        Value::Text(text) => Literal::Text(text.as_str().into()),
        Value::List(items) => Literal::List(items.iter().map(literal).collect()),
        Value::Map(_) => Literal::Map,
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
            number(node).map_or(Literal::Null, Literal::Number)
        }
    }
}
