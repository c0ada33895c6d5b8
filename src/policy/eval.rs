//! Evaluation of resolved trees: numbers, conditions, decisions (spec 04, 2 and 4).
//!
//! Nothing here allocates: texts are shared. Recursion is bounded by the nesting of documents,
//! 127 levels.

use std::sync::Arc;

use super::decision::{BankDecision, CollateralDecision, HoldCause, PaymentDecision, RegisterIdx};
use super::fields::{Facts, Field};
use super::operators::{BinaryOp, Comparison, Extreme, UnaryOp, clamp, is_no_denominator};
use super::program::EvalFault;
use crate::event::{RtgsPriority, Text};
use crate::money::Cents;
use crate::time::Tick;

/// A fault and the id of the node where it occurred.
pub(super) type Fault<'p> = (&'p Text, EvalFault);

/// Something that gives a number.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Number {
    /// A literal or a parameter.
    Constant(f64),
    /// A figure of the context.
    Fact(Field),
    /// `+` `-` `*` `/`.
    Binary(BinaryOp, Box<[Number; 2]>),
    /// `max` `min`.
    Extreme(Extreme, Box<[Number]>),
    /// `ceil` `floor` `round` `abs`.
    Unary(UnaryOp, Box<Number>),
    /// `clamp`: value, min, max.
    Clamp(Box<[Number; 3]>),
    /// `div0`: numerator, denominator, default.
    SafeDivide(Box<[Number; 3]>),
}

impl Number {
    fn evaluate(&self, facts: &impl Facts) -> Result<f64, EvalFault> {
        Ok(match self {
            Self::Constant(value) => *value,
            Self::Fact(field) => facts.field(*field),
            Self::Binary(op, operands) => {
                let [left, right] = &**operands;
                let (dividend, divisor) = (left.evaluate(facts)?, right.evaluate(facts)?);
                let fault = EvalFault::DivisionByZero { dividend, divisor };
                return op.apply(dividend, divisor).ok_or(fault);
            }
            Self::Extreme(extreme, values) => {
                let mut result = extreme.start();
                for value in values {
                    result = extreme.of(result, value.evaluate(facts)?);
                }
                result
            }
            Self::Unary(op, value) => op.apply(value.evaluate(facts)?),
            Self::Clamp(operands) => {
                let [value, min, max] = &**operands;
                clamp(value.evaluate(facts)?, min.evaluate(facts)?, max.evaluate(facts)?)
            }
            Self::SafeDivide(operands) => {
                let [numerator, denominator, default] = &**operands;
                let (dividend, divisor) = (numerator.evaluate(facts)?, denominator.evaluate(facts)?);
                if is_no_denominator(divisor) {
                    return default.evaluate(facts);
                }
                dividend / divisor
            }
        })
    }

    /// As a count or a tick: truncated; negative or not a number gives 0, too large the maximum.
    fn count(&self, facts: &impl Facts) -> Result<u64, EvalFault> {
        // The conversion of the language saturates and takes what is not a number as 0.
        self.evaluate(facts).map(|value| value as u64)
    }

    /// As cents: truncated, limited to 64 bits; not a number gives 0.
    fn cents(&self, facts: &impl Facts) -> Result<Cents, EvalFault> {
        self.evaluate(facts).map(|value| Cents(value as i64))
    }

    /// As a number of parts, which is 2 or more.
    fn parts(&self, facts: &impl Facts) -> Result<u64, EvalFault> {
        match self.count(facts)? {
            parts @ ..2 => Err(EvalFault::TooFewParts(parts)),
            parts => Ok(parts),
        }
    }
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// Two numbers compared, the left one evaluated first.
    Compare(Comparison, Number, Number),
    /// True unless one is false.
    And(Box<[Condition]>),
    /// False unless one is true.
    Or(Box<[Condition]>),
    /// The inner one false.
    Not(Box<Condition>),
}

impl Condition {
    fn holds(&self, facts: &impl Facts) -> Result<bool, EvalFault> {
        Ok(match self {
            Self::Compare(op, left, right) => op.holds(left.evaluate(facts)?, right.evaluate(facts)?),
            Self::And(list) => {
                for condition in list {
                    if !condition.holds(facts)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Or(list) => {
                for condition in list {
                    if condition.holds(facts)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Not(condition) => !condition.holds(facts)?,
        })
    }
}

/// A node of a tree whose leaves decide.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Branch<L> {
    /// Leads on: node id, condition, `[on_false, on_true]`.
    Test(Text, Condition, Box<[Branch<L>; 2]>),
    /// Decides: node id, decision.
    Leaf(Text, L),
}

impl<L> Branch<L> {
    /// Walks to a leaf and lets it decide (spec 04, 2.4).
    pub(super) fn decide<F: Facts, D>(
        &self,
        facts: &F,
        decide: impl FnOnce(&L, &F) -> Result<D, EvalFault>,
    ) -> Result<D, Fault<'_>> {
        let mut at = self;
        loop {
            match at {
                Self::Test(node, condition, branches) => {
                    let holds = condition.holds(facts).map_err(|fault| (node, fault))?;
                    at = &branches[usize::from(holds)];
                }
                Self::Leaf(node, leaf) => return decide(leaf, facts).map_err(|fault| (node, fault)),
            }
        }
    }
}

/// An action of the payment tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PaymentLeaf {
    Release { priority: Option<u8>, timed_for: Option<Number> },
    Split { parts: Number },
    Stagger { parts: Number, first_now: Number, gap: Number, boost: Number },
    Hold(HoldCause),
    Drop,
    Reprioritize(Number),
    Withdraw,
    Resubmit(RtgsPriority),
}

impl PaymentLeaf {
    pub(super) fn decide(&self, facts: &impl Facts) -> Result<PaymentDecision, EvalFault> {
        Ok(match self {
            Self::Release { priority, timed_for } => PaymentDecision::Release {
                priority: *priority,
                timed_for: timed_for.as_ref().map(|tick| tick.count(facts)).transpose()?.map(Tick),
            },
            Self::Split { parts } => PaymentDecision::Split { parts: parts.parts(facts)? },
            Self::Stagger { parts, first_now, gap, boost } => {
                let (parts, first_now) = (parts.parts(facts)?, first_now.count(facts)?);
                if first_now > parts {
                    return Err(EvalFault::MoreNowThanParts { first_now, parts });
                }
                let (gap_ticks, priority_boost) = (gap.count(facts)?, boost.count(facts)?);
                PaymentDecision::Stagger { parts, first_now, gap_ticks, priority_boost }
            }
            Self::Hold(cause) => PaymentDecision::Hold(cause.clone()),
            Self::Drop => PaymentDecision::Drop,
            Self::Reprioritize(priority) => {
                let priority = priority.count(facts)?.min(10);
                PaymentDecision::Reprioritize(u8::try_from(priority).unwrap_or(10))
            }
            Self::Withdraw => PaymentDecision::Withdraw,
            Self::Resubmit(class) => PaymentDecision::Resubmit(*class),
        })
    }
}

/// An action of the bank tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum BankLeaf {
    Nothing,
    Budget { max_value: Number, focus: Option<Arc<[Text]>>, max_per_counterparty: Option<Number> },
    Register { register: Option<RegisterIdx>, value: Number, add: bool, reason: Text, path: Text },
}

impl BankLeaf {
    pub(super) fn decide(&self, facts: &impl Facts) -> Result<BankDecision, EvalFault> {
        Ok(match self {
            Self::Nothing => BankDecision::None,
            Self::Budget { max_value, focus, max_per_counterparty } => BankDecision::Budget {
                max_value: max_value.cents(facts)?,
                focus: focus.clone(),
                max_per_counterparty: max_per_counterparty
                    .as_ref()
                    .map(|limit| limit.cents(facts))
                    .transpose()?,
            },
            Self::Register { register, value, add, reason, path } => BankDecision::Register {
                register: *register,
                value: value.evaluate(facts)?,
                add: *add,
                reason: reason.clone(),
                path: path.clone(),
            },
        })
    }
}

/// An action of a collateral tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CollateralLeaf {
    Hold,
    Post { amount: Number, reason: Text, timer: Option<Number> },
    Withdraw { amount: Number, reason: Text },
}

impl CollateralLeaf {
    pub(super) fn decide(&self, facts: &impl Facts) -> Result<CollateralDecision, EvalFault> {
        Ok(match self {
            Self::Hold => CollateralDecision::Hold,
            Self::Post { amount, reason, timer } => {
                let amount = amount.cents(facts)?;
                let ticks = timer.as_ref().map(|timer| timer.evaluate(facts)).transpose()?;
                // Half a tick is a timer of 0 ticks; 0 itself is none.
                let auto_withdraw_after = ticks.filter(|ticks| *ticks > 0.0).map(|ticks| ticks as u64);
                CollateralDecision::Post { amount, reason: reason.clone(), auto_withdraw_after }
            }
            Self::Withdraw { amount, reason } => {
                CollateralDecision::Withdraw { amount: amount.cents(facts)?, reason: reason.clone() }
            }
        })
    }
}
