//! Policies: JSON decision trees, checked when read, resolved for evaluation (spec 04).
//!
//! [`PolicyDocument::read`] reads a document and checks all of it; [`Program::compile`] looks every
//! name up once; a [`Program`] then decides from [`Facts`] without allocating and cannot fail on
//! names or types. Fields, actions and operators have one registry row each, from which checks,
//! listings, switches and help come.

mod actions;
mod ast;
mod category;
mod check;
mod compile;
mod decision;
mod eval;
pub mod explain;
mod fields;
mod library;
mod operators;
mod program;
mod read;
mod report;
pub mod schema;
mod stagger;
mod walk;
mod write;

#[cfg(test)]
pub(crate) mod tests;

pub use actions::{ACTIONS, Action, ActionRow, ArgumentKind, ArgumentRow};
pub use ast::{
    ActionNode, Computation, ConditionNode, Expression, Literal, Operand, PolicyDocument, TreeKind, TreeNode,
};
pub use category::{Category, CostCategory, Toggles, sorted_names};
pub use check::FRACTION;
pub use decision::{BankDecision, CollateralDecision, HoldCause, PaymentDecision, RegisterIdx};
pub use explain::TreeLine;
pub use fields::{FIELDS, Facts, Field, FieldRow, Figure, REGISTER_PREFIX};
pub use library::BuiltIn;
pub use operators::{
    BinaryOp, COMPUTATIONS, Comparison, EXPRESSIONS, Extreme, Function, OperatorRow, Test, UnaryOp,
};
pub use program::{CollateralLayer, EvalError, EvalFault, Program};
pub use report::{FileProblem, FunctionalTest, PolicyFault, PolicyReport};
