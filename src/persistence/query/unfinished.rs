//! Simulations that ended early, with what it takes to go on (spec 06, 6).

use std::sync::Arc;

use super::{Reader, SimulationRow};
use crate::event::sha256_hex;
use crate::persistence::{PersistenceError, Status};
use crate::scenario::{Scenario, ScenarioFile};
use crate::time::Tick;

/// A simulation that can be resumed.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// Its row.
    pub row: SimulationRow,
    /// The stored text of its scenario.
    pub config_json: Arc<str>,
    /// Its scenario as written.
    pub file: ScenarioFile,
    /// Its scenario as the engine runs it.
    pub scenario: Arc<Scenario>,
    /// Its checkpoints, newest first.
    pub checkpoints: Vec<StoredCheckpoint>,
}

/// A stored state of the engine (2.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// Its name.
    pub checkpoint_id: String,
    /// The last complete tick.
    pub tick: Tick,
    state_json: String,
    state_hash: String,
    config_hash: String,
}

impl StoredCheckpoint {
    /// The state, if it is what was stored, and of this simulation.
    ///
    /// # Errors
    ///
    /// Why it cannot be used.
    pub fn state(&self, simulation: &SimulationRow) -> Result<&str, String> {
        if self.config_hash != simulation.config_hash {
            Err("it is of another scenario (config_hash)".to_owned())
        } else if sha256_hex(&self.state_json) != self.state_hash {
            Err("its state is damaged (state_hash)".to_owned())
        } else if simulation.last_tick.is_none_or(|last| self.tick.0 > last) {
            Err("it lies behind the last stored tick".to_owned())
        } else {
            Ok(&self.state_json)
        }
    }
}

impl Reader {
    /// A simulation that ended early, to go on with.
    ///
    /// # Errors
    ///
    /// An unknown id, a simulation that is complete, running, or part of an experiment, a scenario
    /// that this program cannot read.
    pub fn unfinished(&self, simulation_id: &str) -> Result<Unfinished, PersistenceError> {
        let row =
            self.summary(simulation_id)?.ok_or_else(|| self.database.unknown_simulation(simulation_id))?.row;
        let refuse = |reason: &str, run: Option<String>| {
            let (id, reason) = (simulation_id.to_owned(), reason.to_owned());
            Err(PersistenceError::NotResumable { id, reason, run })
        };
        match row.status {
            Status::Completed => return refuse("it is complete", None),
            Status::Running => return refuse("it is running", None),
            Status::Failed | Status::Cancelled | Status::Interrupted => {}
        }
        if let Some(run) = &row.experiment_run_id {
            return refuse("it belongs to a run of an experiment", Some(run.clone()));
        }
        let (file, scenario) = self.scenario_file(simulation_id)?;
        let config_json: Arc<str> = self.config_json(simulation_id)?.unwrap_or_default().into();
        if sha256_hex(&config_json) != row.config_hash {
            return refuse("its scenario is not the one that was run (config_hash)", None);
        }
        let checkpoints = self.list(
            "SELECT checkpoint_id, checkpoint_tick, state_json, state_hash, config_hash \
             FROM simulation_checkpoints WHERE simulation_id = ? ORDER BY checkpoint_tick DESC",
            [simulation_id],
            |row| {
                Ok(StoredCheckpoint {
                    checkpoint_id: row.get(0)?,
                    tick: Tick(row.get(1)?),
                    state_json: row.get(2)?,
                    state_hash: row.get(3)?,
                    config_hash: row.get(4)?,
                })
            },
        )?;
        Ok(Unfinished { row, config_json, file, scenario, checkpoints })
    }
}
