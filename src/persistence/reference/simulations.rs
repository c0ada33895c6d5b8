//! Simulations of the reference, event by event.

use std::collections::BTreeSet;
use std::sync::Arc;

use duckdb::{Row, params};
use serde_json::Value;

use super::scenario::{self, Length, Told};
use super::source::{Header, Source};
use crate::event::{Completion, Event, EventKind, decode};
use crate::ids::Names;
use crate::money::grouped;
use crate::persistence::provider::{ExperimentContext, PolicyAuthor, PolicySnapshot, SimulationStart};
use crate::persistence::schema::Kind;
use crate::persistence::writer::{Ending, Whole};
use crate::persistence::{PersistenceError, Purpose, Status};
use crate::time::Tick;

/// Ticks without events at the end of a simulation that are still believed.
const MOST_SILENT_TICKS: u64 = 1_000_000;

/// What is found on the way through the events.
#[derive(Debug, Default)]
struct Seen {
    kinds: BTreeSet<EventKind>,
    completion: Completion,
    unread: u64,
    /// The last tick of the last day that has its `EndOfDay`.
    last_end_of_day: Option<Tick>,
    /// Events that lie behind the end of the simulation.
    behind: u64,
}

/// Writes a simulation into our tables, in the transaction of the connection; gives the number of events.
pub(in crate::persistence) fn store_simulation(
    source: &Source<'_>,
    header: &Header,
    prefix: &str,
) -> Result<u64, PersistenceError> {
    let config = header.config_json.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let config: Value = config.unwrap_or_default();
    let length = scenario::length(source, header, &config);
    let told = scenario::told(source, header, &config, length)?;
    let ticks = header.context.as_ref().and_then(|context| context.ticks);
    let ticks = ticks.unwrap_or_else(|| length.ticks_per_day.saturating_mul(length.num_days));
    let start = start(header, &told, ticks, prefix, source.holds_runs());
    let started_at = header.started_at.or(header.ended_at).unwrap_or_default();
    let written_at = header.ended_at.unwrap_or(started_at).max(started_at);
    let names = told.scenario.names.clone();
    let mut whole = Whole::new(source.connection, start, started_at, written_at)?;
    let mut seen = Seen::default();
    let next = each_event(source, &header.id, &names, ticks, &mut whole, &mut seen)?;
    let status = status(header, length, ticks, next, &seen);
    if status == Status::Completed {
        for tick in next..ticks {
            whole.tick(Tick(tick), Vec::new())?;
        }
    }
    let events = whole.events();
    let error = lacking(&told, status, next, ticks, &whole, &seen);
    whole.finish(Ending {
        status,
        ended_at: header.ended_at,
        duration_seconds: header.duration_seconds,
        error: Some(error),
        arrivals: header.arrivals,
        settlements: header.settlements,
        cost: header.cost,
    })?;
    Ok(events)
}

fn start(header: &Header, told: &Told, num_ticks: u64, prefix: &str, by_itself: bool) -> SimulationStart {
    let file = header.config_file.clone().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem).to_owned();
    let title = [header.config_name.clone().unwrap_or_default(), stem, header.id.clone()];
    let context = header.context.as_ref();
    let experiment = header.run.as_ref().map(|run| ExperimentContext {
        run_id: format!("{prefix}{run}"),
        iteration: context.and_then(|context| context.iteration).or(header.iteration).unwrap_or(0),
        purpose: context
            .and_then(|context| Purpose::find(context.purpose.as_deref()?))
            .filter(|purpose| *purpose != Purpose::Cli)
            .unwrap_or(Purpose::Eval),
        agent: None,
        sample: None,
    });
    let created_by = if by_itself { PolicyAuthor::Init } else { PolicyAuthor::Llm };
    let snapshot = |bank: &crate::scenario::Agent| PolicySnapshot {
        agent: bank.id.to_string(),
        policy_json: bank.policy.to_node().to_json_text().into(),
        created_by,
    };
    SimulationStart {
        simulation_id: format!("{prefix}{}", header.id),
        scenario: Arc::new(told.scenario.clone()),
        config_json: told.file.to_json().into(),
        config_file: file,
        config_name: title.into_iter().find(|title| !title.is_empty()).unwrap_or_default(),
        description: header.description.clone(),
        num_ticks,
        experiment,
        policies: told.file.agents.iter().map(snapshot).collect(),
    }
}

/// Reads all events in their order and hands them over tick by tick; gives the tick after the last one
/// that has events.
fn each_event(
    source: &Source<'_>,
    id: &str,
    names: &Names,
    ticks: u64,
    whole: &mut Whole<'_>,
    seen: &mut Seen,
) -> Result<u64, PersistenceError> {
    if !source.has("simulation_events", "event_type") {
        return Ok(0);
    }
    let columns = [
        ("tick", Kind::Seed),
        ("event_type", Kind::Text),
        ("agent_id", Kind::Text),
        ("tx_id", Kind::Text),
        ("details", Kind::Text),
        ("event_timestamp", Kind::Time),
    ];
    let rest = "WHERE simulation_id = ? ORDER BY 1, 6, rowid";
    let query = source.select("simulation_events", &columns, rest);
    let mut statement = source.connection.prepare(&query)?;
    let mut rows = statement.query(params![id])?;
    let (mut next, mut events) = (0, Vec::new());
    while let Some(row) = rows.next()? {
        let Some((tick, event)) = event_of(row, names)?.filter(|(tick, _)| tick.0 < ticks) else {
            seen.behind += 1;
            continue;
        };
        while next < tick.0 {
            hand_over(Tick(next), std::mem::take(&mut events), whole, seen)?;
            next += 1;
        }
        seen.note(tick, &event);
        events.push(event);
    }
    if events.is_empty() {
        return Ok(next);
    }
    hand_over(Tick(next), events, whole, seen)?;
    Ok(next + 1)
}

fn event_of(row: &Row<'_>, names: &Names) -> duckdb::Result<Option<(Tick, Event)>> {
    let text = |at: usize| row.get::<_, Option<String>>(at);
    let Some(tick) = row.get::<_, Option<u64>>(0)? else { return Ok(None) };
    let (kind, agent, payment, details) = (text(1)?, text(2)?, text(3)?, text(4)?);
    let details = details.as_deref().unwrap_or("{}");
    let kind = kind.unwrap_or_default();
    // What cannot be read is kept as it stands, so this cannot fail for events of the reference.
    let event = decode(&kind, agent.as_deref(), payment.as_deref(), details, names).ok();
    Ok(event.map(|event| (Tick(tick), event)))
}

fn hand_over(
    tick: Tick,
    mut events: Vec<Event>,
    whole: &mut Whole<'_>,
    seen: &mut Seen,
) -> Result<(), PersistenceError> {
    seen.completion.tick(&mut events);
    whole.tick(tick, events)
}

impl Seen {
    fn note(&mut self, tick: Tick, event: &Event) {
        self.kinds.insert(event.kind());
        match event {
            Event::EndOfDay { .. } => self.last_end_of_day = Some(tick),
            Event::Unread(_) => self.unread += 1,
            _ => {}
        }
    }
}

/// A simulation is complete if the last of its days is closed (8.4).
fn status(header: &Header, length: Length, ticks: u64, next: u64, seen: &Seen) -> Status {
    let stored = header.status.as_deref().and_then(Status::find);
    let days = ticks / length.ticks_per_day;
    let last = days.checked_mul(length.ticks_per_day).and_then(|end| end.checked_sub(1));
    let closed = last.is_none_or(|last| seen.last_end_of_day == Some(Tick(last)));
    let silent = ticks.saturating_sub(next) > MOST_SILENT_TICKS;
    match stored {
        Some(Status::Failed) => Status::Failed,
        Some(Status::Cancelled) => Status::Cancelled,
        Some(Status::Completed) | None if closed && !silent => Status::Completed,
        _ => Status::Interrupted,
    }
}

/// What the events do not say, for the user (8.1).
fn lacking(told: &Told, status: Status, next: u64, ticks: u64, whole: &Whole<'_>, seen: &Seen) -> String {
    let has = |kind: EventKind| seen.kinds.contains(&kind);
    let mut lacking = told.lacking.clone();
    if status != Status::Completed {
        lacking.push(format!("its end: {} of {} ticks are stored", grouped(next), grouped(ticks)));
    }
    if has(EventKind::QueuedRtgs) {
        lacking.push("events of payments that a retry of queue 2 settled".to_owned());
    }
    if has(EventKind::LsmBilateralOffset) {
        lacking.push("whether a logged pair settled".to_owned());
    }
    if has(EventKind::RtgsWithdrawal) {
        lacking.push("where withdrawn payments stand".to_owned());
    }
    if has(EventKind::CollateralPost) {
        lacking.push("when timers of collateral are due".to_owned());
    }
    if seen.unread > 0 {
        lacking.push(format!("the meaning of {} events", grouped(seen.unread)));
    }
    if seen.behind > 0 {
        lacking.push(format!("{} events that name no tick of it", grouped(seen.behind)));
    }
    let what = if lacking.is_empty() { "nothing known".to_owned() } else { lacking.join(", ") };
    let doubts = whole.doubts();
    let uncertain = match &doubts.first {
        Some(first) => format!(
            "; balances and queues are uncertain: {} times the events do not fit together, first in tick {} \
             ({})",
            grouped(doubts.count),
            first.tick,
            first.problem
        ),
        None => "; the events fit together".to_owned(),
    };
    format!("recorded by the reference; lacking: {what}{uncertain}")
}
