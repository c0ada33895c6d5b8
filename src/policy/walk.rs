//! Every element of a tree with its key path, for checks, categories and listings.

use std::fmt::Write as _;

use super::ast::{Computation, Expression, Operand, PolicyDocument, TreeKind, TreeNode};

/// A part of a tree.
#[derive(Clone, Copy, Debug)]
pub(super) enum Element<'a> {
    /// A condition or an action.
    Node(&'a TreeNode),
    /// An expression.
    Expression(&'a Expression),
    /// An operand of an expression or a computation.
    Operand(&'a Operand),
    /// An argument of an action.
    Argument(&'a Operand),
    /// A computation.
    Computation(&'a Computation),
}

impl<'a> Element<'a> {
    /// The operand, whether of a computation, an expression or an action.
    pub(super) const fn operand(self) -> Option<&'a Operand> {
        match self {
            Self::Operand(operand) | Self::Argument(operand) => Some(operand),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Key(&'a str),
    Item(&'static str, usize),
    Argument(&'a str),
}

/// An element and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Visit<'a> {
    /// The element.
    pub(super) element: Element<'a>,
    /// The tree.
    pub(super) tree: TreeKind,
    /// The node to which it belongs.
    pub(super) node: &'a TreeNode,
    /// Edges from the root to that node.
    pub(super) depth: usize,
    parent: Option<usize>,
    step: Step<'a>,
}

/// All elements of a document, trees in their order, every element after the one that holds it.
#[derive(Debug, Default)]
pub(super) struct Walk<'a> {
    visits: Vec<Visit<'a>>,
}

impl<'a> Walk<'a> {
    /// Visits everything.
    pub(super) fn new(document: &'a PolicyDocument) -> Self {
        let mut walk = Self::default();
        for tree in TreeKind::ALL {
            if let Some(root) = document.tree(tree) {
                walk.node(tree, root, 0, None, Step::Key(tree.key()));
            }
        }
        walk
    }

    /// The elements, each with its number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Visit<'a>)> {
        self.visits.iter().enumerate()
    }

    /// The elements.
    pub(super) fn visits(self) -> impl Iterator<Item = Visit<'a>> {
        self.visits.into_iter()
    }

    /// The key path of an element.
    pub(super) fn path(&self, visit: usize) -> String {
        let mut steps = Vec::new();
        let mut at = Some(visit);
        while let Some(visit) = at.and_then(|at| self.visits.get(at)) {
            steps.push(visit.step);
            at = visit.parent;
        }
        let mut path = String::new();
        for step in steps.iter().rev() {
            let dot = if path.is_empty() { "" } else { "." };
            let _ = match step {
                Step::Key(key) => write!(path, "{dot}{key}"),
                Step::Item(key, index) => write!(path, "{dot}{key}[{index}]"),
                Step::Argument(name) => write!(path, "{dot}parameters.{name}"),
            };
        }
        path
    }

    fn node(
        &mut self,
        tree: TreeKind,
        node: &'a TreeNode,
        depth: usize,
        parent: Option<usize>,
        step: Step<'a>,
    ) {
        let visit = Visit { element: Element::Node(node), tree, node, depth, parent, step };
        let here = self.push(visit.clone());
        match node {
            TreeNode::Condition(condition) => {
                self.expression(&visit, &condition.condition, here, Step::Key("condition"));
                self.node(tree, &condition.on_true, depth + 1, Some(here), Step::Key("on_true"));
                self.node(tree, &condition.on_false, depth + 1, Some(here), Step::Key("on_false"));
            }
            TreeNode::Action(action) => {
                for (name, operand) in &action.arguments {
                    self.operand(&visit, Element::Argument(operand), here, Step::Argument(name));
                }
            }
        }
    }

    fn expression(&mut self, of: &Visit<'a>, expression: &'a Expression, parent: usize, step: Step<'a>) {
        let here = self.add(of, Element::Expression(expression), parent, step);
        match expression {
            Expression::Compare { left, right, .. } => {
                self.operands(of, here, [("left", left), ("right", right)]);
            }
            Expression::And(list) | Expression::Or(list) => {
                for (index, inner) in list.iter().enumerate() {
                    self.expression(of, inner, here, Step::Item("conditions", index));
                }
            }
            Expression::Not(inner) => self.expression(of, inner, here, Step::Key("condition")),
        }
    }

    fn operand(&mut self, of: &Visit<'a>, element: Element<'a>, parent: usize, step: Step<'a>) {
        let here = self.add(of, element, parent, step);
        if let Some(Operand::Compute(computation)) = element.operand() {
            self.computation(of, computation, here);
        }
    }

    fn computation(&mut self, of: &Visit<'a>, computation: &'a Computation, parent: usize) {
        let here = self.add(of, Element::Computation(computation), parent, Step::Key("compute"));
        match computation {
            Computation::Binary { left, right, .. } => {
                self.operands(of, here, [("left", left), ("right", right)]);
            }
            Computation::Extreme { values, .. } => {
                for (index, value) in values.iter().enumerate() {
                    self.operand(of, Element::Operand(value), here, Step::Item("values", index));
                }
            }
            Computation::Unary { value, .. } => self.operands(of, here, [("value", value)]),
            Computation::Clamp { value, min, max } => {
                self.operands(of, here, [("value", value), ("min", min), ("max", max)]);
            }
            Computation::SafeDivide { numerator, denominator, default } => {
                let operands = [("numerator", numerator), ("denominator", denominator), ("default", default)];
                self.operands(of, here, operands);
            }
        }
    }

    fn operands<const N: usize>(&mut self, of: &Visit<'a>, parent: usize, list: [(&'a str, &'a Operand); N]) {
        for (key, operand) in list {
            self.operand(of, Element::Operand(operand), parent, Step::Key(key));
        }
    }

    fn add(&mut self, of: &Visit<'a>, element: Element<'a>, parent: usize, step: Step<'a>) -> usize {
        self.push(Visit { element, parent: Some(parent), step, ..of.clone() })
    }

    fn push(&mut self, visit: Visit<'a>) -> usize {
        self.visits.push(visit);
        self.visits.len() - 1
    }
}
