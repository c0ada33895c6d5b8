//! Stored states of the engine: whether a simulation could go on from them.

use super::Defect;
use crate::engine::{CheckpointError, Simulation};
use crate::persistence::{PersistenceError, Reader};
use crate::time::Tick;

/// A checkpoint as far as its state can be held against it.
struct Stored {
    checkpoint_id: String,
    simulation_id: String,
    tick: u64,
    num_transactions: u64,
}

impl Reader {
    /// Checkpoints whose state is none of their scenario, tick and payments.
    pub(super) fn checkpoint_defects(&self) -> Result<Vec<Defect>, PersistenceError> {
        let stored = self.list(
            "SELECT checkpoint_id, simulation_id, checkpoint_tick, num_transactions \
             FROM simulation_checkpoints WHERE checkpoint_tick >= 0 AND num_transactions >= 0 \
             ORDER BY simulation_id, checkpoint_tick",
            [],
            |row| {
                Ok(Stored {
                    checkpoint_id: row.get(0)?,
                    simulation_id: row.get(1)?,
                    tick: row.get(2)?,
                    num_transactions: row.get(3)?,
                })
            },
        )?;
        let mut defects = Vec::new();
        for checkpoint in &stored {
            if let Some(wrong) = self.wrong_state(checkpoint)? {
                let message = format!("checkpoint `{}`: {wrong}", checkpoint.checkpoint_id);
                defects.push(Defect::new("simulation_checkpoints", Some(&checkpoint.simulation_id), message));
            }
        }
        Ok(defects)
    }

    fn wrong_state(&self, stored: &Stored) -> Result<Option<String>, PersistenceError> {
        // A scenario that cannot be read is told of with its simulation.
        let Ok(scenario) = self.scenario(&stored.simulation_id) else { return Ok(None) };
        let query = "SELECT state_json FROM simulation_checkpoints WHERE checkpoint_id = ?";
        let state: Option<String> = self.one(query, [&stored.checkpoint_id], |row| row.get(0))?;
        Ok(match Simulation::restore(scenario, &state.unwrap_or_default()) {
            Ok(simulation) if simulation.now() != Tick(stored.tick).after(1) => {
                Some("its state is that after another tick".to_owned())
            }
            Ok(simulation) if simulation.unsettled_payments() != stored.num_transactions => Some(format!(
                "`num_transactions` is {}, its state has {}",
                stored.num_transactions,
                simulation.unsettled_payments()
            )),
            // Another version of the program may be able to read it.
            Ok(_) | Err(CheckpointError::UnknownFormat(_)) => None,
            Err(error) => Some(error.to_string()),
        })
    }
}
