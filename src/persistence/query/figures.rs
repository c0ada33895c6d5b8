//! Figures of a simulation by tick, day and bank (spec 06, 5.4).

use std::ops::RangeInclusive;

use duckdb::{params, params_from_iter};

use super::Reader;
use super::filter::Conditions;
use super::types::{
    BankCostsRow, BankDelayRow, CounterpartyRow, DailyMetricsRow, DayCostsRow, LiquidityUsedRow, LsmShareRow,
    SettlementDayRow, TickFiguresRow,
};
use crate::persistence::PersistenceError;

/// The total and the six kinds of costs, summed.
const COST_SUMS: &str = "sum(total_cost)::BIGINT AS total_cost, \
     sum(liquidity_cost)::BIGINT AS liquidity_cost, sum(delay_cost)::BIGINT AS delay_cost, \
     sum(collateral_cost)::BIGINT AS collateral_cost, \
     sum(deadline_penalty_cost)::BIGINT AS deadline_penalty_cost, \
     sum(split_friction_cost)::BIGINT AS split_friction_cost, \
     sum(liquidity_opportunity_cost)::BIGINT AS liquidity_opportunity_cost";

impl Reader {
    /// Daily metrics by day and bank, of one bank if one is given.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn daily_metrics(
        &self,
        simulation_id: &str,
        bank: Option<&str>,
    ) -> Result<Vec<DailyMetricsRow>, PersistenceError> {
        let mut conditions = Conditions::default();
        conditions.text("simulation_id = ?", Some(simulation_id));
        conditions.text("agent_id = ?", bank);
        let (all, values) = conditions.finish();
        let rest = format!("FROM daily_agent_metrics {all} ORDER BY day, agent_id");
        self.rows(&rest, params_from_iter(values))
    }

    /// Costs of every bank, highest total first.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn bank_costs(&self, simulation_id: &str) -> Result<Vec<BankCostsRow>, PersistenceError> {
        self.rows(
            &format!(
                "FROM (SELECT agent_id, {COST_SUMS} FROM daily_agent_metrics WHERE simulation_id = ? \
                 GROUP BY agent_id) ORDER BY total_cost DESC, agent_id"
            ),
            [simulation_id],
        )
    }

    /// Costs of every day, of one bank if one is given.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn cost_trend(
        &self,
        simulation_id: &str,
        bank: Option<&str>,
    ) -> Result<Vec<DayCostsRow>, PersistenceError> {
        self.rows(
            &format!(
                "FROM (SELECT day, {COST_SUMS} FROM daily_agent_metrics \
                 WHERE simulation_id = ? AND agent_id = coalesce(?, agent_id) GROUP BY day) ORDER BY day"
            ),
            params![simulation_id, bank],
        )
    }

    /// Settlement of original payments by day of arrival.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn settlement_by_day(&self, simulation_id: &str) -> Result<Vec<SettlementDayRow>, PersistenceError> {
        self.rows("FROM settlement_rate_by_day WHERE simulation_id = ? ORDER BY day", [simulation_id])
    }

    /// The banks that a bank exchanged payments with, the busiest first.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn counterparties(
        &self,
        simulation_id: &str,
        bank: &str,
    ) -> Result<Vec<CounterpartyRow>, PersistenceError> {
        self.rows(
            "FROM (SELECT CASE sender_id WHEN ? THEN receiver_id ELSE sender_id END AS agent_id, \
             count(*) FILTER (sender_id = ?) AS num_sent, \
             coalesce(sum(amount) FILTER (sender_id = ?), 0)::BIGINT AS value_sent, \
             count(*) FILTER (receiver_id = ?) AS num_received, \
             coalesce(sum(amount) FILTER (receiver_id = ?), 0)::BIGINT AS value_received \
             FROM transactions WHERE simulation_id = ? AND place = 'settled' \
             AND (sender_id = ? OR receiver_id = ?) GROUP BY 1) \
             ORDER BY value_sent + value_received DESC, agent_id",
            params![bank, bank, bank, bank, bank, simulation_id, bank, bank],
        )
    }

    /// Delays of settled original payments by sender.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn delays_by_bank(&self, simulation_id: &str) -> Result<Vec<BankDelayRow>, PersistenceError> {
        self.rows("FROM delay_by_bank WHERE simulation_id = ? ORDER BY agent_id", [simulation_id])
    }

    /// What every bank needed of its own on every day.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn liquidity_used(&self, simulation_id: &str) -> Result<Vec<LiquidityUsedRow>, PersistenceError> {
        self.rows("FROM liquidity_used WHERE simulation_id = ? ORDER BY day, agent_id", [simulation_id])
    }

    /// The share of offsets and rings by day.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn lsm_share(&self, simulation_id: &str) -> Result<Vec<LsmShareRow>, PersistenceError> {
        self.rows("FROM lsm_share WHERE simulation_id = ? ORDER BY day", [simulation_id])
    }

    /// Figures of every stored tick in the range (02, 16), from the events.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn tick_figures(
        &self,
        simulation_id: &str,
        ticks: RangeInclusive<u64>,
    ) -> Result<Vec<TickFiguresRow>, PersistenceError> {
        let stored = self.last_tick(simulation_id)?;
        let Some(last) = stored.map(|last| last.0.min(*ticks.end())) else { return Ok(Vec::new()) };
        // An arrival of the reference does not say that it is a part; its split does.
        let parts_are_silent = self.is_of_reference(simulation_id)?;
        self.rows(
            "FROM (SELECT tick, coalesce(num_arrivals, 0) AS num_arrivals, \
             coalesce(num_settlements, 0) AS num_settlements, coalesce(num_lsm_releases, 0) AS \
             num_lsm_releases, \
             coalesce(total_cost, 0) AS total_cost, coalesce(num_events, 0) AS num_events \
             FROM (SELECT range AS tick FROM range(?::BIGINT, ?::BIGINT)) \
             LEFT JOIN (SELECT tick, \
             count(*) FILTER (event_type = 'Arrival' AND (details->>'$.parent_tx_id') IS NULL) \
             - coalesce(sum(len(tx_ids) - 1) FILTER (event_type = 'PolicySplit' AND ?), 0)::BIGINT AS \
             num_arrivals, \
             coalesce(sum(CASE event_type WHEN 'Queue2LiquidityRelease' THEN 1 \
               WHEN 'RtgsQueue2Settle' THEN 1 \
               WHEN 'RtgsImmediateSettlement' \
               THEN (NOT starts_with(tx_id, 'scheduled_settlement_'))::INTEGER \
               WHEN 'EntryDispositionOffset' THEN 2 WHEN 'LsmBilateralOffset' THEN len(tx_ids) \
               WHEN 'LsmCycleSettlement' THEN len(tx_ids) END), 0)::BIGINT AS num_settlements, \
             coalesce(sum(len(tx_ids)) FILTER (event_type IN ('LsmBilateralOffset', 'LsmCycleSettlement')), \
               0)::BIGINT AS num_lsm_releases, \
             coalesce(sum((details->>'$.costs.total')::BIGINT) FILTER (event_type = 'CostAccrual'), \
             0)::BIGINT \
               AS total_cost, count(*) AS num_events \
             FROM simulation_events WHERE simulation_id = ? AND tick BETWEEN ? AND ? GROUP BY tick) \
             USING (tick)) ORDER BY tick",
            params![
                *ticks.start(),
                last.saturating_add(1),
                parts_are_silent,
                simulation_id,
                *ticks.start(),
                last
            ],
        )
    }
}
