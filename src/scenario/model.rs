//! A scenario as the engine runs it: checked, complete, names resolved to indices.

use std::sync::Arc;

use crate::event::Text;
use crate::ids::{BankIdx, Names};
use crate::money::Cents;
use crate::policy::Program;
use crate::time::{Calendar, Tick};

/// Everything a simulation needs. Built from a [`ScenarioFile`](super::ScenarioFile).
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Length of a day and of the run.
    pub calendar: Calendar,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Names of the banks.
    pub names: Arc<Names>,
    /// Banks in byte order of their ids: index them by [`BankIdx`].
    pub banks: Vec<Bank>,
    /// All banks in the order of the file: candidates for receivers are taken in this order.
    pub file_order: Vec<BankIdx>,
    /// What liquidity, delay and the rest cost.
    pub cost_rates: CostRates,
    /// Liquidity-saving mechanisms.
    pub lsm: LsmConfig,
    /// Scheduled events in the order of the file.
    pub events: Vec<ScheduledEvent>,
    /// Payments of a payments file, in its order.
    pub payments: Vec<FilePayment>,
    /// Settings of the system as a whole.
    pub settings: Settings,
}

/// Settings at the root of the file (spec 01, 2.1 and 5.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Credits of a tick become usable at its end.
    pub deferred_crediting: bool,
    /// Deadlines end with the day of arrival.
    pub deadline_cap_at_eod: bool,
    /// Order of queue 1.
    pub queue1_ordering: Queue1Ordering,
    /// Queue 2 goes by class and submission tick.
    pub priority_mode: bool,
    /// Priorities rise as deadlines come near; `None` if not enabled.
    pub priority_escalation: Option<Escalation>,
    /// Mechanisms report in every tick.
    pub algorithm_sequencing: bool,
    /// A submitted payment may settle against a queued one at once (C23).
    pub entry_disposition_offsetting: bool,
    /// Part of the day after which the end-of-day rush begins.
    pub eod_rush_threshold: f64,
    /// Pools are returned every evening and allocated every morning.
    pub daily_liquidity_reallocation: bool,
}

/// Order of queue 1 (spec 01, 12.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue1Ordering {
    /// By entry.
    Fifo,
    /// By priority descending, then deadline.
    PriorityDeadline,
}

/// Priority escalation (spec 01, 12.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// Ticks before the deadline at which priorities begin to rise.
    pub start_at_ticks: u64,
    /// Largest rise.
    pub max_boost: u8,
}

/// One bank.
#[derive(Clone, Debug)]
pub struct Bank {
    /// Its id.
    pub id: Text,
    /// Balance before the first allocation of pool liquidity.
    pub opening_balance: Cents,
    /// Unsecured overdraft cap.
    pub unsecured_cap: Cents,
    /// Most collateral it can post: as configured, else 10 times the cap, saturating.
    pub collateral_capacity: Cents,
    /// Collateral posted at the start.
    pub posted_collateral: Cents,
    /// Haircut on collateral, 0 to 1.
    pub haircut: f64,
    /// Most it may send to a receiver in a day, by receiver in index order.
    pub bilateral_limits: Vec<(BankIdx, Cents)>,
    /// Most it may send to all in a day.
    pub multilateral_limit: Option<Cents>,
    /// Its liquidity pool.
    pub pool: Option<Cents>,
    /// Part of the pool allocated every day, 0 to 1 (C7).
    pub fraction: f64,
    /// Automatic arrivals.
    pub arrivals: Arrivals,
    /// Its policy.
    pub policy: Arc<Program>,
}

impl Bank {
    /// What a morning allocates from the pool: floor(pool × fraction), 0 without a pool (spec 03, 4).
    #[must_use]
    pub fn allocation(&self) -> Cents {
        self.pool.map_or(Cents::ZERO, |pool| Cents((pool.0 as f64 * self.fraction).floor() as i64))
    }
}

/// Automatic arrivals of a bank. Like everything below that takes `B`, it names banks by index in a
/// resolved scenario and by id in a [`ScenarioFile`](super::ScenarioFile).
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals<B = BankIdx> {
    /// None.
    None,
    /// One stream (spec 01, 2.4).
    Single(ArrivalConfig<B>),
    /// Streams by priority band, urgent, normal, low (spec 01, 2.5).
    Bands([Option<ArrivalBand<B>>; 3]),
}

/// A stream of payments (spec 01, 2.4).
#[derive(Clone, Debug, PartialEq)]
pub struct ArrivalConfig<B = BankIdx> {
    /// Expected payments in a tick.
    pub rate_per_tick: f64,
    /// Their amounts.
    pub amounts: AmountDistribution,
    /// Weights of receivers that are named; others weigh 1.
    pub counterparty_weights: Vec<(B, f64)>,
    /// Smallest and largest deadline offset in ticks.
    pub deadline_range: (i64, i64),
    /// Their priorities.
    pub priorities: PriorityDistribution,
    /// Flag shown in `Arrival`.
    pub divisible: bool,
}

/// A stream of payments of one priority band (spec 01, 2.5).
#[derive(Clone, Debug, PartialEq)]
pub struct ArrivalBand<B = BankIdx> {
    /// Expected payments in a tick.
    pub rate_per_tick: f64,
    /// Their amounts.
    pub amounts: AmountDistribution,
    /// Weights of receivers that are named; others weigh 1. Empty: all receivers alike.
    pub counterparty_weights: Vec<(B, f64)>,
    /// Smallest and largest deadline offset in ticks.
    pub deadline_range: (i64, i64),
    /// Flag shown in `Arrival`.
    pub divisible: bool,
}

/// Distribution of amounts (spec 01, 2.6.1).
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the keys are those of the file")]
pub enum AmountDistribution {
    /// Normal, in cents.
    Normal { mean: i64, std_dev: i64 },
    /// Log-normal, by mean and deviation of the amount itself.
    LogNormal { mean: f64, std_dev: f64 },
    /// Uniform, both ends included.
    Uniform { min: i64, max: i64 },
    /// Exponential.
    Exponential { lambda: f64 },
}

/// Distribution of priorities (spec 01, 2.6.2).
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the keys are those of the file")]
pub enum PriorityDistribution {
    /// Always the same.
    Fixed(u8),
    /// One of several, by weight.
    Categorical { values: Vec<u8>, weights: Vec<f64> },
    /// Uniform, both ends included.
    Uniform { min: u8, max: u8 },
}

/// What things cost (spec 01, 2.8; 03, 7).
#[derive(Clone, Debug, PartialEq)]
pub struct CostRates {
    /// Basis points of a negative balance per tick.
    pub overdraft_bps_per_tick: f64,
    /// Cents per queued cent and tick.
    pub delay_cost_per_tick_per_cent: f64,
    /// Basis points of posted collateral per tick.
    pub collateral_cost_per_tick_bps: f64,
    /// Basis points of allocated liquidity per tick.
    pub liquidity_cost_per_tick_bps: f64,
    /// Charged at end of day for every payment past its deadline.
    pub eod_penalty: Penalty,
    /// Charged once for a payment that goes overdue.
    pub deadline_penalty: Penalty,
    /// Cents for each cut of a split.
    pub split_friction_cost: Cents,
    /// Factor on the delay cost of overdue payments.
    pub overdue_delay_multiplier: f64,
    /// Factors on the delay cost by band: urgent, normal, low.
    pub priority_delay_multipliers: Option<[f64; 3]>,
}

/// A penalty (spec 01, 2.8).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Penalty {
    /// The same for every payment.
    Fixed(Cents),
    /// Basis points of the amount.
    Rate(f64),
}

impl Penalty {
    /// The penalty for an amount; at most the largest 64-bit amount.
    #[must_use]
    pub fn for_amount(self, amount: Cents) -> Cents {
        match self {
            Self::Fixed(penalty) => penalty,
            Self::Rate(bps) if bps.is_infinite() => Cents::ZERO,
            Self::Rate(bps) => {
                let micro_bps = (bps * 1_000_000.0) as i128;
                let product = i128::from(amount.0).abs().saturating_mul(micro_bps);
                Cents::saturating_from(product / 10_000_000_000)
            }
        }
    }
}

/// Priority bands (spec 01, 8.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// Priorities 8 to 10.
    Urgent,
    /// Priorities 4 to 7.
    Normal,
    /// Priorities 0 to 3.
    Low,
}

impl Band {
    /// The band of a priority.
    #[must_use]
    pub const fn of(priority: u8) -> Self {
        match priority {
            8.. => Self::Urgent,
            4..=7 => Self::Normal,
            _ => Self::Low,
        }
    }

    /// Its name as in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

/// Liquidity-saving mechanisms (spec 01, 2.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LsmConfig {
    /// Offset payments between pairs of banks.
    pub enable_bilateral: bool,
    /// Settle rings.
    pub enable_cycles: bool,
    /// Longest ring.
    pub max_cycle_length: usize,
    /// Most rings settled in a tick.
    pub max_cycles_per_tick: usize,
    /// Which pass runs.
    pub algorithm: LsmAlgorithm,
}

/// The pass of the mechanisms (spec 02, 10 and 12.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LsmAlgorithm {
    /// Pairs and rings.
    Cycles,
    /// Gridlock resolution after Bech and Soramäki.
    BechSoramaki,
}

/// A payment of a payments file (spec 01, 2.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilePayment<B = BankIdx> {
    /// When it arrives.
    pub tick: Tick,
    /// Who pays.
    pub sender: B,
    /// Who is paid.
    pub receiver: B,
    /// How much.
    pub amount: Cents,
    /// 0 to 10.
    pub priority: u8,
    /// Deadline as an absolute tick, before capping; `None`: as for custom arrivals.
    pub deadline: Option<Tick>,
}

/// A scheduled event of the scenario (spec 01, 2.10).
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledEvent<B = BankIdx> {
    /// What happens.
    pub action: ScenarioAction<B>,
    /// When.
    pub schedule: Schedule,
}

/// When a scheduled event is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the keys are those of the file")]
pub enum Schedule {
    /// Once.
    OneTime { tick: Tick },
    /// From a tick on, every so many ticks, without end.
    Repeating { start_tick: Tick, interval: u64 },
}

impl Schedule {
    /// Whether it is due in a tick.
    #[must_use]
    pub const fn is_due(self, now: Tick) -> bool {
        match self {
            Self::OneTime { tick } => tick.0 == now.0,
            Self::Repeating { start_tick, interval } => {
                now.0 >= start_tick.0 && (now.0 - start_tick.0).is_multiple_of(interval)
            }
        }
    }
}

/// What a scheduled event does (spec 05, 5).
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the keys are those of the file")]
pub enum ScenarioAction<B = BankIdx> {
    DirectTransfer {
        from: B,
        to: B,
        amount: Cents,
    },
    CustomArrival {
        from: B,
        to: B,
        amount: Cents,
        priority: u8,
        /// Ticks after arrival; `None`: max(5, a tenth of the day).
        deadline: Option<u64>,
        is_divisible: bool,
    },
    CollateralAdjustment {
        agent: B,
        delta: Cents,
    },
    GlobalArrivalRate {
        multiplier: f64,
    },
    AgentArrivalRate {
        agent: B,
        multiplier: f64,
    },
    CounterpartyWeight {
        agent: B,
        counterparty: B,
        new_weight: f64,
        auto_balance_others: bool,
    },
    DeadlineWindow {
        min_multiplier: Option<f64>,
        max_multiplier: Option<f64>,
    },
    ScheduledSettlement {
        from: B,
        to: B,
        amount: Cents,
    },
}
