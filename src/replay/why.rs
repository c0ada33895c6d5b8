//! Why a payment does not settle.

use super::payment::{HeldBack, Payment, Place};
use super::state::State;
use crate::event::HoldReason;
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;

/// Why an open payment is not settled, as things stand now.
#[derive(Clone, Debug, PartialEq)]
pub struct WhyUnsettled {
    /// Where it stands.
    pub place: Place,
    /// Why its bank's policy last held it, in queue 1.
    pub held: Option<HoldReason>,
    /// A part held back that was not decided yet.
    pub held_back: Option<HeldBack>,
    /// What would refuse it if it were tried now; empty if nothing would.
    pub obstacles: Vec<Obstacle>,
}

/// What refuses a payment (spec 02, 4 and 8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The sender cannot pay.
    Liquidity {
        /// The amount to settle.
        needed: Cents,
        /// What the sender can pay.
        available: Cents,
        /// What it lacks.
        short: Cents,
    },
    /// The sender's limit towards the receiver.
    BilateralLimit {
        /// The receiver.
        receiver: BankIdx,
        /// The limit.
        limit: Cents,
        /// Sent to it today.
        outflow: Cents,
        /// By how much the payment would exceed it.
        excess: Cents,
    },
    /// The sender's limit towards all banks.
    MultilateralLimit {
        /// The limit.
        limit: Cents,
        /// Sent today.
        outflow: Cents,
        /// By how much the payment would exceed it.
        excess: Cents,
    },
}

impl State {
    /// Why an open payment is not settled; nothing for one that is not open.
    #[must_use]
    pub fn why_unsettled(&self, id: PaymentId) -> Option<WhyUnsettled> {
        let payment = self.payment(id)?;
        let tried = matches!(payment.place, Place::Queue1 | Place::Queue2 | Place::Submitted);
        let obstacles = if tried { self.obstacles(payment) } else { Vec::new() };
        Some(WhyUnsettled {
            place: payment.place,
            held: payment.hold.clone(),
            held_back: payment.held_back,
            obstacles,
        })
    }

    fn obstacles(&self, payment: &Payment) -> Vec<Obstacle> {
        let needed = payment.remaining;
        let mut obstacles = Vec::new();
        let available = self.position(payment.sender).available();
        if needed > available {
            let short = needed.saturating_sub(available);
            obstacles.push(Obstacle::Liquidity { needed, available, short });
        }
        let (Some(fixed), Some(now)) =
            (self.scenario.banks.get(payment.sender.at()), self.bank(payment.sender))
        else {
            return obstacles;
        };
        let excess_over = |limit: Cents, outflow: Cents| outflow.saturating_add(needed).saturating_sub(limit);
        let receiver = payment.receiver;
        if let Some((_, limit)) = fixed.bilateral_limits.iter().find(|(to, _)| *to == receiver) {
            let (limit, outflow) = (*limit, now.outflow_to(receiver));
            let excess = excess_over(limit, outflow);
            if excess > Cents::ZERO {
                obstacles.push(Obstacle::BilateralLimit { receiver, limit, outflow, excess });
            }
        }
        if let Some(limit) = fixed.multilateral_limit {
            let (outflow, excess) = (now.outflow, excess_over(limit, now.outflow));
            if excess > Cents::ZERO {
                obstacles.push(Obstacle::MultilateralLimit { limit, outflow, excess });
            }
        }
        obstacles
    }
}
