//! What a policy can read: one row per name, one figure per row (spec 04, 3).

use super::ast::TreeKind;
use super::category::Category;
use super::decision::RegisterIdx;

/// A figure that a policy asks for. Names with the same meaning share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// `amount`: original amount of the payment, cents.
    Amount,
    /// `remaining_amount`: unsettled part of the payment, cents.
    RemainingAmount,
    /// `settled_amount`: amount less remaining amount, cents.
    SettledAmount,
    /// `arrival_tick`: tick of arrival; a part has its parent's.
    ArrivalTick,
    /// `deadline_tick`: deadline after capping.
    DeadlineTick,
    /// `priority`: current priority, 0 to 10.
    Priority,
    /// `is_split`: 1 if the payment is a part.
    IsSplit,
    /// `is_past_deadline`: 1 after the deadline tick.
    IsPastDeadline,
    /// `is_overdue`: 1 if the payment carries the overdue mark.
    IsOverdue,
    /// `overdue_duration`: ticks since the overdue mark, 0 without.
    OverdueDuration,
    /// `ticks_to_deadline`: negative when past.
    TicksToDeadline,
    /// `queue_age`: ticks since arrival.
    QueueAge,
    /// `is_in_queue2`: 1 if the payment stands in queue 2.
    IsInQueue2,
    /// `cost_delay_this_tx_one_tick`: cents, real.
    CostDelayThisTxOneTick,
    /// `cost_overdraft_this_amount_one_tick`: cents, real.
    CostOverdraftThisAmountOneTick,
    /// `balance`: settlement balance, cents, may be negative.
    Balance,
    /// `credit_limit`, `unsecured_cap`: unsecured overdraft cap, cents.
    UnsecuredCap,
    /// `credit_used`: max(0, −balance), cents.
    CreditUsed,
    /// `is_using_credit`: 1 below a balance of 0.
    IsUsingCredit,
    /// `credit_headroom`: cap less credit used, collateral ignored, cents.
    CreditHeadroom,
    /// `allowed_overdraft_limit`: floor(posted × (1 − haircut)) + cap, cents.
    AllowedOverdraftLimit,
    /// `overdraft_headroom`: allowed overdraft limit less credit used, cents.
    OverdraftHeadroom,
    /// `available_liquidity`, `effective_liquidity`: what settlement tests against, cents.
    AvailableLiquidity,
    /// `liquidity_pressure`: ratio.
    LiquidityPressure,
    /// `outgoing_queue_size`: payments in the bank's queue 1.
    OutgoingQueueSize,
    /// `queue1_total_value`: remaining amounts in the bank's queue 1, cents.
    Queue1TotalValue,
    /// `queue1_liquidity_gap`: max(0, queue 1 value − available liquidity), cents.
    Queue1LiquidityGap,
    /// `headroom`: available liquidity less queue 1 value, cents, may be negative.
    Headroom,
    /// `rtgs_queue_size`, `queue2_size`: payments of all banks in queue 2, current.
    Queue2Size,
    /// `rtgs_queue_value`: remaining amounts in queue 2, cents, current.
    RtgsQueueValue,
    /// `queue2_count_for_agent`: the bank's payments in the index of queue 2 (3.1).
    Queue2CountForAgent,
    /// `queue2_nearest_deadline`: smallest deadline in the bank's index, 2^64 without entries.
    Queue2NearestDeadline,
    /// `ticks_to_nearest_queue2_deadline`: at least 0, infinite without entries.
    TicksToNearestQueue2Deadline,
    /// `total_agents`: number of banks.
    TotalAgents,
    /// `system_queue2_pressure_index`: 0 to 1.
    SystemQueue2PressureIndex,
    /// `posted_collateral`: cents.
    PostedCollateral,
    /// `max_collateral_capacity`: cents.
    MaxCollateralCapacity,
    /// `remaining_collateral_capacity`: capacity less posted, cents.
    RemainingCollateralCapacity,
    /// `collateral_utilization`: posted over capacity, 0 without capacity.
    CollateralUtilization,
    /// `collateral_haircut`: ratio.
    CollateralHaircut,
    /// `required_collateral_for_usage`: cents.
    RequiredCollateralForUsage,
    /// `excess_collateral`: cents.
    ExcessCollateral,
    /// `overdraft_utilization`: credit used over allowed limit, 0 without limit.
    OverdraftUtilization,
    /// `cost_overdraft_bps_per_tick`: configured rate.
    CostOverdraftBpsPerTick,
    /// `cost_delay_per_tick_per_cent`: configured rate.
    CostDelayPerTickPerCent,
    /// `cost_collateral_bps_per_tick`: configured rate.
    CostCollateralBpsPerTick,
    /// `cost_split_friction`: configured cost, cents.
    CostSplitFriction,
    /// `cost_deadline_penalty`: resolved for the amount (payments), 1 (collateral) or 0 (bank tree).
    CostDeadlinePenalty,
    /// `cost_eod_penalty`: resolved for the remaining amount (payments), 1 (collateral) or 0 (bank tree).
    CostEodPenalty,
    /// `current_tick`: counted over all days.
    CurrentTick,
    /// `system_ticks_per_day`: ticks of a day.
    SystemTicksPerDay,
    /// `system_current_day`: counted from 0.
    SystemCurrentDay,
    /// `system_tick_in_day`: counted from 0.
    SystemTickInDay,
    /// `ticks_remaining_in_day`: after this one.
    TicksRemainingInDay,
    /// `day_progress_fraction`, `expected_throughput_fraction_by_now`: tick in day over ticks of a day.
    DayProgressFraction,
    /// `is_eod_rush`: 1 from the scenario's threshold on.
    IsEodRush,
    /// `my_throughput_fraction_today`: settled over arrived value of today's own payments.
    MyThroughputFractionToday,
    /// `throughput_gap`: throughput fraction less expected fraction.
    ThroughputGap,
    /// `bank_state_…`: a register, 0 if unset.
    Register(RegisterIdx),
}

/// The state that a tree is evaluated on: answers for the bank, and in the payment tree the
/// payment, that is being judged.
///
/// Payment figures are asked for by the payment tree only.
pub trait Facts {
    /// The figure at this moment.
    fn field(&self, field: Field) -> f64;
}

/// Where the value of a name comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// Asked for.
    Fact(Field),
    /// Always the same.
    Constant(f64),
}

/// A name that a policy can read.
#[derive(Debug)]
pub struct FieldRow {
    /// The name in a document.
    pub name: &'static str,
    /// What it reads.
    pub figure: Figure,
    /// Unit.
    pub unit: &'static str,
    /// The trees that can read it.
    pub trees: &'static [TreeKind],
    /// Category for listings.
    pub category: Category,
    /// Whether the switches of spec 04, 10 know it.
    pub switched: bool,
    /// One line.
    pub help: &'static str,
}

/// What the names of registers begin with.
pub const REGISTER_PREFIX: &str = "bank_state_";

/// One line about registers, for listings.
pub const REGISTER_HELP: &str =
    "A register that the bank tree sets; 0 if unset, removed at the end of the day.";

/// The row of a name; registers have none.
#[must_use]
pub fn find(name: &str) -> Option<&'static FieldRow> {
    FIELDS.iter().find(|row| row.name == name)
}

const PAYMENT: &[TreeKind] = &[TreeKind::Payment];
const EVERY: &[TreeKind] = &TreeKind::ALL;

macro_rules! fields {
    ($($name:literal, $figure:ident($value:expr), $unit:literal,
       $trees:ident, $category:ident($switched:literal),
       $help:literal;)+) => {
        /// All names, in the order of spec 04, 3.2 to 3.7.
        pub const FIELDS: &[FieldRow] = &[$(FieldRow {
            name: $name,
            figure: Figure::$figure($value),
            unit: $unit,
            trees: $trees,
            category: Category::$category,
            switched: $switched,
            help: $help,
        }),+];
    };
}

fields! {
    "amount", Fact(Field::Amount), "cents", PAYMENT, TransactionField(true),
        "Original amount of the payment; of a part the part's.";
    "remaining_amount", Fact(Field::RemainingAmount), "cents", PAYMENT, TransactionField(true),
        "Unsettled part of the payment; equals amount for everything in a queue.";
    "settled_amount", Fact(Field::SettledAmount), "cents", PAYMENT, TransactionField(false),
        "Amount less remaining amount; 0 for everything in a queue.";
    "arrival_tick", Fact(Field::ArrivalTick), "tick", PAYMENT, TransactionField(true),
        "Tick of arrival; a part has its parent's.";
    "deadline_tick", Fact(Field::DeadlineTick), "tick", PAYMENT, TransactionField(true),
        "Deadline after capping; a part has its parent's.";
    "priority", Fact(Field::Priority), "0 to 10", PAYMENT, TransactionField(true),
        "Current priority.";
    "is_split", Fact(Field::IsSplit), "0 or 1", PAYMENT, TransactionField(false),
        "1 if the payment is a part of a split.";
    "is_past_deadline", Fact(Field::IsPastDeadline), "0 or 1", PAYMENT, TimeField(true),
        "1 if the tick is after the deadline.";
    "is_overdue", Fact(Field::IsOverdue), "0 or 1", PAYMENT, TransactionField(true),
        "1 if the payment carries the overdue mark; first reads 1 at deadline + 2.";
    "overdue_duration", Fact(Field::OverdueDuration), "ticks", PAYMENT, TimeField(false),
        "Ticks since the overdue mark, 0 without.";
    "ticks_to_deadline", Fact(Field::TicksToDeadline), "ticks", PAYMENT, TimeField(true),
        "Deadline less tick, negative when past.";
    "queue_age", Fact(Field::QueueAge), "ticks", PAYMENT, TimeField(false),
        "Tick less arrival tick.";
    "is_in_queue2", Fact(Field::IsInQueue2), "0 or 1", PAYMENT, TransactionField(false),
        "1 if the payment stands in queue 2.";
    "cost_delay_this_tx_one_tick", Fact(Field::CostDelayThisTxOneTick),
        "cents, not rounded", PAYMENT, CostField(true),
        "Remaining amount times the delay rate, without multipliers.";
    "cost_overdraft_this_amount_one_tick", Fact(Field::CostOverdraftThisAmountOneTick),
        "cents, not rounded", PAYMENT, CostField(true),
        "Overdraft cost of the remaining amount for one tick.";
    "balance", Fact(Field::Balance), "cents", EVERY, AgentField(true),
        "Settlement balance, may be negative.";
    "credit_limit", Fact(Field::UnsecuredCap), "cents", EVERY, AgentField(true),
        "Unsecured overdraft cap.";
    "unsecured_cap", Fact(Field::UnsecuredCap), "cents", EVERY, AgentField(true),
        "Unsecured overdraft cap.";
    "credit_used", Fact(Field::CreditUsed), "cents", EVERY, AgentField(false),
        "Overdraft in use: max(0, -balance).";
    "is_using_credit", Fact(Field::IsUsingCredit), "0 or 1", EVERY, AgentField(false),
        "1 if the balance is below 0.";
    "credit_headroom", Fact(Field::CreditHeadroom), "cents", EVERY, AgentField(false),
        "Cap less credit used, collateral ignored.";
    "effective_liquidity", Fact(Field::AvailableLiquidity), "cents", EVERY, AgentField(true),
        "The same as available_liquidity.";
    "allowed_overdraft_limit", Fact(Field::AllowedOverdraftLimit), "cents", EVERY, AgentField(false),
        "Credit line: collateral after haircut plus cap.";
    "overdraft_headroom", Fact(Field::OverdraftHeadroom), "cents", EVERY, AgentField(false),
        "Credit line less credit used.";
    "available_liquidity", Fact(Field::AvailableLiquidity), "cents", EVERY, AgentField(false),
        "Balance above 0 plus unused credit line: what settlement tests against.";
    "liquidity_pressure", Fact(Field::LiquidityPressure), "0 to 1", EVERY, DerivedField(true),
        "1 less the balance's share of balance, cap and posted collateral.";
    "is_overdraft_capped", Constant(1.0), "0 or 1", EVERY, AgentField(false),
        "Always 1.";
    "liquidity_buffer", Constant(0.0), "cents", EVERY, AgentField(false),
        "Always 0.";
    "incoming_expected_count", Constant(0.0), "count", EVERY, AgentField(false),
        "Always 0.";
    "outgoing_queue_size", Fact(Field::OutgoingQueueSize), "count", EVERY, QueueField(false),
        "Payments in the bank's queue 1.";
    "queue1_total_value", Fact(Field::Queue1TotalValue), "cents", EVERY, QueueField(false),
        "Remaining amounts in the bank's queue 1.";
    "queue1_liquidity_gap", Fact(Field::Queue1LiquidityGap), "cents", EVERY, QueueField(true),
        "What queue 1 needs beyond the available liquidity, at least 0.";
    "headroom", Fact(Field::Headroom), "cents", EVERY, QueueField(false),
        "Available liquidity less the value of queue 1, may be negative.";
    "rtgs_queue_size", Fact(Field::Queue2Size), "count", EVERY, QueueField(false),
        "Payments of all banks in queue 2.";
    "queue2_size", Fact(Field::Queue2Size), "count", EVERY, QueueField(true),
        "Payments of all banks in queue 2.";
    "rtgs_queue_value", Fact(Field::RtgsQueueValue), "cents", EVERY, QueueField(false),
        "Remaining amounts of all banks in queue 2.";
    "queue2_count_for_agent", Fact(Field::Queue2CountForAgent), "count", EVERY, QueueField(false),
        "The bank's payments in queue 2, at the end of the last settlement.";
    "queue2_nearest_deadline", Fact(Field::Queue2NearestDeadline), "tick", EVERY, QueueField(false),
        "Smallest deadline of these; 2^64 without any.";
    "ticks_to_nearest_queue2_deadline", Fact(Field::TicksToNearestQueue2Deadline),
        "ticks", EVERY, QueueField(false),
        "Ticks to that deadline, at least 0; infinite without any.";
    "total_agents", Fact(Field::TotalAgents), "count", EVERY, SystemField(false),
        "Number of banks.";
    "system_queue2_pressure_index", Fact(Field::SystemQueue2PressureIndex),
        "0 to 1", EVERY, SystemField(false),
        "0 if queue 2 is empty, else above one half and rising with its size.";
    "posted_collateral", Fact(Field::PostedCollateral), "cents", EVERY, CollateralField(true),
        "Collateral posted now.";
    "max_collateral_capacity", Fact(Field::MaxCollateralCapacity), "cents", EVERY, CollateralField(false),
        "Most that can be posted.";
    "remaining_collateral_capacity", Fact(Field::RemainingCollateralCapacity),
        "cents", EVERY, CollateralField(true),
        "Capacity less posted collateral.";
    "collateral_utilization", Fact(Field::CollateralUtilization), "ratio", EVERY, CollateralField(false),
        "Posted over capacity, 0 without capacity.";
    "collateral_haircut", Fact(Field::CollateralHaircut), "ratio", EVERY, CollateralField(true),
        "Share of collateral that gives no credit.";
    "required_collateral_for_usage", Fact(Field::RequiredCollateralForUsage),
        "cents", EVERY, CollateralField(false),
        "Collateral that the credit in use needs.";
    "excess_collateral", Fact(Field::ExcessCollateral), "cents", EVERY, CollateralField(false),
        "Posted collateral beyond that.";
    "overdraft_utilization", Fact(Field::OverdraftUtilization), "ratio", EVERY, CollateralField(false),
        "Credit used over the credit line, 0 without line.";
    "cost_overdraft_bps_per_tick", Fact(Field::CostOverdraftBpsPerTick),
        "basis points per tick", EVERY, CostField(false),
        "Configured overdraft rate.";
    "cost_delay_per_tick_per_cent", Fact(Field::CostDelayPerTickPerCent),
        "cost per cent and tick", EVERY, CostField(false),
        "Configured delay rate.";
    "cost_collateral_bps_per_tick", Fact(Field::CostCollateralBpsPerTick),
        "basis points per tick", EVERY, CostField(false),
        "Configured collateral rate.";
    "cost_split_friction", Fact(Field::CostSplitFriction), "cents", EVERY, CostField(true),
        "Configured cost of a split.";
    "cost_deadline_penalty", Fact(Field::CostDeadlinePenalty), "cents", EVERY, CostField(true),
        "Deadline penalty of the payment's amount.";
    "cost_eod_penalty", Fact(Field::CostEodPenalty), "cents", EVERY, CostField(true),
        "End-of-day penalty of the payment's remaining amount.";
    "current_tick", Fact(Field::CurrentTick), "tick", EVERY, TimeField(true),
        "The tick, counted over all days.";
    "system_ticks_per_day", Fact(Field::SystemTicksPerDay), "ticks", EVERY, SystemField(false),
        "Ticks of a day.";
    "system_current_day", Fact(Field::SystemCurrentDay), "day", EVERY, SystemField(false),
        "The day, counted from 0.";
    "system_tick_in_day", Fact(Field::SystemTickInDay), "tick", EVERY, SystemField(false),
        "The tick of the day, counted from 0.";
    "ticks_remaining_in_day", Fact(Field::TicksRemainingInDay), "ticks", EVERY, TimeField(false),
        "Ticks of the day after this one.";
    "day_progress_fraction", Fact(Field::DayProgressFraction), "0 to 1", EVERY, TimeField(false),
        "Tick of the day over ticks of a day.";
    "expected_throughput_fraction_by_now", Fact(Field::DayProgressFraction),
        "0 to 1", EVERY, ThroughputField(false),
        "Tick of the day over ticks of a day.";
    "is_eod_rush", Fact(Field::IsEodRush), "0 or 1", EVERY, TimeField(true),
        "1 from the scenario's `eod_rush_threshold` on.";
    "my_throughput_fraction_today", Fact(Field::MyThroughputFractionToday),
        "0 to 1", EVERY, ThroughputField(false),
        "Settled share of what the bank has had to pay today.";
    "throughput_gap", Fact(Field::ThroughputGap), "ratio", EVERY, ThroughputField(false),
        "Throughput today less the expected fraction.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_payment_figures_are_for_the_payment_tree() {
        for (position, row) in FIELDS.iter().enumerate() {
            assert!(FIELDS[..position].iter().all(|other| other.name != row.name), "{}", row.name);
        }
        assert_eq!(FIELDS.iter().filter(|row| row.trees == PAYMENT).count(), 15);
        assert_eq!(FIELDS.len(), 65);
    }

    #[test]
    fn names_with_one_meaning_share_a_figure() {
        let figure = |name| find(name).map(|row| row.figure);
        for (one, other) in [
            ("credit_limit", "unsecured_cap"),
            ("effective_liquidity", "available_liquidity"),
            ("rtgs_queue_size", "queue2_size"),
            ("day_progress_fraction", "expected_throughput_fraction_by_now"),
        ] {
            assert_eq!(figure(one), figure(other));
        }
        assert_eq!(figure("is_overdraft_capped"), Some(Figure::Constant(1.0)));
    }

    #[test]
    fn documented_names_without_a_value_are_unknown() {
        for name in ["time_in_queue", "cost_urgency", "tx_counterparty_id", "my_bilateral_net_q2_top_3"] {
            assert!(find(name).is_none(), "{name}");
        }
    }
}
