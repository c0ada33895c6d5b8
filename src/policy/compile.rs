//! From a checked document to a program: every name is looked up once, here.

use std::sync::Arc;

use super::actions::{Action, COLLATERAL_REASONS, PRIORITY_FLAGS, REGISTER_REASON};
use super::ast::{ActionNode, Computation, Expression, Literal, Operand, PolicyDocument, TreeKind, TreeNode};
use super::decision::{HoldCause, RegisterIdx};
use super::eval::{BankLeaf, Branch, CollateralLeaf, Condition, Number, PaymentLeaf};
use super::fields::{self, Field, Figure, REGISTER_PREFIX};
use crate::event::{RtgsPriority, Text};
use crate::finding::Finding;

/// What a document refers to and does not have.
pub(super) type Unresolved = Box<Finding>;

type Resolved<T> = Result<T, Unresolved>;

/// Looks names up while a document is resolved.
pub(super) struct Compiler<'a> {
    document: &'a PolicyDocument,
    registers: &'a [Text],
}

fn unresolved(kind: &'static str, place: &str, message: String) -> Unresolved {
    Box::new(Finding::error(place, None, message).of_kind(kind))
}

/// A document without payment tree.
pub(super) fn no_payment_tree() -> Unresolved {
    unresolved("MissingTree", "", "`payment_tree` is missing".to_owned())
}

/// An action that its tree does not know.
fn misplaced(node: &ActionNode, tree: &str) -> Unresolved {
    unresolved("InvalidAction", tree, format!("`{}` at node `{}`", node.action.name(), node.id))
}

/// An argument that is absent or of the wrong kind.
fn bad_argument(node: &ActionNode, name: &str) -> Unresolved {
    unresolved("InvalidArgument", "", format!("argument `{name}` at node `{}`", node.id))
}

impl<'a> Compiler<'a> {
    /// `registers` are those of the document in byte order.
    pub(super) const fn new(document: &'a PolicyDocument, registers: &'a [Text]) -> Self {
        Self { document, registers }
    }

    pub(super) fn payment_tree(&self, root: &TreeNode) -> Resolved<Branch<PaymentLeaf>> {
        self.tree(root, "", &|node, _| self.payment_leaf(node))
    }

    pub(super) fn bank_tree(&self, root: &TreeNode) -> Resolved<Branch<BankLeaf>> {
        self.tree(root, "", &|node, path| self.bank_leaf(node, path))
    }

    pub(super) fn collateral_tree(&self, root: &TreeNode) -> Resolved<Branch<CollateralLeaf>> {
        self.tree(root, "", &|node, _| self.collateral_leaf(node))
    }

    /// `path` is the decision path up to this node (spec 04, 2.4).
    fn tree<L>(
        &self,
        node: &TreeNode,
        path: &str,
        leaf: &dyn Fn(&ActionNode, &str) -> Resolved<L>,
    ) -> Resolved<Branch<L>> {
        let condition = match node {
            TreeNode::Action(action) => {
                return Ok(Branch::Leaf(action.id.clone(), leaf(action, &format!("{path}{}", action.id))?));
            }
            TreeNode::Condition(condition) => condition,
        };
        let id = &condition.id;
        let on_false = self.tree(&condition.on_false, &format!("{path}{id}(false) → "), leaf)?;
        let on_true = self.tree(&condition.on_true, &format!("{path}{id}(true) → "), leaf)?;
        let test = self.condition(&condition.condition)?;
        Ok(Branch::Test(id.clone(), test, Box::new([on_false, on_true])))
    }

    fn condition(&self, expression: &Expression) -> Resolved<Condition> {
        let list = |list: &[Expression]| -> Resolved<Box<[Condition]>> {
            list.iter().map(|inner| self.condition(inner)).collect()
        };
        Ok(match expression {
            Expression::Compare { op, left, right } => {
                Condition::Compare(*op, self.number(left)?, self.number(right)?)
            }
            Expression::And(conditions) => Condition::And(list(conditions)?),
            Expression::Or(conditions) => Condition::Or(list(conditions)?),
            Expression::Not(inner) => Condition::Not(Box::new(self.condition(inner)?)),
        })
    }

    fn number(&self, operand: &Operand) -> Resolved<Number> {
        match operand {
            Operand::Field(name) => self.field(name),
            Operand::Param(name) => self
                .document
                .parameter(name)
                .map(Number::Constant)
                .ok_or_else(|| unresolved("InvalidParameterReference", "", format!("parameter `{name}`"))),
            Operand::Value(literal) => literal.number().map(Number::Constant).ok_or_else(|| {
                unresolved("InvalidLiteral", "", format!("{} among numbers", literal.described()))
            }),
            Operand::Compute(computation) => self.computation(computation),
        }
    }

    fn field(&self, name: &Text) -> Resolved<Number> {
        if let Some(register) = self.register(name) {
            return Ok(Number::Fact(Field::Register(register)));
        }
        match fields::find(name).map(|row| row.figure) {
            Some(Figure::Fact(field)) => Ok(Number::Fact(field)),
            Some(Figure::Constant(value)) => Ok(Number::Constant(value)),
            None => Err(unresolved("InvalidFieldReference", "", format!("field `{name}`"))),
        }
    }

    /// The register of a name that can be one.
    fn register(&self, name: &str) -> Option<RegisterIdx> {
        name.starts_with(REGISTER_PREFIX)
            .then(|| self.registers.binary_search_by(|known| (**known).cmp(name)).ok())
            .flatten()
            .and_then(|position| u16::try_from(position).ok())
            .map(RegisterIdx)
    }

    fn computation(&self, computation: &Computation) -> Resolved<Number> {
        Ok(match computation {
            Computation::Binary { op, left, right } => {
                Number::Binary(*op, Box::new([self.number(left)?, self.number(right)?]))
            }
            Computation::Extreme { op, values } => {
                let values: Resolved<Vec<Number>> = values.iter().map(|value| self.number(value)).collect();
                Number::Extreme(*op, values?.into())
            }
            Computation::Unary { op, value } => Number::Unary(*op, Box::new(self.number(value)?)),
            Computation::Clamp { value, min, max } => {
                Number::Clamp(Box::new([self.number(value)?, self.number(min)?, self.number(max)?]))
            }
            Computation::SafeDivide { numerator, denominator, default } => {
                let numbers = [self.number(numerator)?, self.number(denominator)?, self.number(default)?];
                Number::SafeDivide(Box::new(numbers))
            }
        })
    }

    fn optional(&self, node: &ActionNode, name: &str) -> Resolved<Option<Number>> {
        node.argument(name).map(|operand| self.number(operand)).transpose()
    }

    fn required(&self, node: &ActionNode, name: &str) -> Resolved<Number> {
        self.optional(node, name)?.ok_or_else(|| bad_argument(node, name))
    }

    fn payment_leaf(&self, node: &ActionNode) -> Resolved<PaymentLeaf> {
        Ok(match node.action {
            Action::Release | Action::ReleaseWithCredit => PaymentLeaf::Release {
                priority: text(node, "priority_flag").map(flagged_priority),
                timed_for: self.optional(node, "timed_for_tick")?,
            },
            Action::Split | Action::PaceAndRelease => {
                PaymentLeaf::Split { parts: self.required(node, "num_splits")? }
            }
            Action::StaggerSplit => PaymentLeaf::Stagger {
                parts: self.required(node, "num_splits")?,
                first_now: self.required(node, "stagger_first_now")?,
                gap: self.required(node, "stagger_gap_ticks")?,
                boost: self.required(node, "priority_boost_children")?,
            },
            Action::Hold => PaymentLeaf::Hold(hold_cause(text(node, "reason"))),
            Action::Drop => PaymentLeaf::Drop,
            Action::Reprioritize => PaymentLeaf::Reprioritize(self.required(node, "new_priority")?),
            Action::WithdrawFromRtgs => PaymentLeaf::Withdraw,
            Action::ResubmitToRtgs => {
                let class = text(node, "rtgs_priority").and_then(RtgsPriority::find);
                PaymentLeaf::Resubmit(class.ok_or_else(|| bad_argument(node, "rtgs_priority"))?)
            }
            _ => return Err(misplaced(node, TreeKind::Payment.key())),
        })
    }

    fn bank_leaf(&self, node: &ActionNode, path: &str) -> Resolved<BankLeaf> {
        Ok(match node.action {
            Action::NoAction | Action::Hold => BankLeaf::Nothing,
            Action::SetReleaseBudget => BankLeaf::Budget {
                max_value: self.required(node, "max_value_to_release")?,
                focus: focus(node.argument("focus_counterparties")),
                max_per_counterparty: self.optional(node, "max_per_counterparty")?,
            },
            Action::SetState | Action::AddState => {
                let key = text(node, "key").ok_or_else(|| bad_argument(node, "key"))?;
                BankLeaf::Register {
                    register: self.register(key),
                    value: self.required(node, "value")?,
                    add: node.action == Action::AddState,
                    reason: text(node, "reason").unwrap_or(REGISTER_REASON).into(),
                    path: path.into(),
                }
            }
            _ => return Err(misplaced(node, TreeKind::Bank.key())),
        })
    }

    fn collateral_leaf(&self, node: &ActionNode) -> Resolved<CollateralLeaf> {
        let reason = || collateral_reason(text(node, "reason")).into();
        Ok(match node.action {
            Action::HoldCollateral => CollateralLeaf::Hold,
            Action::PostCollateral => CollateralLeaf::Post {
                amount: self.required(node, "amount")?,
                reason: reason(),
                timer: self.optional(node, "auto_withdraw_after_ticks")?,
            },
            Action::WithdrawCollateral => {
                CollateralLeaf::Withdraw { amount: self.required(node, "amount")?, reason: reason() }
            }
            _ => return Err(misplaced(node, TreeKind::StrategicCollateral.key())),
        })
    }
}

/// The text of an argument that is a text literal.
fn text<'n>(node: &'n ActionNode, name: &str) -> Option<&'n str> {
    node.argument(name).and_then(Operand::text)
}

/// `HIGH`, `MEDIUM`, `LOW`; any other text counts as `MEDIUM` (spec 04, 4.2).
fn flagged_priority(flag: &str) -> u8 {
    PRIORITY_FLAGS.iter().find(|(known, _)| *known == flag).map_or(5, |(_, priority)| *priority)
}

/// The reason of a hold; texts without a meaning of their own are shown quoted and escaped
/// (spec 04, 4.3), which is how the language of this program shows a text for debugging.
fn hold_cause(reason: Option<&str>) -> HoldCause {
    match reason.unwrap_or("Policy decision") {
        "InsufficientLiquidity" => HoldCause::InsufficientLiquidity,
        "AwaitingInflows" => HoldCause::AwaitingInflows,
        "LowPriority" => HoldCause::LowPriority,
        "NearDeadline" => HoldCause::NearDeadline,
        other => HoldCause::Custom(format!("Custom({other:?})").into()),
    }
}

/// Texts that are no reason count as the first one (spec 04, 4.11).
fn collateral_reason(reason: Option<&str>) -> &'static str {
    let known = COLLATERAL_REASONS.iter().find(|known| reason == Some(**known));
    known.or(COLLATERAL_REASONS.first()).copied().unwrap_or_default()
}

/// The text members of a literal list; none at all means no focus (spec 04, 8).
fn focus(argument: Option<&Operand>) -> Option<Arc<[Text]>> {
    let Some(Operand::Value(Literal::List(members))) = argument else { return None };
    let texts = members.iter().filter_map(|member| match member {
        Literal::Text(text) => Some(text.clone()),
        _ => None,
    });
    let texts: Arc<[Text]> = texts.collect();
    (!texts.is_empty()).then_some(texts)
}
