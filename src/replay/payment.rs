//! An open payment as the events so far describe it (spec 01, 12.0).

use serde::{Deserialize, Serialize};

use super::rules::Rules;
use crate::event::{HoldReason, RtgsPriority};
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;
use crate::time::Tick;

/// Where a payment stands (spec 00, P5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Place {
    /// Queue 1 of its sender.
    Queue1,
    /// The list of submissions, only inside a tick.
    Submitted,
    /// Queue 2.
    Queue2,
    /// Settled.
    Settled,
    /// Given up by its bank's policy.
    Dropped,
    /// Replaced by its parts.
    Split,
}

impl Place {
    /// The name as stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue1 => "queue1",
            Self::Submitted => "submitted",
            Self::Queue2 => "queue2",
            Self::Settled => "settled",
            Self::Dropped => "dropped",
            Self::Split => "split",
        }
    }
}

/// The last submission of a payment to the settlement system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Its RTGS priority.
    pub class: RtgsPriority,
    /// Its tick.
    pub tick: Tick,
}

/// A part of a staggered split that is held back (C13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBack {
    /// Its number among the parts held back, from 1.
    pub rank: u64,
    /// The tick in which it is first decided; unknown where its bank's policy computes the gap
    /// or could mean several.
    pub until: Option<Tick>,
}

/// A payment that is not settled: queued, submitted, dropped or split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// Its running number.
    pub id: PaymentId,
    /// Who pays.
    pub sender: BankIdx,
    /// Who is paid.
    pub receiver: BankIdx,
    /// Original amount.
    pub amount: Cents,
    /// Amount still to settle; of a split payment, by its parts.
    pub remaining: Cents,
    /// Current priority, 0 to 10.
    pub priority: u8,
    /// Priority when it came into being.
    pub original_priority: u8,
    /// The flag shown in `Arrival`.
    pub is_divisible: bool,
    /// Tick of arrival; a part has its parent's.
    pub arrival: Tick,
    /// Last tick in which it is on time.
    pub deadline: Tick,
    /// Where it stands.
    pub place: Place,
    /// Tick in which it was marked overdue.
    pub overdue_since: Option<Tick>,
    /// Tick in which it settled (a split payment: with its last part) or was dropped.
    pub ended: Option<Tick>,
    /// The payment of which it is a part.
    pub parent: Option<PaymentId>,
    /// Number of the part, from 0.
    pub split_index: Option<u64>,
    /// Parts made of it so far.
    pub parts: u64,
    /// RTGS priority declared by its policy.
    pub declared: Option<RtgsPriority>,
    /// Its last submission, unless it was withdrawn since.
    pub submission: Option<Submission>,
    /// Tick in which it last entered queue 2, while it stands there.
    pub queue2_since: Option<Tick>,
    /// Held back as a later part of a staggered split, until its first decision.
    pub held_back: Option<HeldBack>,
    /// Why its bank's policy last held it, until it leaves queue 1.
    #[serde(with = "super::snapshot::hold_reason")]
    pub hold: Option<HoldReason>,
    /// Deadline penalty charged for it.
    pub(super) deadline_penalty: Cents,
    pub(super) waiting: Waiting,
}

/// Figures of waiting, counted up to the tick `from`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    from: Tick,
    queue1_ticks: u64,
    queue2_ticks: u64,
    weight: u128,
    late_nights: u64,
}

/// What waiting has cost a payment so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitingFigures {
    /// Ends of ticks at which it stood in queue 1.
    pub queue1_ticks: u64,
    /// Ends of ticks at which it stood in queue 2.
    pub queue2_ticks: u64,
    /// Its share of its sender's delay cost, rounded once.
    pub delay_cost: Cents,
    /// Deadline and end-of-day penalties charged for it.
    pub penalty_cost: Cents,
}

impl Payment {
    /// A payment in queue 1 whose time there counts from `now`; all else is to be filled in.
    pub(super) fn blank(now: Tick) -> Self {
        Self {
            id: PaymentId(0),
            sender: BankIdx(0),
            receiver: BankIdx(0),
            amount: Cents::ZERO,
            remaining: Cents::ZERO,
            priority: 0,
            original_priority: 0,
            is_divisible: false,
            arrival: now,
            deadline: now,
            place: Place::Queue1,
            overdue_since: None,
            ended: None,
            parent: None,
            split_index: None,
            parts: 0,
            declared: None,
            submission: None,
            queue2_since: None,
            held_back: None,
            hold: None,
            deadline_penalty: Cents::ZERO,
            waiting: Waiting { from: now, ..Waiting::default() },
        }
    }

    /// Whether it is marked overdue.
    #[must_use]
    pub const fn is_overdue(&self) -> bool {
        self.overdue_since.is_some()
    }

    /// Counts the ends of ticks before `now` at its present place, priority and mark; to be
    /// called before one of them changes in the tick `now`.
    pub(super) fn count_until(&mut self, now: Tick, rules: &Rules) {
        self.waiting = self.counted(now, rules);
    }

    fn counted(&self, now: Tick, rules: &Rules) -> Waiting {
        let mut waiting = self.waiting;
        let ticks = now.since(waiting.from);
        if ticks > 0 && matches!(self.place, Place::Queue1 | Place::Queue2) {
            match self.place {
                Place::Queue1 => waiting.queue1_ticks = waiting.queue1_ticks.saturating_add(ticks),
                _ => waiting.queue2_ticks = waiting.queue2_ticks.saturating_add(ticks),
            }
            let weight = rules.delay.weight(self.is_overdue(), self.priority);
            waiting.weight = waiting.weight.saturating_add(weight.saturating_mul(ticks.into()));
            let late_from = waiting.from.max(self.deadline.after(1));
            waiting.late_nights +=
                rules.day_ends_before(now).saturating_sub(rules.day_ends_before(late_from));
        }
        waiting.from = now;
        waiting
    }

    /// The figures over all ends of ticks before `now`.
    pub(super) fn waiting_figures(&self, now: Tick, rules: &Rules) -> WaitingFigures {
        let waiting = self.counted(now, rules);
        let amount = u128::from(self.amount.0.unsigned_abs());
        let night = i128::from(rules.eod_penalty.for_amount(self.amount).0);
        let penalties =
            i128::from(self.deadline_penalty.0) + night.saturating_mul(waiting.late_nights.into());
        WaitingFigures {
            queue1_ticks: waiting.queue1_ticks,
            queue2_ticks: waiting.queue2_ticks,
            delay_cost: rules.delay.cost(amount.saturating_mul(waiting.weight)),
            penalty_cost: Cents::saturating_from(penalties),
        }
    }
}
