//! The events of a simulation as typed ticks, and the state that follows from them
//! (spec 06, 5.5).

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use duckdb::{Params, params};

use super::Reader;
use super::events::{LINE_COLUMNS, line_columns};
use crate::event::{Columns, Digest, Event, Recorded, complete, decode};
use crate::finding::Findings;
use crate::ids::{Dialect, Names, PaymentId};
use crate::metrics::{Ledger, LsmRecord, lsm_records};
use crate::money::Cents;
use crate::persistence::PersistenceError;
use crate::replay::{SNAPSHOT_FORMAT, State};
use crate::scenario::{Format, NoFiles, Overrides, Scenario, ScenarioFile, read};
use crate::time::Tick;

/// Events that are read at once while a whole simulation is folded.
const PAGE: u64 = 16_384;

/// A stored scenario, as written and as resolved; an error says what is wrong with it.
pub(in crate::persistence) fn read_scenario(text: &str) -> Result<(ScenarioFile, Scenario), String> {
    let first = |findings: &Findings| findings.errors().next().map_or_else(String::new, ToString::to_string);
    let (file, findings) = read(text, Format::Json, &Overrides::default(), &NoFiles);
    let file = file.ok_or_else(|| first(&findings))?;
    let scenario = file.resolve().map_err(|findings| first(&findings))?;
    Ok((file, scenario))
}

impl Reader {
    /// The scenario that a simulation ran.
    ///
    /// # Errors
    ///
    /// No such simulation, or a scenario that this program cannot read.
    pub fn scenario(&self, simulation_id: &str) -> Result<Arc<Scenario>, PersistenceError> {
        self.scenario_file(simulation_id).map(|(_, scenario)| scenario)
    }

    /// The scenario that a simulation ran, as written and as resolved.
    pub(super) fn scenario_file(
        &self,
        simulation_id: &str,
    ) -> Result<(ScenarioFile, Arc<Scenario>), PersistenceError> {
        let text = self
            .config_json(simulation_id)?
            .ok_or_else(|| self.database.unknown_simulation(simulation_id))?;
        let corrupt = |reason: String| PersistenceError::Corrupt {
            what: format!("scenario of simulation `{simulation_id}`"),
            reason,
        };
        let (file, mut scenario) = read_scenario(&text).map_err(corrupt)?;
        if self.is_of_reference(simulation_id)? {
            scenario.names = Arc::new((*scenario.names).clone().written_in(Dialect::Reference));
        }
        Ok((file, Arc::new(scenario)))
    }

    /// The events of some ticks, in order.
    ///
    /// # Errors
    ///
    /// An event that this program cannot read; see [`Reader::simulations`].
    pub fn tick_events(
        &self,
        simulation_id: &str,
        names: &Names,
        ticks: RangeInclusive<Tick>,
    ) -> Result<Vec<Recorded>, PersistenceError> {
        let of_ticks = "simulation_id = ? AND tick BETWEEN ? AND ?";
        let is_one = ticks.start() == ticks.end();
        let ticks = params![simulation_id, ticks.start().0, ticks.end().0];
        let rows = self.recorded(of_ticks, ticks, names)?;
        let events: Result<Vec<Recorded>, String> = rows.into_iter().collect();
        let mut events = events.map_err(|error| corrupt_event(simulation_id, error))?;
        if names.of_reference() {
            let events = events.iter_mut().map(|recorded| &mut recorded.event);
            if is_one {
                complete(events, self.amounts(simulation_id));
            } else {
                complete(events, self.all_amounts(simulation_id));
            }
        }
        Ok(events)
    }

    /// Original amounts of the payments of a simulation, for events that do not say them.
    fn amounts(&self, simulation_id: &str) -> impl FnMut(PaymentId) -> Option<Cents> {
        let query = "SELECT amount FROM transactions WHERE simulation_id = ? AND tx_id = ?";
        move |payment| {
            let key = params![simulation_id, payment.to_string()];
            self.one(query, key, |row| row.get(0).map(Cents)).ok().flatten()
        }
    }

    /// The same for whoever reads all events: with the first question all amounts are read.
    fn all_amounts(&self, simulation_id: &str) -> impl FnMut(PaymentId) -> Option<Cents> {
        let query = "SELECT tx_id, amount FROM transactions WHERE simulation_id = ?";
        let mut amounts: Option<HashMap<String, i64>> = None;
        move |payment| {
            let read = || self.list(query, [simulation_id], |row| Ok((row.get(0)?, row.get(1)?)));
            let amounts = amounts.get_or_insert_with(|| read().unwrap_or_default().into_iter().collect());
            amounts.get(&payment.to_string()).copied().map(Cents)
        }
    }

    /// The digest (05, 1.3) of the stored events up to a tick; of none without a tick.
    ///
    /// # Errors
    ///
    /// See [`Reader::scenario`] and [`Reader::tick_events`].
    pub fn digest_until(&self, simulation_id: &str, last: Option<u64>) -> Result<String, PersistenceError> {
        let mut digest = Digest::default();
        if let Some(last) = last {
            let scenario = self.scenario(simulation_id)?;
            let mut sequence = 0;
            self.each_tick(simulation_id, &scenario.names, Tick(last), |tick, events| {
                for event in events {
                    digest.event(sequence, tick, event, &scenario.names);
                    sequence += 1;
                }
                Ok(())
            })?;
        }
        Ok(digest.hex())
    }

    /// The events that a condition holds for, in order, each as typed value or what is wrong with it.
    fn recorded(
        &self,
        condition: &str,
        parameters: impl Params,
        names: &Names,
    ) -> Result<Vec<Result<Recorded, String>>, PersistenceError> {
        let query =
            format!("SELECT {LINE_COLUMNS} FROM simulation_events WHERE {condition} ORDER BY sequence");
        self.list(&query, parameters, |row| Ok(typed(&line_columns(row)?, names)))
    }

    /// Shows every stored tick up to one with its events, in order, ticks without events too, until the
    /// visitor has seen enough.
    ///
    /// # Errors
    ///
    /// See [`Reader::tick_events`], and those of the visitor.
    pub fn each_tick(
        &self,
        simulation_id: &str,
        names: &Names,
        last: Tick,
        visit: impl FnMut(Tick, &[Event]) -> Result<(), PersistenceError>,
    ) -> Result<(), PersistenceError> {
        self.ticks_from(simulation_id, names, (Tick(0), 0), last, visit)
    }

    /// The same from a tick on whose first event is known by its sequence.
    fn ticks_from(
        &self,
        simulation_id: &str,
        names: &Names,
        (mut tick, mut sequence): (Tick, u64),
        last: Tick,
        mut visit: impl FnMut(Tick, &[Event]) -> Result<(), PersistenceError>,
    ) -> Result<(), PersistenceError> {
        let Some(stored) = self.last_tick(simulation_id)? else { return Ok(()) };
        let last = last.min(stored);
        let mut events = Vec::new();
        let mut amounts = self.all_amounts(simulation_id);
        let mut show = |tick: Tick, events: &mut Vec<Event>| {
            if names.of_reference() {
                complete(events.iter_mut(), &mut amounts);
            }
            visit(tick, events)?;
            events.clear();
            Ok::<(), PersistenceError>(())
        };
        while tick <= last {
            let of_page = "simulation_id = ? AND sequence >= ? AND sequence < ? AND tick <= ?";
            let page = params![simulation_id, sequence, sequence.saturating_add(PAGE), last.0];
            let page = self.recorded(of_page, page, names)?;
            let full = page.len() as u64 == PAGE;
            sequence += page.len() as u64;
            for event in page {
                let event = event.map_err(|error| corrupt_event(simulation_id, error))?;
                while tick < event.tick {
                    show(tick, &mut events)?;
                    tick = tick.after(1);
                }
                events.push(event.event);
            }
            if !full {
                break;
            }
        }
        while tick <= last {
            show(tick, &mut events)?;
            tick = tick.after(1);
        }
        Ok(())
    }

    /// The last stored tick; `None` before the first, and of an unknown simulation.
    pub(super) fn last_tick(&self, simulation_id: &str) -> Result<Option<Tick>, PersistenceError> {
        let query = "SELECT last_tick FROM simulations WHERE simulation_id = ?";
        let last: Option<Option<u64>> = self.one(query, [simulation_id], |row| row.get(0))?;
        Ok(last.flatten().map(Tick))
    }

    /// The state after a tick, or the one before tick 0 for `None`; after the last stored
    /// tick if that is earlier. Folded from the nearest snapshot.
    ///
    /// # Errors
    ///
    /// Events that do not fit together; see [`Reader::tick_events`].
    pub fn state_after(
        &self,
        simulation_id: &str,
        scenario: &Arc<Scenario>,
        tick: Option<Tick>,
    ) -> Result<State, PersistenceError> {
        let Some(tick) = tick else { return Ok(State::new(scenario.clone())) };
        let mut state = self
            .nearest_snapshot(simulation_id, scenario, Tick(0)..=tick)?
            .unwrap_or_else(|| State::new(scenario.clone()));
        let next = (state.tick(), state.sequence());
        self.ticks_from(simulation_id, &scenario.names, next, tick, |tick, events| {
            state.apply_tick(tick, events).map_err(|error| corrupt_event(simulation_id, error.to_string()))
        })?;
        Ok(state)
    }

    /// The newest stored state after one of these ticks. A snapshot that cannot be read is passed over:
    /// it is derived data.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn nearest_snapshot(
        &self,
        simulation_id: &str,
        scenario: &Arc<Scenario>,
        ticks: RangeInclusive<Tick>,
    ) -> Result<Option<State>, PersistenceError> {
        // In two steps, so that no other state is read than the one that is wanted.
        let newest = "SELECT max(tick) FROM replay_snapshots \
                      WHERE simulation_id = ? AND tick BETWEEN ? AND ? AND format = ?";
        let (from, to) = (ticks.start().0, ticks.end().0);
        let newest: Option<Option<u64>> =
            self.one(newest, params![simulation_id, from, to, SNAPSHOT_FORMAT], |row| row.get(0))?;
        let Some(newest) = newest.flatten() else { return Ok(None) };
        let found: Option<(u32, Vec<u8>)> = self.one(
            "SELECT format, state FROM replay_snapshots WHERE simulation_id = ? AND tick = ? AND format = ?",
            params![simulation_id, newest, SNAPSHOT_FORMAT],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(found.and_then(|(format, bytes)| State::decode(scenario.clone(), format, &bytes).ok()))
    }

    /// All figures of a simulation up to a tick, or of all its stored ticks; folded from the start.
    ///
    /// # Errors
    ///
    /// See [`Reader::state_after`].
    pub fn ledger_after(
        &self,
        simulation_id: &str,
        scenario: &Arc<Scenario>,
        tick: Option<Tick>,
    ) -> Result<Ledger, PersistenceError> {
        let mut ledger = Ledger::new(scenario.clone());
        let last = tick.unwrap_or(Tick(u64::MAX));
        self.each_tick(simulation_id, &scenario.names, last, |tick, events| {
            let folded = ledger.tick(tick, events).map(|_| ());
            folded.map_err(|error| corrupt_event(simulation_id, error.to_string()))
        })?;
        Ok(ledger)
    }

    /// The records of pairs and rings (02, 18), by tick.
    ///
    /// # Errors
    ///
    /// See [`Reader::tick_events`].
    pub fn lsm_records(
        &self,
        simulation_id: &str,
        scenario: &Scenario,
    ) -> Result<Vec<LsmRecord>, PersistenceError> {
        let of_lsm = "simulation_id = ? AND event_type IN ('LsmBilateralOffset', 'LsmCycleSettlement')";
        let rows = self.recorded(of_lsm, [simulation_id], &scenario.names)?;
        let mut events: Vec<Recorded> = rows
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|error| corrupt_event(simulation_id, error))?;
        if scenario.names.of_reference() {
            let amounts = self.all_amounts(simulation_id);
            complete(events.iter_mut().map(|recorded| &mut recorded.event), amounts);
        }
        let of_tick = |events: &[Recorded]| {
            let tick = events.first().map_or(Tick(0), |event| event.tick);
            let events: Vec<Event> = events.iter().map(|recorded| recorded.event.clone()).collect();
            lsm_records(tick, &events, &scenario.calendar)
        };
        Ok(events.chunk_by(|a, b| a.tick == b.tick).flat_map(of_tick).collect())
    }
}

/// An event as typed value, or what is wrong with it.
fn typed(columns: &Columns<'_>, names: &Names) -> Result<Recorded, String> {
    let Columns { sequence, tick, event_type, agent_id, tx_id, details } = *columns;
    decode(event_type, agent_id, tx_id, details, names)
        .map(|event| Recorded { sequence, tick: Tick(tick), event })
        .map_err(|error| format!("event {sequence}: {error}"))
}

fn corrupt_event(simulation_id: &str, reason: String) -> PersistenceError {
    PersistenceError::Corrupt { what: format!("simulation `{simulation_id}`"), reason }
}
