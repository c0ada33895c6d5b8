//! The answers: questions of the screens put to the database, its rows as the screens want them.

mod exports;
mod kept;
mod policies;
mod runs;
mod stories;
mod sweeps;

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::filter::EventFilter;
use super::launcher;
use super::message::{Answer, Batch, From, Page, Query};
use super::readers::{Interrupt, Source, Stop};
use super::rows::{EventRow, Overview, Row as _, SimulationFilter, SimulationRow, Status};
use super::session::{Reach, Session, Tape};
use crate::event::{Columns, Event, write_columns_line, write_line};
use crate::experiment::analysis::summary::RunSummary;
use crate::money::Cents;
use crate::persistence::{self as store, Database, PersistenceError, Reader};
use crate::replay::State;
use crate::scenario::Scenario;
use crate::time::Tick;

/// Recent runs on Home.
const RECENT: usize = 50;
/// Simulations whose sessions are kept for going back and forth between them.
const SESSIONS: usize = 2;

/// Which recording a session is about: an id is used again once its simulation is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Recording {
    simulation: String,
    started_at: store::Moment,
}

/// Answers from a database.
pub struct DatabaseSource {
    reader: Reader,
    sessions: Vec<(Recording, Session<StoredTape>)>,
}

impl DatabaseSource {
    /// Answers over a connection of its own.
    ///
    /// # Errors
    ///
    /// The database gives no connection.
    pub fn new(database: &Database) -> Result<Self, PersistenceError> {
        Ok(Self { reader: database.reader()?, sessions: Vec::new() })
    }
}

impl Source for DatabaseSource {
    fn answer(&mut self, query: &Query, stop: &Stop) -> Result<Answer, String> {
        match query {
            Query::Inspect(source) => {
                launcher::inspect(source).map(|subject| Answer::Subject(Box::new(subject)))
            }
            Query::Policies(wanted) => {
                let texts = wanted.iter().map(|policy| self.policy(policy)).collect::<Result<_, _>>()?;
                Ok(Answer::Policies(texts))
            }
            Query::Export(what, file) => self.export(what, file).map(Answer::Done),
            Query::Compare(couple) => Ok(Answer::Comparison(Box::new(self.comparison(couple)?))),
            Query::Moment(simulation, seek) => {
                let (recording, reach) = self.reach(simulation)?;
                let moment = self.session(recording)?.moment(*seek, &reach, stop)?;
                Ok(Answer::Moment(Box::new(moment)))
            }
            Query::Course(simulation) => {
                let (recording, reach) = self.reach(simulation)?;
                Ok(Answer::Course(self.session(recording)?.course(&reach, stop)?))
            }
            _ => self.rows(query).map_err(|error| with_hint(&error)),
        }
    }

    fn interrupt(&self) -> Interrupt {
        let interrupt = self.reader.interrupt();
        Box::new(move || interrupt.cancel())
    }
}

/// An error with what can be done about it.
pub fn with_hint(error: &PersistenceError) -> String {
    error.hint().map_or_else(|| error.to_string(), |hint| format!("{error} ({hint})"))
}

impl DatabaseSource {
    fn rows(&self, query: &Query) -> Result<Answer, PersistenceError> {
        Ok(match query {
            Query::Overview => Answer::Overview(self.overview()?),
            Query::Runs(page) => Answer::Runs(self.runs(page)?),
            Query::Run(run) => match self.sweep(run)? {
                Some(sweep) => Answer::Sweep(Box::new(sweep)),
                None => Answer::Run(self.run(run)?.map(Box::new)),
            },
            Query::Summary(run) => {
                Answer::Summary(RunSummary::of_run(&self.reader, run)?.map(|summary| summary.text()))
            }
            Query::Conversation(run, iteration) => Answer::Conversation(self.conversation(run, *iteration)?),
            Query::Simulations(filter, page) => Answer::Simulations(self.simulations(filter, page)?),
            Query::Events(simulation, filter, page) => Answer::Events(self.events(simulation, filter, page)?),
            Query::FindEvent { simulation, filter, from, forward } => {
                Answer::Found(self.find(simulation, filter, *from, *forward)?)
            }
            Query::Payment(simulation, payment) => {
                Answer::Payment(Box::new(self.payment(simulation, payment)?))
            }
            Query::Bank(simulation, bank) => Answer::Bank(Box::new(self.bank(simulation, bank)?)),
            Query::Divergence(a, b) => Answer::Divergence(self.divergence(a, b)?),
            Query::Places(simulation) => Answer::Places(self.places(simulation.as_deref())?),
            Query::Statement(text) => Answer::Statement(self.statement(text)?),
            Query::Kept(shelf) => Answer::Kept(self.kept(*shelf)?),
            Query::Keep(label, link) => {
                self.keep(label, link)?;
                Answer::Done("kept: ' lists what is kept".to_owned())
            }
            Query::KeepFilter(of, name, expression) => {
                self.keep_filter(*of, name, expression)?;
                Answer::Done(format!("kept as `{name}`: gf lists the filters"))
            }
            Query::Note(link) => Answer::Note(link.clone(), self.note(link)?),
            Query::Annotate(link, typed) => Answer::Done(self.annotate(link, typed)?.to_owned()),
            Query::Forget(key) => {
                self.forget(key)?;
                Answer::Kept(self.kept(key.shelf())?)
            }
            Query::Nothing
            | Query::Moment(..)
            | Query::Course(_)
            | Query::Inspect(_)
            | Query::Policies(_)
            | Query::Compare(_)
            | Query::Export(..) => Answer::Nothing,
        })
    }

    fn overview(&self) -> Result<Overview, PersistenceError> {
        let runs = self.run_rows(Some(RECENT))?;
        let store::Totals { runs: run_count, simulations: simulation_count, events: event_count } =
            self.reader.totals()?;
        Ok(Overview { runs, run_count, simulation_count, event_count })
    }

    fn simulations(
        &self,
        filter: &SimulationFilter,
        page: &Page<(i64, String)>,
    ) -> Result<Batch<SimulationRow>, PersistenceError> {
        let all = stored_simulations(filter);
        let newest = store::SimulationFilter { limit: Some(page.limit), ..all.clone() };
        let at = |(started_at, id): &(i64, String)| Some((store::Moment(*started_at), id.clone()));
        Ok(match &page.from {
            From::First if filter.sort.is_none() => {
                let (rows, total) = self.simulation_rows(&newest)?;
                Batch { more_before: false, more_after: total > rows.len() as u64, rows, total }
            }
            From::After(key) if filter.sort.is_none() => {
                let wanted = store::SimulationFilter { after: at(key), ..newest };
                let (rows, total) = self.simulation_rows(&wanted)?;
                Batch { more_before: true, more_after: rows.len() == page.limit, rows, total }
            }
            From::Around(key) if filter.sort.is_none() => {
                let half = page.limit / 2;
                let ahead = store::SimulationFilter { ahead_of: at(key), limit: Some(half), ..all.clone() };
                let (mut rows, _) = self.simulation_rows(&ahead)?;
                let more_before = rows.len() == half;
                let after = rows.last().and_then(|row| at(&row.key()));
                let rest = page.limit - rows.len();
                let behind = store::SimulationFilter { after, limit: Some(rest), ..all };
                let (behind, total) = self.simulation_rows(&behind)?;
                let more_after = behind.len() == rest;
                rows.extend(behind);
                Batch { rows, more_before, more_after, total }
            }
            // The other ways are rare and the list is short enough to read.
            _ => {
                let (mut rows, _) = self.simulation_rows(&all)?;
                if let Some(sort) = filter.sort {
                    sort.apply(&mut rows);
                }
                part(rows, page, SimulationRow::key)
            }
        })
    }

    /// The rows that a filter lets through, and how many there are of them on all pages.
    fn simulation_rows(
        &self,
        wanted: &store::SimulationFilter,
    ) -> Result<(Vec<SimulationRow>, u64), PersistenceError> {
        let found = self.reader.simulations(wanted)?;
        let mut notes = self.notes_about("simulation")?;
        let row = |row: store::SimulationRow| {
            let note = notes.remove(&row.simulation_id);
            simulation_row(row, note)
        };
        Ok((found.rows.into_iter().map(row).collect(), found.total))
    }

    fn events(
        &self,
        simulation: &str,
        filter: &EventFilter,
        page: &Page<u64>,
    ) -> Result<Batch<EventRow>, PersistenceError> {
        let half = page.limit / 2;
        let mut rows = match page.from {
            From::First => self.page(simulation, filter, None, true, page.limit)?,
            From::After(sequence) => self.page(simulation, filter, Some(sequence), true, page.limit)?,
            From::Last => self.page(simulation, filter, None, false, page.limit)?,
            From::Before(sequence) => self.page(simulation, filter, Some(sequence), false, page.limit)?,
            From::Around(sequence) => {
                let mut rows = self.page(simulation, filter, Some(sequence), false, half)?;
                let at = sequence.checked_sub(1);
                rows.extend(self.page(simulation, filter, at, true, page.limit - half)?);
                rows
            }
        };
        let full = rows.len() == page.limit;
        let (more_before, more_after) = match page.from {
            From::First => (false, full),
            From::After(_) => (true, full),
            From::Last => (full, false),
            From::Before(_) => (full, true),
            From::Around(sequence) => {
                let before = rows.iter().filter(|row| row.sequence < sequence).count();
                (before == half, rows.len() - before == page.limit - half)
            }
        };
        rows.dedup_by_key(|row| row.sequence);
        let total = self.reader.event_count(simulation, &stored_filter(filter))?;
        Ok(Batch { rows, more_before, more_after, total })
    }

    /// A page of events in ascending order, behind or before a sequence.
    fn page(
        &self,
        simulation: &str,
        filter: &EventFilter,
        edge: Option<u64>,
        forward: bool,
        limit: usize,
    ) -> Result<Vec<EventRow>, PersistenceError> {
        let mut wanted = stored_filter(filter);
        wanted.limit = Some(i64::try_from(limit).unwrap_or(i64::MAX));
        if forward {
            wanted.after_sequence = edge;
        } else {
            wanted.before_sequence = edge;
            wanted.sort = store::Sort::Descending;
        }
        let mut rows: Vec<EventRow> =
            self.reader.event_rows(simulation, &wanted)?.into_iter().map(event_row).collect();
        if !forward {
            rows.reverse();
        }
        Ok(rows)
    }

    fn find(
        &self,
        simulation: &str,
        filter: &EventFilter,
        from: Option<u64>,
        forward: bool,
    ) -> Result<Option<EventRow>, PersistenceError> {
        Ok(self.page(simulation, filter, from, forward, 1)?.into_iter().next())
    }

    fn reach(&self, simulation: &str) -> Result<(Recording, Reach), String> {
        let found = self.reader.summary(simulation).map_err(|error| with_hint(&error))?;
        let unknown = || with_hint(&self.reader.database().unknown_simulation(simulation));
        let row = found.ok_or_else(unknown)?.row;
        let recording = Recording { simulation: row.simulation_id, started_at: row.started_at };
        let reach = Reach {
            title: row.config_name,
            status: status(row.status),
            stored: row.last_tick.map_or(0, |tick| tick.saturating_add(1)),
            ticks: row.num_ticks,
            events: row.event_count,
        };
        Ok((recording, reach))
    }

    fn session(&mut self, recording: Recording) -> Result<&mut Session<StoredTape>, String> {
        let place = match self.sessions.iter().position(|(known, _)| *known == recording) {
            Some(place) => place,
            None => {
                let open = || {
                    let simulation = recording.simulation.clone();
                    let scenario = self.reader.scenario(&simulation)?;
                    let reader = self.reader.database().reader()?;
                    let tape = StoredTape { reader, simulation, scenario: scenario.clone() };
                    Ok(Session::new(scenario, tape))
                };
                let session = open().map_err(|error: PersistenceError| with_hint(&error))?;
                if self.sessions.len() == SESSIONS {
                    self.sessions.remove(0);
                }
                self.sessions.push((recording, session));
                self.sessions.len() - 1
            }
        };
        // The newest stands last.
        let session = self.sessions.remove(place);
        self.sessions.push(session);
        self.sessions.last_mut().map(|(_, session)| session).ok_or_else(|| "no session".to_owned())
    }
}

/// The stored events of a simulation.
struct StoredTape {
    reader: Reader,
    simulation: String,
    scenario: Arc<Scenario>,
}

impl Tape for StoredTape {
    fn events(&mut self, from: u64, to: u64) -> Result<Vec<(EventRow, Event)>, String> {
        let names = &self.scenario.names;
        let events = self.reader.tick_events(&self.simulation, names, Tick(from)..=Tick(to));
        let shown = |recorded: crate::event::Recorded| {
            let mut line = String::new();
            write_line(recorded.sequence, recorded.tick, &recorded.event, names, &mut line);
            let kind = recorded.event.type_name().to_owned();
            (EventRow { sequence: recorded.sequence, tick: recorded.tick.0, kind, line }, recorded.event)
        };
        Ok(events.map_err(|error| with_hint(&error))?.into_iter().map(shown).collect())
    }

    fn snapshot(&mut self, ticks: RangeInclusive<u64>) -> Result<Option<State>, String> {
        // The state after a tick is that in which one tick more is complete.
        let Some(last) = ticks.end().checked_sub(1) else { return Ok(None) };
        let wanted = Tick(ticks.start().saturating_sub(1))..=Tick(last);
        let found = self.reader.nearest_snapshot(&self.simulation, &self.scenario, wanted);
        found.map_err(|error| with_hint(&error))
    }

    fn tick_of(&mut self, sequence: u64) -> Result<Option<u64>, String> {
        let event = self.reader.event(&self.simulation, sequence).map_err(|error| with_hint(&error))?;
        Ok(event.map(|event| event.tick))
    }
}

/// The page of a list that was read as a whole.
fn part<R, K: PartialEq>(mut rows: Vec<R>, page: &Page<K>, key: impl Fn(&R) -> K) -> Batch<R> {
    let total = rows.len();
    let place = |wanted: &K| rows.iter().position(|row| key(row) == *wanted).unwrap_or(0);
    let (from, to) = match &page.from {
        From::First => (0, page.limit),
        From::Last => (total.saturating_sub(page.limit), total),
        From::After(wanted) => (place(wanted) + 1, place(wanted).saturating_add(page.limit)),
        From::Before(wanted) => (place(wanted).saturating_sub(page.limit), place(wanted)),
        From::Around(wanted) => {
            (place(wanted).saturating_sub(page.limit / 2), place(wanted) + page.limit / 2)
        }
    };
    let (from, to) = (from.min(total), to.min(total));
    rows.truncate(to);
    rows.drain(..from.min(to));
    Batch { rows, more_before: from > 0, more_after: to < total, total: total as u64 }
}

const fn status(status: store::Status) -> Status {
    match status {
        store::Status::Running => Status::Running,
        store::Status::Completed => Status::Completed,
        store::Status::Failed => Status::Failed,
        store::Status::Cancelled => Status::Cancelled,
        store::Status::Interrupted => Status::Interrupted,
    }
}

fn stored_filter(filter: &EventFilter) -> store::EventFilter {
    store::EventFilter {
        tick_min: filter.ticks.map(|(from, _)| from),
        tick_max: filter.ticks.and_then(|(_, to)| i64::try_from(to).is_ok().then_some(to)),
        day: filter.day,
        agent_id: filter.bank.clone(),
        tx_id: filter.payment.clone(),
        event_type: (!filter.kinds.is_empty()).then(|| filter.kinds.join(",")),
        text: filter.text.clone(),
        ..store::EventFilter::default()
    }
}

/// The filter as the database takes it.
fn stored_simulations(filter: &SimulationFilter) -> store::SimulationFilter {
    let point = filter.point.map(|_| store::Purpose::Sweep);
    store::SimulationFilter {
        run: filter.run.clone(),
        iteration: filter.iteration.or(filter.point).and_then(|iteration| u32::try_from(iteration).ok()),
        purpose: filter.purpose.as_deref().and_then(store::Purpose::find).or(point),
        // The points of a sweep are stored in the place of iterations.
        except: filter.iteration.map(|_| store::Purpose::Sweep),
        status: filter.status.and_then(|status| store::Status::find(status.word())),
        scenario: filter.scenario.clone(),
        seed: filter.seed,
        text: filter.text.clone(),
        ..store::SimulationFilter::default()
    }
}

fn simulation_row(row: store::SimulationRow, note: Option<String>) -> SimulationRow {
    let rate = match (row.total_settlements, row.total_arrivals) {
        (Some(settled), Some(arrived)) if arrived > 0 => Some(settled as f64 / arrived as f64),
        _ => None,
    };
    SimulationRow {
        id: row.simulation_id,
        title: row.config_name,
        purpose: row.purpose.name().to_owned(),
        run: row.experiment_run_id,
        iteration: row.experiment_iteration.map(u64::from),
        agent: row.experiment_agent,
        sample: row.experiment_sample.map(u64::from),
        seed: row.rng_seed,
        status: status(row.status),
        ticks_stored: row.last_tick.map_or(0, |tick| tick.saturating_add(1)),
        ticks: row.num_ticks,
        events: row.event_count,
        cost: row.total_cost_cents.map(Cents),
        settlement_rate: rate,
        started: row.started_at.format("%Y-%m-%d %H:%M:%S"),
        started_at: row.started_at.0,
        error: row.error,
        note,
    }
}

/// An event as its line (spec 06, 2.3).
fn event_row(row: store::EventRow) -> EventRow {
    let mut line = String::new();
    let columns = Columns {
        sequence: row.sequence,
        tick: row.tick,
        event_type: &row.event_type,
        agent_id: row.agent_id.as_deref(),
        tx_id: row.tx_id.as_deref(),
        details: &row.details,
    };
    write_columns_line(&columns, &mut line);
    EventRow { sequence: row.sequence, tick: row.tick, kind: row.event_type, line }
}
