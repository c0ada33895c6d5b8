//! How long a policy holds the later parts of a staggered split back, as far as its text says.

use super::eval::{Branch, Number, PaymentLeaf};

/// What the actions seen so far say.
#[derive(Clone, Copy, PartialEq)]
enum Gap {
    /// None fits.
    Unseen,
    /// All that fit have this gap.
    Ticks(u64),
    /// They differ, or one computes its gap.
    Open,
}

impl Gap {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (gap, Self::Unseen) | (Self::Unseen, gap) => gap,
            (a, b) if a == b => a,
            _ => Self::Open,
        }
    }
}

impl Branch<PaymentLeaf> {
    /// The gap on which all `StaggerSplit` actions agree that can make so many parts and submit
    /// so many of them at once.
    pub(super) fn stagger_gap(&self, parts: u64, first_now: u64) -> Option<u64> {
        match self.gap(parts, first_now) {
            Gap::Ticks(ticks) => Some(ticks),
            Gap::Unseen | Gap::Open => None,
        }
    }

    fn gap(&self, parts: u64, first_now: u64) -> Gap {
        match self {
            Self::Test(_, _, branches) => {
                let [on_false, on_true] = &**branches;
                on_false.gap(parts, first_now).and(on_true.gap(parts, first_now))
            }
            Self::Leaf(_, PaymentLeaf::Stagger { parts: made, first_now: now, gap, .. }) => {
                let fits = |number: &Number, seen: u64| constant(number).is_none_or(|count| count == seen);
                match constant(gap) {
                    _ if !(fits(made, parts) && fits(now, first_now)) => Gap::Unseen,
                    Some(ticks) => Gap::Ticks(ticks),
                    None => Gap::Open,
                }
            }
            Self::Leaf(..) => Gap::Unseen,
        }
    }
}

/// The count that a literal or a parameter gives.
const fn constant(number: &Number) -> Option<u64> {
    match number {
        Number::Constant(value) => Some(*value as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Text;

    fn stagger(parts: f64, first_now: f64, gap: Option<f64>) -> Branch<PaymentLeaf> {
        let constant = Number::Constant;
        let gap =
            gap.map_or_else(|| Number::Extreme(super::super::operators::Extreme::Max, [].into()), constant);
        let leaf = PaymentLeaf::Stagger {
            parts: constant(parts),
            first_now: constant(first_now),
            gap,
            boost: constant(0.0),
        };
        Branch::Leaf(Text::from("leaf"), leaf)
    }

    fn either(a: Branch<PaymentLeaf>, b: Branch<PaymentLeaf>) -> Branch<PaymentLeaf> {
        let test = super::super::eval::Condition::And([].into());
        Branch::Test(Text::from("test"), test, Box::new([a, b]))
    }

    #[test]
    fn the_action_that_fits_says_the_gap() {
        let tree = either(stagger(4.0, 2.0, Some(3.0)), stagger(3.0, 1.0, Some(7.0)));
        assert_eq!(tree.stagger_gap(4, 2), Some(3));
        assert_eq!(tree.stagger_gap(3, 1), Some(7));
        assert_eq!(tree.stagger_gap(5, 1), None);
    }

    #[test]
    fn actions_that_disagree_or_compute_say_nothing() {
        assert_eq!(
            either(stagger(4.0, 2.0, Some(3.0)), stagger(4.0, 2.0, Some(5.0))).stagger_gap(4, 2),
            None
        );
        assert_eq!(
            either(stagger(4.0, 2.0, Some(3.0)), stagger(4.0, 2.0, Some(3.0))).stagger_gap(4, 2),
            Some(3)
        );
        assert_eq!(stagger(4.0, 2.0, None).stagger_gap(4, 2), None);
    }
}
