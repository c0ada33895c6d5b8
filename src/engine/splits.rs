//! Splits: a payment is replaced by parts that are payments of their own (spec 02, 14).

use super::payments::{Payment, Place, Slot};
use super::{Simulation, TickFailure};
use crate::costs::Costs;
use crate::event::{CostsField, Event, RtgsPriority};
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;

/// Most parts of one split: beyond it a policy would fill the memory, not a queue.
const MAX_PARTS: u64 = 1_000_000;

/// How a payment is split.
#[derive(Clone, Copy)]
pub(super) struct SplitPlan {
    /// Number of parts, at least 2.
    pub parts: u64,
    /// Added to the priority of every part.
    pub boost: u64,
    /// In a staggered split: which parts wait.
    pub later: Option<Later>,
}

#[derive(Clone, Copy)]
pub(super) struct Later {
    /// Parts submitted at once.
    pub first_now: u64,
    /// Ticks between the others; 0 counts as 1.
    pub gap_ticks: u64,
}

impl Simulation {
    /// Splits a payment of queue 1; later parts are added to `held_back`. Returns `false`, with
    /// nothing changed, if a part would be 0 cents (C13).
    pub(super) fn split(
        &mut self,
        slot: Slot,
        plan: SplitPlan,
        held_back: &mut Vec<Slot>,
    ) -> Result<bool, TickFailure> {
        let (amount, sender, parent_id) = {
            let parent = &self.payments[slot];
            (parent.remaining, parent.sender, parent.id)
        };
        let whole = amount.0.unsigned_abs();
        if whole / plan.parts == 0 {
            return Ok(false);
        }
        if plan.parts > MAX_PARTS {
            let bank = self.scenario.names.bank(sender).to_owned();
            return Err(TickFailure::TooManyParts { bank, parts: plan.parts, limit: MAX_PARTS });
        }
        self.payments[slot].place = Place::Split;
        let (share, rest) = ((whole / plan.parts) as i64, (whole % plan.parts) as i64);
        let mut children: Vec<PaymentId> = Vec::with_capacity(plan.parts as usize);
        for number in 0..plan.parts {
            let last = number == plan.parts - 1;
            let part = self.part_of(slot, Cents(share + if last { rest } else { 0 }), plan.boost);
            children.push(self.payments[part].id);
            self.log_part(part, parent_id);
            match plan.later {
                Some(Later { first_now, gap_ticks }) if number >= first_now => {
                    let nth = number - first_now + 1;
                    let wait = gap_ticks.max(1).saturating_mul(nth);
                    self.payments[part].held_until = self.now.after(wait);
                    held_back.push(part);
                }
                _ => {
                    let class = self.payments[slot].declared.unwrap_or(RtgsPriority::Normal);
                    self.submit(part, class);
                }
            }
        }
        self.charge_friction(sender, plan.parts)?;
        self.events.push(Event::PolicySplit {
            agent_id: sender,
            tx_id: parent_id,
            num_splits: plan.parts,
            child_ids: children.into(),
        });
        Ok(true)
    }

    fn part_of(&mut self, parent: Slot, amount: Cents, boost: u64) -> Slot {
        let id = self.payments.next_id();
        let whole = &self.payments[parent];
        let priority = u64::from(whole.priority).saturating_add(boost).min(10) as u8;
        let part = Payment {
            id,
            amount,
            remaining: amount,
            priority,
            original_priority: priority,
            overdue_since: None,
            parent: Some(parent),
            declared: None,
            place: Place::Queue1,
            ..whole.clone()
        };
        self.payments.insert(part)
    }

    fn log_part(&mut self, part: Slot, parent_id: PaymentId) {
        let part = &self.payments[part];
        self.events.push(Event::Arrival {
            tx_id: part.id,
            sender_id: part.sender,
            receiver_id: part.receiver,
            amount: part.amount,
            deadline: part.deadline,
            priority: part.priority,
            is_divisible: false,
            parent_tx_id: Some(parent_id),
        });
    }

    /// Friction for every cut but none for the first part (spec 03, 9.1).
    fn charge_friction(&mut self, bank: BankIdx, parts: u64) -> Result<(), TickFailure> {
        let price = i128::from(self.scenario.cost_rates.split_friction_cost.0);
        let friction = i64::try_from(price * i128::from(parts - 1))
            .map_err(|_| self.overflow(bank, "the split friction"))?;
        if friction == 0 {
            return Ok(());
        }
        let costs = Costs::of_friction(Cents(friction));
        let total = self.charge(bank, &costs)?;
        self.events.push(Event::CostAccrual { agent_id: bank, costs: CostsField { kinds: costs, total } });
        Ok(())
    }

    /// A part settled: its parent's remaining amount falls by it, and so on upwards (C22). Ends
    /// with the original payment, and whether it is settled with this.
    pub(super) fn settle_upwards(&mut self, slot: Slot, amount: Cents) -> (Slot, bool) {
        let (mut top, mut done) = (slot, true);
        while let Some(parent) = self.payments[top].parent {
            let whole = &mut self.payments[parent];
            whole.remaining = whole.remaining.saturating_sub(amount);
            done = whole.remaining == Cents::ZERO;
            if done {
                whole.place = Place::Settled;
                self.payments.retire(parent);
            }
            top = parent;
        }
        (top, done)
    }
}
