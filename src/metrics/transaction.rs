//! Rows of `transactions`: the final state of payments (spec 06, 2.4).

use crate::event::{EventKind, RtgsPriority, Text};
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;
use crate::replay::{Payment, Place, WaitingFigures};
use crate::time::{Calendar, Day, Tick};

/// The column `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentStatus {
    /// Neither settled nor overdue.
    Pending,
    /// Marked overdue and not settled.
    Overdue,
    /// Settled; a split payment: all its parts are.
    Settled,
    /// Given up by its bank's policy.
    Dropped,
}

impl PaymentStatus {
    /// The name as stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Overdue => "overdue",
            Self::Settled => "settled",
            Self::Dropped => "dropped",
        }
    }

    /// The status of a payment.
    #[must_use]
    pub fn of(payment: &Payment) -> Self {
        match payment.place {
            Place::Dropped => Self::Dropped,
            _ if payment.remaining == Cents::ZERO => Self::Settled,
            _ if payment.is_overdue() => Self::Overdue,
            _ => Self::Pending,
        }
    }
}

/// A row of `transactions`; every field is the column of its name.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionRow {
    /// The payment.
    pub tx_id: PaymentId,
    /// The bank that pays.
    pub sender: BankIdx,
    /// The bank that is paid.
    pub receiver: BankIdx,
    /// Original amount.
    pub amount: Cents,
    /// Priority at the end.
    pub priority: u8,
    /// Priority on arrival.
    pub original_priority: u8,
    /// The flag shown in `Arrival`.
    pub is_divisible: bool,
    /// Tick of arrival; a part has its parent's.
    pub arrival_tick: Tick,
    /// Day of arrival.
    pub arrival_day: Day,
    /// Deadline.
    pub deadline_tick: Tick,
    /// Tick in which it settled; of a split payment its last part.
    pub settlement_tick: Option<Tick>,
    /// Day of that tick.
    pub settlement_day: Option<Day>,
    /// Type of the event that settled it.
    pub settled_by: Option<EventKind>,
    /// Status.
    pub status: PaymentStatus,
    /// Where it stands.
    pub place: Place,
    /// Tick in which it was marked overdue.
    pub overdue_since_tick: Option<Tick>,
    /// Tick of its drop.
    pub drop_tick: Option<Tick>,
    /// Reason of its drop.
    pub drop_reason: Option<Text>,
    /// Settled so far, of a split payment by its parts.
    pub amount_settled: Cents,
    /// Ends of ticks in queue 1.
    pub queue1_ticks: u64,
    /// Ends of ticks in queue 2.
    pub queue2_ticks: u64,
    /// Ticks from arrival to settlement, else to its drop, else to the last tick.
    pub total_delay_ticks: u64,
    /// Its share of the delay cost.
    pub delay_cost: Cents,
    /// Penalties charged for it.
    pub penalty_cost: Cents,
    /// The payment of which it is a part.
    pub parent_tx_id: Option<PaymentId>,
    /// Number of the part, from 0.
    pub split_index: Option<u64>,
    /// RTGS priority of its last submission, unless withdrawn since.
    pub rtgs_priority: Option<RtgsPriority>,
    /// Tick of that submission.
    pub rtgs_submission_tick: Option<Tick>,
    /// RTGS priority declared by its policy.
    pub declared_rtgs_priority: Option<RtgsPriority>,
}

impl TransactionRow {
    /// Whether an offset or a ring of the LSM pass settled it.
    #[must_use]
    pub const fn is_settled_by_lsm(&self) -> bool {
        matches!(self.settled_by, Some(EventKind::LsmBilateralOffset | EventKind::LsmCycleSettlement))
    }

    /// The row of a payment as it stands after `last_tick`.
    pub(super) fn new(
        payment: &Payment,
        figures: WaitingFigures,
        calendar: &Calendar,
        last_tick: Tick,
    ) -> Self {
        let status = PaymentStatus::of(payment);
        let settlement_tick = payment.ended.filter(|_| status == PaymentStatus::Settled);
        let drop_tick = payment.ended.filter(|_| status == PaymentStatus::Dropped);
        Self {
            tx_id: payment.id,
            sender: payment.sender,
            receiver: payment.receiver,
            amount: payment.amount,
            priority: payment.priority,
            original_priority: payment.original_priority,
            is_divisible: payment.is_divisible,
            arrival_tick: payment.arrival,
            arrival_day: calendar.day(payment.arrival),
            deadline_tick: payment.deadline,
            settlement_tick,
            settlement_day: settlement_tick.map(|tick| calendar.day(tick)),
            settled_by: None,
            status,
            place: payment.place,
            overdue_since_tick: payment.overdue_since,
            drop_tick,
            drop_reason: None,
            amount_settled: payment.amount.saturating_sub(payment.remaining),
            queue1_ticks: figures.queue1_ticks,
            queue2_ticks: figures.queue2_ticks,
            total_delay_ticks: payment.ended.unwrap_or(last_tick).since(payment.arrival),
            delay_cost: figures.delay_cost,
            penalty_cost: figures.penalty_cost,
            parent_tx_id: payment.parent,
            split_index: payment.split_index,
            rtgs_priority: payment.submission.map(|submission| submission.class),
            rtgs_submission_tick: payment.submission.map(|submission| submission.tick),
            declared_rtgs_priority: payment.declared,
        }
    }
}
