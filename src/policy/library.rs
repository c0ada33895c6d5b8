//! The built-in policy types as documents of the language (spec 04, 9.1).

use serde_json::Value as Json;

use super::actions::Action;
use super::ast::{
    ActionNode, Computation, ConditionNode, Expression, Literal, Operand, PolicyDocument, TreeNode,
};
use super::operators::{BinaryOp, Comparison};
use super::write;

/// A policy type that needs no document. Its keys are checked by whoever reads them (spec 04, 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BuiltIn {
    /// Releases everything.
    Fifo,
    /// Releases near the deadline.
    Deadline {
        /// Ticks to the deadline from which on a payment is released, above 0.
        urgency_threshold: i64,
    },
    /// Keeps a buffer of liquidity.
    LiquidityAware {
        /// Balance that stays, cents, at least 0.
        target_buffer: i64,
        /// Ticks to the deadline from which on the buffer may be used, above 0.
        urgency_threshold: i64,
    },
    /// Splits what the balance does not cover.
    LiquiditySplitting {
        /// Parts of an urgent payment, 2 to 10.
        max_splits: i64,
        /// Checked, without effect.
        min_split_amount: i64,
    },
    /// Splits everything.
    MockSplitting {
        /// Parts, 2 to 10.
        num_splits: i64,
    },
}

impl BuiltIn {
    /// The `type` in a scenario, and the `policy_id` of the document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fifo => "Fifo",
            Self::Deadline { .. } => "Deadline",
            Self::LiquidityAware { .. } => "LiquidityAware",
            Self::LiquiditySplitting { .. } => "LiquiditySplitting",
            Self::MockSplitting { .. } => "MockSplitting",
        }
    }

    /// The keys of the type with their values.
    #[must_use]
    pub fn parameters(self) -> Vec<(&'static str, i64)> {
        match self {
            Self::Fifo => Vec::new(),
            Self::Deadline { urgency_threshold } => vec![("urgency_threshold", urgency_threshold)],
            Self::LiquidityAware { target_buffer, urgency_threshold } => {
                vec![("target_buffer", target_buffer), ("urgency_threshold", urgency_threshold)]
            }
            Self::LiquiditySplitting { max_splits, min_split_amount } => {
                vec![("max_splits", max_splits), ("min_split_amount", min_split_amount)]
            }
            Self::MockSplitting { num_splits } => vec![("num_splits", num_splits)],
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::Fifo => "Releases every payment at once, in order of arrival.",
            Self::Deadline { .. } => "Releases payments when their deadline is near.",
            Self::LiquidityAware { .. } => "Keeps a buffer of liquidity for urgent payments.",
            Self::LiquiditySplitting { .. } => "Splits payments that the balance does not cover.",
            Self::MockSplitting { .. } => "Splits every payment.",
        }
    }

    fn tree(self) -> TreeNode {
        match self {
            Self::Fifo => action("release", Action::Release, &[]),
            Self::Deadline { .. } => unless_expired(deadline()),
            Self::LiquidityAware { .. } => unless_expired(liquidity_aware()),
            Self::LiquiditySplitting { .. } => unless_expired(liquidity_splitting()),
            Self::MockSplitting { .. } => split("split", param("num_splits")),
        }
    }
}

impl PolicyDocument {
    /// The document of a built-in type. It has no bank tree and no collateral tree.
    #[must_use]
    pub fn builtin(policy: BuiltIn) -> Self {
        let parameters = policy.parameters().into_iter().map(|(name, value)| (name.into(), value as f64));
        let mut document = Self {
            version: "1.0".into(),
            id: policy.name().into(),
            description: Some(policy.description().into()),
            parameters: parameters.collect(),
            trees: [Some(policy.tree()), None, None, None],
            source: Json::Null,
        };
        document.source = write::document(&document);
        document
    }
}

/// Deadline tests are inclusive: in the deadline tick itself these types drop.
fn unless_expired(otherwise: TreeNode) -> TreeNode {
    let expired = compare(field("deadline_tick"), Comparison::LessOrEqual, field("current_tick"));
    branch("expired", expired, action("drop", Action::Drop, &[]), otherwise)
}

fn deadline() -> TreeNode {
    let urgent = compare(field("ticks_to_deadline"), Comparison::LessOrEqual, param("urgency_threshold"));
    branch("urgent", urgent, action("release", Action::Release, &[]), hold("wait", "NearDeadline"))
}

fn liquidity_aware() -> TreeNode {
    let urgent = compare(field("ticks_to_deadline"), Comparison::LessOrEqual, param("urgency_threshold"));
    let no_buffer = compare(param("target_buffer"), Comparison::Equal, number(0.0));
    let left = Computation::Binary {
        op: BinaryOp::Subtract,
        left: field("balance"),
        right: field("remaining_amount"),
    };
    let breaks = compare(Operand::Compute(Box::new(left)), Comparison::Less, param("target_buffer"));
    let buffered = branch(
        "breaks_buffer",
        breaks,
        hold("keep_buffer", "InsufficientLiquidity"),
        action("release", Action::Release, &[]),
    );
    branch("urgent", urgent, if_affordable("urgent"), {
        branch("no_buffer", no_buffer, if_affordable("unbuffered"), buffered)
    })
}

fn if_affordable(prefix: &str) -> TreeNode {
    let affordable =
        compare(field("effective_liquidity"), Comparison::GreaterOrEqual, field("remaining_amount"));
    branch(
        &format!("{prefix}_affordable"),
        affordable,
        action(&format!("{prefix}_release"), Action::Release, &[]),
        hold(&format!("{prefix}_hold"), "InsufficientLiquidity"),
    )
}

fn liquidity_splitting() -> TreeNode {
    let covered = compare(field("balance"), Comparison::GreaterOrEqual, field("amount"));
    let positive = compare(field("balance"), Comparison::Greater, number(0.0));
    let urgent = compare(field("ticks_to_deadline"), Comparison::LessOrEqual, number(5.0));
    let splits =
        branch("urgent", urgent, split("split_urgent", param("max_splits")), split("halve", number(2.0)));
    let otherwise = branch("has_funds", positive, splits, hold("wait", "InsufficientLiquidity"));
    branch("covered", covered, action("release", Action::Release, &[]), otherwise)
}

fn branch(id: &str, condition: Expression, on_true: TreeNode, on_false: TreeNode) -> TreeNode {
    let node = ConditionNode { id: id.into(), description: None, condition, on_true, on_false };
    TreeNode::Condition(Box::new(node))
}

fn action(id: &str, action: Action, arguments: &[(&str, Operand)]) -> TreeNode {
    let arguments = arguments.iter().map(|(name, operand)| ((*name).into(), operand.clone())).collect();
    TreeNode::Action(ActionNode { id: id.into(), action, arguments })
}

fn hold(id: &str, reason: &str) -> TreeNode {
    action(id, Action::Hold, &[("reason", Operand::Value(Literal::Text(reason.into())))])
}

fn split(id: &str, parts: Operand) -> TreeNode {
    action(id, Action::Split, &[("num_splits", parts)])
}

const fn compare(left: Operand, op: Comparison, right: Operand) -> Expression {
    Expression::Compare { op, left, right }
}

fn field(name: &str) -> Operand {
    Operand::Field(name.into())
}

fn param(name: &str) -> Operand {
    Operand::Param(name.into())
}

const fn number(value: f64) -> Operand {
    Operand::Value(Literal::Number(value))
}
