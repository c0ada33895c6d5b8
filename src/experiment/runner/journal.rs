//! What a run writes: rows and live events that belong together are committed together, and shown
//! only then (spec 06, 3.2 and 4; 07, 15).
//!
//! A run that goes on after an interruption goes through the same loop from its start. As long as its
//! journal holds recorded events, what the loop emits is held against them and not written again, and
//! what they say is not computed again.

use std::collections::VecDeque;

use serde_json::Value;

use super::super::laboratory::Laboratory;
use super::super::stream::{EventKind, Interaction, StreamEvent};
use super::{Observer, SimulationNote};
use crate::persistence::{Database, ExperimentWrites, PersistenceError};

/// The rows and events of a run on their way to the database and to whoever watches.
pub struct Journal<'a> {
    run_id: String,
    database: Option<&'a Database>,
    observer: &'a mut dyn Observer,
    writes: ExperimentWrites,
    events: Vec<StreamEvent>,
    /// Events of the run that are stored already, as far as the loop has not come to them.
    recorded: VecDeque<StreamEvent>,
    /// Whether the next commit holds recorded events, so that its rows are stored already.
    known: bool,
    /// Where the loop and its record disagree.
    contradiction: Option<String>,
}

impl<'a> Journal<'a> {
    /// Nothing written yet, but for these events.
    pub fn new(
        run_id: String,
        database: Option<&'a Database>,
        observer: &'a mut dyn Observer,
        recorded: Vec<StreamEvent>,
    ) -> Self {
        let writes = ExperimentWrites::new(&*run_id);
        let recorded = recorded.into();
        let (events, known, contradiction) = (Vec::new(), false, None);
        Self { run_id, database, observer, writes, events, recorded, known, contradiction }
    }

    /// Id of the run.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Whether the loop is behind everything that is recorded.
    pub fn is_live(&self) -> bool {
        self.recorded.is_empty()
    }

    /// Whether the next commit holds what is stored already.
    pub const fn repeats(&self) -> bool {
        self.known
    }

    /// Rows of the next commit.
    pub const fn writes(&mut self) -> &mut ExperimentWrites {
        &mut self.writes
    }

    /// A live event of the next commit; one that is recorded must be the next one that is.
    pub fn emit(&mut self, event: StreamEvent) {
        let Some(known) = self.recorded.pop_front() else {
            self.writes.event(event.to_row());
            self.events.push(event);
            return;
        };
        let same = known.kind == event.kind && known.iteration == event.iteration && known.data == event.data;
        if !same {
            self.contradict(&known, event.kind);
        }
        self.recall(&known);
    }

    /// Takes the next recorded event for granted, which must be of this kind.
    pub fn skip(&mut self, kind: EventKind) {
        if let Some(known) = self.recorded.pop_front() {
            if known.kind != kind {
                self.contradict(&known, kind);
            }
            self.recall(&known);
        }
    }

    fn recall(&mut self, known: &StreamEvent) {
        self.known = true;
        self.observer.recalled(known);
    }

    fn contradict(&mut self, known: &StreamEvent, kind: EventKind) {
        let (stored, iteration) = (known.kind.name(), known.iteration);
        self.contradiction.get_or_insert_with(|| {
            format!("its event `{stored}` of iteration {iteration} is not the `{}` of the loop", kind.name())
        });
    }

    /// The data of the next recorded event of a kind, if no other kind than these stands before it.
    pub fn ahead(&self, kind: EventKind, before: &[EventKind]) -> Option<&Value> {
        let event = self.recorded.iter().find(|event| !before.contains(&event.kind))?;
        (event.kind == kind).then_some(&event.data)
    }

    /// The next recorded event, if it says that the policy in force of a bank failed and why (9.4).
    pub fn fallback_ahead(&self) -> Option<(String, String)> {
        let event = self.recorded.front()?;
        let word = |key: &str| event.data[key].as_str().map(str::to_owned);
        (event.kind == EventKind::PolicyRejected && event.data["old_cost"].is_null())
            .then(|| word("agent_id").zip(word("reason")))?
    }

    /// What came of the call that the loop is at, if that is recorded: policies in force that fail in
    /// its comparison are told of before it.
    pub fn interaction_ahead(&self) -> Option<Interaction> {
        self.ahead(EventKind::Interaction, &[EventKind::PolicyRejected]).map(Interaction::from_data)
    }

    /// A simulation, or a batch of samples, is done.
    pub fn simulation(&mut self, note: &SimulationNote) {
        self.observer.simulation(note);
    }

    /// A piece of a reply that is still coming in.
    pub fn heard(&mut self, agent: &str, call: u32, piece: &str) {
        self.observer.heard(agent, call, piece);
    }

    /// The first commit: the run exists, or goes on, from now on.
    pub fn begin(&mut self, lab: &Laboratory) -> Result<(), PersistenceError> {
        self.write(lab)?;
        self.observer.started(&self.run_id);
        self.show();
        Ok(())
    }

    /// Commits what was collected, behind the simulations that it rests on, then shows it.
    pub fn commit(&mut self, lab: &Laboratory) -> Result<(), PersistenceError> {
        if let Some(reason) = self.contradiction.take() {
            (self.writes, self.known) = (ExperimentWrites::new(&*self.run_id), false);
            let what = format!("the record of run `{}`", self.run_id);
            return Err(PersistenceError::Corrupt { what, reason });
        }
        self.write(lab)?;
        self.show();
        Ok(())
    }

    fn write(&mut self, lab: &Laboratory) -> Result<(), PersistenceError> {
        let writes = std::mem::replace(&mut self.writes, ExperimentWrites::new(&*self.run_id));
        let known = std::mem::take(&mut self.known);
        match self.database {
            _ if known => {}
            Some(database) => lab.commit(database, writes)?,
            None => self.observer.unstored(&writes),
        }
        Ok(())
    }

    fn show(&mut self) {
        for event in std::mem::take(&mut self.events) {
            self.observer.event(&event);
        }
    }
}
