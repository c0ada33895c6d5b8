//! Step 3: scheduled scenario events (spec 05, 5).

use super::payments::NewPayment;
use super::{Direction, Simulation, TickResult};
use crate::event::{Effect, Event, SettlementId};
use crate::ids::BankIdx;
use crate::money::Cents;
use crate::scenario::{Arrivals, Scenario, ScenarioAction, Schedule};
use crate::time::Tick;

/// Events that occur once, by tick and position in the file, and positions of repeating ones.
pub(super) fn by_schedule(scenario: &Scenario) -> (Vec<(Tick, usize)>, Vec<usize>) {
    let (mut once, mut repeating) = (Vec::new(), Vec::new());
    for (position, event) in scenario.events.iter().enumerate() {
        match event.schedule {
            Schedule::OneTime { tick } => once.push((tick, position)),
            Schedule::Repeating { .. } => repeating.push(position),
        }
    }
    once.sort_unstable();
    (once, repeating)
}

impl Simulation {
    /// All events due run in the order of the file; each sees the effects of those before it.
    pub(super) fn scenario_events(&mut self) -> TickResult {
        let scenario = self.scenario.clone();
        for position in self.due_now() {
            self.execute(&scenario.events[position].action)?;
        }
        Ok(())
    }

    fn due_now(&mut self) -> Vec<usize> {
        let mut due = Vec::new();
        while let Some((tick, position)) = self.once.get(self.next_once).copied() {
            if tick != self.now {
                break;
            }
            due.push(position);
            self.next_once += 1;
        }
        let events = &self.scenario.events;
        due.extend(self.repeating.iter().filter(|position| events[**position].schedule.is_due(self.now)));
        due.sort_unstable();
        due
    }

    fn execute(&mut self, action: &ScenarioAction) -> TickResult {
        match *action {
            ScenarioAction::DirectTransfer { from, to, amount } => {
                self.book(from, amount, Direction::Debit)?;
                self.book(to, amount, Direction::Credit)?;
                self.executed(Effect::DirectTransfer { amount, from, to });
            }
            ScenarioAction::CustomArrival { from, to, amount, priority, deadline, is_divisible } => {
                self.custom_arrival(from, to, amount, priority, deadline, is_divisible);
            }
            ScenarioAction::CollateralAdjustment { agent, delta } => self.adjust_collateral(agent, delta),
            ScenarioAction::ScheduledSettlement { from, to, amount } => {
                self.scheduled_settlement(from, to, amount)?;
            }
            ScenarioAction::GlobalArrivalRate { multiplier } => self.change_all_rates(multiplier),
            ScenarioAction::AgentArrivalRate { agent, multiplier } => self.change_rate(agent, multiplier),
            ScenarioAction::CounterpartyWeight { agent, counterparty, new_weight, auto_balance_others } => {
                if self.has_generator() {
                    if let Some(stream) = self.banks[agent.at()].arrivals.single() {
                        stream.set_weight(counterparty, new_weight);
                    }
                    self.executed(Effect::CounterpartyWeight {
                        agent,
                        auto_balance_others,
                        counterparty,
                        new_weight,
                    });
                }
            }
            ScenarioAction::DeadlineWindow { min_multiplier, max_multiplier } => {
                self.change_windows(min_multiplier, max_multiplier);
            }
        }
        Ok(())
    }

    fn executed(&mut self, effect: Effect) {
        self.events.push(effect.executed());
    }

    /// 5.5: the event shows the uncapped deadline, `Arrival` the capped one.
    fn custom_arrival(
        &mut self,
        from: BankIdx,
        to: BankIdx,
        amount: Cents,
        priority: u8,
        deadline: Option<u64>,
        is_divisible: bool,
    ) {
        let uncapped = deadline
            .map_or_else(|| self.default_deadline(), |ticks| i128::from(self.now.0) + i128::from(ticks));
        let slot = self.arrive(NewPayment {
            sender: from,
            receiver: to,
            amount,
            deadline: self.capped_custom_deadline(uncapped),
            priority,
            is_divisible,
        });
        let tx_id = self.payments[slot].id;
        self.executed(Effect::CustomArrival {
            amount,
            deadline: uncapped,
            from,
            is_divisible,
            priority,
            to,
            tx_id,
        });
    }

    /// 5.6: the posted collateral moves within 0 and the capacity (C10).
    fn adjust_collateral(&mut self, agent: BankIdx, delta: Cents) {
        let capacity = self.scenario.banks[agent.at()].collateral_capacity;
        let bank = &mut self.banks[agent.at()];
        let wide = i128::from(bank.posted.0) + i128::from(delta.0);
        bank.posted = Cents::saturating_from(wide).or_zero().min(capacity);
        let new_total = Some(bank.posted);
        self.executed(Effect::CollateralAdjustment { agent, delta, new_total });
    }

    /// 5.9: the liquidity test alone decides; never deferred, never queued.
    fn scheduled_settlement(&mut self, from: BankIdx, to: BankIdx, amount: Cents) -> TickResult {
        let settled = self.position(from).can_pay(amount);
        if settled {
            let before = self.banks[from.at()].balance;
            self.book(from, amount, Direction::Debit)?;
            self.book(to, amount, Direction::Credit)?;
            self.events.push(Event::RtgsImmediateSettlement {
                tx_id: SettlementId::Scheduled { from, to, amount, tick: self.now },
                sender: from,
                receiver: to,
                amount,
                sender_balance_before: before,
                sender_balance_after: self.banks[from.at()].balance,
            });
        }
        self.executed(Effect::ScheduledSettlement { amount, from, settled, to });
        Ok(())
    }

    /// Whether any bank has automatic arrivals of any kind, even at rate 0 (spec 01, 11).
    fn has_generator(&self) -> bool {
        self.scenario.banks.iter().any(|bank| bank.arrivals != Arrivals::None)
    }

    fn change_all_rates(&mut self, multiplier: f64) {
        if !self.has_generator() {
            return;
        }
        for bank in &mut self.banks {
            if let Some(stream) = bank.arrivals.single() {
                stream.rate = stream.base_rate * multiplier;
            }
        }
        self.executed(Effect::GlobalArrivalRate { multiplier });
    }

    fn change_rate(&mut self, agent: BankIdx, multiplier: f64) {
        let Some(stream) = self.banks[agent.at()].arrivals.single() else { return };
        let old_rate = stream.rate;
        let new_rate = old_rate * multiplier;
        stream.rate = new_rate;
        stream.base_rate = new_rate;
        self.executed(Effect::AgentArrivalRate { agent, multiplier, new_rate, old_rate });
    }

    fn change_windows(&mut self, min_multiplier: Option<f64>, max_multiplier: Option<f64>) {
        if !self.has_generator() {
            return;
        }
        for bank in &mut self.banks {
            if let Some(stream) = bank.arrivals.single() {
                let (min, max) = stream.deadline_range;
                let min = scaled_ticks(min, min_multiplier);
                // An inverted window keeps max = min (C4).
                stream.deadline_range = (min, scaled_ticks(max, max_multiplier).max(min));
            }
        }
        self.executed(Effect::DeadlineWindow { max_multiplier, min_multiplier });
    }
}

/// Rounds half away from zero; at most 2^63 − 1, not a number gives 0.
fn scaled_ticks(ticks: i64, multiplier: Option<f64>) -> i64 {
    multiplier.map_or(ticks, |multiplier| (ticks as f64 * multiplier).round() as i64)
}
