//! The numbers of simulations, and what becomes of those whose step is done anew (spec 07, 9.4 and 17).

use serde_json::json;

use super::super::laboratory::RunError;
use super::super::stream::{EventKind, StreamEvent};
use super::Run;
use crate::persistence::PersistenceError;

impl Run<'_> {
    /// Takes the numbers of the next simulations or batches; gives the first.
    pub(super) fn numbers(&mut self, count: u64) -> u64 {
        if self.journal.is_live() {
            // Simulations from here on belong to no step that is recorded.
            self.open_from.get_or_insert(self.next_number);
        }
        let number = self.next_number;
        self.next_number += count;
        number
    }

    /// Commits what was collected. With the first step that was not recorded, whatever an earlier try of
    /// it has left behind is taken back.
    pub(super) fn commit(&mut self) -> Result<(), PersistenceError> {
        if self.journal.is_live() && !self.journal.repeats() {
            let open_from = self.open_from.unwrap_or(self.next_number);
            for id in self.lab.leftovers(open_from) {
                self.journal.writes().remove_simulation(id);
            }
        }
        self.journal.commit(&self.lab)
    }

    /// Repeats a step until it succeeds: a policy in force that fails in it goes back to the one before
    /// (spec 07, 9.4), and nothing of the failed try stays. A try whose failure is recorded is not made.
    pub(super) fn with_fallback<T>(
        &mut self,
        iteration: u32,
        mut step: impl FnMut(&mut Self) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        loop {
            self.recorded_fallbacks(iteration)?;
            let number = self.next_number;
            self.lab.mark();
            match step(self) {
                Err(RunError::Policy { bank, message }) => self.go_back(iteration, number, bank, message)?,
                other => return other,
            }
        }
    }

    /// Goes back to earlier policies where the record says so.
    pub(super) fn recorded_fallbacks(&mut self, iteration: u32) -> Result<(), RunError> {
        while let Some((bank, message)) = self.journal.fallback_ahead() {
            self.go_back(iteration, self.next_number, bank, message)?;
        }
        Ok(())
    }

    fn go_back(
        &mut self,
        iteration: u32,
        number: u64,
        bank: String,
        message: String,
    ) -> Result<(), RunError> {
        let agent = self.lab.agents().iter().position(|agent| agent.id == bank);
        match agent.map(|agent| &mut self.policies[agent]) {
            Some(stack) if stack.len() > 1 => stack.pop(),
            _ => return Err(RunError::Policy { bank, message }),
        };
        self.take_back(number);
        let data = json!({
            "agent_id": bank, "old_cost": null, "new_cost": null, "delta_sum": null, "reason": message,
        });
        self.journal.emit(StreamEvent::new(iteration, EventKind::PolicyRejected, data));
        Ok(self.commit()?)
    }

    /// Undoes the simulations since the last mark that have this number or a later one; the numbers are
    /// used again.
    pub(super) fn take_back(&mut self, number: u64) {
        self.next_number = number;
        for id in self.lab.stored_since_mark(number) {
            self.journal.writes().remove_simulation(id);
        }
    }
}
