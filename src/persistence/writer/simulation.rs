//! What the writer knows of a simulation while it runs.

use std::fmt::Write as _;

use super::buffer::Buffer;
use super::checkpoints::{Checkpoints, Reason};
use super::derived::{self, Derived};
use super::{Buffers, End, Ending};
use crate::event::{ConcernLists, Details, Digest, Event, SettlementId, sha256_hex};
use crate::ids::Names;
use crate::metrics::Totals;
use crate::money::Cents;
use crate::persistence::provider::{SimulationStart, TickRecord};
use crate::persistence::reference::REFERENCE;
use crate::persistence::{Moment, Status};
use crate::replay::Doubts;
use crate::text::write_quoted;
use crate::time::Tick;

/// What is stored of a simulation, or will be with the next commit.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    pub status: Status,
    pub last_tick: Option<u64>,
    pub event_count: u64,
    pub event_digest: String,
    pub ended: Option<Ended>,
}

/// The columns that a simulation gets at its end.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub at: Moment,
    pub totals: Option<Totals>,
    pub duration_seconds: Option<f64>,
    pub error: Option<String>,
}

/// A simulation on the writer's side.
pub(super) struct Simulation {
    pub start: SimulationStart,
    pub started_at: Moment,
    /// Whether its row is committed.
    pub stored: bool,
    /// Whether something waits for the next commit.
    pub waits: bool,
    pub progress: Progress,
    pub checkpoints: Checkpoints,
    digest: Digest,
    derived: Derived,
    line: Line,
}

impl Simulation {
    pub(super) fn new(start: SimulationStart, started_at: Moment) -> Self {
        let derived = Derived::new(start.scenario.clone());
        let digest = Digest::default();
        let progress = Progress {
            status: Status::Running,
            last_tick: None,
            event_count: 0,
            event_digest: digest.hex(),
            ended: None,
        };
        Self {
            start,
            started_at,
            stored: false,
            waits: true,
            progress,
            checkpoints: Checkpoints::default(),
            digest,
            derived,
            line: Line::default(),
        }
    }

    /// One whose row is stored and that goes on after its last tick.
    pub(super) fn going_on(
        start: SimulationStart,
        started_at: Moment,
        digest: Digest,
        derived: Derived,
    ) -> Self {
        let state = derived.state();
        let progress = Progress {
            status: Status::Running,
            last_tick: state.last_tick().map(|tick| tick.0),
            event_count: state.sequence(),
            event_digest: digest.hex(),
            ended: None,
        };
        Self {
            start,
            started_at,
            stored: true,
            waits: false,
            progress,
            checkpoints: Checkpoints::perhaps_stored(),
            digest,
            derived,
            line: Line::default(),
        }
    }

    /// Makes the rows of a tick.
    ///
    /// # Errors
    ///
    /// The events do not fit together; nothing of the tick is kept then.
    pub(super) fn tick(&mut self, record: TickRecord, buffers: &mut Buffers) -> Result<(), String> {
        let id = self.start.simulation_id.as_str();
        let scenario = &self.start.scenario;
        let day = scenario.calendar.day(record.tick).0;
        self.derived.tick(id, record.tick, &record.events, buffers)?;
        let mut sequence = record.first_sequence;
        for event in record.events.iter() {
            self.line.write(sequence, record.tick.0, event, &scenario.names);
            self.digest.line(&self.line.text);
            self.line.push_row(id, sequence, record.tick.0, day, event, &scenario.names, &mut buffers.events);
            sequence += 1;
        }
        self.progress.last_tick = Some(record.tick.0);
        self.progress.event_count = sequence;
        self.waits = true;
        if let Some(checkpoint) = record.checkpoint {
            self.checkpoints.push(record.tick, sequence, Reason::Auto, checkpoint);
        }
        Ok(())
    }

    /// Takes the end; the rows of what is still open go with it.
    pub(super) fn end(&mut self, end: End, buffers: &mut Buffers) {
        let End { status, duration_seconds, error, checkpoint } = end;
        if let Some((checkpoint, tick)) = checkpoint.zip(self.progress.last_tick) {
            self.checkpoints.push(Tick(tick), self.progress.event_count, Reason::Final, checkpoint);
        }
        let totals = self.derived.close(&self.start.simulation_id, buffers);
        self.progress.status = status;
        self.progress.ended = Some(Ended {
            at: Moment::now().max(self.started_at),
            totals,
            duration_seconds: Some(duration_seconds),
            error,
        });
        self.waits = true;
    }

    /// Takes the end of a simulation that is taken over; what its database says goes before the fold.
    pub(super) fn end_as_stored(&mut self, ending: Ending, buffers: &mut Buffers) {
        let count = |stored: i64| u64::try_from(stored).unwrap_or(0);
        let totals = self.derived.close(&self.start.simulation_id, buffers).map(|folded| Totals {
            total_arrivals: ending.arrivals.map_or(folded.total_arrivals, count),
            total_settlements: ending.settlements.map_or(folded.total_settlements, count),
            total_cost: ending.cost.map_or(folded.total_cost, Cents),
            ..folded
        });
        self.progress.status = ending.status;
        self.progress.ended = Some(Ended {
            at: ending.ended_at.unwrap_or(self.started_at),
            totals,
            duration_seconds: ending.duration_seconds,
            error: ending.error,
        });
    }

    pub(super) const fn doubts(&self) -> &Doubts {
        self.derived.doubts()
    }

    /// Nothing of it could be stored but that it failed.
    pub(super) fn fail_at_start(&mut self, at: Moment, error: &str) {
        self.progress.status = Status::Failed;
        let error = Some(error.to_owned());
        self.progress.ended = Some(Ended { at, totals: None, duration_seconds: Some(0.0), error });
    }

    /// Brings the digest's text up to date; made once a commit.
    pub(super) fn seal(&mut self) {
        self.progress.event_digest = self.digest.hex();
    }

    /// The rows of `policy_snapshots`.
    pub(super) fn push_policies(&self, buffer: &mut Buffer) {
        for policy in &self.start.policies {
            buffer
                .text(&self.start.simulation_id)
                .text(&policy.agent)
                .count(0)
                .count(0)
                .text(&sha256_hex(&policy.policy_json))
                .text(&policy.policy_json)
                .text(policy.created_by.name())
                .end_row();
        }
    }

    /// The row of `simulations` as it stands.
    pub(super) fn push_row(&self, buffer: &mut Buffer) {
        let start = &self.start;
        let calendar = start.scenario.calendar;
        let context = start.experiment.as_ref();
        buffer
            .text(&start.simulation_id)
            .text(&start.config_file)
            .text(&start.config_name)
            .maybe_text(start.description.as_deref())
            .text(&sha256_hex(&start.config_json))
            .text(&start.config_json)
            .seed(start.scenario.seed)
            .count(calendar.ticks_per_day)
            .count(calendar.num_days)
            .count(start.scenario.banks.len() as u64)
            .count(start.num_ticks)
            .text(self.progress.status.name())
            .maybe_text(context.map(|context| context.run_id.as_str()))
            .maybe_small(context.map(|context| context.iteration))
            .maybe_text(context.map(|context| context.purpose.name()))
            .maybe_text(context.and_then(|context| context.agent.as_deref()))
            .maybe_small(context.and_then(|context| context.sample))
            .maybe_time(Some(self.started_at));
        let ended = self.progress.ended.as_ref();
        buffer
            .maybe_time(ended.map(|ended| ended.at))
            .maybe_count(self.progress.last_tick)
            .count(self.progress.event_count)
            .text(&self.progress.event_digest);
        let totals = ended.and_then(|ended| ended.totals.as_ref());
        for figure in derived::integers(totals) {
            buffer.maybe_int(figure);
        }
        buffer
            .maybe_double(totals.map(|totals| totals.avg_delay_ticks))
            .maybe_count(totals.map(|totals| totals.max_delay_ticks))
            .maybe_int(totals.map(|totals| totals.peak_overdraft.0))
            .maybe_double(ended.and_then(|ended| ended.duration_seconds))
            .maybe_double(self.progress.ticks_per_second())
            .maybe_text(ended.and_then(|ended| ended.error.as_deref()))
            .text(if start.scenario.names.of_reference() { REFERENCE } else { env!("CARGO_PKG_VERSION") })
            .end_row();
    }
}

impl Progress {
    /// Stored ticks divided by the wall time; 0 if that is 0.
    pub(super) fn ticks_per_second(&self) -> Option<f64> {
        let ticks = self.last_tick.map_or(0, |tick| tick + 1) as f64;
        let seconds = self.ended.as_ref()?.duration_seconds?;
        Some(if seconds > 0.0 { ticks / seconds } else { 0.0 })
    }
}

/// The texts of one event; its parts serve the line of the digest and the row alike.
#[derive(Default)]
struct Line {
    text: String,
    details: String,
    payment: String,
}

impl Line {
    /// Writes the event line, which is made of the columns of its row.
    fn write(&mut self, sequence: u64, tick: u64, event: &Event, names: &Names) {
        self.details.clear();
        self.payment.clear();
        self.text.clear();
        Details::write(event, names, &mut self.details);
        let text = &mut self.text;
        // Writing to a text cannot fail.
        let _ = write!(text, "{{\"sequence\":{sequence},\"event_type\":");
        write_quoted(event.type_name(), text);
        let _ = write!(text, ",\"tick\":{tick}");
        if let Some(bank) = event.agent_name(names) {
            text.push_str(",\"agent_id\":");
            write_quoted(bank, text);
        }
        write_payment_of(event, names, &mut self.payment);
        if !self.payment.is_empty() {
            text.push_str(",\"tx_id\":");
            write_quoted(&self.payment, text);
        }
        if self.details.len() > 2 {
            text.push(',');
            text.push_str(&self.details[1..]);
        } else {
            text.push('}');
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the columns of one row")]
    fn push_row(
        &self,
        id: &str,
        sequence: u64,
        tick: u64,
        day: u64,
        event: &Event,
        names: &Names,
        buffer: &mut Buffer,
    ) {
        let ConcernLists { banks, payments } = event.concerns(names);
        buffer
            .text(id)
            .count(sequence)
            .count(tick)
            .count(day)
            .text(event.type_name())
            .maybe_text(event.agent_name(names))
            .maybe_text(Some(self.payment.as_str()).filter(|id| !id.is_empty()))
            .texts(banks.iter().map(|bank| names.bank(*bank)))
            .texts(payments.iter().map(|payment| payment.name(names)))
            .text(&self.details)
            .commit_time()
            .end_row();
    }
}

/// Appends the value of the key `tx_id`, if the event has it.
fn write_payment_of(event: &Event, names: &Names, out: &mut String) {
    match (event, event.tx_id()) {
        (Event::Unread(unread), _) => out.push_str(unread.tx_id.as_deref().unwrap_or_default()),
        (_, Some(SettlementId::Payment(payment))) => crate::ids::write_payment(payment, out),
        (_, Some(scheduled)) => out.push_str(&scheduled.name(names)),
        (_, None) => {}
    }
}
