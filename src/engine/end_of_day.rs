//! The ends of a day: morning allocation, evening penalties, resets and return (spec 03, 4 and 11).

use super::{Direction, Simulation, TickFailure, TickResult};
use crate::costs::Costs;
use crate::event::{CostsField, Event};
use crate::ids::BankIdx;
use crate::money::Cents;
use crate::time::Tick;

impl Simulation {
    /// Step 2: pools are allocated on the first tick of every later day.
    pub(super) fn allocate_pools(&mut self) -> TickResult {
        let calendar = self.scenario.calendar;
        let reallocates = self.scenario.settings.daily_liquidity_reallocation;
        if self.now == Tick(0) || !calendar.opens_day(self.now) || !reallocates {
            return Ok(());
        }
        for bank in self.scenario.names.banks() {
            let config = &self.scenario.banks[bank.at()];
            if config.pool.is_none() {
                continue;
            }
            let (amount, fraction) = (config.allocation(), config.fraction);
            self.book(bank, amount, Direction::Credit)?;
            self.banks[bank.at()].allocated = amount;
            self.events.push(Event::LiquidityAllocation {
                agent_id: bank,
                day: calendar.day(self.now),
                fraction,
                amount,
                balance_after: self.banks[bank.at()].balance,
            });
        }
        Ok(())
    }

    /// Step 17 a-e, on the last tick of a day.
    pub(super) fn end_of_day(&mut self) -> TickResult {
        if !self.scenario.calendar.closes_day(self.now) {
            return Ok(());
        }
        let total_penalties = self.end_of_day_penalties()?;
        self.reset_registers();
        for bank in &mut self.banks {
            bank.outflow = Cents::ZERO;
            bank.limited_outflow.fill(Cents::ZERO);
        }
        let queued1: usize = self.banks.iter().map(|bank| bank.queue1.len()).sum();
        self.events.push(Event::EndOfDay {
            day: self.scenario.calendar.day(self.now),
            unsettled_count: (self.queue2.len() + queued1) as u64,
            total_penalties,
        });
        self.return_pools()
    }

    /// 11.1: payments in a queue whose deadline lies before this tick, whatever their mark.
    fn end_of_day_penalties(&mut self) -> Result<Cents, TickFailure> {
        let mut all = Cents::ZERO;
        for bank in self.scenario.names.banks() {
            if let Some(penalty) = self.end_of_day_penalty(bank)? {
                let costs = Costs::of_penalty(penalty);
                let total = self.charge(bank, &costs)?;
                self.events
                    .push(Event::CostAccrual { agent_id: bank, costs: CostsField { kinds: costs, total } });
                let sum = all.checked_add(penalty);
                all = sum.ok_or_else(|| self.overflow(bank, "the end-of-day penalties"))?;
            }
        }
        Ok(all)
    }

    /// The penalty of a bank, which may be 0; `None` if no payment is past its deadline.
    fn end_of_day_penalty(&self, bank: BankIdx) -> Result<Option<Cents>, TickFailure> {
        let state = &self.banks[bank.at()];
        let late = state
            .queue1
            .iter()
            .chain(&state.queue2_view)
            .map(|slot| &self.payments[*slot])
            .filter(|payment| payment.is_past_deadline(self.now));
        let mut penalty = None;
        for payment in late {
            let one = self.scenario.cost_rates.eod_penalty.for_amount(payment.remaining);
            let sum = penalty.unwrap_or(Cents::ZERO).checked_add(one);
            penalty = Some(sum.ok_or_else(|| self.overflow(bank, "the end-of-day penalty"))?);
        }
        Ok(penalty)
    }

    /// 11.2: register indices follow the byte order of their names (C6).
    fn reset_registers(&mut self) {
        for bank in self.scenario.names.banks() {
            let names = self.scenario.banks[bank.at()].policy.registers();
            for (register, name) in self.banks[bank.at()].registers.iter_mut().zip(names) {
                if let Some(old_value) = register.take() {
                    self.events.push(Event::StateRegisterSet {
                        agent_id: bank,
                        register_key: name.clone(),
                        old_value,
                        new_value: 0.0,
                        reason: self.words.eod_reset.clone(),
                        decision_path: None,
                    });
                }
            }
        }
    }

    /// 4.4: what was allocated goes back, even into overdraft.
    fn return_pools(&mut self) -> TickResult {
        if !self.scenario.settings.daily_liquidity_reallocation {
            return Ok(());
        }
        for bank in self.scenario.names.banks() {
            let amount = std::mem::take(&mut self.banks[bank.at()].allocated);
            if amount == Cents::ZERO {
                continue;
            }
            self.book(bank, amount, Direction::Debit)?;
            self.events.push(Event::LiquidityReturn {
                agent_id: bank,
                amount,
                balance_after: self.banks[bank.at()].balance,
            });
        }
        Ok(())
    }
}
