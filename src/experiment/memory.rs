//! What the database holds of the simulations of a run that goes on after an interruption: those that
//! were run to their end are not run again (spec 07, 18).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::ids::simulation_number;
use super::outcome::{Outcome, OutcomeFold};
use crate::event::sha256_hex;
use crate::persistence::{Database, PersistenceError};
use crate::scenario::Scenario;
use crate::time::Tick;

/// Complete simulations of a run that nobody has asked for yet.
#[derive(Debug)]
pub struct Memory {
    database: Database,
    /// Id to the hash of the scenario that was run.
    complete: Mutex<HashMap<String, String>>,
}

impl Memory {
    /// Remembers simulations: each its id and the hash of its scenario.
    #[must_use]
    pub fn new(database: Database, complete: HashMap<String, String>) -> Self {
        Self { database, complete: Mutex::new(complete) }
    }

    /// The outcome of a simulation that is stored, from its events.
    ///
    /// One of the same id that ran another scenario, as happens where a language model answered
    /// otherwise, is removed: its id is free then.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn recall(
        &self,
        id: &str,
        config_json: &str,
        scenario: &Arc<Scenario>,
        with_history: bool,
    ) -> Result<Option<Outcome>, PersistenceError> {
        let Some(hash) = self.complete().remove(id) else { return Ok(None) };
        if hash != sha256_hex(config_json) {
            self.database.remove(&[id.to_owned()], &[])?;
            return Ok(None);
        }
        let mut fold = OutcomeFold::new(scenario.banks.len(), with_history);
        let reader = self.database.reader()?;
        reader.each_tick(id, &scenario.names, Tick(u64::MAX), |tick, events| {
            fold.tick(tick, events);
            Ok(())
        })?;
        Ok(Some(fold.finish()))
    }

    /// Forgets the simulations with this number or a later one, and says which they were.
    pub fn forget_from(&self, run_id: &str, number: u64) -> Vec<String> {
        let later = |id: &str| simulation_number(run_id, id).is_some_and(|of_id| of_id >= number);
        let mut forgotten: Vec<String> =
            self.complete().extract_if(|id, _| later(id)).map(|(id, _)| id).collect();
        forgotten.sort_unstable();
        forgotten
    }

    fn complete(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        // The map is whole at any moment.
        self.complete.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
