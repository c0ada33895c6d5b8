//! One simulation against its events.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use duckdb::params;

use super::expected::Expected;
use super::stream::{SEPARATOR, StoredEvent};
use super::{CheckedRow, Defect};
use crate::event::{Completion, Event, decode, sha256_hex_of};
use crate::ids::Names;
use crate::metrics::{Ledger, TickOutcome, Totals};
use crate::money::counted;
use crate::persistence::reference::{COUNTED_BY_THE_REFERENCE, REFERENCE};
use crate::persistence::writer::totals_as_stored;
use crate::persistence::{PersistenceError, Reader, Status};
use crate::replay::SNAPSHOT_FORMAT;
use crate::scenario::Scenario;
use crate::text::panic_message;
use crate::time::Tick;

/// Stored states by tick: number of events folded, SHA-256 of the state.
pub(super) type Snapshots = BTreeMap<i64, (i64, String)>;

/// What is wrong with some events, how many they are, and which is the first.
type Tally = BTreeMap<&'static str, (u64, String)>;

impl Reader {
    /// The states of a simulation that this program can read.
    pub(super) fn stored_snapshots(&self, id: &str) -> Result<Snapshots, PersistenceError> {
        let rows = self.list(
            "SELECT tick, sequence, sha256(state) FROM replay_snapshots \
             WHERE simulation_id = ? AND format = ?",
            params![id, SNAPSHOT_FORMAT],
            |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))),
        )?;
        Ok(rows.into_iter().collect())
    }
}

/// What an event concerns as stored.
#[derive(Clone, Debug)]
struct Listed {
    sequence: i64,
    banks: String,
    payments: String,
}

impl Listed {
    fn of(event: &StoredEvent) -> Self {
        let (banks, payments) = (event.agents.clone(), event.tx_ids.clone());
        Self { sequence: event.sequence, banks, payments }
    }
}

/// A simulation while its events pass by.
pub(super) struct SimulationCheck {
    row: CheckedRow,
    defects: Vec<Defect>,
    tally: Tally,
    scenario: Option<Arc<Scenario>>,
    /// Nothing once the events do not fit together.
    ledger: Option<Ledger>,
    snapshots: Snapshots,
    open: Vec<Event>,
    /// What events of the reference are stored to concern: known when their tick is complete.
    listed: Vec<Listed>,
    completion: Completion,
    tick: i64,
    next_sequence: i64,
    count: i64,
    created_at: i64,
}

impl SimulationCheck {
    /// Before the first event.
    pub(super) fn new(
        row: CheckedRow,
        scenario: Result<Arc<Scenario>, PersistenceError>,
        snapshots: Snapshots,
    ) -> Self {
        let mut check = Self {
            defects: Vec::new(),
            tally: Tally::new(),
            ledger: scenario.as_ref().ok().map(|scenario| Ledger::new(scenario.clone())),
            scenario: None,
            snapshots,
            open: Vec::new(),
            listed: Vec::new(),
            completion: Completion::default(),
            tick: 0,
            next_sequence: 0,
            count: 0,
            created_at: i64::MIN,
            row,
        };
        match scenario {
            Ok(scenario) => {
                check.compare_settings(&scenario);
                check.scenario = Some(scenario);
            }
            Err(error) => check.wrong("simulations", format!("`config_json` cannot be read: {error}")),
        }
        check
    }

    fn wrong(&mut self, table: &str, message: impl Into<String>) {
        self.defects.push(Defect::new(table, Some(&self.row.simulation_id), message));
    }

    fn compare_settings(&mut self, scenario: &Scenario) {
        let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let settings = [
            ("ticks_per_day", self.row.ticks_per_day, count(scenario.calendar.ticks_per_day)),
            ("num_days", self.row.num_days, count(scenario.calendar.num_days)),
            ("num_agents", self.row.num_agents, scenario.banks.len() as i64),
        ];
        for (column, stored, wanted) in settings.into_iter().filter(|(_, stored, wanted)| stored != wanted) {
            self.wrong("simulations", format!("`{column}` is {stored}, its scenario says {wanted}"));
        }
        if self.row.rng_seed != scenario.seed {
            let (stored, wanted) = (self.row.rng_seed, scenario.seed);
            self.wrong("simulations", format!("`rng_seed` is {stored}, its scenario says {wanted}"));
        }
    }

    fn note(&mut self, what: &'static str, number: u64, sequence: i64, why: &str) {
        let first = || {
            let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
            format!("{sequence}{why}")
        };
        let entry = self.tally.entry(what).or_insert_with(|| (0, first()));
        entry.0 = entry.0.saturating_add(number);
    }

    /// Takes in the next events.
    pub(super) fn page(
        &mut self,
        page: &[StoredEvent],
        expected: &mut Expected<'_>,
    ) -> Result<(), PersistenceError> {
        for event in page {
            let whole = self.check_place(event);
            if !whole {
                self.ledger = None;
            }
            self.count += 1;
            let Some(scenario) = self.scenario.clone() else { continue };
            let typed = self.typed(event, &scenario.names);
            if self.ledger.is_none() {
                continue;
            }
            let Some(typed) = typed else {
                self.ledger = None;
                continue;
            };
            self.end_ticks_before(event.tick, expected)?;
            self.open.push(typed);
            if scenario.names.of_reference() {
                self.listed.push(Listed::of(event));
            }
        }
        Ok(())
    }

    /// Number, tick, day and time of an event; whether the fold may go on with it.
    fn check_place(&mut self, event: &StoredEvent) -> bool {
        let mut whole = true;
        let wanted = self.next_sequence;
        if event.sequence < wanted {
            self.note("stored more than once", 1, event.sequence, "");
            whole = false;
        } else if event.sequence > wanted {
            let gap = event.sequence.abs_diff(wanted);
            self.note("missing", gap, event.sequence, "");
            whole = false;
        }
        self.next_sequence = event.sequence.saturating_add(1);
        if event.tick < self.tick || event.tick < 0 {
            self.note("with an earlier tick than the one before", 1, event.sequence, "");
            whole = false;
        }
        if self.row.last_tick.is_none_or(|last| event.tick > last) {
            self.note("behind `last_tick`", 1, event.sequence, "");
            whole = false;
        }
        if event.tick.checked_div(self.row.ticks_per_day) != Some(event.day) {
            self.note("with another day than that of the tick", 1, event.sequence, "");
        }
        if event.created_at < self.created_at {
            self.note("written earlier than the one before", 1, event.sequence, "");
        }
        self.created_at = event.created_at;
        whole
    }

    /// The event as the program knows it, with its lists compared.
    fn typed(&mut self, event: &StoredEvent, names: &Names) -> Option<Event> {
        let (agent, payment) = (event.agent_id.as_deref(), event.tx_id.as_deref());
        match decode(&event.event_type, agent, payment, &event.details, names) {
            Ok(typed) => {
                if !names.of_reference() {
                    self.compare_lists(&typed, event.sequence, [&event.agents, &event.tx_ids], names);
                }
                Some(typed)
            }
            Err(error) => {
                self.note("that cannot be read", 1, event.sequence, &error.to_string());
                None
            }
        }
    }

    fn compare_lists(&mut self, event: &Event, sequence: i64, listed: [&str; 2], names: &Names) {
        let concerns = event.concerns(names);
        let banks = joined(concerns.banks.iter().map(|bank| names.bank(*bank)));
        let payments = joined(concerns.payments.iter().map(|payment| payment.name(names)));
        if banks != listed[0] {
            self.note("of other banks than `agents` says", 1, sequence, "");
        }
        if payments != listed[1] {
            self.note("of other payments than `tx_ids` says", 1, sequence, "");
        }
    }

    /// Fills in what follows from the other events of the tick, as when they were taken over.
    fn complete_tick(&mut self, names: &Names) {
        let mut open = std::mem::take(&mut self.open);
        self.completion.tick(&mut open);
        let listed = std::mem::take(&mut self.listed);
        for (event, listed) in open.iter().zip(&listed) {
            let Listed { sequence, banks, payments } = listed;
            self.compare_lists(event, *sequence, [banks, payments], names);
        }
        self.open = open;
    }

    /// Folds every tick before this one.
    fn end_ticks_before(&mut self, tick: i64, expected: &mut Expected<'_>) -> Result<(), PersistenceError> {
        while self.tick < tick && self.ledger.is_some() {
            self.end_tick(expected)?;
        }
        Ok(())
    }

    fn end_tick(&mut self, expected: &mut Expected<'_>) -> Result<(), PersistenceError> {
        if let Some(scenario) = self.scenario.clone().filter(|scenario| scenario.names.of_reference()) {
            self.complete_tick(&scenario.names);
        }
        let Some(ledger) = &mut self.ledger else { return Ok(()) };
        let tick = Tick(self.tick.unsigned_abs());
        // A defect of the fold is told like a defect of the file.
        let folded = catch_unwind(AssertUnwindSafe(|| ledger.tick(tick, &self.open)));
        let outcome: Result<TickOutcome, String> = match folded {
            Ok(folded) => folded.map_err(|error| error.to_string()),
            Err(panic) => Err(format!("internal error: {}", panic_message(panic.as_ref()))),
        };
        self.open.clear();
        match outcome {
            Ok(outcome) => {
                expected.push_tick(&self.row.simulation_id, &outcome, &ledger.scenario().names)?;
                self.compare_snapshot();
            }
            Err(why) => {
                self.ledger = None;
                self.wrong("simulation_events", format!("the events of tick {tick} do not fit: {why}"));
            }
        }
        self.tick += 1;
        Ok(())
    }

    fn compare_snapshot(&mut self) {
        let Some((sequence, hash)) = self.snapshots.remove(&self.tick) else { return };
        let Some(ledger) = &self.ledger else { return };
        let state = ledger.state();
        let folded = i64::try_from(state.sequence()).unwrap_or(i64::MAX);
        let same = state.encode().is_ok_and(|bytes| sha256_hex_of(&bytes) == hash);
        if folded != sequence || !same {
            self.wrong("replay_snapshots", format!("the state after tick {} is another", self.tick));
        }
    }

    /// Compares what was counted with what the row says; gives everything that was found.
    pub(super) fn finish(
        mut self,
        digest: Option<&str>,
        expected: &mut Expected<'_>,
    ) -> Result<Vec<Defect>, PersistenceError> {
        if self.ledger.is_some()
            && let Some(last) = self.row.last_tick
        {
            self.end_ticks_before(last.saturating_add(1), expected)?;
        }
        for (what, (number, first)) in std::mem::take(&mut self.tally) {
            let events = counted(number, "event");
            self.wrong("simulation_events", format!("{events} {what}; first at event {first}"));
        }
        if self.count != self.row.event_count {
            let (stored, there) = (self.row.event_count, self.count);
            self.wrong("simulations", format!("`event_count` is {stored}, the number of events is {there}"));
        }
        if let Some(digest) = digest.filter(|digest| *digest != self.row.event_digest) {
            let stored = self.row.event_digest.clone();
            self.wrong("simulations", format!("`event_digest` is {stored}, that of the events is {digest}"));
        }
        if !self.snapshots.is_empty() && self.ledger.is_some() {
            let states = counted(self.snapshots.len() as u64, "state");
            self.wrong("replay_snapshots", format!("{states} of ticks that are not stored"));
        }
        if let Some(ledger) = self.ledger.take() {
            let has_totals = self.row.total_cost_cents.is_some();
            if has_totals {
                self.compare_totals(&ledger.totals());
            }
            // What is open is written with the totals, at the end.
            let ended = has_totals || self.row.status == Status::Completed.name();
            expected.end(&self.row.simulation_id, ended.then_some(&ledger))?;
        }
        Ok(self.defects)
    }

    fn compare_totals(&mut self, totals: &Totals) {
        let row = &self.row;
        let stored = [
            ("total_arrivals", row.total_arrivals),
            ("total_settlements", row.total_settlements),
            ("total_lsm_releases", row.total_lsm_releases),
            ("total_cost_cents", row.total_cost_cents),
            ("arrived_value", row.arrived_value),
            ("settled_value", row.settled_value),
            ("queued_value", row.queued_value),
            ("dropped_value", row.dropped_value),
        ];
        let further = [
            ("max_delay_ticks", row.max_delay_ticks, i64::try_from(totals.max_delay_ticks).ok()),
            ("peak_overdraft", row.peak_overdraft, Some(totals.peak_overdraft.0)),
        ];
        let average = row.avg_delay_ticks;
        let all = stored.into_iter().zip(totals_as_stored(Some(totals)));
        let all = all.map(|((name, stored), wanted)| (name, stored, wanted)).chain(further);
        // What the reference counted in its own way is kept as it was (spec 06, 8.4).
        let foreign = row.engine_version == REFERENCE;
        let all = all.filter(|(column, ..)| !(foreign && COUNTED_BY_THE_REFERENCE.contains(column)));
        for (column, stored, wanted) in all.filter(|(_, stored, wanted)| stored != wanted) {
            let text =
                |value: Option<i64>| value.map_or_else(|| "NULL".to_owned(), |value| value.to_string());
            let (stored, wanted) = (text(stored), text(wanted));
            self.wrong("simulations", format!("`{column}` is {stored}, the events give {wanted}"));
        }
        if average != Some(totals.avg_delay_ticks) {
            let stored = average.map_or_else(|| "NULL".to_owned(), |value| value.to_string());
            let wanted = totals.avg_delay_ticks;
            self.wrong("simulations", format!("`avg_delay_ticks` is {stored}, the events give {wanted}"));
        }
    }
}

/// Ids in one text.
fn joined<S: AsRef<str>>(ids: impl Iterator<Item = S>) -> String {
    let mut text = String::new();
    for (at, id) in ids.enumerate() {
        if at > 0 {
            text.push(SEPARATOR);
        }
        text.push_str(id.as_ref());
    }
    text
}
