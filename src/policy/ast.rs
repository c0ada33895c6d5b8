//! A policy document as written: four trees of conditions and actions (spec 04, 1 and 2).

use serde_json::Value as Json;

use super::actions::Action;
use super::operators::{self, BinaryOp, Comparison, Extreme, Function, OperatorRow, Test, UnaryOp};
use crate::document::shortened;
use crate::event::Text;

/// The trees of a policy, in the order of spec 04, 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TreeKind {
    /// Judges each payment.
    Payment,
    /// Once per bank and tick: budget or register.
    Bank,
    /// Collateral before payments are judged.
    StrategicCollateral,
    /// Collateral after settlement.
    EndOfTickCollateral,
}

impl TreeKind {
    /// All trees.
    pub const ALL: [Self; 4] =
        [Self::Payment, Self::Bank, Self::StrategicCollateral, Self::EndOfTickCollateral];

    /// The key of the document that holds it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Payment => "payment_tree",
            Self::Bank => "bank_tree",
            Self::StrategicCollateral => "strategic_collateral_tree",
            Self::EndOfTickCollateral => "end_of_tick_collateral_tree",
        }
    }

    /// The tree of a key.
    #[must_use]
    pub fn find(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tree| tree.key() == key)
    }
}

/// A policy that was read and passed every check, or a built-in one.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyDocument {
    pub(super) version: Text,
    pub(super) id: Text,
    pub(super) description: Option<Text>,
    /// In the order of the file.
    pub(super) parameters: Vec<(Text, f64)>,
    pub(super) trees: [Option<TreeNode>; 4],
    /// The document as written, unknown keys included.
    pub(super) source: Json,
}

impl PolicyDocument {
    /// The `version`, which means nothing.
    #[must_use]
    pub const fn version(&self) -> &Text {
        &self.version
    }

    /// The `policy_id`.
    #[must_use]
    pub const fn id(&self) -> &Text {
        &self.id
    }

    /// The `description`.
    #[must_use]
    pub const fn description(&self) -> Option<&Text> {
        self.description.as_ref()
    }

    /// Names and values of the parameters, in the order of the file.
    #[must_use]
    pub fn parameters(&self) -> &[(Text, f64)] {
        &self.parameters
    }

    /// The value of a parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<f64> {
        self.parameters.iter().find(|(known, _)| &**known == name).map(|(_, value)| *value)
    }

    /// The root of a tree.
    #[must_use]
    pub const fn tree(&self, tree: TreeKind) -> Option<&TreeNode> {
        self.trees[tree as usize].as_ref()
    }

    /// The document as JSON, with every key as it was written; it reads back equal.
    #[must_use]
    pub const fn to_json(&self) -> &Json {
        &self.source
    }
}

/// A node of a tree.
#[derive(Clone, Debug, PartialEq)]
pub enum TreeNode {
    /// Leads on by a condition.
    Condition(Box<ConditionNode>),
    /// Decides.
    Action(ActionNode),
}

/// A node that leads on.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionNode {
    /// `node_id`.
    pub id: Text,
    /// `description`.
    pub description: Option<Text>,
    /// `condition`.
    pub condition: Expression,
    /// `on_true`.
    pub on_true: TreeNode,
    /// `on_false`.
    pub on_false: TreeNode,
}

/// A node that decides.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionNode {
    /// `node_id`.
    pub id: Text,
    /// `action`.
    pub action: Action,
    /// `parameters`, in the order of the file.
    pub arguments: Vec<(Text, Operand)>,
}

impl TreeNode {
    /// The `node_id`.
    #[must_use]
    pub const fn id(&self) -> &Text {
        match self {
            Self::Condition(node) => &node.id,
            Self::Action(node) => &node.id,
        }
    }
}

impl ActionNode {
    /// An argument.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&Operand> {
        self.arguments.iter().find(|(known, _)| &**known == name).map(|(_, operand)| operand)
    }
}

/// True or false (spec 04, 2.3).
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// Two numbers compared.
    Compare {
        /// How.
        op: Comparison,
        /// Evaluated first.
        left: Operand,
        /// Evaluated second.
        right: Operand,
    },
    /// All true.
    And(Vec<Expression>),
    /// One true.
    Or(Vec<Expression>),
    /// The inner one false.
    Not(Box<Expression>),
}

/// A number, or for some arguments a text (spec 04, 2.1).
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// `field`: a figure of the context.
    Field(Text),
    /// `param`: a named constant.
    Param(Text),
    /// `value`: a literal.
    Value(Literal),
    /// `compute`: a computation.
    Compute(Box<Computation>),
}

/// The content of `value`.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A number.
    Number(f64),
    /// 1 or 0.
    Flag(bool),
    /// A text, for arguments.
    Text(Text),
    /// A list, for arguments.
    List(Vec<Literal>),
    /// Nothing.
    Null,
    /// A mapping.
    Map,
}

/// A number from numbers (spec 04, 2.2).
#[derive(Clone, Debug, PartialEq)]
pub enum Computation {
    /// `+` `-` `*` `/`.
    Binary {
        /// How.
        op: BinaryOp,
        /// Evaluated first.
        left: Operand,
        /// Evaluated second.
        right: Operand,
    },
    /// `max` `min`.
    Extreme {
        /// Which.
        op: Extreme,
        /// Of what.
        values: Vec<Operand>,
    },
    /// `ceil` `floor` `round` `abs`.
    Unary {
        /// How.
        op: UnaryOp,
        /// Of what.
        value: Operand,
    },
    /// `clamp`.
    Clamp {
        /// What is limited.
        value: Operand,
        /// From below.
        min: Operand,
        /// From above, the stronger limit.
        max: Operand,
    },
    /// `div0`.
    SafeDivide {
        /// What is divided.
        numerator: Operand,
        /// By what.
        denominator: Operand,
        /// The result if the denominator is almost zero.
        default: Operand,
    },
}

impl Expression {
    /// The row of its operator.
    #[must_use]
    pub fn row(&self) -> Option<&'static OperatorRow<Test>> {
        operators::expression_row(match self {
            Self::Compare { op, .. } => Test::Compare(*op),
            Self::And(_) => Test::And,
            Self::Or(_) => Test::Or,
            Self::Not(_) => Test::Not,
        })
    }
}

impl Computation {
    /// The row of its operator.
    #[must_use]
    pub fn row(&self) -> Option<&'static OperatorRow<Function>> {
        operators::computation_row(match self {
            Self::Binary { op, .. } => Function::Binary(*op),
            Self::Extreme { op, .. } => Function::Extreme(*op),
            Self::Unary { op, .. } => Function::Unary(*op),
            Self::Clamp { .. } => Function::Clamp,
            Self::SafeDivide { .. } => Function::SafeDivide,
        })
    }
}

impl Operand {
    /// The text of a text literal.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Value(Literal::Text(text)) = self { Some(text) } else { None }
    }

    /// The number of a number literal.
    #[must_use]
    pub const fn literal_number(&self) -> Option<f64> {
        if let Self::Value(Literal::Number(number)) = self { Some(*number) } else { None }
    }

    /// What it is, for messages.
    #[must_use]
    pub fn described(&self) -> String {
        match self {
            Self::Field(name) => format!("the field `{}`", shortened(name)),
            Self::Param(name) => format!("the parameter `{}`", shortened(name)),
            Self::Value(literal) => literal.described(),
            Self::Compute(_) => "a computation".to_owned(),
        }
    }
}

impl Literal {
    /// The number among numbers: a boolean is 1 or 0.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Flag(flag) => Some(f64::from(u8::from(*flag))),
            _ => None,
        }
    }

    /// What it is, for messages.
    #[must_use]
    pub fn described(&self) -> String {
        match self {
            Self::Number(number) => format!("the number `{number}`"),
            Self::Flag(flag) => format!("the boolean `{flag}`"),
            Self::Text(text) => format!("the text `{}`", shortened(text)),
            Self::List(_) => "a list".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Map => "a mapping".to_owned(),
        }
    }
}
