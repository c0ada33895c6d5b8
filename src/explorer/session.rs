//! A simulation being looked at: its events as stored, and the fold that rebuilds its state at any moment.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::readers::Stop;
use super::rows::{BankRow, Course, EventRow, Moment, QueueRow, Seek, Status};
use crate::costs::Costs;
use crate::event::Event;
use crate::ids::BankIdx;
use crate::money::Cents;
use crate::replay::{Payment, State};
use crate::scenario::Scenario;
use crate::time::Tick;

/// Events folded between two states that are kept in memory.
const KEEP_EVERY: u64 = 2_000;
/// Open payments and banks of all kept states together.
const KEPT_SIZE: usize = 200_000;
/// Events kept in memory, and read at once where ticks are small.
const CACHED: usize = 60_000;
const CHUNK: u64 = 4_000;
/// Samples of a course.
const SAMPLES: u64 = 512;
/// Events up to which a course is folded exactly.
const FOLDED: u64 = 400_000;

/// The events of a tick, as the fold and as the eye want them.
#[derive(Debug, Default)]
struct TickEvents {
    events: Vec<Event>,
    rows: Arc<[EventRow]>,
}

/// Where the events come from.
pub trait Tape {
    /// The events of these ticks, both included, in order.
    fn events(&mut self, from: u64, to: u64) -> Result<Vec<(EventRow, Event)>, String>;

    /// The newest stored state among those in which so many ticks are complete; none is read if there is
    /// none.
    fn snapshot(&mut self, complete: RangeInclusive<u64>) -> Result<Option<State>, String>;

    /// The tick of an event; of the last one if there are fewer.
    fn tick_of(&mut self, sequence: u64) -> Result<Option<u64>, String>;
}

/// How far a simulation is.
#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    pub title: String,
    pub status: Status,
    /// Ticks stored, and ticks it was to run.
    pub stored: u64,
    pub ticks: u64,
    pub events: u64,
}

/// A simulation being looked at.
pub struct Session<T> {
    tape: T,
    scenario: Arc<Scenario>,
    /// States between two ticks, in their order.
    kept: Vec<State>,
    cache: BTreeMap<u64, Arc<TickEvents>>,
    cached: usize,
    course: Option<Drawn>,
}

impl<T: Tape> Session<T> {
    /// Begins to look at a simulation of this scenario.
    pub const fn new(scenario: Arc<Scenario>, tape: T) -> Self {
        Self { tape, scenario, kept: Vec::new(), cache: BTreeMap::new(), cached: 0, course: None }
    }

    /// The state at a place, with everything that the replay shows.
    ///
    /// # Errors
    ///
    /// Events that cannot be read or do not fit.
    pub fn moment(&mut self, seek: Seek, reach: &Reach, stop: &Stop) -> Result<Moment, String> {
        let last = reach.stored.saturating_sub(1);
        let wanted = match seek {
            Seek::Tick(tick) | Seek::Event(tick, _) => tick.min(last),
            Seek::End => last,
            Seek::Sequence(sequence) => self.tape.tick_of(sequence)?.unwrap_or(last).min(last),
        };
        let mut state = self.before(wanted, reach, stop)?;
        let tape = if reach.stored == 0 { Arc::default() } else { self.tick(wanted, reach)? };
        let events = &tape.events;
        let applied = match seek {
            Seek::Event(tick, applied) if tick == wanted => applied.min(events.len()),
            Seek::Sequence(sequence) => tape.rows.iter().take_while(|row| row.sequence <= sequence).count(),
            _ => events.len(),
        };
        if reach.stored > 0 {
            state.begin_tick(Tick(wanted)).map_err(|error| error.to_string())?;
            for event in events.iter().take(applied) {
                state.apply(event).map_err(|error| error.to_string())?;
            }
            if applied == events.len() {
                state.end_tick().map_err(|error| error.to_string())?;
            }
        }
        Ok(self.shown(&state, tape.rows.clone(), (wanted, applied), reach))
    }

    /// The state before a tick.
    fn before(&mut self, tick: u64, reach: &Reach, stop: &Stop) -> Result<State, String> {
        let complete = |state: &State| state.tick().0;
        let nearest = self.kept.iter().rev().find(|state| complete(state) <= tick);
        let mut state = nearest.cloned().unwrap_or_else(|| State::new(self.scenario.clone()));
        if tick - complete(&state) > chunk(reach) {
            state = self.tape.snapshot(complete(&state) + 1..=tick)?.unwrap_or(state);
        }
        let mut since = state.sequence();
        while complete(&state) < tick {
            if stop.is_set() {
                return Err("stopped".into());
            }
            let next = complete(&state);
            let events = self.tick(next, reach)?;
            fold_tick(&mut state, next, &events.events)?;
            if state.sequence() - since >= KEEP_EVERY {
                since = state.sequence();
                self.keep(state.clone());
            }
        }
        self.keep(state.clone());
        Ok(state)
    }

    /// Keeps a state for steps back, and forgets those farthest from it when they are too many.
    fn keep(&mut self, state: State) {
        let tick = state.tick();
        match self.kept.binary_search_by_key(&tick, State::tick) {
            Ok(place) => self.kept[place] = state,
            Err(place) => self.kept.insert(place, state),
        }
        let size = |state: &State| state.open_count() + state.banks().len();
        while self.kept.len() > 1 && self.kept.iter().map(size).sum::<usize>() > KEPT_SIZE {
            let far = |state: &State| state.tick().0.abs_diff(tick.0);
            let (first, last) = (self.kept.first().map_or(0, far), self.kept.last().map_or(0, far));
            self.kept.remove(if first > last { 0 } else { self.kept.len() - 1 });
        }
    }

    /// The events of a tick, from memory or the database.
    fn tick(&mut self, tick: u64, reach: &Reach) -> Result<Arc<TickEvents>, String> {
        if let Some(events) = self.cache.get(&tick) {
            return Ok(events.clone());
        }
        let size = chunk(reach);
        let from = tick / size * size;
        // A simulation that runs may get further ticks: only whole ones are read.
        let to = (from + size - 1).min(reach.stored.saturating_sub(1)).max(tick);
        let mut read = self.tape.events(from, to)?.into_iter().peekable();
        for tick in from..=to {
            let (mut rows, mut events) = (Vec::new(), Vec::new());
            while let Some((row, event)) = read.next_if(|(row, _)| row.tick == tick) {
                rows.push(row);
                events.push(event);
            }
            self.cached += events.len();
            if let Some(before) = self.cache.insert(tick, Arc::new(TickEvents { events, rows: rows.into() }))
            {
                self.cached -= before.events.len();
            }
        }
        self.forget(from, to);
        Ok(self.cache.get(&tick).cloned().unwrap_or_default())
    }

    /// Forgets the events farthest from these ticks.
    fn forget(&mut self, from: u64, to: u64) {
        while self.cached > CACHED || self.cache.len() > CACHED {
            let (Some(first), Some(last)) = (self.cache.keys().next(), self.cache.keys().next_back()) else {
                return;
            };
            let far = if from.saturating_sub(*first) > last.saturating_sub(to) { *first } else { *last };
            if (from..=to).contains(&far) {
                return;
            }
            self.cached -= self.cache.remove(&far).map_or(0, |tape| tape.events.len());
        }
    }

    /// Balances and numbers of events over the whole run. Goes on from where it was asked for last.
    ///
    /// # Errors
    ///
    /// Events that cannot be read or do not fit.
    pub fn course(&mut self, reach: &Reach, stop: &Stop) -> Result<Course, String> {
        let stride = reach.ticks.max(reach.stored).div_ceil(SAMPLES).max(1);
        let before = self.course.take().filter(|before| before.stride == stride);
        let mut drawn = before.unwrap_or_else(|| Drawn::new(self.scenario.clone(), stride));
        while drawn.next() < reach.stored {
            if stop.is_set() {
                self.course = Some(drawn);
                return Err("stopped".into());
            }
            self.advance(&mut drawn, reach)?;
            drawn.sample();
        }
        let course = drawn.course(reach);
        self.course = Some(drawn);
        Ok(course)
    }

    /// Brings the state to the end of the next sample's tick; of a long run only about there, by the
    /// states that are stored: a chart needs no more.
    fn advance(&mut self, drawn: &mut Drawn, reach: &Reach) -> Result<(), String> {
        let complete = drawn.next() + 1;
        if reach.events > FOLDED {
            if let Some(state) = self.tape.snapshot(drawn.state.tick().0 + 1..=complete)? {
                drawn.state = state;
            }
            return Ok(());
        }
        while drawn.state.tick().0 < complete {
            let tick = drawn.state.tick().0;
            let events = self.tick(tick, reach)?;
            fold_tick(&mut drawn.state, tick, &events.events)?;
        }
        Ok(())
    }

    fn shown(&self, state: &State, events: Arc<[EventRow]>, place: (u64, usize), reach: &Reach) -> Moment {
        let (tick, applied) = place;
        let names = &self.scenario.names;
        let queued = |payment: &Payment| QueueRow {
            payment: payment.id.to_string(),
            sender: names.bank(payment.sender).to_owned(),
            receiver: names.bank(payment.receiver).to_owned(),
            amount: payment.remaining,
            priority: payment.priority,
            deadline: payment.deadline.0,
            overdue: payment.is_overdue(),
            note: note(payment),
        };
        Moment {
            tick,
            applied,
            day: self.scenario.calendar.day(Tick(tick)).0,
            tick_in_day: self.scenario.calendar.tick_in_day(Tick(tick)),
            last_tick: reach.stored.saturating_sub(1),
            ticks: reach.ticks,
            status: reach.status,
            title: reach.title.clone(),
            banks: names.banks().map(|bank| self.bank_row(state, bank)).collect(),
            queue1: names.banks().flat_map(|bank| state.queue1(bank).map(queued)).collect(),
            queue2: state.queue2().map(queued).collect(),
            events,
        }
    }

    fn bank_row(&self, state: &State, bank: BankIdx) -> BankRow {
        let position = state.position(bank);
        let figures = state.bank(bank);
        let costs = |costs: &Costs| costs.total().unwrap_or(Cents::MAX);
        let cost = figures.map_or(Cents::ZERO, |figures| costs(&figures.run_costs));
        let changed = figures.filter(|figures| figures.changed);
        BankRow {
            bank: self.scenario.names.bank(bank).to_owned(),
            balance: position.balance,
            change: changed.map_or(Cents::ZERO, |was| position.balance.saturating_sub(was.before.balance)),
            credit_used: position.credit_used(),
            credit_line: position.credit_line(),
            collateral: position.posted,
            queue1: state.queue1_len(bank) as u64,
            queue1_value: state.queue1_value(bank),
            queue2: state.queue2_len(bank) as u64,
            queue2_value: state.queue2_value(bank),
            cost,
            cost_change: changed.map_or(Cents::ZERO, |was| cost.saturating_sub(costs(&was.before.run_costs))),
        }
    }
}

/// A course as far as it is drawn.
struct Drawn {
    stride: u64,
    state: State,
    balances: Vec<Vec<i64>>,
    density: Vec<u64>,
    counted: u64,
}

impl Drawn {
    fn new(scenario: Arc<Scenario>, stride: u64) -> Self {
        let balances = scenario.banks.iter().map(|_| Vec::new()).collect();
        Self { stride, state: State::new(scenario), balances, density: Vec::new(), counted: 0 }
    }

    /// The tick of the next sample.
    const fn next(&self) -> u64 {
        (self.density.len() as u64).saturating_mul(self.stride)
    }

    fn sample(&mut self) {
        for (values, bank) in self.balances.iter_mut().zip(self.state.banks()) {
            values.push(bank.balance.get());
        }
        self.density.push(self.state.sequence().saturating_sub(self.counted));
        self.counted = self.state.sequence();
    }

    fn course(&self, reach: &Reach) -> Course {
        let names = self.state.scenario().names.clone();
        let balances =
            names.ids().iter().zip(&self.balances).map(|(id, values)| (id.to_string(), values.clone()));
        let mut density = self.density.clone();
        // What is not simulated yet has no events, so that the scrubber keeps its scale.
        density.resize(reach.ticks.max(reach.stored).div_ceil(self.stride) as usize, 0);
        Course { stride: self.stride, balances: balances.collect(), density }
    }
}

/// Ticks that are read at once.
fn chunk(reach: &Reach) -> u64 {
    let per_tick = (reach.events / reach.stored.max(1)).max(1);
    (CHUNK / per_tick).clamp(1, 256)
}

fn fold_tick(state: &mut State, tick: u64, events: &[Event]) -> Result<(), String> {
    let fold = |state: &mut State| {
        state.begin_tick(Tick(tick))?;
        for event in events {
            state.apply(event)?;
        }
        state.end_tick()
    };
    fold(state).map_err(|error| error.to_string())
}

/// What else is known of a payment in a queue.
fn note(payment: &Payment) -> String {
    match (payment.held_back, &payment.submission) {
        (Some(held), _) => match held.until {
            Some(tick) => format!("held until {tick}"),
            None => "held back".to_owned(),
        },
        (None, Some(submission)) => submission.class.name().to_owned(),
        (None, None) => {
            let mut reason = String::new();
            if let Some(hold) = &payment.hold {
                hold.write_text(&mut reason);
            }
            reason
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;
    use crate::engine::Simulation;
    use crate::event::write_line;
    use crate::scenario::Overrides;
    use crate::sources::load_scenario;

    /// A tape in memory that counts how often it is read.
    struct Memory {
        events: Vec<(EventRow, Event)>,
        reads: usize,
        states: Vec<State>,
        states_read: usize,
    }

    impl Tape for Memory {
        fn events(&mut self, from: u64, to: u64) -> Result<Vec<(EventRow, Event)>, String> {
            self.reads += 1;
            Ok(self.events.iter().filter(|(row, _)| (from..=to).contains(&row.tick)).cloned().collect())
        }

        fn snapshot(&mut self, complete: RangeInclusive<u64>) -> Result<Option<State>, String> {
            let found = self.states.iter().rfind(|state| complete.contains(&state.tick().0)).cloned();
            self.states_read += usize::from(found.is_some());
            Ok(found)
        }

        fn tick_of(&mut self, sequence: u64) -> Result<Option<u64>, String> {
            Ok(self.events.iter().find(|(row, _)| row.sequence == sequence).map(|(row, _)| row.tick))
        }
    }

    fn recorded(case: &str) -> (Session<Memory>, Reach, Arc<Scenario>) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(case);
        let path = folder.join("scenario.yaml");
        let argument = path.to_string_lossy();
        let scenario = load_scenario(&argument, &Overrides::default()).unwrap().resolved;
        let mut simulation = Simulation::new(scenario.clone());
        let ticks = scenario.calendar.end().0;
        let mut events = Vec::new();
        for tick in 0..ticks {
            for event in simulation.step().unwrap() {
                let (sequence, mut line) = (events.len() as u64, String::new());
                write_line(sequence, Tick(tick), event, &scenario.names, &mut line);
                let kind = event.type_name().to_owned();
                events.push((EventRow { sequence, tick, kind, line }, event.clone()));
            }
        }
        let reach = Reach {
            title: case.into(),
            status: Status::Completed,
            stored: ticks,
            ticks,
            events: events.len() as u64,
        };
        let session =
            Session::new(scenario.clone(), Memory { events, reads: 0, states: Vec::new(), states_read: 0 });
        (session, reach, scenario)
    }

    const CASES: [&str; 3] =
        ["arrivals-bands-mixed-agents", "arrivals-uniform-two-agents", "collateral-adjustment-event"];

    #[test]
    fn every_moment_is_the_same_from_whichever_side_it_is_reached() {
        for case in CASES {
            let (mut session, reach, scenario) = recorded(case);
            let stop = Stop::default();
            let forward: Vec<Moment> = (0..reach.stored)
                .map(|tick| session.moment(Seek::Tick(tick), &reach, &stop).unwrap())
                .collect();
            for (tick, expected) in forward.iter().enumerate().rev() {
                assert_eq!(session.moment(Seek::Tick(tick as u64), &reach, &stop).as_ref(), Ok(expected));
            }
            let (other, ..) = recorded(case);
            let mut fresh = Session::new(scenario, other.tape);
            let end = fresh.moment(Seek::End, &reach, &stop);
            assert_eq!(end.as_ref(), Ok(forward.last().unwrap()), "{case}");
        }
    }

    #[test]
    fn events_of_a_tick_lead_from_one_tick_to_the_next() {
        let (mut session, reach, _) = recorded(CASES[0]);
        let stop = Stop::default();
        for tick in 1..reach.stored {
            let before = session.moment(Seek::Tick(tick - 1), &reach, &stop).unwrap();
            let start = session.moment(Seek::Event(tick, 0), &reach, &stop).unwrap();
            let balances = |moment: &Moment| moment.banks.iter().map(|bank| bank.balance).collect::<Vec<_>>();
            assert_eq!(balances(&start), balances(&before), "tick {tick}");
            let events = start.events.len();
            let all = session.moment(Seek::Event(tick, usize::MAX), &reach, &stop).unwrap();
            assert_eq!(all.applied, events);
            assert_eq!(Ok(all), session.moment(Seek::Tick(tick), &reach, &stop));
            if let Some(event) = start.events.get(events / 2) {
                let moment = session.moment(Seek::Sequence(event.sequence), &reach, &stop).unwrap();
                assert_eq!((moment.tick, moment.applied), (tick, events / 2 + 1));
            }
        }
    }

    #[test]
    fn stepping_reads_each_event_once() {
        let (mut session, reach, _) = recorded(CASES[0]);
        for tick in (0..reach.stored).chain((0..reach.stored).rev()) {
            session.moment(Seek::Tick(tick), &reach, &Stop::default()).unwrap();
        }
        assert!(session.tape.reads <= 1 + (reach.events / CHUNK) as usize, "{} reads", session.tape.reads);
    }

    #[test]
    fn the_course_ends_where_the_replay_ends() {
        for case in CASES {
            let (mut session, reach, _) = recorded(case);
            let course = session.course(&reach, &Stop::default()).unwrap();
            let end = session.moment(Seek::End, &reach, &Stop::default()).unwrap();
            assert_eq!(course.stride, 1);
            for ((_, values), bank) in course.balances.iter().zip(&end.banks) {
                assert_eq!(values.last(), Some(&bank.balance.get()));
            }
            assert_eq!(course.density.iter().sum::<u64>(), reach.events);
            let part = Reach { stored: reach.stored / 2, ..reach.clone() };
            let (other, ..) = recorded(case);
            let mut growing = Session::new(session.scenario.clone(), other.tape);
            assert_ne!(growing.course(&part, &Stop::default()), Ok(course.clone()));
            assert_eq!(growing.course(&reach, &Stop::default()), Ok(course), "it goes on where it was");
        }
    }

    #[test]
    fn the_course_of_a_long_run_reads_each_stored_state_once() {
        let (mut session, reach, _) = recorded(CASES[0]);
        let stop = Stop::default();
        let stored: Vec<State> =
            (1..reach.stored).step_by(10).map(|tick| session.before(tick, &reach, &stop).unwrap()).collect();
        let long = Reach { events: FOLDED + 1, ..reach };
        let (mut fresh, ..) = recorded(CASES[0]);
        fresh.tape.states.clone_from(&stored);
        let course = fresh.course(&long, &stop).unwrap();
        assert_eq!(course.density.len() as u64, long.stored);
        assert_eq!(fresh.tape.states_read, stored.len(), "of {} samples", long.stored);
    }

    #[test]
    fn a_simulation_without_ticks_shows_its_start() {
        let (mut session, reach, _) = recorded(CASES[1]);
        let empty = Reach { stored: 0, events: 0, status: Status::Running, ..reach };
        let moment = session.moment(Seek::End, &empty, &Stop::default()).unwrap();
        assert_eq!((moment.tick, moment.applied, moment.events.len()), (0, 0, 0));
        assert_eq!(moment.banks.len(), 2);
    }
}
