//! Events of a simulation (spec 06, 5.2 and 5.3).

use duckdb::types::{Value, ValueRef};
use duckdb::{Row, params_from_iter};

use super::Reader;
use super::filter::{Conditions, limit, text};
use super::simulations::columns_of;
use super::types::{EventFilter, EventPage, EventRow, EventSummary, Sort};
use crate::event::{Columns, EventKind};
use crate::finding::nearest;
use crate::persistence::PersistenceError;

/// Events in a page if nothing is asked for.
const DEFAULT_LIMIT: i64 = 100;
/// Most events in a page.
const MAX_LIMIT: i64 = 1000;

/// The columns that an event line is made of.
pub(in crate::persistence) const LINE_COLUMNS: &str = "sequence, tick, event_type, agent_id, tx_id, details";

/// Reads a row that begins with [`LINE_COLUMNS`].
pub(in crate::persistence) fn line_columns<'row>(row: &'row Row<'_>) -> duckdb::Result<Columns<'row>> {
    Ok(Columns {
        sequence: row.get(0)?,
        tick: row.get(1)?,
        event_type: borrowed(row, 2)?.unwrap_or_default(),
        agent_id: borrowed(row, 3)?,
        tx_id: borrowed(row, 4)?,
        details: borrowed(row, 5)?.unwrap_or_default(),
    })
}

fn borrowed<'row>(row: &'row Row<'_>, at: usize) -> duckdb::Result<Option<&'row str>> {
    Ok(match row.get_ref(at)? {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    })
}

impl Sort {
    /// What `tick_asc` or `tick_desc` means.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, PersistenceError> {
        match text {
            "tick_asc" => Ok(Self::Ascending),
            "tick_desc" => Ok(Self::Descending),
            _ => Err(PersistenceError::Filter {
                message: format!("unknown sort order `{text}`"),
                hint: Some("use `tick_asc` or `tick_desc`".to_owned()),
            }),
        }
    }
}

impl EventFilter {
    /// The limit and the offset that are used.
    #[must_use]
    pub fn window(&self) -> (u64, u64) {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        (limit.unsigned_abs(), self.offset.unwrap_or(0).max(0).unsigned_abs())
    }

    /// The types that are asked for; empty: all.
    ///
    /// # Errors
    ///
    /// A type that does not exist.
    pub fn types(&self) -> Result<Vec<EventKind>, PersistenceError> {
        let Some(list) = &self.event_type else { return Ok(Vec::new()) };
        let known = |name: &str| {
            EventKind::find(name).ok_or_else(|| {
                let near = nearest(name, EventKind::ALL.iter().map(|kind| kind.name()));
                PersistenceError::Filter {
                    message: format!("unknown event type `{name}`"),
                    hint: near.map(|near| format!("did you mean `{near}`?")),
                }
            })
        };
        list.split(',').map(str::trim).map(known).collect()
    }

    /// The conditions, without the page key.
    pub(super) fn conditions(&self) -> Result<Conditions, PersistenceError> {
        if let (Some(min), Some(max)) = (self.tick_min, self.tick_max)
            && min > max
        {
            return Err(PersistenceError::Filter {
                message: format!("the first tick {min} is behind the last tick {max}"),
                hint: None,
            });
        }
        let mut conditions = Conditions::default();
        conditions.count("tick = ?", self.tick);
        conditions.count("tick >= ?", self.tick_min);
        conditions.count("tick <= ?", self.tick_max);
        conditions.count("day = ?", self.day);
        conditions.text("list_contains(agents, ?)", self.agent_id.as_deref());
        // A payment in `tx_id` is always in `tx_ids` too.
        conditions.text("list_contains(tx_ids, ?)", self.tx_id.as_deref());
        let types = self.types()?;
        if !types.is_empty() {
            let marks = vec!["?"; types.len()].join(", ");
            conditions.add(format!("event_type IN ({marks})"), types.iter().map(|kind| text(kind.name())));
        }
        conditions.occurs(&["event_type", "details", "agent_id", "tx_id"], self.text.as_deref());
        Ok(conditions)
    }

    /// Whether every event matches.
    fn takes_all(&self) -> bool {
        *self
            == Self {
                after_sequence: self.after_sequence,
                before_sequence: self.before_sequence,
                limit: self.limit,
                offset: self.offset,
                sort: self.sort,
                ..Self::default()
            }
    }

    fn add_page_key(&self, conditions: &mut Conditions) {
        conditions.count("sequence > ?", self.after_sequence);
        conditions.count("sequence < ?", self.before_sequence);
    }
}

impl Reader {
    /// A page of events with the number of all matches.
    ///
    /// # Errors
    ///
    /// An unknown type, bounds in the wrong order; see [`Reader::simulations`].
    pub fn events(&self, simulation_id: &str, filter: &EventFilter) -> Result<EventPage, PersistenceError> {
        let total = self.event_count(simulation_id, filter)?;
        let events = self.event_rows(simulation_id, filter)?;
        let (limit, offset) = filter.window();
        Ok(EventPage { events, total, limit, offset, filters: filter.clone() })
    }

    /// The number of events that match, page key and limit aside.
    ///
    /// # Errors
    ///
    /// See [`Reader::events`].
    pub fn event_count(&self, simulation_id: &str, filter: &EventFilter) -> Result<u64, PersistenceError> {
        if filter.takes_all() {
            return self.stored_events(simulation_id);
        }
        let (all, values) = self.conditions_in(simulation_id, filter)?.finish();
        let query = format!("SELECT count(*) FROM simulation_events {all}");
        Ok(self.one(&query, params_from_iter(values), |row| row.get(0))?.unwrap_or(0))
    }

    /// The conditions in one simulation, without the page key.
    fn conditions_in(
        &self,
        simulation_id: &str,
        filter: &EventFilter,
    ) -> Result<Conditions, PersistenceError> {
        let mut conditions = filter.conditions()?;
        conditions.text("simulation_id = ?", Some(simulation_id));
        if let Some(payment) = &filter.tx_id {
            let (first, last) = self.ticks_of_payment(simulation_id, payment)?;
            conditions.count("tick >= ?", first);
            conditions.count("tick <= ?", last);
        }
        Ok(conditions)
    }

    /// Ticks before and behind which no event concerns a payment, as far as its row says: nothing speaks
    /// of a payment before it arrives or after it has settled. So the events of a payment are found without
    /// looking at all events.
    fn ticks_of_payment(
        &self,
        simulation_id: &str,
        tx_id: &str,
    ) -> Result<(Option<u64>, Option<u64>), PersistenceError> {
        if self.is_of_reference(simulation_id)? {
            return Ok((None, None));
        }
        let query = "SELECT arrival_tick, settlement_tick FROM transactions \
                     WHERE simulation_id = ? AND tx_id = ?";
        let row = self.one(query, [simulation_id, tx_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(row.unwrap_or_default())
    }

    /// All events of a simulation, as its row says.
    pub(super) fn stored_events(&self, simulation_id: &str) -> Result<u64, PersistenceError> {
        let query = "SELECT event_count FROM simulations WHERE simulation_id = ?";
        Ok(self.one(query, [simulation_id], |row| row.get(0))?.unwrap_or(0))
    }

    /// A page of events alone.
    ///
    /// # Errors
    ///
    /// See [`Reader::events`].
    pub fn event_rows(
        &self,
        simulation_id: &str,
        filter: &EventFilter,
    ) -> Result<Vec<EventRow>, PersistenceError> {
        let (most, offset) = filter.window();
        self.matching_events(simulation_id, filter, Some(most), offset)
    }

    /// Every event that matches, whatever the number: for replay and export.
    ///
    /// # Errors
    ///
    /// See [`Reader::events`].
    pub fn all_events(
        &self,
        simulation_id: &str,
        filter: &EventFilter,
    ) -> Result<Vec<EventRow>, PersistenceError> {
        self.matching_events(simulation_id, filter, None, 0)
    }

    fn matching_events(
        &self,
        simulation_id: &str,
        filter: &EventFilter,
        most: Option<u64>,
        offset: u64,
    ) -> Result<Vec<EventRow>, PersistenceError> {
        let mut conditions = self.conditions_in(simulation_id, filter)?;
        filter.add_page_key(&mut conditions);
        if let Some(most) = most.filter(|_| filter.takes_all()) {
            // Numbers have no gaps, so the page is known and the rest is never looked at.
            match (filter.sort, filter.before_sequence) {
                (Sort::Ascending, _) => {
                    let first = filter.after_sequence.map_or(0, |last| last.saturating_add(1));
                    conditions.count("sequence < ?", Some(first.saturating_add(offset).saturating_add(most)));
                }
                (Sort::Descending, Some(end)) => {
                    conditions.count("sequence >= ?", Some(end.saturating_sub(offset).saturating_sub(most)));
                }
                (Sort::Descending, None) => {}
            }
        }
        let (page, values) = conditions.finish();
        let order = match filter.sort {
            Sort::Ascending => "ASC",
            Sort::Descending => "DESC",
        };
        let skipped = if offset > 0 { format!(" OFFSET {offset}") } else { String::new() };
        let rest = format!("FROM simulation_events {page} ORDER BY sequence {order}{}{skipped}", limit(most));
        self.rows(&rest, params_from_iter(values))
    }

    /// One event.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn event(&self, simulation_id: &str, sequence: u64) -> Result<Option<EventRow>, PersistenceError> {
        let key = [text(simulation_id), Value::UBigInt(sequence)];
        let rest = "FROM simulation_events WHERE simulation_id = ? AND sequence = ?";
        Ok(self.rows(rest, params_from_iter(key))?.into_iter().next())
    }

    /// The first event that matches, per simulation; of one run or of the whole file.
    ///
    /// # Errors
    ///
    /// See [`Reader::events`].
    pub fn where_first(
        &self,
        run: Option<&str>,
        filter: &EventFilter,
    ) -> Result<Vec<EventRow>, PersistenceError> {
        let mut conditions = filter.conditions()?;
        conditions.of_run(run);
        let (all, values) = conditions.finish();
        let query = format!(
            "WITH first AS (SELECT simulation_id, min(sequence) AS sequence FROM simulation_events {all} \
             GROUP BY simulation_id) \
             SELECT {} FROM simulation_events e JOIN first USING (simulation_id, sequence) \
             ORDER BY e.simulation_id",
            columns_of::<EventRow>("e")
        );
        self.list(&query, params_from_iter(values), <EventRow as super::row::TypedRow>::read)
    }

    /// What events a simulation has; nothing in it if there is none of that id.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn event_summary(&self, simulation_id: &str) -> Result<EventSummary, PersistenceError> {
        let stored: Option<(u64, u64)> = self.one(
            "SELECT coalesce(last_tick + 1, 0), ticks_per_day FROM simulations WHERE simulation_id = ?",
            [simulation_id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let (total_ticks, ticks_per_day) = stored.unwrap_or((0, 1));
        let event_type_counts: Vec<(String, u64)> = self.list(
            "SELECT event_type, count(*) FROM simulation_events WHERE simulation_id = ? \
             GROUP BY event_type ORDER BY count(*) DESC, event_type",
            [simulation_id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let ticks: Option<(Option<u64>, Option<u64>)> = self.one(
            "SELECT min(tick), max(tick) FROM simulation_events WHERE simulation_id = ?",
            [simulation_id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let agents = self.list(
            "SELECT DISTINCT unnest(agents) AS bank FROM simulation_events WHERE simulation_id = ? \
             ORDER BY bank",
            [simulation_id],
            |row| row.get(0),
        )?;
        let (first_tick, last_tick) = ticks.unwrap_or_default();
        let arrivals = event_type_counts.iter().find(|(kind, _)| kind == EventKind::Arrival.name());
        Ok(EventSummary {
            total_events: event_type_counts.iter().map(|(_, count)| count).sum(),
            first_tick,
            last_tick,
            total_ticks,
            total_days: total_ticks.div_ceil(ticks_per_day.max(1)),
            num_transactions: arrivals.map_or(0, |(_, count)| *count),
            event_type_counts,
            agents,
        })
    }
}
