//! A world that answers every question at once, from a few made-up rows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::runs::{conversation, detail, policy, run_row};
use super::stories;
use crate::experiment::extent::{Asked, Extent};
use crate::experiment::file::Mode;
use crate::explorer::draw::draw;
use crate::explorer::key::Key;
use crate::explorer::look::Look;
use crate::explorer::message::{Answer, Batch, Effect, From, JobId, Message, Page, Query, Ticket};
use crate::explorer::rows::{
    BankRow, Course, EventRow, ExperimentSettings, JobReport, Kept, Kind, LibraryItem, Moment, Overview,
    Persist, Plan, Progress, QueueRow, Row, RunRow, Seek, SimulationRow, Status, Subject, Trial,
};
use crate::explorer::state::State;
use crate::explorer::update::{begin, update};
use crate::money::Cents;

pub const TICKS: u64 = 12;
const EVENTS_PER_TICK: u64 = 4;

/// The explorer in its made-up world.
pub struct World {
    pub state: State,
    pub effects: Vec<Effect>,
    /// Questions that wait; answered by [`World::settle`].
    pub asked: Vec<(Ticket, Query)>,
    pub empty: bool,
    /// Runs that are recorded.
    pub runs: u64,
    /// What a run is, if it is a sweep.
    pub sweep: Option<Answer>,
}

impl World {
    pub fn new(look: Look) -> Self {
        Self::with(look, false)
    }

    /// With nothing recorded yet.
    pub fn fresh(look: Look) -> Self {
        Self::with(look, true)
    }

    fn with(look: Look, empty: bool) -> Self {
        let state = State::new(library(), "payment-sim.duckdb".into(), look);
        let mut world = Self { state, effects: Vec::new(), asked: Vec::new(), empty, runs: 2, sweep: None };
        let effects = begin(&mut world.state);
        world.take(effects);
        world.settle();
        world
    }

    /// Presses keys, each answered before the next: `j j Enter`.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ').filter(|key| !key.is_empty()) {
            self.press(key);
            self.settle();
        }
        self
    }

    /// Types a text, letter by letter.
    pub fn text(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            let key = if letter == ' ' { "Space".to_owned() } else { letter.to_string() };
            self.press(&key);
        }
        self.settle();
        self
    }

    /// Presses a key without answering what it asks.
    pub fn press(&mut self, key: &str) {
        let key = Key::parse(key).unwrap_or_else(|| panic!("no key `{key}`"));
        self.send(Message::Key(key));
    }

    pub fn send(&mut self, message: Message) {
        let effects = update(&mut self.state, message);
        self.take(effects);
    }

    pub fn report(&mut self, id: JobId, report: JobReport) {
        self.send(Message::Job(id, report));
        self.settle();
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask(_, ticket, query) => self.asked.push((ticket, query)),
                other => self.effects.push(other),
            }
        }
    }

    /// Answers what is asked, and what that asks.
    pub fn settle(&mut self) {
        while !self.asked.is_empty() {
            for (ticket, query) in std::mem::take(&mut self.asked) {
                let answer = match (&query, &self.sweep) {
                    (Query::Run(_), Some(sweep)) => Ok(sweep.clone()),
                    (Query::Runs(wanted), _) if !self.empty => {
                        Ok(Answer::Runs(page(&runs(self.runs), wanted)))
                    }
                    _ => answer(&query, self.empty),
                };
                self.send(Message::Answer(ticket, answer));
            }
        }
    }

    /// The screen as text, line by line without trailing blanks.
    pub fn screen(&mut self, width: u16, height: u16) -> String {
        self.state.size = (width, height);
        let buffer = self.buffer(width, height);
        let lines = (0..height).map(|y| {
            let line: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
            line.trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    pub fn buffer(&self, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        draw(&self.state, area, &mut buffer);
        buffer
    }
}

fn library() -> Vec<LibraryItem> {
    let item =
        |kind, name: &str, question: &str| LibraryItem { kind, name: name.into(), question: question.into() };
    vec![
        item(
            Kind::Experiment,
            "two-period-game",
            "How much liquidity do two banks set aside when each waits for the other?",
        ),
        item(
            Kind::Experiment,
            "three-period-dilemma",
            "Why do both banks end up with more liquidity than they would need together?",
        ),
        item(
            Kind::Scenario,
            "gridlock-ring",
            "Can five banks pay each other round a ring when none has money?",
        ),
        item(Kind::Scenario, "two-banks", "What happens to two banks that pay each other?"),
        item(Kind::Policy, "cautious", "Release only what the balance covers."),
    ]
}

/// So many runs, newest first.
fn runs(count: u64) -> Vec<RunRow> {
    let older = |number: u64| {
        let id = match number {
            1 => "two-period-game-20261031-090000-9f8e7d".to_owned(),
            _ => format!("two-period-game-20261030-090000-{number:06}"),
        };
        RunRow { id, ..run_row() }
    };
    std::iter::once(run_row()).chain((1..).map(older)).take(count as usize).collect()
}

fn simulation_row(number: u64) -> SimulationRow {
    let failed = number == 3;
    SimulationRow {
        id: format!("sim-{number:08x}"),
        title: if number.is_multiple_of(2) { "two-banks".into() } else { "gridlock-ring".into() },
        purpose: if number == 1 { "eval".into() } else { "cli".into() },
        run: (number == 1).then(|| run_row().id),
        iteration: (number == 1).then_some(2),
        agent: None,
        sample: None,
        seed: 42 + number,
        status: if failed { Status::Failed } else { Status::Completed },
        ticks_stored: if failed { 5 } else { TICKS },
        ticks: TICKS,
        events: TICKS * EVENTS_PER_TICK,
        cost: Some(Cents(123_456 * number as i64)),
        settlement_rate: Some(0.973),
        started: format!("2026-11-01 10:{number:02}:00"),
        started_at: -(number as i64),
        error: failed.then(|| "tick 5: the balance of BANK_A would leave 64 bits".into()),
        note: (number == 1).then(|| "the policy of the paper #paper".into()),
    }
}

pub fn event(sequence: u64) -> EventRow {
    let tick = sequence / EVENTS_PER_TICK;
    let payment = format!("tx-{:06}", tick + 1);
    let (kind, rest) = match sequence % EVENTS_PER_TICK {
        0 => (
            "Arrival",
            format!(
                r#""tx_id":"{payment}","sender_id":"BANK_A","receiver_id":"BANK_B","amount":125000,"deadline":{},"priority":5,"is_divisible":false,"parent_tx_id":null"#,
                tick + 5
            ),
        ),
        1 => ("PolicySubmit", format!(r#""agent_id":"BANK_A","tx_id":"{payment}""#)),
        2 => (
            "RtgsImmediateSettlement",
            format!(
                r#""tx_id":"{payment}","sender":"BANK_A","receiver":"BANK_B","amount":125000,"sender_balance_before":500000,"sender_balance_after":375000"#
            ),
        ),
        _ => (
            "CostAccrual",
            r#""agent_id":"BANK_B","costs":{"liquidity_cost":0,"delay_cost":250,"total":250}"#.to_owned(),
        ),
    };
    let line = format!(r#"{{"sequence":{sequence},"event_type":"{kind}","tick":{tick},{rest}}}"#);
    EventRow { sequence, tick, kind: kind.into(), line }
}

fn bank(name: &str, balance: i64, change: i64) -> BankRow {
    BankRow {
        bank: name.into(),
        balance: Cents(balance),
        change: Cents(change),
        credit_used: Cents((-balance).max(0)),
        credit_line: Cents(1_000_000),
        collateral: Cents(200_000),
        queue1: 1,
        queue1_value: Cents(80_000),
        queue2: 1,
        queue2_value: Cents(90_000),
        cost: Cents(1_250),
        cost_change: Cents(250),
    }
}

fn queued(number: u64, note: &str) -> QueueRow {
    QueueRow {
        payment: format!("tx-{number:06}"),
        sender: if number.is_multiple_of(2) { "BANK_A".into() } else { "BANK_B".into() },
        receiver: if number.is_multiple_of(2) { "BANK_B".into() } else { "BANK_A".into() },
        amount: Cents(80_000 + number as i64),
        priority: 5,
        deadline: 3 + number,
        overdue: number == 2,
        note: note.into(),
    }
}

pub fn moment(seek: Seek) -> Moment {
    let all = EVENTS_PER_TICK as usize;
    let (tick, applied) = match seek {
        Seek::Tick(tick) => (tick.min(TICKS - 1), all),
        Seek::Event(tick, applied) => (tick.min(TICKS - 1), applied.min(all)),
        Seek::Sequence(sequence) => (sequence / EVENTS_PER_TICK, (sequence % EVENTS_PER_TICK) as usize + 1),
        Seek::End => (TICKS - 1, all),
    };
    let paid = tick as i64 * 125_000 + if applied > 2 { 125_000 } else { 0 };
    Moment {
        tick,
        applied,
        day: 0,
        tick_in_day: tick,
        last_tick: TICKS - 1,
        ticks: TICKS,
        status: Status::Completed,
        title: "two-banks".into(),
        banks: vec![bank("BANK_A", 500_000 - paid, -125_000), bank("BANK_B", 500_000 + paid, 125_000)],
        queue1: vec![queued(20, ""), queued(21, "held until 14")],
        queue2: vec![queued(2, "Urgent"), queued(4, "Normal"), queued(5, "Normal")],
        events: (tick * EVENTS_PER_TICK..(tick + 1) * EVENTS_PER_TICK).map(event).collect(),
    }
}

pub fn subject(name: &str) -> Result<Subject, String> {
    let experiment = match name {
        "library:two-banks" | "library:gridlock-ring" => None,
        "library:two-period-game" => Some(ExperimentSettings {
            mode: "bootstrap".into(),
            iterations: 25,
            samples: 10,
            proposer: "script:steps.yaml".into(),
            persist: Persist::Primary,
            workers: 2,
            optimized: vec!["BANK_A".into(), "BANK_B".into()],
            sweep: None,
            extent: Extent {
                mode: Mode::Bootstrap,
                agents: 2,
                iterations: 25,
                samples: 10,
                proposer: Some(Asked::Script),
                calls: 3,
                baselines: true,
                sweep: None,
            },
        }),
        _ => return Err(format!("`{name}`: there is no such file")),
    };
    Ok(Subject {
        kind: if experiment.is_some() { Kind::Experiment } else { Kind::Scenario },
        name: name.trim_start_matches("library:").into(),
        description: "Two banks choose how much liquidity to set aside.".into(),
        seed: "42".into(),
        banks: 2,
        ticks: TICKS,
        trial: Some(Trial { ticks: TICKS, events: TICKS * EVENTS_PER_TICK, seconds: 0.006 }),
        experiment,
        warnings: vec!["unknown key `retreis`; did you mean `retries`?".into()],
    })
}

/// A job's plan, for tests that start at its report.
pub fn plan(title: &str) -> Plan {
    Plan {
        source: format!("library:{title}"),
        kind: Kind::Scenario,
        title: title.into(),
        seed: "42".into(),
        ticks: Some(TICKS),
        experiment: None,
    }
}

pub fn half_way() -> JobReport {
    JobReport::Progress(Progress {
        part: 0.5,
        stage: "iteration 12 of 25".into(),
        simulations: 60,
        ticks_per_second: 12_345.0,
        elapsed_seconds: 30.0,
    })
}

/// The page of a list that is at hand as a whole.
fn page<R: Row + Clone>(rows: &[R], page: &Page<R::Key>) -> Batch<R> {
    let place = |key: &R::Key| rows.iter().position(|row| row.key() == *key).unwrap_or(0);
    let (from, to) = match &page.from {
        From::First => (0, page.limit),
        From::Last => (rows.len().saturating_sub(page.limit), rows.len()),
        From::After(key) => (place(key) + 1, place(key) + 1 + page.limit),
        From::Before(key) => (place(key).saturating_sub(page.limit), place(key)),
        From::Around(key) => (place(key).saturating_sub(page.limit / 2), place(key) + page.limit / 2),
    };
    let to = to.min(rows.len());
    Batch {
        rows: rows[from.min(to)..to].to_vec(),
        more_before: from > 0,
        more_after: to < rows.len(),
        total: rows.len() as u64,
    }
}

fn answer(query: &Query, empty: bool) -> Result<Answer, String> {
    let events = || (0..TICKS * EVENTS_PER_TICK).map(event);
    let passes = |event: &EventRow, filter: &crate::explorer::filter::EventFilter| {
        (filter.kinds.is_empty() || filter.kinds.contains(&event.kind))
            && filter.text.as_ref().is_none_or(|text| event.line.contains(text.as_str()))
            && filter.bank.as_ref().is_none_or(|bank| event.line.contains(bank.as_str()))
    };
    Ok(match query {
        Query::Overview if empty => Answer::Overview(Overview::default()),
        Query::Overview => Answer::Overview(Overview {
            runs: vec![run_row()],
            run_count: 1,
            simulation_count: 5,
            event_count: 12_345_678,
        }),
        Query::Runs(wanted) => Answer::Runs(page(&[], wanted)),
        Query::Run(_) => Answer::Run((!empty).then(|| Box::new(detail()))),
        Query::Payment(_, payment) => Answer::Payment(Box::new(stories::payment(payment))),
        Query::Bank(..) => Answer::Bank(Box::new(stories::bank())),
        Query::Compare(couple) => Answer::Comparison(Box::new(stories::comparison(couple))),
        Query::Divergence(..) => Answer::Divergence(stories::divergence()),
        Query::Statement(text) => return stories::statement(text).map(Answer::Statement),
        Query::Places(simulation) => Answer::Places(stories::places(simulation.as_deref())),
        Query::Kept(shelf) => Answer::Kept(stories::kept(*shelf)),
        Query::Forget(key) => {
            let others = |kept: &Kept| kept.key != *key;
            Answer::Kept(stories::kept(key.shelf()).into_iter().filter(others).collect())
        }
        Query::Note(link) => Answer::Note(link.clone(), stories::note(link)),
        Query::Annotate(..) => Answer::Done("noted: gn lists all notes".into()),
        Query::KeepFilter(_, name, _) => Answer::Done(format!("kept as `{name}`: gf lists the filters")),
        Query::Keep(label, _) if label == "full" => return Err("the disk is full".into()),
        Query::Keep(..) => Answer::Done("kept: ' lists what is kept".into()),
        Query::Export(_, file) => Answer::Done(format!("48 rows written to {file}")),
        Query::Summary(_) => Answer::Summary(Some(stories::summary())),
        Query::Nothing => Answer::Nothing,
        Query::Conversation(..) => Answer::Conversation(conversation()),
        Query::Policies(wanted) => Answer::Policies(wanted.iter().map(policy).collect()),
        Query::Simulations(filter, wanted) => {
            let rows: Vec<_> = (0..if empty { 0 } else { 5 })
                .map(simulation_row)
                .filter(|row| filter.run.is_none() || row.run == filter.run)
                .filter(|row| filter.status.is_none_or(|status| row.status == status))
                .collect();
            Answer::Simulations(page(&rows, wanted))
        }
        Query::Events(_, filter, wanted) => {
            let rows: Vec<_> = events().filter(|event| passes(event, filter)).collect();
            Answer::Events(page(&rows, wanted))
        }
        Query::FindEvent { filter, from, forward, .. } => {
            let mut rows: Vec<_> = events().filter(|event| passes(event, filter)).collect();
            if !forward {
                rows.reverse();
            }
            let beyond = |event: &EventRow| {
                from.is_none_or(|from| if *forward { event.sequence > from } else { event.sequence < from })
            };
            Answer::Found(rows.into_iter().find(beyond))
        }
        Query::Moment(_, seek) => Answer::Moment(Box::new(moment(*seek))),
        Query::Course(_) => Answer::Course(Course {
            stride: 1,
            balances: vec![
                ("BANK_A".into(), (0..TICKS as i64).map(|tick| 375_000 - tick * 125_000).collect()),
                ("BANK_B".into(), (0..TICKS as i64).map(|tick| 625_000 + tick * 125_000).collect()),
            ],
            density: (0..TICKS).map(|tick| tick % 5).collect(),
        }),
        Query::Inspect(name) => return subject(name).map(|subject| Answer::Subject(Box::new(subject))),
    })
}
