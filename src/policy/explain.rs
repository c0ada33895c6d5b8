//! A policy in plain English and as a drawing of its trees.

use super::actions::Action;
use super::ast::{ActionNode, Computation, Expression, Literal, Operand, PolicyDocument, TreeKind, TreeNode};
use super::fields;
use super::operators::{BinaryOp, Comparison, Extreme, UnaryOp};
use crate::event::Text;

/// A line of a drawn tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeLine {
    /// The branches that lead to the node, as box drawing.
    pub stem: String,
    /// The answer that leads here: `yes` or `no`; none for the root.
    pub answer: Option<bool>,
    /// Id of the node.
    pub node: Text,
    /// The question or the decision in words.
    pub text: String,
    /// What the author wrote about the node.
    pub description: Option<Text>,
    /// Whether the node decides.
    pub decides: bool,
}

impl TreeLine {
    /// The line as it is drawn.
    #[must_use]
    pub fn drawn(&self) -> String {
        let answer = match self.answer {
            Some(true) => "yes: ",
            Some(false) => "no: ",
            None => "",
        };
        format!("{}{answer}{}", self.stem, self.text)
    }
}

impl PolicyDocument {
    /// A tree as lines, one per node, the true branch of a condition first. Empty without the tree.
    #[must_use]
    pub fn draw(&self, tree: TreeKind) -> Vec<TreeLine> {
        let mut lines = Vec::new();
        if let Some(root) = self.tree(tree) {
            draw(root, "", None, true, &mut lines);
        }
        lines
    }

    /// The policy as lines of English: what it is, its parameters, and when each tree asks what.
    #[must_use]
    pub fn explain(&self) -> Vec<String> {
        let mut lines = vec![format!("Policy {} (version {})", self.id(), self.version())];
        lines.extend(self.description().map(|description| description.to_string()));
        if !self.parameters().is_empty() {
            lines.push(String::new());
            lines.push("Parameters".to_owned());
            lines.extend(self.parameters().iter().map(|(name, value)| format!("  {name} = {value}")));
        }
        for tree in TreeKind::ALL {
            let Some(root) = self.tree(tree) else { continue };
            lines.push(String::new());
            lines.push(format!("{} ({})", heading(tree), tree.key()));
            clauses(root, 1, &mut lines);
        }
        lines
    }
}

const fn heading(tree: TreeKind) -> &'static str {
    match tree {
        TreeKind::Payment => "For each payment, in every tick",
        TreeKind::Bank => "Once per tick, before payments are judged",
        TreeKind::StrategicCollateral => "Collateral, at the start of the tick",
        TreeKind::EndOfTickCollateral => "Collateral, after settlement",
    }
}

fn draw(node: &TreeNode, indent: &str, answer: Option<bool>, last: bool, lines: &mut Vec<TreeLine>) {
    let (branch, below) = match (answer, last) {
        (None, _) => ("", ""),
        (Some(_), false) => ("├─ ", "│  "),
        (Some(_), true) => ("└─ ", "   "),
    };
    let (text, description, decides) = match node {
        TreeNode::Condition(node) => {
            (format!("{}?", condition(&node.condition)), node.description.clone(), false)
        }
        TreeNode::Action(node) => (decision(node), None, true),
    };
    let stem = format!("{indent}{branch}");
    lines.push(TreeLine { stem, answer, node: node.id().clone(), text, description, decides });
    if let TreeNode::Condition(node) = node {
        let indent = format!("{indent}{below}");
        draw(&node.on_true, &indent, Some(true), false, lines);
        draw(&node.on_false, &indent, Some(false), true, lines);
    }
}

/// `If … : …` and `otherwise`, a condition whose false branch goes on stays at the same level.
fn clauses(node: &TreeNode, level: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(level);
    let mut node = node;
    let mut word = "if";
    loop {
        match node {
            TreeNode::Action(action) if word == "if" => {
                lines.push(format!("{indent}{}", decision(action)));
                return;
            }
            TreeNode::Action(action) => {
                lines.push(format!("{indent}otherwise {}", decision(action)));
                return;
            }
            TreeNode::Condition(asked) => {
                let question = condition(&asked.condition);
                match &asked.on_true {
                    TreeNode::Action(action) => {
                        lines.push(format!("{indent}{word} {question}: {}", decision(action)));
                    }
                    inner @ TreeNode::Condition(_) => {
                        lines.push(format!("{indent}{word} {question}:"));
                        clauses(inner, level + 1, lines);
                    }
                }
                node = &asked.on_false;
                word = "otherwise, if";
            }
        }
    }
}

/// A condition in words.
#[must_use]
pub fn condition(expression: &Expression) -> String {
    match expression {
        Expression::Compare { op, left, right } => comparison(*op, left, right),
        Expression::And(list) => joined(list, " and ", "always"),
        Expression::Or(list) => joined(list, " or ", "never"),
        Expression::Not(inner) => format!("not ({})", condition(inner)),
    }
}

fn joined(list: &[Expression], between: &str, none: &str) -> String {
    let part = |inner: &Expression| match inner {
        Expression::And(list) | Expression::Or(list) if list.len() > 1 => format!("({})", condition(inner)),
        _ => condition(inner),
    };
    match list {
        [] => none.to_owned(),
        list => list.iter().map(part).collect::<Vec<_>>().join(between),
    }
}

/// Flags read as statements: `is overdue == 1` as `is overdue`.
fn comparison(op: Comparison, left: &Operand, right: &Operand) -> String {
    if let (Operand::Field(name), Some(value)) = (left, literal_value(right))
        && fields::find(name).is_some_and(|row| row.unit == "0 or 1")
    {
        match (op, value) {
            (Comparison::Equal, 1.0) | (Comparison::Greater, 0.0) | (Comparison::NotEqual, 0.0) => {
                return readable(name);
            }
            (Comparison::Equal, 0.0) | (Comparison::NotEqual, 1.0) | (Comparison::Less, 1.0) => {
                return format!("not {}", readable(name));
            }
            _ => {}
        }
    }
    let sign = match op {
        Comparison::Equal => "=",
        Comparison::NotEqual => "≠",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "≤",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => "≥",
    };
    format!("{} {sign} {}", operand(left), operand(right))
}

fn literal_value(operand: &Operand) -> Option<f64> {
    if let Operand::Value(literal) = operand { literal.number() } else { None }
}

/// `ticks_to_deadline` as `ticks to deadline`.
fn readable(name: &str) -> String {
    name.replace('_', " ")
}

/// An operand in words.
#[must_use]
pub fn operand(operand: &Operand) -> String {
    match operand {
        Operand::Field(name) => readable(name),
        Operand::Param(name) => format!("[{name}]"),
        Operand::Value(literal) => literal_text(literal),
        Operand::Compute(computation) => computed(computation),
    }
}

fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Number(value) => value.to_string(),
        Literal::Flag(flag) => flag.to_string(),
        Literal::Text(text) => text.to_string(),
        Literal::List(members) => members.iter().map(literal_text).collect::<Vec<_>>().join(", "),
        Literal::Null => "nothing".to_owned(),
        Literal::Map => "a mapping".to_owned(),
    }
}

fn computed(computation: &Computation) -> String {
    let part = |inner: &Operand| match inner {
        Operand::Compute(compound) if matches!(**compound, Computation::Binary { .. }) => {
            format!("({})", operand(inner))
        }
        _ => operand(inner),
    };
    match computation {
        Computation::Binary { op, left, right } => {
            let sign = match op {
                BinaryOp::Add => "+",
                BinaryOp::Subtract => "−",
                BinaryOp::Multiply => "×",
                BinaryOp::Divide => "÷",
            };
            format!("{} {sign} {}", part(left), part(right))
        }
        Computation::Extreme { op, values } => {
            let name = match op {
                Extreme::Max => "largest of",
                Extreme::Min => "smallest of",
            };
            format!("{name} ({})", values.iter().map(operand).collect::<Vec<_>>().join("; "))
        }
        Computation::Unary { op, value } => {
            let inner = operand(value);
            match op {
                UnaryOp::Ceil => format!("({inner}) rounded up"),
                UnaryOp::Floor => format!("({inner}) rounded down"),
                UnaryOp::Round => format!("({inner}) rounded"),
                UnaryOp::Abs => format!("|{inner}|"),
            }
        }
        Computation::Clamp { value, min, max } => {
            format!("{} held within {} to {}", part(value), part(min), part(max))
        }
        Computation::SafeDivide { numerator, denominator, default } => {
            let quotient = format!("{} ÷ {}", part(numerator), part(denominator));
            format!("({quotient}, or {} if that is a division by zero)", operand(default))
        }
    }
}

/// A decision in words.
#[must_use]
pub fn decision(node: &ActionNode) -> String {
    let given = |name: &str| node.argument(name).map(operand);
    let of = |name: &str| given(name).unwrap_or_else(|| "?".to_owned());
    let because = || given("reason").map(|reason| format!(" ({reason})")).unwrap_or_default();
    match node.action {
        Action::Release | Action::ReleaseWithCredit => {
            let flag = given("priority_flag").map(|flag| format!(" with priority {flag}"));
            let tick = given("timed_for_tick").map(|tick| format!(", not before tick {tick}"));
            format!("release{}{}", flag.unwrap_or_default(), tick.unwrap_or_default())
        }
        Action::Split | Action::PaceAndRelease => format!("split into {} parts", of("num_splits")),
        Action::StaggerSplit => format!(
            "split into {} parts, submit {} now, the others {} ticks apart, priority + {}",
            of("num_splits"),
            of("stagger_first_now"),
            of("stagger_gap_ticks"),
            of("priority_boost_children")
        ),
        Action::Hold => format!("hold{}", because()),
        Action::Drop => "drop".to_owned(),
        Action::Reprioritize => format!("set the priority to {}", of("new_priority")),
        Action::WithdrawFromRtgs => "withdraw from queue 2".to_owned(),
        Action::ResubmitToRtgs => format!("resubmit as {}", of("rtgs_priority")),
        Action::SetReleaseBudget => {
            let focus = given("focus_counterparties").map(|banks| format!(", only to {banks}"));
            let each = given("max_per_counterparty").map(|most| format!(", at most {most} to each bank"));
            let most = of("max_value_to_release");
            format!(
                "release at most {most} in this tick{}{}",
                focus.unwrap_or_default(),
                each.unwrap_or_default()
            )
        }
        Action::SetState => format!("set {} to {}", of("key"), of("value")),
        Action::AddState => format!("add {} to {}", of("value"), of("key")),
        Action::NoAction => "do nothing".to_owned(),
        Action::PostCollateral => {
            let timer = given("auto_withdraw_after_ticks").map(|ticks| format!(" for {ticks} ticks"));
            format!("post {} of collateral{}{}", of("amount"), timer.unwrap_or_default(), because())
        }
        Action::WithdrawCollateral => format!("withdraw {} of collateral{}", of("amount"), because()),
        Action::HoldCollateral => "leave collateral as it is".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::BuiltIn;

    #[test]
    fn a_tree_is_drawn_with_the_true_branch_first() {
        let policy = PolicyDocument::builtin(BuiltIn::Deadline { urgency_threshold: 3 });
        let lines: Vec<String> = policy.draw(TreeKind::Payment).iter().map(TreeLine::drawn).collect();
        assert_eq!(
            lines,
            [
                "deadline tick ≤ current tick?",
                "├─ yes: drop",
                "└─ no: ticks to deadline ≤ [urgency_threshold]?",
                "   ├─ yes: release",
                "   └─ no: hold (NearDeadline)",
            ]
        );
        assert!(policy.draw(TreeKind::Bank).is_empty());
    }

    #[test]
    fn a_policy_reads_as_english() {
        let liquidity = BuiltIn::LiquidityAware { target_buffer: 500, urgency_threshold: 2 };
        let policy = PolicyDocument::builtin(liquidity);
        assert_eq!(
            policy.explain(),
            [
                "Policy LiquidityAware (version 1.0)",
                "Keeps a buffer of liquidity for urgent payments.",
                "",
                "Parameters",
                "  target_buffer = 500",
                "  urgency_threshold = 2",
                "",
                "For each payment, in every tick (payment_tree)",
                "  if deadline tick ≤ current tick: drop",
                "  otherwise, if ticks to deadline ≤ [urgency_threshold]:",
                "    if effective liquidity ≥ remaining amount: release",
                "    otherwise hold (InsufficientLiquidity)",
                "  otherwise, if [target_buffer] = 0:",
                "    if effective liquidity ≥ remaining amount: release",
                "    otherwise hold (InsufficientLiquidity)",
                "  otherwise, if balance − remaining amount < [target_buffer]: hold (InsufficientLiquidity)",
                "  otherwise release",
            ]
        );
    }
}
