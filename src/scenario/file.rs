//! A scenario as written: typed, every default filled in, banks by their ids (spec 01, 2).

use std::sync::Arc;

use super::model::{
    Arrivals, CostRates, Escalation, FilePayment, LsmAlgorithm, LsmConfig, Penalty, Queue1Ordering,
    ScheduledEvent, Settings,
};
use super::policy::Policy;
use crate::event::Text;
use crate::money::Cents;
use crate::policy::{Category, CostCategory, Toggles};
use crate::time::Calendar;

/// A scenario as written, with every default filled in.
///
/// It is read by [`read`](super::read), becomes the canonical `config_json` by
/// [`to_json`](Self::to_json) and what the engine runs by [`resolve`](Self::resolve). Experiments build
/// and change it as a value: cloning shares programs and payments, resolving reads no text.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioFile {
    /// Length of the run, both parts at least 1.
    pub calendar: Calendar,
    /// Seed of the random numbers.
    pub seed: u64,
    /// The banks in the order of the file, ids unique.
    pub agents: Vec<Agent>,
    /// What liquidity, delay and the rest cost.
    pub cost_rates: CostRates,
    /// Liquidity-saving mechanisms.
    pub lsm_config: LsmConfig,
    /// Scheduled events in their order.
    pub events: Vec<ScheduledEvent<Text>>,
    /// Payments of a payments file in its order; `None` without such a file.
    pub payments: Option<Arc<[FilePayment<Text>]>>,
    /// Credits of a tick become usable at its end.
    pub deferred_crediting: bool,
    /// Deadlines end with the day of arrival.
    pub deadline_cap_at_eod: bool,
    /// Order of queue 1.
    pub queue1_ordering: Queue1Ordering,
    /// Queue 2 goes by class and submission tick.
    pub priority_mode: bool,
    /// Priorities rise as deadlines come near.
    pub priority_escalation: PriorityEscalation,
    /// Mechanisms report in every tick.
    pub algorithm_sequencing: bool,
    /// A submitted payment may settle against a queued one at once.
    pub entry_disposition_offsetting: bool,
    /// Part of the day after which the end-of-day rush begins, 0 to 1.
    pub eod_rush_threshold: f64,
    /// Pools are returned every evening and allocated every morning.
    pub daily_liquidity_reallocation: bool,
    /// What policies may use.
    pub policy_feature_toggles: Toggles<Category>,
    /// What the cost listing shows.
    pub cost_feature_toggles: Toggles<CostCategory>,
}

/// `priority_escalation` (spec 01, 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityEscalation {
    /// Whether it happens.
    pub enabled: bool,
    /// When and how far.
    pub escalation: Escalation,
}

impl Default for PriorityEscalation {
    fn default() -> Self {
        Self { enabled: false, escalation: Escalation { start_at_ticks: 20, max_boost: 3 } }
    }
}

/// A bank as written (spec 01, 2.3).
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    /// Its id.
    pub id: Text,
    /// Balance before the first allocation of pool liquidity.
    pub opening_balance: Cents,
    /// Unsecured overdraft cap, at least 0.
    pub unsecured_cap: Cents,
    /// Its policy.
    pub policy: Policy,
    /// Automatic arrivals.
    pub arrivals: Arrivals<Text>,
    /// Most collateral it can post; `None`: 10 times the cap.
    pub max_collateral_capacity: Option<Cents>,
    /// Collateral posted at the start, at most the capacity.
    pub posted_collateral: Cents,
    /// Haircut on collateral, 0 to 1.
    pub collateral_haircut: f64,
    /// Limits on what it may send in a day.
    pub limits: Limits,
    /// Its liquidity pool.
    pub liquidity_pool: Option<Cents>,
    /// Part of the pool allocated every day, 0 to 1, unless the policy sets it; `None`: all of it.
    pub liquidity_allocation_fraction: Option<f64>,
}

/// `limits` of a bank (spec 01, 5.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Most it may send to a receiver in a day.
    pub bilateral: Vec<(Text, Cents)>,
    /// Most it may send to all in a day.
    pub multilateral: Option<Cents>,
}

/// Haircut of banks that name none.
pub const DEFAULT_HAIRCUT: f64 = 0.02;

impl Agent {
    /// A bank with nothing but a balance and a policy.
    #[must_use]
    pub fn new(id: Text, opening_balance: Cents, policy: Policy) -> Self {
        Self {
            id,
            opening_balance,
            unsecured_cap: Cents::ZERO,
            policy,
            arrivals: Arrivals::None,
            max_collateral_capacity: None,
            posted_collateral: Cents::ZERO,
            collateral_haircut: DEFAULT_HAIRCUT,
            limits: Limits::default(),
            liquidity_pool: None,
            liquidity_allocation_fraction: None,
        }
    }

    /// Most collateral it can post: as written, else 10 times the cap, saturating.
    #[must_use]
    pub fn collateral_capacity(&self) -> Cents {
        self.max_collateral_capacity.unwrap_or(Cents(self.unsecured_cap.0.saturating_mul(10)))
    }

    /// Part of the pool allocated every day: the policy's, else the bank's, else all (C7).
    #[must_use]
    pub fn fraction(&self) -> f64 {
        self.policy
            .program()
            .initial_liquidity_fraction()
            .or(self.liquidity_allocation_fraction)
            .unwrap_or(1.0)
    }
}

/// A change named a bank that the scenario does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scenario has no bank `{0}`")]
pub struct UnknownBank(pub String);

impl ScenarioFile {
    /// A scenario of some banks with every default: no costs but the usual ones, no events.
    #[must_use]
    pub fn new(calendar: Calendar, seed: u64, agents: Vec<Agent>) -> Self {
        Self {
            calendar,
            seed,
            agents,
            cost_rates: default_cost_rates(),
            lsm_config: default_lsm_config(),
            events: Vec::new(),
            payments: None,
            deferred_crediting: false,
            deadline_cap_at_eod: false,
            queue1_ordering: Queue1Ordering::Fifo,
            priority_mode: false,
            priority_escalation: PriorityEscalation::default(),
            algorithm_sequencing: false,
            entry_disposition_offsetting: false,
            eod_rush_threshold: DEFAULT_EOD_RUSH,
            daily_liquidity_reallocation: true,
            policy_feature_toggles: Toggles::Everything,
            cost_feature_toggles: Toggles::Everything,
        }
    }

    /// The bank of an id.
    #[must_use]
    pub fn agent(&self, id: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| &*agent.id == id)
    }

    /// The bank of an id, to change it.
    ///
    /// # Errors
    /// The scenario has no such bank.
    pub fn agent_mut(&mut self, id: &str) -> Result<&mut Agent, UnknownBank> {
        let agent = self.agents.iter_mut().find(|agent| &*agent.id == id);
        agent.ok_or_else(|| UnknownBank(id.to_owned()))
    }

    /// Gives a bank another policy. Whether the toggles allow it is tested by [`Self::resolve`].
    ///
    /// # Errors
    /// The scenario has no such bank.
    pub fn set_policy(&mut self, id: &str, policy: Policy) -> Result<(), UnknownBank> {
        self.agent_mut(id)?.policy = policy;
        Ok(())
    }

    /// Sets a bank's `liquidity_allocation_fraction`; a fraction of its policy goes before it (C7).
    ///
    /// # Errors
    /// The scenario has no such bank.
    pub fn set_liquidity_fraction(&mut self, id: &str, fraction: Option<f64>) -> Result<(), UnknownBank> {
        self.agent_mut(id)?.liquidity_allocation_fraction = fraction;
        Ok(())
    }

    pub(super) const fn settings(&self) -> Settings {
        let PriorityEscalation { enabled, escalation } = self.priority_escalation;
        Settings {
            deferred_crediting: self.deferred_crediting,
            deadline_cap_at_eod: self.deadline_cap_at_eod,
            queue1_ordering: self.queue1_ordering,
            priority_mode: self.priority_mode,
            priority_escalation: if enabled { Some(escalation) } else { None },
            algorithm_sequencing: self.algorithm_sequencing,
            entry_disposition_offsetting: self.entry_disposition_offsetting,
            eod_rush_threshold: self.eod_rush_threshold,
            daily_liquidity_reallocation: self.daily_liquidity_reallocation,
        }
    }
}

/// Default of `eod_rush_threshold`.
pub(super) const DEFAULT_EOD_RUSH: f64 = 0.8;

/// Costs where the file names none (spec 01, 2.8).
#[must_use]
pub const fn default_cost_rates() -> CostRates {
    CostRates {
        overdraft_bps_per_tick: 0.001,
        delay_cost_per_tick_per_cent: 0.0001,
        collateral_cost_per_tick_bps: 0.0002,
        liquidity_cost_per_tick_bps: 0.0,
        eod_penalty: Penalty::Fixed(Cents(10_000)),
        deadline_penalty: Penalty::Fixed(Cents(50_000)),
        split_friction_cost: Cents(1_000),
        overdue_delay_multiplier: 5.0,
        priority_delay_multipliers: None,
    }
}

/// Liquidity-saving mechanisms where the file names none (spec 01, 2.9).
#[must_use]
pub const fn default_lsm_config() -> LsmConfig {
    LsmConfig {
        enable_bilateral: true,
        enable_cycles: true,
        max_cycle_length: 4,
        max_cycles_per_tick: 10,
        algorithm: LsmAlgorithm::Cycles,
    }
}
