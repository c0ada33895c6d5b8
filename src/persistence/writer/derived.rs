//! What follows from the events of a simulation: payments, days, totals, snapshots.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Buffers;
use super::buffer::Buffer;
use crate::event::Event;
use crate::ids::Names;
use crate::metrics::{DailyRow, Ledger, TickOutcome, Totals, TransactionRow};
use crate::replay::{Doubts, SNAPSHOT_FORMAT, State};
use crate::scenario::Scenario;
use crate::text::panic_message;
use crate::time::Tick;

/// Fewest events between two snapshots.
const SNAPSHOT_EVENTS: u64 = 5_000;
/// Bytes of snapshot that one event pays for.
const SNAPSHOT_BYTES_PER_EVENT: u64 = 8;

/// The fold of a simulation's events on the writer's side.
pub(super) struct Derived {
    ledger: Ledger,
    last_snapshot: Option<(u64, u64)>,
    broken: bool,
}

impl Derived {
    pub(super) fn new(scenario: Arc<Scenario>) -> Self {
        Self { ledger: Ledger::new(scenario), last_snapshot: None, broken: false }
    }

    /// The fold of a simulation that goes on; of its last snapshot the events before it and the size.
    pub(super) const fn going_on(ledger: Ledger, last_snapshot: Option<(u64, u64)>) -> Self {
        Self { ledger, last_snapshot, broken: false }
    }

    /// The state after the events so far.
    pub(super) const fn state(&self) -> &State {
        self.ledger.state()
    }

    /// Takes a tick in and pushes the rows that follow from it.
    ///
    /// # Errors
    ///
    /// The events do not fit together; nothing is pushed, and nothing may follow.
    pub(super) fn tick(
        &mut self,
        id: &str,
        tick: Tick,
        events: &[Event],
        buffers: &mut Buffers,
    ) -> Result<(), String> {
        // A defect in the fold ends this simulation, not the writer.
        let folded = catch_unwind(AssertUnwindSafe(|| self.ledger.tick(tick, events)));
        let outcome = match folded {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => {
                self.broken = true;
                return Err(error.to_string());
            }
            Err(panic) => {
                self.broken = true;
                return Err(format!("internal error: {}", panic_message(&*panic)));
            }
        };
        push_closed(id, &outcome, &self.ledger.scenario().names, buffers);
        self.snapshot(id, &mut buffers.snapshots)
    }

    /// Pushes a snapshot if one is due (2.7).
    fn snapshot(&mut self, id: &str, buffer: &mut Buffer) -> Result<(), String> {
        let state = self.ledger.state();
        let (at, size) = self.last_snapshot.unwrap_or_default();
        let gap = SNAPSHOT_EVENTS.max(size / SNAPSHOT_BYTES_PER_EVENT);
        if state.sequence() - at < gap {
            return Ok(());
        }
        let Some(tick) = state.last_tick() else { return Ok(()) };
        let bytes = state.encode().map_err(|error| error.to_string())?;
        buffer
            .text(id)
            .count(tick.0)
            .count(state.sequence())
            .maybe_small(Some(SNAPSHOT_FORMAT))
            .bytes(&bytes)
            .end_row();
        self.last_snapshot = Some((state.sequence(), bytes.len() as u64));
        Ok(())
    }

    pub(super) const fn doubts(&self) -> &Doubts {
        self.ledger.state().doubts()
    }

    /// Pushes the rows of what is still open; gives the totals, unless the fold is broken.
    pub(super) fn close(&self, id: &str, buffers: &mut Buffers) -> Option<Totals> {
        (!self.broken).then(|| push_open(id, &self.ledger, buffers))
    }
}

/// Pushes the rows that a tick gives: of payments that settled, and of a day that ended.
pub(in crate::persistence) fn push_closed(
    id: &str,
    outcome: &TickOutcome,
    names: &Names,
    buffers: &mut Buffers,
) {
    push_transactions(id, &outcome.settled, names, &mut buffers.transactions);
    push_daily(id, &outcome.daily, names, &mut buffers.daily);
}

/// Pushes the rows of open payments and of the open day, as they are written at the end of
/// a simulation; gives its totals.
pub(in crate::persistence) fn push_open(id: &str, ledger: &Ledger, buffers: &mut Buffers) -> Totals {
    let names = &ledger.scenario().names;
    push_transactions(id, &ledger.open_transactions(), names, &mut buffers.transactions);
    push_daily(id, ledger.open_day(), names, &mut buffers.daily);
    ledger.totals()
}

fn push_transactions(id: &str, rows: &[TransactionRow], names: &Names, buffer: &mut Buffer) {
    for row in rows {
        buffer
            .text(id)
            .text(&row.tx_id.to_string())
            .text(names.bank(row.sender))
            .text(names.bank(row.receiver))
            .int(row.amount.0)
            .int(row.priority.into())
            .int(row.original_priority.into())
            .flag(row.is_divisible)
            .count(row.arrival_tick.0)
            .count(row.arrival_day.0)
            .count(row.deadline_tick.0)
            .maybe_count(row.settlement_tick.map(|tick| tick.0))
            .maybe_count(row.settlement_day.map(|day| day.0))
            .maybe_text(row.settled_by.map(crate::event::EventKind::name))
            .text(row.status.name())
            .text(row.place.name())
            .maybe_count(row.overdue_since_tick.map(|tick| tick.0))
            .maybe_count(row.drop_tick.map(|tick| tick.0))
            .maybe_text(row.drop_reason.as_deref())
            .int(row.amount_settled.0)
            .count(row.queue1_ticks)
            .count(row.queue2_ticks)
            .count(row.total_delay_ticks)
            .int(row.delay_cost.0)
            .int(row.penalty_cost.0)
            .maybe_text(row.parent_tx_id.map(|parent| parent.to_string()).as_deref())
            .maybe_count(row.split_index)
            .maybe_text(row.rtgs_priority.map(crate::event::RtgsPriority::name))
            .maybe_count(row.rtgs_submission_tick.map(|tick| tick.0))
            .maybe_text(row.declared_rtgs_priority.map(crate::event::RtgsPriority::name))
            .end_row();
    }
}

fn push_daily(id: &str, rows: &[DailyRow], names: &Names, buffer: &mut Buffer) {
    for row in rows {
        let costs = row.costs;
        buffer
            .text(id)
            .text(names.bank(row.agent))
            .count(row.day.0)
            .int(row.opening_balance.0)
            .int(row.closing_balance.0)
            .int(row.min_balance.0)
            .int(row.max_balance.0)
            .int(row.unsecured_cap.0)
            .int(row.peak_overdraft.0)
            .int(row.opening_posted_collateral.0)
            .int(row.closing_posted_collateral.0)
            .int(row.peak_posted_collateral.0)
            .int(row.collateral_capacity.0)
            .count(row.num_collateral_posts)
            .count(row.num_collateral_withdrawals)
            .count(row.num_arrivals)
            .count(row.num_sent)
            .count(row.num_received)
            .count(row.num_settled())
            .count(row.num_dropped)
            .count(row.queue1_peak_size as u64)
            .count(row.queue1_eod_size as u64)
            .int(costs.overdraft.0)
            .int(costs.delay.0)
            .int(costs.collateral.0)
            .int(costs.split_friction.0)
            .int(costs.penalty.0)
            .int(costs.liquidity_opportunity.0)
            .int(row.total_cost().0)
            .end_row();
    }
}

/// The totals that are integers, in the order of their columns.
pub(in crate::persistence) fn integers(totals: Option<&Totals>) -> [Option<i64>; 8] {
    let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    totals.map_or([None; 8], |totals| {
        [
            count(totals.total_arrivals),
            count(totals.total_settlements),
            count(totals.total_lsm_releases),
            totals.total_cost.0,
            totals.arrived_value.0,
            totals.settled_value.0,
            totals.queued_value.0,
            totals.dropped_value.0,
        ]
        .map(Some)
    })
}
