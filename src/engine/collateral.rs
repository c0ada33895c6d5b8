//! Steps 5, 7 and 15: collateral decisions and timers (spec 03, 5).

use super::bank::Timer;
use super::facts::BankFacts;
use super::{Simulation, TickFailure, TickResult};
use crate::event::{Event, Text};
use crate::ids::BankIdx;
use crate::liquidity::TIMER_BUFFER;
use crate::money::Cents;
use crate::policy::{CollateralDecision, CollateralLayer};

impl Simulation {
    /// Step 5: before payments are decided.
    pub(super) fn strategic_collateral(&mut self) -> TickResult {
        self.collateral_decisions(CollateralLayer::Strategic)
    }

    /// Step 15: after settlement.
    pub(super) fn end_of_tick_collateral(&mut self) -> TickResult {
        self.collateral_decisions(CollateralLayer::EndOfTick)
    }

    /// The decision of one bank is applied before the next bank is evaluated.
    fn collateral_decisions(&mut self, layer: CollateralLayer) -> TickResult {
        let scenario = self.scenario.clone();
        for (bank, config) in scenario.names.banks().zip(&scenario.banks) {
            if !config.policy.has_collateral_tree(layer) {
                continue;
            }
            let facts = BankFacts::for_collateral(self, bank);
            let decision = config
                .policy
                .decide_collateral(layer, &facts)
                .map_err(|error| TickFailure::Policy { bank: config.id.to_string(), error })?;
            match decision {
                CollateralDecision::Hold => {}
                CollateralDecision::Post { amount, reason, auto_withdraw_after } => {
                    self.post_collateral(bank, amount, reason, auto_withdraw_after);
                }
                CollateralDecision::Withdraw { amount, reason } => {
                    self.withdraw_collateral(bank, amount, reason);
                }
            }
        }
        Ok(())
    }

    /// 5.3: limited to the remaining capacity; nothing left, no event (C8).
    fn post_collateral(&mut self, bank: BankIdx, amount: Cents, reason: Text, timer: Option<u64>) {
        let capacity = self.scenario.banks[bank.at()].collateral_capacity;
        let state = &mut self.banks[bank.at()];
        let actual = amount.min(capacity.saturating_sub(state.posted).or_zero());
        if actual <= Cents::ZERO {
            return;
        }
        state.posted = state.posted.saturating_add(actual);
        let auto_withdraw_tick = timer.map(|ticks| self.now.after(ticks));
        if let Some(due) = auto_withdraw_tick {
            let timer = Timer { amount: actual, reason: reason.clone(), posted_at: self.now };
            state.timers.entry(due).or_default().push(timer);
        }
        let new_total = state.posted;
        self.events.push(Event::CollateralPost {
            agent_id: bank,
            amount: actual,
            reason,
            new_total,
            auto_withdraw_tick,
        });
    }

    /// 5.3: what backs credit in use stays (C9).
    fn withdraw_collateral(&mut self, bank: BankIdx, amount: Cents, reason: Text) {
        let actual = amount.min(self.position(bank).withdrawable(Cents::ZERO));
        if actual <= Cents::ZERO {
            return;
        }
        let state = &mut self.banks[bank.at()];
        state.posted = state.posted.saturating_sub(actual);
        let new_total = state.posted;
        self.events.push(Event::CollateralWithdraw { agent_id: bank, amount: actual, reason, new_total });
    }

    /// Step 7: timers due now, in the order in which they were set; all of them are used up (5.4).
    pub(super) fn collateral_timers(&mut self) {
        for bank in self.scenario.names.banks() {
            for timer in self.banks[bank.at()].timers.remove(&self.now).unwrap_or_default() {
                self.run_timer(bank, timer);
            }
        }
    }

    fn run_timer(&mut self, bank: BankIdx, timer: Timer) {
        let Timer { amount: requested, reason: original_reason, posted_at: posted_at_tick } = timer;
        let position = self.position(bank);
        let actual = requested.min(position.withdrawable(TIMER_BUFFER));
        if actual <= Cents::ZERO {
            let reason = format!(
                "No headroom available for withdrawal: credit_used={}, allowed_limit={}, headroom={}",
                position.credit_used().0,
                position.credit_line().0,
                position.headroom().0
            );
            self.events.push(Event::CollateralTimerBlocked {
                agent_id: bank,
                requested_amount: requested,
                reason: reason.into(),
                original_reason,
                posted_at_tick,
            });
            return;
        }
        let state = &mut self.banks[bank.at()];
        state.posted = state.posted.saturating_sub(actual);
        let new_total = state.posted;
        self.events.push(Event::CollateralTimerWithdrawn {
            agent_id: bank,
            amount: actual,
            original_reason,
            posted_at_tick,
            new_total,
        });
    }
}
