//! The rules that a policy must keep, all of them, in all its trees (spec 04, 6.2).

use std::collections::{BTreeMap, BTreeSet};

use super::actions::{Action, ArgumentKind, ArgumentRow};
use super::ast::{ActionNode, Computation, Literal, Operand, PolicyDocument, TreeKind, TreeNode};
use super::fields::{self, FIELDS, REGISTER_PREFIX};
use super::operators::{BinaryOp, SMALLEST_DIVISOR};
use super::walk::{Element, Visit, Walk};
use crate::document::{Node, shortened};
use crate::finding::{Finding, Findings, meant, nearest};

/// Edges that may lie between a root and an action.
const MAX_DEPTH: usize = 100;

/// Names of registers that one policy may use, read ones included.
pub(super) const MAX_REGISTERS: usize = u16::MAX as usize;

/// The parameter that says how much of its pool a bank brings (C7).
pub const FRACTION: &str = "initial_liquidity_fraction";

/// Checks a document that was read from `node`, the policy at `base` of its file.
pub(super) fn check(document: &PolicyDocument, node: &Node, base: &str, findings: &mut Findings) {
    let walk = Walk::new(document);
    let mut check = Check { document, walk: &walk, node, base, findings };
    check.node_ids();
    check.depth();
    check.fields();
    check.parameters();
    check.divisors();
    check.literals();
    check.actions();
    check.arguments();
    check.payment_tree();
    check.fraction();
    check.registers();
}

struct Check<'a> {
    document: &'a PolicyDocument,
    walk: &'a Walk<'a>,
    node: &'a Node,
    base: &'a str,
    findings: &'a mut Findings,
}

impl Check<'_> {
    fn finding(&self, path: &str, message: String) -> Finding {
        let full = match (self.base, path) {
            (base, "") => base.to_owned(),
            ("", path) => path.to_owned(),
            (base, path) => format!("{base}.{path}"),
        };
        Finding::error(full, self.node.locate(path).or(Some(self.node.at)), message)
    }

    fn error(&mut self, kind: &'static str, path: &str, message: String, hint: Option<String>) {
        let finding = self.finding(path, message).of_kind(kind);
        self.findings.push(match hint {
            Some(hint) => finding.with_hint(hint),
            None => finding,
        });
    }

    fn error_at(&mut self, kind: &'static str, visit: usize, key: &str, message: String) {
        let path = join(&self.walk.path(visit), key);
        self.error(kind, &path, message, None);
    }

    fn warn_at(&mut self, visit: usize, key: &str, message: String) {
        let mut finding = self.finding(&join(&self.walk.path(visit), key), message);
        finding.severity = crate::finding::Severity::Warning;
        self.findings.push(finding);
    }

    /// Node ids are unique in the document; one error per repetition.
    fn node_ids(&mut self) {
        let mut seen = BTreeSet::new();
        let mut repeated: BTreeMap<(TreeKind, &str), Vec<usize>> = BTreeMap::new();
        for (at, visit) in self.walk.iter() {
            if let Element::Node(node) = visit.element
                && !seen.insert(&**node.id())
            {
                repeated.entry((visit.tree, node.id())).or_default().push(at);
            }
        }
        for ((_, id), visits) in repeated {
            for at in visits {
                let message = format!("duplicate node id `{}`: every node needs its own", shortened(id));
                self.error_at("DuplicateNodeId", at, "node_id", message);
            }
        }
    }

    /// No action lies deeper than 100 edges; one error for the deepest.
    fn depth(&mut self) {
        let is_node = |visit: &Visit<'_>| matches!(visit.element, Element::Node(TreeNode::Action(_)));
        let mut deepest: Option<(usize, usize)> = None;
        for (at, visit) in self.walk.iter().filter(|(_, visit)| is_node(visit)) {
            if visit.depth > deepest.map_or(MAX_DEPTH, |(depth, _)| depth) {
                deepest = Some((visit.depth, at));
            }
        }
        if let Some((depth, at)) = deepest {
            let message = format!("tree depth {depth} exceeds maximum {MAX_DEPTH}");
            self.error_at("ExcessiveDepth", at, "", message);
        }
    }

    /// Every field is one that its tree can read; one error per name and tree.
    fn fields(&mut self) {
        let mut wrong: BTreeMap<(TreeKind, &str), usize> = BTreeMap::new();
        for (at, visit) in self.walk.iter() {
            if let Some(Operand::Field(name)) = visit.element.operand()
                && !is_readable(name, visit.tree)
            {
                wrong.entry((visit.tree, name)).or_insert(at);
            }
        }
        for ((tree, name), at) in wrong {
            let message = unreadable_field(name, tree);
            self.error_at("InvalidFieldReference", at, "field", message);
        }
    }

    /// Every parameter exists; one error per name.
    fn parameters(&mut self) {
        let mut wrong: BTreeMap<(TreeKind, &str), usize> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (at, visit) in self.walk.iter() {
            if let Some(Operand::Param(name)) = visit.element.operand()
                && self.document.parameter(name).is_none()
                && seen.insert(&**name)
            {
                wrong.insert((visit.tree, name), at);
            }
        }
        let known: Vec<&str> = self.document.parameters().iter().map(|(name, _)| &**name).collect();
        for ((_, name), at) in wrong {
            let shown = shortened(name);
            let near = meant(nearest(name, known.iter().copied()));
            let message = format!("parameter `{shown}` is not in `parameters`{near}");
            self.error_at("InvalidParameterReference", at, "param", message);
        }
    }

    /// Nothing is divided by a literal of almost zero.
    fn divisors(&mut self) {
        for (at, visit) in self.walk.iter() {
            if let Element::Computation(Computation::Binary { op: BinaryOp::Divide, right, .. }) =
                visit.element
                && let Operand::Value(literal) = right
                && literal.number().is_some_and(|number| number.abs() < SMALLEST_DIVISOR)
            {
                let node = shortened(visit.node.id());
                let message = format!("division by zero at node `{node}`: `div0` has a default for that");
                self.error_at("DivisionByZeroRisk", at, "right", message);
            }
        }
    }

    /// Literals among numbers are numbers, and extremes have something to choose from.
    fn literals(&mut self) {
        for (at, visit) in self.walk.iter() {
            let node = shortened(visit.node.id());
            match visit.element {
                Element::Operand(Operand::Value(literal)) if literal.number().is_none() => {
                    let found = literal.described();
                    let message = format!("node `{node}` needs a number or a boolean, not {found}");
                    self.error_at("InvalidLiteral", at, "value", message);
                }
                Element::Computation(Computation::Extreme { op, values }) if values.is_empty() => {
                    let message = format!("`{}` at node `{node}` has an empty list", op.symbol());
                    self.error_at("InvalidLiteral", at, "values", message);
                }
                _ => {}
            }
        }
    }

    /// Every action belongs to its tree. `Hold` in the bank tree is `NoAction` (C5).
    fn actions(&mut self) {
        for (at, visit) in self.walk.iter() {
            let Element::Node(TreeNode::Action(node)) = visit.element else { continue };
            let (name, id, key) = (node.action.name(), shortened(&node.id), visit.tree.key());
            if node.action == Action::Hold && visit.tree == TreeKind::Bank {
                self.warn_at(at, "action", format!("`Hold` at node `{id}` of `{key}` means `NoAction`"));
            } else if !node.action.row().trees.contains(&visit.tree) {
                let trees = backticked(node.action.row().trees.iter().map(|tree| tree.key()), " and ");
                let message = format!("`{name}` at node `{id}` does not belong in `{key}`, only in {trees}");
                self.error_at("InvalidAction", at, "action", message);
            }
        }
    }

    /// Arguments that must be there are there, and literals are what they must be.
    fn arguments(&mut self) {
        for (at, visit) in self.walk.iter() {
            let Element::Node(TreeNode::Action(node)) = visit.element else { continue };
            for row in node.action.row().arguments {
                if let Some((key, fault)) = argument_fault(node, row) {
                    let message = format!("node `{}`: {fault}", shortened(&node.id));
                    self.error_at("InvalidArgument", at, &key, message);
                }
            }
            if let Some(key) = bad_register(node) {
                let key = shortened(key);
                let message =
                    format!("register `{key}` does not begin with `{REGISTER_PREFIX}`: it is never set");
                self.warn_at(at, "parameters.key", message);
            }
        }
    }

    fn payment_tree(&mut self) {
        if self.document.tree(TreeKind::Payment).is_none() {
            let hint = Some("a tree with the single action `Release` submits everything".to_owned());
            self.error("MissingTree", "", "`payment_tree` is missing".to_owned(), hint);
        }
    }

    fn fraction(&mut self) {
        if let Some(fraction) = self.document.parameter(FRACTION)
            && !(0.0..=1.0).contains(&fraction)
        {
            let message = format!("`{FRACTION}` is {fraction}, it must lie in 0 to 1");
            self.error("InvalidLiquidityFraction", &format!("parameters.{FRACTION}"), message, None);
        }
    }

    /// What one policy can remember is bounded.
    fn registers(&mut self) {
        let count = registers(self.document).len();
        if count > MAX_REGISTERS {
            let message = format!("{count} registers are named, at most {MAX_REGISTERS} can be");
            self.error("TooManyRegisters", "", message, None);
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if key.is_empty() { path.to_owned() } else { format!("{path}.{key}") }
}

fn backticked<'a>(names: impl Iterator<Item = &'a str>, between: &str) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(between)
}

/// Whether a tree can read a name.
pub(super) fn is_readable(name: &str, tree: TreeKind) -> bool {
    name.starts_with(REGISTER_PREFIX) || fields::find(name).is_some_and(|row| row.trees.contains(&tree))
}

fn unreadable_field(name: &str, tree: TreeKind) -> String {
    let (shown, key) = (shortened(name), tree.key());
    if fields::find(name).is_some() {
        return format!("field `{shown}` is one of a payment, `{key}` judges none");
    }
    let known = FIELDS.iter().filter(|row| row.trees.contains(&tree)).map(|row| row.name);
    format!("unknown field `{shown}` in `{key}`{}", meant(nearest(name, known)))
}

/// What is wrong with an argument, and the key where it is wrong.
fn argument_fault(node: &ActionNode, row: &ArgumentRow) -> Option<(String, String)> {
    let (name, action) = (row.name, node.action.name());
    let Some(operand) = node.argument(name) else {
        return row.required.then(|| (String::new(), format!("`{action}` needs the argument `{name}`")));
    };
    let key = format!("parameters.{name}");
    let fault = match (row.kind, operand) {
        (ArgumentKind::Number | ArgumentKind::Parts, Operand::Value(literal)) => {
            number_fault(node, row, literal)
        }
        (ArgumentKind::Choice(words), operand) => {
            let given = operand.text();
            (!given.is_some_and(|given| words.contains(&given))).then(|| {
                let near = meant(given.and_then(|given| nearest(given, words.iter().copied())));
                let words = backticked(words.iter().copied(), ", ");
                format!("`{name}` must be one of the texts {words}, not {}{near}", operand.described())
            })
        }
        (ArgumentKind::Text, operand) => operand
            .text()
            .is_none()
            .then(|| format!("`{name}` must be a text literal, not {}", operand.described())),
        _ => None,
    }?;
    Some((key, fault))
}

fn number_fault(node: &ActionNode, row: &ArgumentRow, literal: &Literal) -> Option<String> {
    let name = row.name;
    let Literal::Number(number) = *literal else {
        return Some(format!("`{name}` must be a number, not {}", literal.described()));
    };
    if row.kind == ArgumentKind::Parts && number < 2.0 {
        return Some(format!("`{name}` is {number}, a payment is split into 2 parts or more"));
    }
    let parts = node.argument("num_splits").and_then(Operand::literal_number)?;
    (name == "stagger_first_now" && number as u64 > parts as u64)
        .then(|| format!("`{name}` is {number}, more than the {parts} parts of `num_splits`"))
}

fn bad_register(node: &ActionNode) -> Option<&str> {
    register_key(node).filter(|key| !key.starts_with(REGISTER_PREFIX))
}

/// The register that an action sets.
fn register_key(node: &ActionNode) -> Option<&str> {
    let sets = matches!(node.action, Action::SetState | Action::AddState);
    sets.then(|| node.argument("key")).flatten().and_then(Operand::text)
}

/// The registers that a document reads or sets, in byte order.
pub(super) fn registers(document: &PolicyDocument) -> BTreeSet<&str> {
    let walk = Walk::new(document);
    let mut names = BTreeSet::new();
    for visit in walk.visits() {
        names.extend(match visit.element {
            Element::Operand(Operand::Field(name)) | Element::Argument(Operand::Field(name)) => Some(&**name),
            Element::Node(TreeNode::Action(node)) => register_key(node),
            _ => None,
        });
    }
    names.retain(|name| name.starts_with(REGISTER_PREFIX));
    names
}
