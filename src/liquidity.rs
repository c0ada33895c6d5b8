//! What a bank can pay, owes and may take back: the formulas of spec 03, 3, in one place.

use crate::money::Cents;

/// The figures of a bank from which its liquidity follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Balance, negative while credit is in use.
    pub balance: Cents,
    /// Unsecured overdraft cap.
    pub unsecured_cap: Cents,
    /// Posted collateral.
    pub posted: Cents,
    /// Haircut on collateral, 0 to 1.
    pub haircut: f64,
}

/// What a bank keeps when a timer takes collateral back, in cents (spec 03, 5.4).
pub const TIMER_BUFFER: Cents = Cents(100);

impl Position {
    /// The overdraft in use: max(0, −balance).
    #[must_use]
    pub fn credit_used(&self) -> Cents {
        Cents::ZERO.saturating_sub(self.balance).or_zero()
    }

    /// What the posted collateral is worth as credit, rounded down.
    #[must_use]
    pub fn collateral_value(&self) -> Cents {
        Cents((self.posted.0 as f64 * (1.0 - self.haircut).max(0.0)).floor() as i64)
    }

    /// The credit line, also called the allowed overdraft limit: collateral value and unsecured cap.
    #[must_use]
    pub fn credit_line(&self) -> Cents {
        self.collateral_value().saturating_add(self.unsecured_cap)
    }

    /// What is left of the credit line; negative beyond it.
    #[must_use]
    pub fn headroom(&self) -> Cents {
        self.credit_line().saturating_sub(self.credit_used())
    }

    /// Available liquidity: what the bank can pay now, never negative.
    #[must_use]
    pub fn available(&self) -> Cents {
        self.balance.or_zero().saturating_add(self.headroom().or_zero())
    }

    /// Whether the bank can pay an amount; an exact fit pays.
    #[must_use]
    pub fn can_pay(&self, amount: Cents) -> bool {
        amount <= self.available()
    }

    /// The collateral that must stay so that, after the unsecured cap, it still covers the credit
    /// in use and a buffer (0 for policies, [`TIMER_BUFFER`] for timers); 0 at a haircut of 1.
    #[must_use]
    pub fn required_collateral(&self, buffer: Cents) -> Cents {
        let value_of_a_cent = 1.0 - self.haircut;
        if value_of_a_cent <= 0.0 {
            return Cents::ZERO;
        }
        let target = self.credit_used().saturating_add(buffer);
        let secured = target.saturating_sub(self.unsecured_cap.min(target));
        Cents((secured.0 as f64 / value_of_a_cent).ceil() as i64)
    }

    /// The collateral that may be taken back so that what must stay, stays.
    #[must_use]
    pub fn withdrawable(&self, buffer: Cents) -> Cents {
        self.posted.saturating_sub(self.required_collateral(buffer)).or_zero()
    }

    /// Collateral that may still be posted under a capacity, never negative.
    #[must_use]
    pub fn remaining_capacity(&self, capacity: Cents) -> Cents {
        capacity.saturating_sub(self.posted).or_zero()
    }

    /// The unsecured cap less the credit in use, without collateral.
    #[must_use]
    pub fn credit_headroom(&self) -> Cents {
        self.unsecured_cap.saturating_sub(self.credit_used())
    }

    /// Liquidity pressure: 0 with all means at hand, 1 with none; collateral without haircut.
    #[must_use]
    pub fn pressure(&self) -> f64 {
        let means = self.balance.saturating_add(self.unsecured_cap).saturating_add(self.posted);
        if means == Cents::ZERO { 1.0 } else { 1.0 - self.balance.or_zero().0 as f64 / means.0 as f64 }
    }

    /// By how much the value waiting in queue 1 exceeds the available liquidity, never negative.
    #[must_use]
    pub fn gap(&self, queue1_value: Cents) -> Cents {
        queue1_value.saturating_sub(self.available()).or_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bank(balance: i64, cap: i64, posted: i64, haircut: f64) -> Position {
        Position { balance: Cents(balance), unsecured_cap: Cents(cap), posted: Cents(posted), haircut }
    }

    #[test]
    fn an_exact_fit_pays() {
        let position = bank(100, 50, 101, 0.02);
        assert_eq!(position.collateral_value(), Cents(98));
        assert_eq!(position.available(), Cents(248));
        assert!(position.can_pay(Cents(248)) && !position.can_pay(Cents(249)));
    }

    #[test]
    fn beyond_the_line_nothing_is_available() {
        let position = bank(-200, 50, 100, 0.02);
        assert_eq!(position.headroom(), Cents(-52));
        assert_eq!(position.available(), Cents::ZERO);
        assert!(position.can_pay(Cents::ZERO));
    }

    #[test]
    fn the_cap_is_spent_before_collateral_is_needed() {
        for (position, buffer, expected) in [
            (bank(0, 0, 200, 0.02), TIMER_BUFFER, 97),
            (bank(0, 100, 200, 0.02), TIMER_BUFFER, 200),
            (bank(-50, 20, 200, 0.02), Cents::ZERO, 169),
            (bank(-500, 20, 200, 0.02), Cents::ZERO, 0),
            (bank(-500, 0, 200, 1.0), Cents::ZERO, 200),
        ] {
            assert_eq!(position.withdrawable(buffer), Cents(expected), "{position:?}");
        }
    }

    #[test]
    fn pressure_is_full_without_means() {
        assert_eq!(bank(0, 0, 0, 0.02).pressure(), 1.0);
        assert_eq!(bank(50, 100, 50, 0.02).pressure(), 0.75);
        assert_eq!(bank(-50, 100, 0, 0.02).pressure(), 1.0);
    }

    #[test]
    fn the_ends_of_the_range_do_not_wrap() {
        let position = bank(i64::MIN, i64::MAX, i64::MAX, 0.0);
        assert_eq!(position.credit_used(), Cents::MAX);
        assert_eq!(position.available(), Cents::ZERO);
        assert_eq!(position.gap(Cents(5)), Cents(5));
    }
}
