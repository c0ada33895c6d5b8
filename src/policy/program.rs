//! A checked policy, names resolved, ready for evaluation (spec 04, 2).

use super::actions::Action;
use super::ast::{PolicyDocument, TreeKind, TreeNode};
use super::check;
use super::compile::{self, Compiler};
use super::decision::{BankDecision, CollateralDecision, PaymentDecision};
use super::eval::{BankLeaf, Branch, CollateralLeaf, Fault, PaymentLeaf};
use super::fields::Facts;
use crate::event::Text;
use crate::finding::Findings;

/// One of the two collateral trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CollateralLayer {
    /// `strategic_collateral_tree`: before payments are judged.
    Strategic,
    /// `end_of_tick_collateral_tree`: after settlement.
    EndOfTick,
}

impl CollateralLayer {
    /// The tree.
    #[must_use]
    pub const fn tree(self) -> TreeKind {
        match self {
            Self::Strategic => TreeKind::StrategicCollateral,
            Self::EndOfTick => TreeKind::EndOfTickCollateral,
        }
    }
}

/// What went wrong in an evaluation (spec 04, 6.3).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{fault} at node `{node}` of `{}`", tree.key())]
pub struct EvalError {
    /// The tree.
    pub tree: TreeKind,
    /// Id of the node.
    pub node: Text,
    /// What was wrong.
    pub fault: EvalFault,
}

/// The faults that only an evaluation can show.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum EvalFault {
    /// `/` by a number below 2.220446049250313e-16 in magnitude.
    #[error("division of {dividend} by {divisor}, which is zero or almost zero,")]
    DivisionByZero {
        /// The left operand.
        dividend: f64,
        /// The right operand.
        divisor: f64,
    },
    /// `num_splits` below 2.
    #[error("`num_splits` is {0}, less than 2,")]
    TooFewParts(u64),
    /// `stagger_first_now` above `num_splits`.
    #[error("`stagger_first_now` is {first_now}, more than the {parts} parts of `num_splits`,")]
    MoreNowThanParts {
        /// Parts to submit now.
        first_now: u64,
        /// Parts in all.
        parts: u64,
    },
}

/// Whether a tree has an action that takes a payment back from queue 2.
fn takes_back(root: &TreeNode) -> bool {
    let mut nodes = vec![root];
    while let Some(node) = nodes.pop() {
        match node {
            TreeNode::Condition(condition) => nodes.extend([&condition.on_true, &condition.on_false]),
            TreeNode::Action(leaf) => {
                if matches!(leaf.action, Action::WithdrawFromRtgs | Action::ResubmitToRtgs) {
                    return true;
                }
            }
        }
    }
    false
}

/// A checked policy, resolved for evaluation. It is shared by all banks and threads that use it.
#[derive(Debug)]
pub struct Program {
    id: Text,
    registers: Box<[Text]>,
    fraction: Option<f64>,
    payment: Branch<PaymentLeaf>,
    acts_on_queue2: bool,
    bank: Option<Branch<BankLeaf>>,
    strategic: Option<Branch<CollateralLeaf>>,
    end_of_tick: Option<Branch<CollateralLeaf>>,
}

impl Program {
    /// Resolves a document.
    ///
    /// # Errors
    /// What the document refers to and does not have. A document that was read has everything.
    pub fn compile(document: &PolicyDocument) -> Result<Self, Findings> {
        let registers: Box<[Text]> = check::registers(document).into_iter().map(Text::from).collect();
        let compiler = Compiler::new(document, &registers);
        let resolve = || -> Result<_, compile::Unresolved> {
            let payment = document.tree(TreeKind::Payment).ok_or_else(compile::no_payment_tree)?;
            let collateral =
                |tree| document.tree(tree).map(|root| compiler.collateral_tree(root)).transpose();
            Ok(Self {
                id: document.id().clone(),
                fraction: document.parameter(check::FRACTION),
                payment: compiler.payment_tree(payment)?,
                acts_on_queue2: takes_back(payment),
                bank: document.tree(TreeKind::Bank).map(|root| compiler.bank_tree(root)).transpose()?,
                strategic: collateral(TreeKind::StrategicCollateral)?,
                end_of_tick: collateral(TreeKind::EndOfTickCollateral)?,
                registers: registers.clone(),
            })
        };
        resolve().map_err(|unresolved| Findings(vec![*unresolved]))
    }

    /// The `policy_id`.
    #[must_use]
    pub const fn id(&self) -> &Text {
        &self.id
    }

    /// The registers that the policy reads or sets, in byte order; `RegisterIdx` counts them.
    #[must_use]
    pub const fn registers(&self) -> &[Text] {
        &self.registers
    }

    /// The parameter `initial_liquidity_fraction` (C7), 0 to 1.
    #[must_use]
    pub const fn initial_liquidity_fraction(&self) -> Option<f64> {
        self.fraction
    }

    /// Whether there is a `bank_tree`.
    #[must_use]
    pub const fn has_bank_tree(&self) -> bool {
        self.bank.is_some()
    }

    /// Whether there is the collateral tree.
    #[must_use]
    pub const fn has_collateral_tree(&self, layer: CollateralLayer) -> bool {
        self.collateral(layer).is_some()
    }

    const fn collateral(&self, layer: CollateralLayer) -> Option<&Branch<CollateralLeaf>> {
        match layer {
            CollateralLayer::Strategic => self.strategic.as_ref(),
            CollateralLayer::EndOfTick => self.end_of_tick.as_ref(),
        }
    }

    /// Whether the payment tree can take a payment back from queue 2 at all; every other decision
    /// there has no effect (spec 04, 4.1).
    #[must_use]
    pub const fn acts_on_queue2(&self) -> bool {
        self.acts_on_queue2
    }

    /// The ticks between the later parts of a staggered split into so many parts, of which so
    /// many were submitted at once; nothing if the policy computes them or could mean several.
    #[must_use]
    pub fn stagger_gap(&self, parts: u64, first_now: u64) -> Option<u64> {
        self.payment.stagger_gap(parts, first_now)
    }

    /// Judges a payment.
    ///
    /// # Errors
    /// A division by almost zero, or a computed number of parts out of bounds.
    pub fn decide_payment(&self, facts: &impl Facts) -> Result<PaymentDecision, EvalError> {
        self.payment.decide(facts, PaymentLeaf::decide).map_err(|fault| error(TreeKind::Payment, fault))
    }

    /// Evaluates the `bank_tree`; without one nothing is decided.
    ///
    /// # Errors
    /// A division by almost zero.
    pub fn decide_bank(&self, facts: &impl Facts) -> Result<BankDecision, EvalError> {
        let Some(tree) = &self.bank else { return Ok(BankDecision::None) };
        tree.decide(facts, BankLeaf::decide).map_err(|fault| error(TreeKind::Bank, fault))
    }

    /// Evaluates a collateral tree; without one collateral is held.
    ///
    /// # Errors
    /// A division by almost zero.
    pub fn decide_collateral(
        &self,
        layer: CollateralLayer,
        facts: &impl Facts,
    ) -> Result<CollateralDecision, EvalError> {
        let Some(tree) = self.collateral(layer) else { return Ok(CollateralDecision::Hold) };
        tree.decide(facts, CollateralLeaf::decide).map_err(|fault| error(layer.tree(), fault))
    }
}

fn error(tree: TreeKind, (node, fault): Fault<'_>) -> EvalError {
    EvalError { tree, node: node.clone(), fault }
}
