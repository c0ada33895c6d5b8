//! Words for what the sections show.

use std::fmt::Display;

use crate::costs::Costs;
use crate::event::{HoldReason, Mechanism};
use crate::ids::{BankIdx, Names};
use crate::money::Cents;
pub(super) use crate::money::counted;
use crate::replay::Obstacle;
use crate::scenario::Band;
use crate::text;
use crate::time::Tick;

/// The kinds of cost in the order of [`Costs::kinds`]; each name in two lines for columns.
pub(super) const COST_KINDS: [(&str, &str); 6] = [
    ("", "overdraft"),
    ("", "delay"),
    ("", "collateral"),
    ("", "penalties"),
    ("split", "friction"),
    ("liquidity", "opportunity"),
];

/// `A → B`.
pub(super) fn parties(names: &Names, from: BankIdx, to: BankIdx) -> String {
    format!("{} → {}", names.bank(from), names.bank(to))
}

/// `old → new`.
pub(super) fn change(old: impl Display, new: impl Display) -> String {
    format!("{old} → {new}")
}

/// A share of a whole: `33.3 %`; a dash without a whole.
pub(super) fn percent(part: Cents, whole: Cents) -> String {
    ratio(part.0 as f64, whole.0 as f64)
}

/// A share of a count, as [`percent`].
pub(super) fn share(part: u64, whole: u64) -> String {
    ratio(part as f64, whole as f64)
}

fn ratio(part: f64, whole: f64) -> String {
    if whole > 0.0 { format!("{:.1} %", part * 100.0 / whole) } else { "–".to_owned() }
}

/// `priority 7 (normal)`.
pub(super) fn priority(priority: u8) -> String {
    format!("priority {priority} ({})", Band::of(priority).name())
}

/// `deadline tick 9`.
pub(super) fn deadline(tick: Tick) -> String {
    format!("deadline tick {tick}")
}

/// A figure without a unit.
pub(super) fn number(value: f64) -> String {
    text::float(value).trim_matches('"').to_owned()
}

/// `UrgentLiquidityNeed` as `urgent liquidity need`; other texts as they are.
pub(super) fn spaced(word: &str) -> String {
    if !word.starts_with(|c: char| c.is_ascii_uppercase()) || !word.chars().all(|c| c.is_ascii_alphabetic()) {
        return word.to_owned();
    }
    let mut out = String::with_capacity(word.len() + 4);
    for (at, character) in word.char_indices() {
        if at > 0 && character.is_ascii_uppercase() {
            out.push(' ');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}

/// Why a payment is held.
pub(super) fn hold_reason(reason: &HoldReason) -> String {
    match reason {
        HoldReason::NearDeadline { ticks_remaining } => {
            format!("near deadline, {} left", counted(*ticks_remaining, "tick"))
        }
        HoldReason::SplitTooSmall => "split too small: a part would be 0.00".to_owned(),
        HoldReason::NotInQueue2(_) => "to be withdrawn, but it is not in queue 2".to_owned(),
        HoldReason::BudgetExhausted => "release budget exhausted".to_owned(),
        HoldReason::Other(text) => {
            let own = text.strip_prefix("Custom(\"").and_then(|rest| rest.strip_suffix("\")"));
            own.unwrap_or(text).to_owned()
        }
        word => {
            let mut text = String::new();
            word.write_text(&mut text);
            spaced(&text)
        }
    }
}

/// What keeps a payment from settling.
pub(super) fn obstacle(names: &Names, sender: BankIdx, obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Liquidity { available, short, .. } => {
            format!("{} can pay {available}, {short} short", names.bank(sender))
        }
        Obstacle::BilateralLimit { receiver, limit, outflow, excess } => {
            format!("limit to {} {limit}, sent {outflow}, {excess} over it", names.bank(*receiver))
        }
        Obstacle::MultilateralLimit { limit, outflow, excess } => {
            format!("limit to all banks {limit}, sent {outflow}, {excess} over it")
        }
    }
}

/// What reports about a tick.
pub(super) const fn mechanism(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Queue2 => "queue 2",
        Mechanism::Pairs => "pairs",
        Mechanism::Rings => "rings",
    }
}

/// The sum of all kinds, held at the end of the range.
pub(super) fn total(costs: &Costs) -> Cents {
    costs.kinds().into_iter().fold(Cents::ZERO, Cents::saturating_add)
}

/// `overdraft 1.00, delay 2.00`: the kinds that are not nothing.
pub(super) fn cost_kinds(costs: &Costs) -> String {
    let kinds = COST_KINDS.iter().zip(costs.kinds()).filter(|(_, cost)| *cost != Cents::ZERO);
    let named =
        kinds.map(|((first, second), cost)| format!("{first} {second} {cost}").trim_start().to_owned());
    named.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words() {
        assert_eq!(hold_reason(&HoldReason::AwaitingInflows), "awaiting inflows");
        assert_eq!(
            hold_reason(&HoldReason::NearDeadline { ticks_remaining: 1 }),
            "near deadline, 1 tick left"
        );
        assert_eq!(hold_reason(&HoldReason::Other("Custom(\"Not yet\")".into())), "Not yet");
        assert_eq!(spaced("EndOfDayCleanup"), "end of day cleanup");
        assert_eq!(spaced("policy_action"), "policy_action");
    }

    #[test]
    fn a_share_of_nothing_is_a_dash() {
        assert_eq!((share(1, 3), share(0, 0)), ("33.3 %".to_owned(), "–".to_owned()));
        assert_eq!(percent(Cents(-5), Cents(0)), "–");
    }

    #[test]
    fn only_costs_that_were_charged_are_named() {
        let costs = Costs { delay: Cents(250), liquidity_opportunity: Cents(1), ..Costs::ZERO };
        assert_eq!(cost_kinds(&costs), "delay 2.50, liquidity opportunity 0.01");
    }
}
