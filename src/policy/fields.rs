//! What a policy can read: one row per name, one figure per row (spec 04, 3).

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
