//! The six kinds of cost that a bank can be charged (spec 03, 8 and 13).

use serde::{Deserialize, Serialize};

use crate::money::Cents;

/// Costs by kind, of a tick, a day or a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// Overdraft cost, `liquidity_cost` in files.
    pub overdraft: Cents,
    /// Delay cost of queued payments.
    pub delay: Cents,
    /// Cost of posted collateral.
    pub collateral: Cents,
    /// Deadline and end-of-day penalties.
    pub penalty: Cents,
    /// Friction of splits.
    pub split_friction: Cents,
    /// Opportunity cost of allocated pool liquidity.
    pub liquidity_opportunity: Cents,
}

impl Costs {
    /// Nothing charged.
    pub const ZERO: Self = Self {
        overdraft: Cents::ZERO,
        delay: Cents::ZERO,
        collateral: Cents::ZERO,
        penalty: Cents::ZERO,
        split_friction: Cents::ZERO,
        liquidity_opportunity: Cents::ZERO,
    };

    /// Only penalties.
    #[must_use]
    pub const fn of_penalty(penalty: Cents) -> Self {
        Self { penalty, ..Self::ZERO }
    }

    /// Only split friction.
    #[must_use]
    pub const fn of_friction(split_friction: Cents) -> Self {
        Self { split_friction, ..Self::ZERO }
    }

    /// The kinds in the order of `CostAccrual.costs`.
    #[must_use]
    pub const fn kinds(&self) -> [Cents; 6] {
        let Self { overdraft, delay, collateral, penalty, split_friction, liquidity_opportunity } = *self;
        [overdraft, delay, collateral, penalty, split_friction, liquidity_opportunity]
    }

    /// The sum of all kinds, or `None` beyond 64 bits.
    #[must_use]
    pub fn total(&self) -> Option<Cents> {
        self.kinds().into_iter().try_fold(Cents::ZERO, Cents::checked_add)
    }

    /// Kind by kind sum, or `None` if a kind or the total would leave 64 bits.
    #[must_use]
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        let sum = Self {
            overdraft: self.overdraft.checked_add(other.overdraft)?,
            delay: self.delay.checked_add(other.delay)?,
            collateral: self.collateral.checked_add(other.collateral)?,
            penalty: self.penalty.checked_add(other.penalty)?,
            split_friction: self.split_friction.checked_add(other.split_friction)?,
            liquidity_opportunity: self.liquidity_opportunity.checked_add(other.liquidity_opportunity)?,
        };
        sum.total().map(|_| sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_beyond_64_bits_is_refused() {
        let nearly = Costs { delay: Cents::MAX, ..Costs::ZERO };
        assert_eq!(nearly.checked_add(&Costs::of_penalty(Cents(1))), None);
        assert_eq!(nearly.total(), Some(Cents::MAX));
    }
}
