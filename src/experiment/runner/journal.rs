//! What a run writes: rows and live events that belong together are committed together, and shown
//! only then (spec 06, 3.2 and 4; 07, 15).

use super::super::evaluate::Laboratory;
use super::super::stream::StreamEvent;
use super::{Observer, SimulationNote};
use crate::persistence::{Database, ExperimentWrites, PersistenceError};

/// The rows and events of a run on their way to the database and to whoever watches.
pub struct Journal<'a> {
    run_id: String,
    database: Option<&'a Database>,
    observer: &'a mut dyn Observer,
    writes: ExperimentWrites,
    events: Vec<StreamEvent>,
}

impl<'a> Journal<'a> {
    /// Nothing written yet.
    pub fn new(run_id: String, database: Option<&'a Database>, observer: &'a mut dyn Observer) -> Self {
        let writes = ExperimentWrites::new(&*run_id);
        Self { run_id, database, observer, writes, events: Vec::new() }
    }

    /// Id of the run.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Rows of the next commit.
    pub const fn writes(&mut self) -> &mut ExperimentWrites {
        &mut self.writes
    }

    /// A live event of the next commit.
    pub fn emit(&mut self, event: StreamEvent) {
        self.writes.event(event.to_row());
        self.events.push(event);
    }

    /// A simulation, or a batch of samples, is done.
    pub fn simulation(&mut self, note: &SimulationNote) {
        self.observer.simulation(note);
    }

    /// A piece of a reply that is still coming in.
    pub fn heard(&mut self, agent: &str, call: u32, piece: &str) {
        self.observer.heard(agent, call, piece);
    }

    /// The first commit: the run exists from now on.
    pub fn begin(&mut self, lab: &Laboratory) -> Result<(), PersistenceError> {
        self.write(lab)?;
        self.observer.started(&self.run_id);
        self.show();
        Ok(())
    }

    /// Commits what was collected, behind the simulations that it rests on, then shows it.
    pub fn commit(&mut self, lab: &Laboratory) -> Result<(), PersistenceError> {
        self.write(lab)?;
        self.show();
        Ok(())
    }

    fn write(&mut self, lab: &Laboratory) -> Result<(), PersistenceError> {
        let writes = std::mem::replace(&mut self.writes, ExperimentWrites::new(&*self.run_id));
        match self.database {
            // One commit for all: what was handed over earlier is committed with or before it.
            Some(database) => database.commit(writes)?.wait()?,
            None => self.observer.unstored(&writes),
        }
        lab.wait_for_commits()
    }

    fn show(&mut self) {
        for event in std::mem::take(&mut self.events) {
            self.observer.event(&event);
        }
    }
}
