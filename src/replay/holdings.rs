//! What banks hold besides payments: registers, collateral, pool liquidity (spec 03).

use super::bank::Timer;
use super::error::Problem;
use super::state::State;
use crate::event::{Effect, Text};
use crate::ids::BankIdx;
use crate::money::Cents;
use crate::time::Tick;

impl State {
    pub(super) fn register(&mut self, bank: BankIdx, name: &Text, value: Option<f64>) -> Result<(), Problem> {
        let registers = &mut self.bank_mut(bank)?.registers;
        match (registers.binary_search_by(|(key, _)| key.cmp(name)), value) {
            (Ok(at), Some(value)) => registers[at].1 = value,
            (Ok(at), None) => drop(registers.remove(at)),
            (Err(at), Some(value)) => registers.insert(at, (name.clone(), value)),
            // The reference resets registers that its events never set.
            (Err(_), None) => return self.tolerate(Err(Problem::NoRegister(bank))),
        }
        Ok(())
    }

    pub(super) fn collateral(&mut self, bank: BankIdx, moved: i128, new_total: Cents) -> Result<(), Problem> {
        let bank = self.bank_mut(bank)?;
        let expected = i128::from(bank.posted.0) + moved;
        if expected != i128::from(new_total.0) {
            let found = new_total.0.into();
            return Err(Problem::Differs { figure: "posted collateral", expected, found });
        }
        bank.posted = new_total;
        Ok(())
    }

    pub(super) fn set_timer(
        &mut self,
        bank: BankIdx,
        amount: Cents,
        reason: &Text,
        due: Option<Tick>,
    ) -> Result<(), Problem> {
        let posted_at = self.tick;
        let timers = &mut self.bank_mut(bank)?.timers;
        timers.extend(due.map(|due| Timer { due, amount, reason: reason.clone(), posted_at }));
        Ok(())
    }

    /// The first of the timers that are due has done its work.
    pub(super) fn timer_done(&mut self, bank: BankIdx) -> Result<(), Problem> {
        let now = self.tick;
        let timers = &mut self.bank_mut(bank)?.timers;
        match timers.iter().position(|timer| timer.due == now) {
            Some(at) => drop(timers.remove(at)),
            // The reference does not say when a timer that it sets is due.
            None if self.rules.reference => {}
            None => return Err(Problem::NoTimer(bank)),
        }
        Ok(())
    }

    pub(super) fn pool(
        &mut self,
        bank: BankIdx,
        moved: i128,
        allocated: Cents,
        after: Cents,
    ) -> Result<(), Problem> {
        let bank = self.bank_mut(bank)?;
        let expected = i128::from(bank.balance.0) + moved;
        if expected != i128::from(after.0) {
            return Err(Problem::Differs { figure: "the balance", expected, found: after.0.into() });
        }
        (bank.balance, bank.allocated) = (after, allocated);
        Ok(())
    }

    pub(super) fn scenario_event(&mut self, effect: &Effect) -> Result<(), Problem> {
        match *effect {
            Effect::DirectTransfer { amount, from, to } => self.transfer(from, to, amount),
            Effect::CollateralAdjustment { agent, delta, new_total } => {
                let bank = self.bank_mut(agent)?;
                match new_total {
                    Some(new_total) => bank.posted = new_total,
                    None => bank.cap_change = bank.cap_change.saturating_add(delta),
                }
                Ok(())
            }
            // A custom arrival and a scheduled settlement have events of their own; the rest
            // concerns arrivals to come.
            _ => Ok(()),
        }
    }
}
