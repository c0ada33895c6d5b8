//! Rows of `daily_agent_metrics`: one per bank and day (spec 03, 12).

use crate::costs::Costs;
use crate::ids::BankIdx;
use crate::money::Cents;
use crate::replay::State;
use crate::time::Day;

/// A row of `daily_agent_metrics`; every field is the column of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyRow {
    /// The bank.
    pub agent: BankIdx,
    /// The day.
    pub day: Day,
    /// Balance when the day's record was opened.
    pub opening_balance: Cents,
    /// Balance at the end of the day's last tick.
    pub closing_balance: Cents,
    /// Smallest balance.
    pub min_balance: Cents,
    /// Largest balance.
    pub max_balance: Cents,
    /// The bank's cap.
    pub unsecured_cap: Cents,
    /// Largest overdraft at the end of a tick.
    pub peak_overdraft: Cents,
    /// Posted collateral when the record was opened.
    pub opening_posted_collateral: Cents,
    /// Posted collateral at the end.
    pub closing_posted_collateral: Cents,
    /// Largest posted collateral.
    pub peak_posted_collateral: Cents,
    /// The bank's capacity.
    pub collateral_capacity: Cents,
    /// Its posts of collateral.
    pub num_collateral_posts: u64,
    /// Its withdrawals of collateral, those by timers too.
    pub num_collateral_withdrawals: u64,
    /// Original payments that it sends and that arrived.
    pub num_arrivals: u64,
    /// Payments that it sends and that settled, parts included; also `num_settled`.
    pub num_sent: u64,
    /// Payments that it receives and that settled.
    pub num_received: u64,
    /// Its drops.
    pub num_dropped: u64,
    /// Largest queue 1.
    pub queue1_peak_size: usize,
    /// Queue 1 at the end.
    pub queue1_eod_size: usize,
    /// Costs of the day by kind.
    pub costs: Costs,
}

impl DailyRow {
    /// Opens the record of a day with the bank's figures of this moment.
    pub(super) fn open(state: &State, agent: BankIdx, day: Day) -> Self {
        let fixed = &state.scenario().banks[agent.at()];
        let now = &state.banks()[agent.at()];
        Self {
            agent,
            day,
            opening_balance: now.balance,
            closing_balance: now.balance,
            min_balance: now.balance,
            max_balance: now.balance,
            unsecured_cap: state.position(agent).unsecured_cap,
            peak_overdraft: Cents::ZERO,
            opening_posted_collateral: now.posted,
            closing_posted_collateral: now.posted,
            peak_posted_collateral: now.posted,
            collateral_capacity: fixed.collateral_capacity,
            num_collateral_posts: 0,
            num_collateral_withdrawals: 0,
            num_arrivals: 0,
            num_sent: 0,
            num_received: 0,
            num_dropped: 0,
            queue1_peak_size: 0,
            queue1_eod_size: 0,
            costs: Costs::ZERO,
        }
    }

    /// Takes the figures at the end of a tick.
    pub(super) fn update(&mut self, state: &State) {
        let now = &state.banks()[self.agent.at()];
        let queue1 = state.queue1_len(self.agent);
        self.closing_balance = now.balance;
        self.min_balance = self.min_balance.min(now.balance);
        self.max_balance = self.max_balance.max(now.balance);
        self.peak_overdraft = self.peak_overdraft.max(Cents::ZERO.saturating_sub(now.balance));
        self.closing_posted_collateral = now.posted;
        self.peak_posted_collateral = self.peak_posted_collateral.max(now.posted);
        self.queue1_peak_size = self.queue1_peak_size.max(queue1);
        self.queue1_eod_size = queue1;
        self.costs = now.day_costs;
    }

    /// Payments that the bank sends and that settled: the same as `num_sent`.
    #[must_use]
    pub const fn num_settled(&self) -> u64 {
        self.num_sent
    }

    /// The sum of the six kinds of cost.
    #[must_use]
    pub fn total_cost(&self) -> Cents {
        self.costs.kinds().into_iter().fold(Cents::ZERO, Cents::saturating_add)
    }
}
