//! Policies: JSON decision trees, checked when read, resolved for evaluation (spec 04).

mod ast;
mod category;
mod decision;
mod fields;
mod library;
mod program;
mod vocabulary;

pub use ast::{
    ActionNode, Computation, ConditionNode, Expression, Literal, Operand, PolicyDocument, TreeKind, TreeNode,
};
pub use category::{Category, CostCategory, Toggles};
pub use decision::{BankDecision, CollateralDecision, HoldCause, PaymentDecision, RegisterIdx};
pub use fields::{Facts, Field};
pub use library::BuiltIn;
pub use program::{CollateralLayer, EvalError, EvalFault, Program};
pub use vocabulary::{Action, BinaryOp, Comparison, Extreme, UnaryOp};
