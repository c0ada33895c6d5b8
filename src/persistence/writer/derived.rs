//! What follows from the events of a simulation: payments, days, totals, snapshots.

use std::sync::Arc;

use super::Buffers;
use crate::persistence::provider::TickRecord;
use crate::scenario::Scenario;

/// Totals of a simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::persistence) struct DerivedTotals {
    pub total_arrivals: i64,
    pub total_settlements: i64,
    pub total_lsm_releases: i64,
    pub total_cost_cents: i64,
    pub arrived_value: i64,
    pub settled_value: i64,
    pub queued_value: i64,
    pub dropped_value: i64,
    pub avg_delay_ticks: f64,
    pub max_delay_ticks: i64,
    pub peak_overdraft: i64,
}

impl DerivedTotals {
    /// The integer figures in the order of their columns.
    pub(super) fn integers(totals: Option<Self>) -> [Option<i64>; 8] {
        totals.map_or([None; 8], |totals| {
            [
                totals.total_arrivals,
                totals.total_settlements,
                totals.total_lsm_releases,
                totals.total_cost_cents,
                totals.arrived_value,
                totals.settled_value,
                totals.queued_value,
                totals.dropped_value,
            ]
            .map(Some)
        })
    }
}

/// The fold of a simulation's events on the writer's side.
pub(in crate::persistence) struct Derived {
    _scenario: Arc<Scenario>,
}

impl Derived {
    pub(super) fn new(scenario: Arc<Scenario>) -> Self {
        Self { _scenario: scenario }
    }

    /// Takes a tick in and pushes the rows that follow from it.
    pub(super) fn tick(
        &mut self,
        _id: &str,
        _record: &TickRecord,
        _buffers: &mut Buffers,
    ) -> Result<(), String> {
        Ok(())
    }

    /// Pushes the rows of what is still open; gives the totals.
    pub(super) fn close(&mut self, _id: &str, _buffers: &mut Buffers) -> DerivedTotals {
        DerivedTotals::default()
    }
}
