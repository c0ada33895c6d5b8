//! A simulation that is stored as a whole, in a transaction of its caller: what is taken over from a
//! database of the reference.

use duckdb::Connection;

use super::simulation::Simulation;
use super::{Buffers, MAX_ROWS};
use crate::event::Event;
use crate::persistence::error::message;
use crate::persistence::provider::{SimulationStart, TickRecord};
use crate::persistence::{Moment, PersistenceError, Status};
use crate::replay::Doubts;
use crate::time::Tick;

/// Makes the rows of one simulation and hands them to the tables of the connection.
pub(in crate::persistence) struct Whole<'a> {
    connection: &'a Connection,
    simulation: Simulation,
    buffers: Buffers,
    written_at: Moment,
    sequence: u64,
}

/// How a simulation that is taken over ended, as its own database says.
#[derive(Debug)]
pub(in crate::persistence) struct Ending {
    pub status: Status,
    pub ended_at: Option<Moment>,
    pub duration_seconds: Option<f64>,
    pub error: Option<String>,
    /// Totals as stored; the others are those of the fold.
    pub arrivals: Option<i64>,
    pub settlements: Option<i64>,
    pub cost: Option<i64>,
}

impl<'a> Whole<'a> {
    /// A simulation before its first tick; its events count as written at a moment.
    pub(in crate::persistence) fn new(
        connection: &'a Connection,
        start: SimulationStart,
        started_at: Moment,
        written_at: Moment,
    ) -> Result<Self, PersistenceError> {
        let simulation = Simulation::new(start, started_at);
        let mut buffers = Buffers::new()?;
        simulation.push_policies(&mut buffers.policies);
        Ok(Self { connection, simulation, buffers, written_at, sequence: 0 })
    }

    /// The next tick with its events in order.
    pub(in crate::persistence) fn tick(
        &mut self,
        tick: Tick,
        events: Vec<Event>,
    ) -> Result<(), PersistenceError> {
        let count = events.len() as u64;
        let (first_sequence, events) = (self.sequence, events.into());
        let record = TickRecord { tick, first_sequence, events, checkpoint: None };
        self.simulation.tick(record, &mut self.buffers).map_err(|reason| PersistenceError::Corrupt {
            what: format!("simulation `{}`", self.simulation.start.simulation_id),
            reason,
        })?;
        self.sequence += count;
        if self.buffers.rows() >= MAX_ROWS { self.flush() } else { Ok(()) }
    }

    /// Where its events did not fit together.
    pub(in crate::persistence) const fn doubts(&self) -> &Doubts {
        self.simulation.doubts()
    }

    /// Events so far.
    pub(in crate::persistence) const fn events(&self) -> u64 {
        self.sequence
    }

    /// The end: the rows of what is still open, and its own row.
    pub(in crate::persistence) fn finish(mut self, ending: Ending) -> Result<(), PersistenceError> {
        self.simulation.end_as_stored(ending, &mut self.buffers);
        self.simulation.seal();
        self.simulation.push_row(&mut self.buffers.simulations);
        self.flush()
    }

    fn flush(&mut self) -> Result<(), PersistenceError> {
        for buffer in self.buffers.all() {
            buffer
                .append_to(self.connection, self.written_at)
                .map_err(|error| PersistenceError::Query(message(&error)))?;
        }
        Ok(())
    }
}
